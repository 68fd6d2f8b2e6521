import { createReferenceDevice, createWebGpuDevice, type Device } from '../src';

declare const gpuForTests: GPU; // SwiftShader on Linux x64, by tools/gpuEnvironment.cjs

/** Every device that this package has, as its own tests make it. */
export const devices: Readonly<Record<string, () => Promise<Device>>> = {
  reference: async () => createReferenceDevice(),
  webgpu: () => createWebGpuDevice(gpuForTests),
};

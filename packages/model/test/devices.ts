import { createReferenceDevice, createWasmDevice, createWebGpuDevice, type Device } from '@genomelm/kernels';

declare const gpuForTests: GPU; // SwiftShader on Linux x64, by tools/gpuEnvironment.cjs

export type Devices = Readonly<Record<string, () => Promise<Device>>>;

/** The devices that this package's tests run on. */
export const devices: Devices = {
  reference: async () => createReferenceDevice(),
  wasm: () => createWasmDevice({ threads: 2 }),
};

export const webgpu: Devices = { webgpu: () => createWebGpuDevice(gpuForTests) };

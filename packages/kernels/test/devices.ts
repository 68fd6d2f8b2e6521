import { createReferenceDevice, createWasmDevice, createWebGpuDevice, type Device } from '../src';

declare const gpuForTests: GPU; // SwiftShader on Linux x64, by tools/gpuEnvironment.cjs

/** Every device that this package has, as its own tests make it. */
export const devices: Readonly<Record<string, () => Promise<Device>>> = {
  reference: async () => createReferenceDevice(),
  wasm: () => createWasmDevice({ threads: 1 }),
  'wasm, 2 threads': () => createWasmDevice({ threads: 2 }),
  'wasm, unshared': () => createWasmDevice({ shared: false }),
  webgpu: () => createWebGpuDevice(gpuForTests),
};

import { createReferenceDevice, createWasmDevice, createWebGpuDevice, type Device } from '../src';

/** SwiftShader on Linux x64, else the machine's own GPU if it has one: tools/gpuEnvironment.cjs. */
export const gpu = (globalThis as { gpuForTests?: GPU }).gpuForTests;

export const describeWithGpu = gpu ? describe : describe.skip;

/** Every device that this package has, as its own tests make it. */
export const devices: Readonly<Record<string, () => Promise<Device>>> = {
  reference: async () => createReferenceDevice(),
  wasm: () => createWasmDevice({ threads: 1 }),
  'wasm, 2 threads': () => createWasmDevice({ threads: 2 }),
  'wasm, unshared': () => createWasmDevice({ shared: false }),
  ...(gpu && { webgpu: () => createWebGpuDevice(gpu) }),
};

import { setFlagsFromString } from 'node:v8';
import { createReferenceDevice, createWasmDevice, createWebGpuDevice, type Device, type WasmOptions } from '../src';

/** SwiftShader on Linux x64, else the machine's own GPU if it has one: tools/gpuEnvironment.cjs. */
export const gpu = (globalThis as { gpuForTests?: GPU }).gpuForTests;

export const describeWithGpu = gpu ? describe : describe.skip;

/** Node 20 has relaxed SIMD behind a flag of V8, which may come as late as this. */
const flagged = process.version.startsWith('v20.');
export const allowRelaxedSimd = (allowed: boolean): void => { if (flagged) setFlagsFromString(`--${allowed ? '' : 'no-'}experimental-wasm-relaxed-simd`); };

export function createRelaxedDevice(options: WasmOptions = {}): Promise<Device> {
  allowRelaxedSimd(true);
  return createWasmDevice({ ...options, relaxedSimd: true });
}

/** Every device that this package has, as its own tests make it. */
export const devices: Readonly<Record<string, () => Promise<Device>>> = {
  reference: async () => createReferenceDevice(),
  wasm: () => createWasmDevice({ threads: 1 }),
  'wasm, 2 threads': () => createWasmDevice({ threads: 2 }),
  'wasm, unshared': () => createWasmDevice({ shared: false }),
  ...(gpu && { webgpu: () => createWebGpuDevice(gpu) }),
};

import { availableParallelism } from 'node:os';
import { createDevice, type Device } from '@genomelm/kernels';
import { choice, deviceKinds, integer, UsageError, type Context } from './command';

/** Dawn through the optional package `webgpu`. */
export async function loadGpu(): Promise<GPU> {
  const dawn = await import('webgpu').catch((cause: unknown) => {
    throw new Error('webgpu: expected the package webgpu, got none; npm install webgpu', { cause });
  });
  return dawn.create([]) as GPU;
}

/** The device of `--device`, `--threads` and `--relaxed-simd`. */
export async function openDevice(context: Pick<Context, 'values'>): Promise<Device> {
  const kind = choice(context, 'device', deviceKinds, 'wasm');
  const threads = integer(context, 'threads', Math.min(8, availableParallelism()), { max: 64 });
  const relaxedSimd = context.values['relaxed-simd'] === true;
  if (relaxedSimd && kind !== 'wasm') throw new UsageError(`--relaxed-simd: expected --device wasm, got ${kind}; leave one of them out`);
  return createDevice(kind, { threads, relaxedSimd, ...(kind === 'webgpu' ? { gpu: await loadGpu() } : {}) });
}

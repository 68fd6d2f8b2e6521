import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { createDevice, type Device } from '@genomelm/kernels';
import { choice, deviceKinds, integer, UsageError, type Context } from './command';

/** Dawn through the optional package `webgpu`. */
export async function loadGpu(): Promise<GPU> {
  const dawn = await import('webgpu').catch((cause: unknown) => {
    throw new Error('webgpu: expected the package webgpu, got none; npm install webgpu', { cause });
  });
  return dawn.create([]) as GPU;
}

/** The device of `--device`, `--threads`, `--relaxed-simd` and `--wide-tiles`. */
export async function openDevice(context: Pick<Context, 'values'>): Promise<Device> {
  const kind = choice(context, 'device', deviceKinds, 'wasm');
  const threads = integer(context, 'threads', Math.min(8, availableParallelism()), { max: 64 });
  const [relaxedSimd, wideTiles] = ['relaxed-simd', 'wide-tiles'].map((name) => {
    const asked = context.values[name] === true;
    if (asked && kind !== 'wasm') throw new UsageError(`--${name}: expected --device wasm, got ${kind}; leave one of them out`);
    return asked;
  });
  if (wideTiles) joinRegisters();
  return createDevice(kind, { threads, relaxedSimd, ...(wideTiles && { wideTiles }), ...(kind === 'webgpu' ? { gpu: await loadGpu() } : {}) });
}

/** Asks V8 to make one operation of 256 bits of two of 128, in every module compiled from now on. That of Node 22 knows the flag, but does not join what the kernels do. */
function joinRegisters(): void {
  if (Number.parseInt(process.versions.v8) < 13) throw new UsageError(`--wide-tiles: expected Node 24 or newer, got ${process.version}; leave it out`);
  setFlagsFromString('--experimental-wasm-revectorize');
}

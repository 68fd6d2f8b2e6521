import { debugDevice } from './debugDevice';
import { createReferenceDevice } from './devices/reference';
import { createWasmDevice } from './devices/wasm/device';
import { createWebGpuDevice, type WebGpuDevice } from './devices/webgpu';
import { state } from './state';
import type { Device } from './device';

/** `gpujs` is never picked by `auto`, and must have been registered: `registerGpuJs()` of `@genomelm/kernels/gpujs`. */
export type DeviceKind = 'auto' | 'reference' | 'wasm' | 'webgpu' | 'gpujs';

/** What a device of some kind may be given; the others ignore it. */
export interface DeviceOptions {
  /** For wasm; by default all of the machine, at most 8. Results do not depend on it. */
  readonly threads?: number;
  /** For wasm: fused multiply-adds, whose last bits depend on the machine; by default false. See `WasmOptions`. */
  readonly relaxedSimd?: boolean;
  /** For wasm: tiles for engines that join pairs of 128-bit operations; by default true where Node was started with V8's flag for it. See `WasmOptions`. */
  readonly wideTiles?: boolean;
  /** For webgpu; by default `navigator.gpu`. In Node: `create([])` of the npm package webgpu. */
  readonly gpu?: GPU;
  /** For finding faults: `read` rejects with the name of the first op that made a NaN or an infinity; see `debugDevice`. */
  readonly checkFinite?: boolean;
}

/** A device, and why it was picked; `description` says what it is. */
export type PickedDevice = Device & { readonly reason: string };

/**
 * Makes a device. `auto` takes the GPU that is given; without one, a browser's GPU if it has a real one, and else wasm: a CPU in place of a GPU is 7 to 50 times slower than wasm.
 * @throws Error where the kind asked for does not work here; nothing else takes its place.
 */
export async function createDevice(kind: DeviceKind = 'auto', { checkFinite = false, ...options }: DeviceOptions = {}): Promise<PickedDevice> {
  const picked = await pick(kind, options);
  return checkFinite ? Object.assign(debugDevice(picked, { checkFinite }), { reason: picked.reason }) : picked;
}

async function pick(kind: DeviceKind, { gpu, ...options }: DeviceOptions): Promise<PickedDevice> {
  const wasm = () => createWasmDevice(options);
  if (kind === 'reference') return because(createReferenceDevice(), 'asked for');
  if (kind === 'wasm') return because(await wasm(), 'asked for');
  if (kind === 'gpujs') {
    const make = state.makers.get(kind);
    if (!make) throw new Error('createDevice: expected gpujs to be registered, got no such device; install gpu.js and call registerGpuJs() of @genomelm/kernels/gpujs first');
    return because(make(), 'asked for');
  }
  const found = gpu ?? (typeof navigator === 'undefined' ? undefined : (navigator.gpu as GPU | undefined));
  if (kind === 'webgpu') {
    if (!found) throw new TypeError('createDevice: expected a GPU for webgpu, got none; use a browser with WebGPU, or in Node pass { gpu: create([]) } from the npm package webgpu');
    return onGpu(await createWebGpuDevice(found), 'asked for');
  }
  if (kind !== 'auto') throw new TypeError(`createDevice: expected auto, reference, wasm, webgpu or gpujs, got ${String(kind)}`);
  if (gpu) return onGpu(await createWebGpuDevice(gpu), 'a GPU was given');
  if (!found) return because(await wasm(), 'no GPU was given, and there is no navigator.gpu');
  try {
    const device = await createWebGpuDevice(found);
    if (!device.adapter.software) return because(device, 'navigator.gpu has an adapter');
    await device.destroy();
    return because(await wasm(), `navigator.gpu has only a CPU in place of a GPU: ${nameOf(device)}`);
  } catch (error) {
    return because(await wasm(), `navigator.gpu does not work here (${(error as Error).message})`);
  }
}

const because = (device: Device, reason: string): PickedDevice => Object.assign(device, { reason });

/** A driver may hand out a CPU without a word: the reason says so. */
const onGpu = (device: WebGpuDevice, reason: string): PickedDevice => because(device, device.adapter.software ? `${reason}, but its adapter is a CPU in place of a GPU: ${nameOf(device)}` : reason);

/** Firefox names no adapter. */
const nameOf = ({ adapter: { architecture, description } }: WebGpuDevice): string => architecture || description || 'one that the browser does not name';

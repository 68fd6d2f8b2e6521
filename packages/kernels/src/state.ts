// The package's only dynamic state: which scopes and tapes are open, and which devices of other entry points were registered. It lives on globalThis, because one program may load both the ESM and the CommonJS build.
import type { Device, DeviceBuffer } from './device';
import type { Tensor } from './tensor';

/** Gradients of the outputs in, gradients of the inputs out; null where there is none. */
export type Backward = (dOutputs: readonly (Tensor | null)[], needs: readonly boolean[]) => readonly (Tensor | null)[];

export interface TapeEntry {
  readonly saved: readonly Tensor[];
  readonly differentiable: readonly Tensor[];
  readonly backward: Backward;
}

export interface Recorder {
  /** Sees every op. `entry` is undefined for an op without backward. */
  record(name: string, inputs: readonly Tensor[], outputs: readonly Tensor[], entry?: (needs: readonly boolean[]) => TapeEntry): void;
}

/** Whoever keeps buffers alive beyond their scope: an open tape. */
export interface Holder {
  holds(buffer: DeviceBuffer): boolean;
  own(device: Device, buffer: DeviceBuffer): void;
}

interface State {
  readonly scopes: Map<DeviceBuffer, Device>[];
  readonly recorders: (Recorder | null)[];
  readonly holders: Holder[];
  /** By kind, for `createDevice`. */
  readonly makers: Map<string, () => Device>;
}

const root = globalThis as unknown as Record<symbol, State | undefined>;
export const state: State = (root[Symbol.for('@genomelm/kernels')] ??= { scopes: [], recorders: [], holders: [], makers: new Map() });

export const recorder = (): Recorder | null => state.recorders.at(-1) ?? null;

export function withRecorder<T>(next: Recorder | null, f: () => T): T {
  state.recorders.push(next);
  try {
    return f();
  } finally {
    state.recorders.pop();
  }
}

import { free, scope, type Sync } from './scope';
import { state } from './state';
import { leaves, type Tree } from './tree';
import type { Device, DeviceRecording } from './device';

/** Something that is computed again and again, on the same memory and with other numbers. */
export interface Recording<T> {
  /** Computes it. @returns the result, which belongs to the recording: the next run overwrites it, `free` frees it */
  run(): T;
  free(): void;
}

/**
 * Prepares `f` to run many times, as a step of decoding does. The first run takes down what `f` asks of the device; later ones ask for the same without calling `f`, and read anew
 * - the host arrays that `f` gave to `tensor` (of the type of the tensor: Float32Array, Uint32Array, Int32Array) and as attributes (Int32Array): write other numbers into them between two runs, of the same number;
 * - the tensors from outside that `f` reads. Where one was freed or written, other than by `f`, `f` is called anew.
 *
 * So everything else that `f` does on the host happens once. On a device that takes nothing down, `f` is called each time, to the same result.
 */
export function record<T extends Tree>(device: Device, f: () => Sync<T>): Recording<T> {
  let result: T | undefined, taken: DeviceRecording | undefined;
  const compute = (): void => {
    result = scope(f);
    for (const { buffer } of leaves(result)) for (const open of state.scopes) open.delete(buffer);
  };
  const release = (): void => {
    if (result !== undefined) free(result);
    result = undefined;
    taken?.free();
    taken = undefined;
  };
  return {
    run() {
      if (taken?.replay()) return result!;
      release();
      if (device.record) taken = device.record(compute);
      else compute();
      return result!;
    },
    free: release,
  };
}

// Parts of tensors that are larger than a GPU binds (128 MiB to 4 GiB), for plans that know which part each dispatch needs. Ops whose rows do not know of each other need none of it: see pieces.ts.
import { bytesPerElement, type TensorSpec } from '../../tensor';
import { alignmentOf, paddedBytes } from './bindings';
import type { Limits } from '../../device';
import type { Bind, View } from '../../op';

/** So many elements in a row fit into one binding, wherever they begin. */
export const mostElements = (spec: TensorSpec, { maxBindingBytes }: Limits): number => Math.floor(maxBindingBytes / bytesPerElement(spec.dtype)) - alignmentOf(spec);

export const fits = (specs: readonly TensorSpec[], { maxBindingBytes }: Limits): boolean => specs.every((spec) => paddedBytes(spec) <= maxBindingBytes);

/** Elements `from` to `to` of a tensor: the whole of it where it fits, else a window that begins where WebGPU binds. `start` is where element 0 would lie in what the shader sees, as a u32: it may wrap below zero, and so do the shader's sums. */
export function show(bind: Bind, spec: TensorSpec, from: number, to: number, limits: Limits): { readonly view: View; readonly start: number } {
  if (fits([spec], limits)) return { view: bind, start: 0 };
  if (from >= to) return { view: { ...bind, window: { first: 0, count: 1 } }, start: 0 };
  const first = from - (from % alignmentOf(spec));
  return { view: { ...bind, window: { first, count: to - first } }, start: wrapped(-first) };
}

/** As a u32. */
export const wrapped = (value: number): number => value >>> 0;

/** `[from, to]` over `count`, at most `most` at a time. */
export function spans(count: number, most: number): [from: number, to: number][] {
  const step = Math.max(1, Math.min(most, count));
  return Array.from({ length: Math.ceil(count / step) }, (_, i) => [i * step, Math.min(count, (i + 1) * step)]);
}

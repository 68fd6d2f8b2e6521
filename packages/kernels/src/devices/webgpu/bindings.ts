// What a dispatch binds, checked where the op and the names are known: WebGPU's own messages come later and name neither.
import { bytesOf, bytesPerElement, describeSpec, type TensorSpec } from '../../tensor';
import type { DeviceBuffer, Limits } from '../../device';
import type { Range } from './bindGroups';
import type { PooledBuffer } from './bufferPool';
import type { ShaderFacts } from './shader';

export interface GpuBuffer extends DeviceBuffer {
  readonly pooled: PooledBuffer;
}

/** A tensor of the device, or scratch. */
export interface Bound extends TensorSpec {
  readonly buffer: DeviceBuffer;
  readonly offset: number;
}

/** The GPU's memory behind a tensor. */
export const pooledOf = ({ buffer }: Bound): PooledBuffer => (buffer as GpuBuffer).pooled;

/** Bytes of whole words: shaders see 8- and 16-bit elements as words. */
export const paddedBytes = (spec: TensorSpec): number => Math.ceil(bytesOf(spec) / 4) * 4;

/** Bytes between places where WebGPU can bind a buffer. */
export const viewAlignment = 256;

/** The same in elements of a tensor. */
export const alignmentOf = ({ dtype }: TensorSpec): number => viewAlignment / bytesPerElement(dtype);

/** The parts of buffers to bind: each is no larger than WebGPU can show, and nothing is read and written at once. */
export function rangesOf(op: string, { tensors }: ShaderFacts, bound: readonly Bound[], { maxBindingBytes }: Limits): Range[] {
  if (tensors.length !== bound.length) throw new TypeError(`${op}: expected ${tensors.length} tensors for the shader's bindings, got ${bound.length}`);
  const ranges = bound.map((spec, i): Range => {
    const { name } = tensors[i];
    const size = Math.max(16, paddedBytes(spec)); // an array binds at least one element, of up to four words, and every buffer has 256 bytes
    if (size > maxBindingBytes) throw new RangeError(`${op}: expected ${name} of at most ${maxBindingBytes} bytes, all that this GPU shows to one dispatch, got ${describeSpec(spec)}; make it smaller, or use the wasm device`);
    const { gpu, id } = pooledOf(spec);
    return { gpu, id, offset: spec.offset * bytesPerElement(spec.dtype), size };
  });
  ranges.forEach((range, i) => {
    for (let j = 0; j < i; j++) if (ranges[j].id === range.id) checkShared(op, tensors[j], tensors[i], apart(ranges[j], range));
  });
  return ranges;
}

const apart = (a: Range, b: Range): boolean => b.offset >= a.offset + a.size || a.offset >= b.offset + b.size;

type Binding = ShaderFacts['tensors'][number];

/** One buffer may be bound twice to be read, or twice to be written apart; never to be read and written. */
function checkShared(op: string, a: Binding, b: Binding, disjoint: boolean): void {
  if (a.access === b.access && (a.access === 'read' || disjoint)) return;
  throw new TypeError(`${op}: expected every buffer it writes to be bound once, got ${a.name} (${a.access}) and ${b.name} (${b.access}) in one buffer, which WebGPU refuses; copy one of them`);
}

// A tensor is data: a device, a dtype, a shape and a place in a buffer. The maths is in ops/.
import type { Device, DeviceBuffer } from './device';

/** Element types. 8- and 16-bit types are for storage only; arithmetic is in 32 bits (64 on the reference device). */
export type DType = 'float32' | 'float16' | 'bfloat16' | 'int8' | 'int32' | 'uint32';

export interface TensorSpec {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** Contiguous, row-major elements of one buffer, beginning at `offset` (in elements). */
export interface Tensor extends TensorSpec {
  readonly device: Device;
  readonly buffer: DeviceBuffer;
  readonly offset: number;
}

/** What goes into and comes out of a device. The reference device computes in Float64Array. */
export type Data = Float32Array | Float64Array | Int32Array | Uint32Array;

const bytesPerElement: Readonly<Record<DType, number>> = { float32: 4, float16: 2, bfloat16: 2, int8: 1, int32: 4, uint32: 4 };

/** Number of elements. A shape `[]` is a scalar: one element. */
export function sizeOf({ shape }: TensorSpec): number {
  let size = 1;
  for (const axis of shape) size *= axis;
  return size;
}

export const bytesOf = (spec: TensorSpec): number => sizeOf(spec) * bytesPerElement[spec.dtype];

export const float32 = (...shape: number[]): TensorSpec => ({ dtype: 'float32', shape });

export const isTensor = (value: unknown): value is Tensor =>
  typeof value === 'object' && value !== null && 'buffer' in value && 'dtype' in value && 'device' in value;

/** `float32 [2, 3]`, for messages. */
export const describeSpec = ({ dtype, shape }: TensorSpec): string => `${dtype} [${shape.join(', ')}]`;

// A tensor is data: a device, a dtype, a shape and a place in a buffer. The maths is in ops/.
import type { Device, DeviceBuffer } from './device';

/** Element types. 8- and 16-bit types are for storage only; arithmetic is in 32 bits (64 on the reference device). */
export type DType = 'float32' | 'float16' | 'bfloat16' | 'int8' | 'int32' | 'uint32';

/** What a tensor is, without where it lies. */
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

/** What goes into and comes out of a device. The reference device computes in Float64Array; Uint16Array holds the bits of float16 and bfloat16 (see `toFloat16`). */
export type Data = Float32Array | Float64Array | Int32Array | Uint32Array | Uint16Array | Int8Array;

/** How elements of each type lie in memory. */
export const storageTypes = { float32: Float32Array, float16: Uint16Array, bfloat16: Uint16Array, int8: Int8Array, int32: Int32Array, uint32: Uint32Array } as const satisfies Record<DType, unknown>;

export const bytesPerElement = (dtype: DType): number => storageTypes[dtype].BYTES_PER_ELEMENT;

/** Number of elements. A shape `[]` is a scalar: one element. */
export function sizeOf({ shape }: TensorSpec): number {
  let size = 1;
  for (const axis of shape) size *= axis;
  return size;
}

/** Bytes of a tensor of this type and shape. */
export const bytesOf = (spec: TensorSpec): number => sizeOf(spec) * bytesPerElement(spec.dtype);

export const float32 = (...shape: number[]): TensorSpec => ({ dtype: 'float32', shape });

/** Whether a value is a tensor: a leaf of a tree of parameters. */
export const isTensor = (value: unknown): value is Tensor =>
  typeof value === 'object' && value !== null && 'buffer' in value && 'dtype' in value && 'device' in value;

/** `float32 [2, 3]`, for messages. */
export const describeSpec = ({ dtype, shape }: TensorSpec): string => `${dtype} [${shape.join(', ')}]`;

/** Nothing looks at memory that was given back. */
export function checkLive(what: string, tensors: readonly Tensor[]): void {
  for (const tensor of tensors) if (tensor.buffer.version < 0) throw new ReferenceError(`${what}: expected a live tensor, got one that was freed (${describeSpec(tensor)})`);
}

/** Whether `data` may be written to a tensor: as many elements, and for 8 and 16 bits those very bits. */
export function checkData(spec: TensorSpec, data: Data): void {
  if (data.length !== sizeOf(spec)) throw new RangeError(`write: expected ${sizeOf(spec)} elements for ${describeSpec(spec)}, got ${data.length}; write as many as the tensor has`);
  const storage = storageTypes[spec.dtype];
  if (storage.BYTES_PER_ELEMENT < 4 && !(data instanceof storage)) throw new TypeError(`write: expected a ${storage.name} for ${describeSpec(spec)}, got a ${data.constructor.name}; convert it with toFloat16(), toBfloat16() or quantizeRows()`);
  if (storage.BYTES_PER_ELEMENT === 4 && data.BYTES_PER_ELEMENT < 4) throw new TypeError(`write: expected numbers for ${describeSpec(spec)}, got a ${data.constructor.name}; give the tensor the type of the data`);
}

// What every format of weights gives: names, dtypes, shapes, and one tensor's bytes at a time.

/** As safetensors names them: `F32`, `BF16`, `I64` … */
export interface StoredSpec {
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** One tensor as it lies in the file; `data` is little-endian, possibly an unaligned view of the file's bytes. */
export interface StoredTensor extends StoredSpec {
  readonly data: Uint8Array;
}

/** A file of weights, or several. Nothing but its header is read before a tensor is asked for. */
export interface WeightsFile {
  readonly tensors: ReadonlyMap<string, StoredSpec>;
  /** @throws RangeError for a name that is not among `tensors` */
  read(name: string): Promise<StoredTensor>;
  close(): Promise<void>;
}

export const bytesPerElement: Readonly<Record<string, number>> = { BOOL: 1, U8: 1, I8: 1, F8_E4M3: 1, F8_E5M2: 1, U16: 2, I16: 2, F16: 2, BF16: 2, U32: 4, I32: 4, F32: 4, U64: 8, I64: 8, F64: 8 };

/** The entry of a map. @throws RangeError for a name that it lacks */
export function entryOf<T>(entries: ReadonlyMap<string, T>, name: string): T {
  const found = entries.get(name);
  if (found === undefined) throw new RangeError(`read: expected the name of a stored tensor, got ${JSON.stringify(name)}`);
  return found;
}

/** Elements of an F32, F16, BF16 or F64 tensor; half precision widens exactly, double precision rounds to the nearest. Always a copy. @throws TypeError for other dtypes */
export function toFloat32({ dtype, data }: StoredTensor, name = 'the tensor'): Float32Array {
  const { buffer } = new Uint8Array(data); // aligned, whatever the offset was
  if (dtype === 'F32') return new Float32Array(buffer);
  if (dtype === 'F64') return new Float32Array(new Float64Array(buffer));
  const bits = new Uint16Array(buffer);
  const wide = new Uint32Array(bits.length);
  if (dtype === 'BF16') for (let i = 0; i < bits.length; i++) wide[i] = bits[i] << 16;
  else if (dtype === 'F16') for (let i = 0; i < bits.length; i++) wide[i] = widenHalf(bits[i]);
  else throw new TypeError(`toFloat32: expected ${name} as F32, F16, BF16 or F64, got ${dtype}`);
  return new Float32Array(wide.buffer);
}

/** The bits of the float32 that equals a float16: IEEE 754, 1 + 5 + 10 bits. */
function widenHalf(bits: number): number {
  const sign = (bits & 0x8000) << 16;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 31) return sign | 0x7f800000 | (fraction << 13);
  if (exponent) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (!fraction) return sign;
  const shift = Math.clz32(fraction) - 21; // subnormal: moves the leading one to the hidden bit
  return sign | ((113 - shift) << 23) | ((fraction << (13 + shift)) & 0x7fffff);
}

// float16 (IEEE 754 binary16) and bfloat16 (the upper half of binary32) as bits in a Uint16Array: types for storage, which hosts convert here and devices in their kernels.

interface Format {
  /** Bits of the fraction. */
  readonly fraction: number;
  /** What is taken from the exponent of a float64, 1023 minus the bias of the format. */
  readonly rebias: number;
  /** The exponent of infinity and NaN. */
  readonly largest: number;
}

const float16: Format = { fraction: 10, rebias: 1008, largest: 31 };
const bfloat16: Format = { fraction: 7, rebias: 896, largest: 255 };

/** The bits of each number as float16, rounded to nearest, ties to even; beyond 65,520 infinite, subnormal numbers and NaN kept. */
export const toFloat16 = (values: ArrayLike<number>): Uint16Array => narrow(values, float16);

/** The same as bfloat16: the range of float32 with 8 significant bits. */
export const toBfloat16 = (values: ArrayLike<number>): Uint16Array => narrow(values, bfloat16);

/** The numbers of float16 bits, all of which a float32 holds. */
export function fromFloat16(bits: ArrayLike<number>): Float32Array {
  const values = new Float32Array(bits.length);
  const words = new Uint32Array(values.buffer);
  for (let i = 0; i < bits.length; i++) {
    const [sign, rest] = [(bits[i] & 0x8000) << 16, bits[i] & 0x7fff];
    if (rest >= 0x7c00) words[i] = sign | 0x7f800000 | (rest << 13);
    else if (rest >= 0x400) words[i] = sign | ((rest << 13) + (112 << 23));
    else values[i] = (sign ? -1 : 1) * rest * 2 ** -24;
  }
  return values;
}

/** The numbers of bfloat16 bits. */
export function fromBfloat16(bits: ArrayLike<number>): Float32Array {
  const values = new Float32Array(bits.length);
  const words = new Uint32Array(values.buffer);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i] << 16;
  return values;
}

/** Through the upper word of a float64: 20 bits of its fraction, the last of which also stands for all that follow. So nothing is rounded twice. */
function narrow(values: ArrayLike<number>, { fraction, rebias, largest }: Format): Uint16Array {
  const doubles = Float64Array.from(values);
  const words = new Uint32Array(doubles.buffer);
  const bits = new Uint16Array(doubles.length);
  const [low, high] = new Uint8Array(Uint32Array.of(1).buffer)[0] ? [0, 1] : [1, 0];
  const infinity = largest << fraction;
  for (let i = 0; i < bits.length; i++) {
    const word = words[2 * i + high] | (words[2 * i + low] ? 1 : 0);
    const [sign, rest] = [(word >>> 16) & 0x8000, word & 0x7fffffff];
    const exponent = (rest >>> 20) - rebias;
    if (rest > 0x7ff00000) bits[i] = sign | infinity | (1 << (fraction - 1));
    else if (exponent >= largest) bits[i] = sign | infinity;
    else if (exponent > 0) bits[i] = sign | shiftRounded(rest - (rebias << 20), 20 - fraction);
    else bits[i] = sign | shiftRounded((rest & 0xfffff) | 0x100000, 21 - fraction - exponent);
  }
  return bits;
}

/** x / 2^by, to the nearest, ties to even. */
function shiftRounded(x: number, by: number): number {
  if (by > 21) return 0;
  const [whole, left, half] = [x >>> by, x & ((1 << by) - 1), 1 << (by - 1)];
  return left > half || (left === half && whole & 1) ? whole + 1 : whole;
}

// AssemblyScript. Elements of 8 and 16 bits become f32 and back, as in half.ts. Types by code, as in storage.ts.
import { at, splat } from './math.wasm';

export const FLOAT32: i32 = 0;
export const FLOAT16: i32 = 1;
export const BFLOAT16: i32 = 2;
export const INT8: i32 = 3;
/** float16 of which the caller knows that it is finite. */
export const FINITE16: i32 = 4;

/** The address of an element, by its type. */
@inline export function place(base: usize, element: i32, type: i32): usize {
  return base + (<usize>element << (type == FLOAT32 ? 2 : type == INT8 ? 0 : 1));
}

/** Four finite float16, sign-extended to 32 bits: shifted to where f32 has exponent and fraction, and scaled by 2¹¹², which is exact for subnormal numbers too. */
@inline function finite16(bits: v128): v128 {
  return f32x4.mul(v128.and(i32x4.shl(bits, 13), i32x4.splat(0x8fffffff)), splat(5.192296858534828e33));
}

/** The same for any float16. */
@inline function float16(bits: v128): v128 {
  const value = finite16(bits);
  return v128.bitselect(v128.or(value, i32x4.splat(0x7f800000)), value, f32x4.ge(f32x4.abs(value), splat(65536))); // infinity and NaN
}

/** Whether all of four times eight float16 are finite: checked once, so that each of them needs half the instructions. */
@inline export function allFinite16(a: v128, b: v128, c: v128, d: v128): bool {
  const magnitudes = i16x8.splat(0x7fff);
  const most = i16x8.max_u(i16x8.max_u(v128.and(a, magnitudes), v128.and(b, magnitudes)), i16x8.max_u(v128.and(c, magnitudes), v128.and(d, magnitudes)));
  return !v128.any_true(i16x8.ge_u(most, i16x8.splat(0x7c00)));
}

/** Lanes 0 to 3 of eight elements of 16 bits. */
@inline export function low4(half: v128, type: i32): v128 {
  const bits = i32x4.extend_low_i16x8_s(half);
  return type == FLOAT16 ? float16(bits) : type == FINITE16 ? finite16(bits) : i32x4.shl(bits, 16);
}

/** Lanes 4 to 7. */
@inline export function high4(half: v128, type: i32): v128 {
  const bits = i32x4.extend_high_i16x8_s(half);
  return type == FLOAT16 ? float16(bits) : type == FINITE16 ? finite16(bits) : i32x4.shl(bits, 16);
}

/** Four elements, wherever they lie. */
@inline export function load4(from: usize, type: i32): v128 {
  if (type == FLOAT32) return v128.load(from);
  if (type == INT8) return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(from))));
  return low4(v128.load64_zero(from), type);
}

/** One element. */
@inline export function load1(from: usize, type: i32): f32 {
  if (type == FLOAT32) return load<f32>(from);
  if (type == INT8) return <f32>load<i8>(from);
  return f32x4.extract_lane(low4(i16x8.splat(load<i16>(from)), type), 0);
}

/** Stores a number rounded to nearest, ties to even. */
@inline export function store1(to: usize, value: f32, type: i32): void {
  if (type == FLOAT32) store<f32>(to, value);
  else store<i16>(to, <i16>(type == FLOAT16 ? narrowFloat16(value) : narrowBfloat16(value)));
}

function narrowFloat16(value: f32): i32 {
  const bits = reinterpret<i32>(value), sign = (bits >>> 16) & 0x8000, rest = bits & 0x7fffffff;
  if (rest > 0x7f800000) return sign | 0x7e00;
  if (rest >= 0x477ff000) return sign | 0x7c00;
  if (rest >= 0x38800000) return sign | ((rest - 0x38000000 + 0xfff + ((rest >>> 13) & 1)) >>> 13);
  return sign | (reinterpret<i32>(<f32>(abs(value) + 0.5)) - 0x3f000000); // the last place of 0.5 is the smallest float16
}

function narrowBfloat16(value: f32): i32 {
  const bits = reinterpret<i32>(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return ((bits >>> 16) & 0x8000) | 0x7fc0;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

/** `count` elements become f32. */
export function widenRow(from: usize, to: usize, count: i32, type: i32): void {
  if (type == FLOAT32) {
    memory.copy(to, from, <usize>count << 2);
    return;
  }
  let i = 0;
  for (; i + 4 <= count; i += 4) v128.store(at(to, i), load4(place(from, i, type), type));
  for (; i < count; i++) store<f32>(at(to, i), load1(place(from, i, type), type));
}

/** `count` f32 become elements. */
export function narrowRow(from: usize, to: usize, count: i32, type: i32): void {
  if (type == FLOAT32) memory.copy(to, from, <usize>count << 2);
  else for (let i = 0; i < count; i++) store1(place(to, i, type), load<f32>(at(from, i)), type);
}

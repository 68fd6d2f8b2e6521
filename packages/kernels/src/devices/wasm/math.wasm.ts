// AssemblyScript. Four floats at a time: exp, the normal distribution, sums; and what every kernel needs to find its share. NaN in, NaN out.

/** The first item of a part: parts share `count` items as evenly as whole numbers allow. */
@inline export function share(count: i32, part: i32, parts: i32): i32 {
  return <i32>((<i64>count * part) / parts);
}

@inline export function at(base: usize, element: i32): usize {
  return base + (<usize>element << 2);
}

@inline export function splat(value: f32): v128 {
  return f32x4.splat(value);
}

/**
 * c + a · b. Every kernel's vectors are multiplied and added by these (the last one to three elements of a row of norms, softmax, rotary and decoding round twice in both modules, as their place alone says), so that the module compiled with relaxed SIMD is relaxed everywhere alike: there they are one instruction
 * where the machine has it, with one rounding in place of two. Which it is depends on the machine alone, so a row's bits do not depend on its neighbours in either module.
 */
@inline export function madd(a: v128, b: v128, c: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, c) : f32x4.add(c, f32x4.mul(a, b));
}

/** c - a · b. */
@inline export function nmadd(a: v128, b: v128, c: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_nmadd(a, b, c) : f32x4.sub(c, f32x4.mul(a, b));
}

/** c + a · b for one number that another kernel, or another part, computes in a lane. */
@inline export function madd1(a: f32, b: f32, c: f32): f32 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.extract_lane(f32x4.relaxed_madd(splat(a), splat(b), splat(c)), 0) : c + a * b;
}

/** The lanes in a fixed order. */
@inline export function total(x: v128): f32 {
  return (f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1)) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3));
}

/** NaN or not: a caller's sum of exponentials is NaN anyway. */
@inline export function largest(x: v128): f32 {
  return max(max(f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 1)), max(f32x4.extract_lane(x, 2), f32x4.extract_lane(x, 3)));
}

/**
 * eˣ for x ≤ 88 to 1.5 units in the last place: x = n ln 2 + r with |r| ≤ ln 2 / 2, and e^r by a minimax polynomial of degree 6 (its error is 3e-9).
 * Below -87.33 it is zero (no subnormal numbers). Adding 1.5·2²³ rounds to an integer, whose bits shift straight into the exponent.
 */
@inline export function expBounded4(x: v128): v128 {
  const shifted = madd(x, splat(1.44269504088896341), splat(12582912));
  const n = f32x4.sub(shifted, splat(12582912));
  const r = nmadd(n, splat(-2.12194440e-4), nmadd(n, splat(0.693359375), x));
  let p = madd(splat(0.0013813144760206342), r, splat(0.00836941879242658));
  p = madd(p, r, splat(0.04166845604777336));
  p = madd(p, r, splat(0.16666515171527863));
  p = madd(p, r, splat(0.4999999403953552));
  p = f32x4.add(madd(p, f32x4.mul(r, r), r), splat(1));
  const scaled = i32x4.add(p, i32x4.shl(shifted, 23));
  return v128.or(v128.andnot(scaled, f32x4.lt(x, splat(-87.336544))), f32x4.ne(x, x));
}

/**
 * 2ˣ for x ≤ 0 to 1.6 units in the last place, zero below -125.5, in 16 instructions where eˣ has 25: x needs no factor, and n comes off exactly. e^(r ln 2) by a minimax polynomial of degree 5 (its error is 9e-8), exact at 0.
 * It and its factor are 2 · 2^r and 2^(n-1), so that no product is subnormal; n = -126 gives the bits of zero.
 */
@inline export function exp2Weight4(x: v128): v128 {
  const bounded = f32x4.pmax(x, splat(-126)); // keeps NaN
  const shifted = f32x4.add(bounded, splat(12583038));
  const r = f32x4.sub(bounded, f32x4.sub(shifted, splat(12583038)));
  let p = madd(splat(0.0026529454546998867), r, splat(0.019343025493105003));
  p = madd(p, r, splat(0.111014674880973));
  p = madd(p, r, splat(0.4804448416743157));
  p = madd(p, r, splat(1.3862939551962628));
  p = madd(p, r, splat(2));
  return f32x4.mul(p, i32x4.shl(shifted, 23));
}

/** eˣ for every x; infinite beyond 88.72. */
@inline export function exp4(x: v128): v128 {
  return v128.bitselect(splat(Infinity), expBounded4(x), f32x4.gt(x, splat(88.722839)));
}

/** The same for one x ≤ 88. */
@inline export function exp1(x: f32): f32 {
  return f32x4.extract_lane(expBounded4(splat(x)), 0);
}

/** Natural logarithm of a positive finite number, in f64: 2 artanh of (m - 1) / (m + 1) for a mantissa m in [√½, √2). Once a row, so it need not be fast. */
export function log1(x: f32): f64 {
  if (!(x > 0) || x == Infinity) return x == 0 ? -Infinity : x == Infinity ? Infinity : NaN;
  let exponent = 0;
  let m = <f64>x;
  if (x < 1.1754944e-38) {
    m *= 16777216;
    exponent = -24;
  }
  const bits = reinterpret<i64>(m) - 0x3fe6a09e667f3bcd; // √½
  exponent += <i32>(bits >> 52);
  m = reinterpret<f64>((bits & 0x000fffffffffffff) + 0x3fe6a09e667f3bcd);
  const s = (m - 1) / (m + 1);
  const z = s * s;
  const series = 1 + z * (1.0 / 3 + z * (1.0 / 5 + z * (1.0 / 7 + z * (1.0 / 9 + z * (1.0 / 11 + z * (1.0 / 13 + z * (1.0 / 15)))))));
  return <f64>exponent * 0.6931471805599453 + 2 * s * series;
}

/** e^(-x²/2). */
@inline export function bell4(x: v128): v128 {
  return expBounded4(f32x4.mul(f32x4.mul(x, x), splat(-0.5)));
}

/**
 * The normal distribution function, given bell = e^(-x²/2). Its upper tail is bell · t · Q(t) with t = 1 / (1 + 0.3 |x| / √2) (the form of Abramowitz and Stegun 7.1.26);
 * Q of degree 8 was fitted here to erfc(z) e^(z²) on [0, 10] with relative error 2e-8, so that the far tail keeps its digits too.
 */
@inline export function normalCdf4(x: v128, bell: v128): v128 {
  const t = f32x4.div(splat(1), madd(f32x4.abs(x), splat(0.2121320343559642), splat(1)));
  let q = madd(splat(-0.1295231282711029), t, splat(0.48556438088417053));
  q = madd(q, t, splat(-0.5122806429862976));
  q = madd(q, t, splat(0.547723114490509));
  q = madd(q, t, splat(-0.09465296566486359));
  q = madd(q, t, splat(0.2149270623922348));
  q = madd(q, t, splat(0.1483388990163803));
  q = madd(q, t, splat(0.17071527242660522));
  q = madd(q, t, splat(0.1691880077123642));
  const tail = f32x4.mul(f32x4.mul(f32x4.mul(q, t), bell), splat(0.5));
  return v128.bitselect(tail, f32x4.sub(splat(1), tail), f32x4.lt(x, splat(0)));
}

@inline export function sigmoid4(x: v128): v128 {
  return f32x4.div(splat(1), f32x4.add(splat(1), exp4(f32x4.neg(x))));
}

/** A polynomial near zero (Cephes tanhf), 1 - 2 / (e^2x + 1) beyond. */
@inline export function tanh4(x: v128): v128 {
  const z = f32x4.mul(x, x);
  let p = madd(splat(-5.70498872745e-3), z, splat(2.06390887954531e-2));
  p = madd(p, z, splat(-5.37397155531e-2));
  p = madd(p, z, splat(1.33314422036e-1));
  p = madd(p, z, splat(-3.33332819422e-1));
  const near = madd(x, f32x4.mul(p, z), x);
  const far = f32x4.sub(splat(1), f32x4.div(splat(2), f32x4.add(splat(1), exp4(f32x4.add(x, x)))));
  return v128.bitselect(near, far, f32x4.lt(f32x4.abs(x), splat(0.625)));
}

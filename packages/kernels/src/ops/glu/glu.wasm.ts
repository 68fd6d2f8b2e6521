// AssemblyScript. Each row of x holds gate and value side by side. Gates by code: 0 gelu, 1 silu.
import { at, bell4, madd, normalCdf4, share, sigmoid4, splat } from '../../devices/wasm/math.wasm';

/** What the gate multiplies x with: the normal distribution function, given `bell`, or the sigmoid. */
@inline function factor4(code: i32, x: v128, bell: v128): v128 {
  return code == 0 ? normalCdf4(x, bell) : sigmoid4(x);
}

@inline function gateBell4(code: i32, x: v128): v128 {
  return code == 0 ? bell4(x) : x;
}

@inline function glu4(code: i32, gate: v128, value: v128): v128 {
  return f32x4.mul(f32x4.mul(gate, factor4(code, gate, gateBell4(code, gate))), value);
}

/** The derivative of the gate at x. */
@inline function slope4(code: i32, x: v128, factor: v128, bell: v128): v128 {
  if (code == 0) return madd(x, f32x4.mul(bell, splat(0.3989422804014327)), factor);
  return f32x4.mul(factor, madd(x, f32x4.sub(splat(1), factor), splat(1)));
}

export function glu(x: usize, y: usize, rows: i32, width: i32, code: i32, part: i32, parts: i32): void {
  for (let row = share(rows, part, parts), last = share(rows, part + 1, parts); row < last; row++) {
    const gate = at(x, 2 * row * width), value = at(gate, width), to = at(y, row * width);
    let i = 0;
    for (; i + 4 <= width; i += 4) v128.store(at(to, i), glu4(code, v128.load(at(gate, i)), v128.load(at(value, i))));
    for (; i < width; i++) v128.store_lane<f32>(at(to, i), glu4(code, v128.load32_splat(at(gate, i)), v128.load32_splat(at(value, i))), 0);
  }
}

export function gluBackward(x: usize, d: usize, dX: usize, rows: i32, width: i32, code: i32, part: i32, parts: i32): void {
  for (let row = share(rows, part, parts), last = share(rows, part + 1, parts); row < last; row++) {
    const gate = at(x, 2 * row * width), value = at(gate, width), from = at(d, row * width), dGate = at(dX, 2 * row * width), dValue = at(dGate, width);
    let i = 0;
    for (; i + 4 <= width; i += 4) {
      const g = v128.load(at(gate, i)), dOutput = v128.load(at(from, i)), bell = gateBell4(code, g), factor = factor4(code, g, bell);
      v128.store(at(dGate, i), f32x4.mul(f32x4.mul(dOutput, v128.load(at(value, i))), slope4(code, g, factor, bell)));
      v128.store(at(dValue, i), f32x4.mul(dOutput, f32x4.mul(g, factor)));
    }
    for (; i < width; i++) {
      const g = v128.load32_splat(at(gate, i)), dOutput = v128.load32_splat(at(from, i)), bell = gateBell4(code, g), factor = factor4(code, g, bell);
      v128.store_lane<f32>(at(dGate, i), f32x4.mul(f32x4.mul(dOutput, v128.load32_splat(at(value, i))), slope4(code, g, factor, bell)), 0);
      v128.store_lane<f32>(at(dValue, i), f32x4.mul(dOutput, f32x4.mul(g, factor)), 0);
    }
  }
}

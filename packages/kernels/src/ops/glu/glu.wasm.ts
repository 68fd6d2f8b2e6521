// AssemblyScript. Each row of x holds gate and value side by side. Gates by code: 0 gelu, 1 silu.
import { at, bell4, normalCdf4, share, sigmoid4, splat } from '../../devices/wasm/math.wasm';

@inline function gate4(code: i32, x: v128): v128 {
  return f32x4.mul(x, code == 0 ? normalCdf4(x, bell4(x)) : sigmoid4(x));
}

export function glu(x: usize, y: usize, rows: i32, width: i32, code: i32, part: i32, parts: i32): void {
  for (let row = share(rows, part, parts), last = share(rows, part + 1, parts); row < last; row++) {
    const gate = at(x, 2 * row * width), value = at(gate, width), to = at(y, row * width);
    let i = 0;
    for (; i + 4 <= width; i += 4) v128.store(at(to, i), f32x4.mul(gate4(code, v128.load(at(gate, i))), v128.load(at(value, i))));
    for (; i < width; i++) v128.store_lane<f32>(at(to, i), f32x4.mul(gate4(code, v128.load32_splat(at(gate, i))), v128.load32_splat(at(value, i))), 0);
  }
}

/** One exponential and one polynomial give both the gate and its derivative. Returns the gradient of the gate; that of the value is d · gate, stored at dValue. */
@inline function backward4(code: i32, x: v128, value: v128, d: v128): v128 {
  if (code == 0) {
    const bell = bell4(x), cdf = normalCdf4(x, bell);
    return f32x4.mul(f32x4.mul(d, value), f32x4.add(cdf, f32x4.mul(x, f32x4.mul(bell, splat(0.3989422804014327)))));
  }
  const s = sigmoid4(x);
  return f32x4.mul(f32x4.mul(d, value), f32x4.mul(s, f32x4.add(splat(1), f32x4.mul(x, f32x4.sub(splat(1), s)))));
}

export function gluBackward(x: usize, d: usize, dX: usize, rows: i32, width: i32, code: i32, part: i32, parts: i32): void {
  for (let row = share(rows, part, parts), last = share(rows, part + 1, parts); row < last; row++) {
    const gate = at(x, 2 * row * width), value = at(gate, width), from = at(d, row * width), dGate = at(dX, 2 * row * width), dValue = at(dGate, width);
    let i = 0;
    for (; i + 4 <= width; i += 4) {
      const g = v128.load(at(gate, i)), dOutput = v128.load(at(from, i));
      v128.store(at(dGate, i), backward4(code, g, v128.load(at(value, i)), dOutput));
      v128.store(at(dValue, i), f32x4.mul(dOutput, gate4(code, g)));
    }
    for (; i < width; i++) {
      const g = v128.load32_splat(at(gate, i)), dOutput = v128.load32_splat(at(from, i));
      v128.store_lane<f32>(at(dGate, i), backward4(code, g, v128.load32_splat(at(value, i)), dOutput), 0);
      v128.store_lane<f32>(at(dValue, i), f32x4.mul(dOutput, gate4(code, g)), 0);
    }
  }
}

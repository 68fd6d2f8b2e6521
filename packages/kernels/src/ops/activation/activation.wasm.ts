// AssemblyScript. Activations by code, as in functions.ts: 0 gelu, 1 silu, 2 tanh. What is left of a row after fours goes through the same arithmetic, one lane used.
import { at, bell4, madd, nmadd, normalCdf4, share, sigmoid4, splat, tanh4 } from '../../devices/wasm/math.wasm';

@inline export function value4(code: i32, x: v128): v128 {
  if (code == 0) return f32x4.mul(x, normalCdf4(x, bell4(x)));
  if (code == 1) return f32x4.mul(x, sigmoid4(x));
  return tanh4(x);
}

@inline export function derivative4(code: i32, x: v128): v128 {
  if (code == 0) {
    const bell = bell4(x);
    return madd(x, f32x4.mul(bell, splat(0.3989422804014327)), normalCdf4(x, bell));
  }
  if (code == 1) {
    const s = sigmoid4(x);
    return f32x4.mul(s, madd(x, f32x4.sub(splat(1), s), splat(1)));
  }
  const t = tanh4(x);
  return nmadd(t, t, splat(1));
}

export function activation(x: usize, y: usize, count: i32, code: i32, part: i32, parts: i32): void {
  let i = share(count, part, parts);
  const end = share(count, part + 1, parts);
  for (; i + 4 <= end; i += 4) v128.store(at(y, i), value4(code, v128.load(at(x, i))));
  for (; i < end; i++) v128.store_lane<f32>(at(y, i), value4(code, v128.load32_splat(at(x, i))), 0);
}

export function activationBackward(x: usize, d: usize, dX: usize, count: i32, code: i32, part: i32, parts: i32): void {
  let i = share(count, part, parts);
  const end = share(count, part + 1, parts);
  for (; i + 4 <= end; i += 4) v128.store(at(dX, i), f32x4.mul(v128.load(at(d, i)), derivative4(code, v128.load(at(x, i)))));
  for (; i < end; i++) v128.store_lane<f32>(at(dX, i), f32x4.mul(v128.load32_splat(at(d, i)), derivative4(code, v128.load32_splat(at(x, i)))), 0);
}

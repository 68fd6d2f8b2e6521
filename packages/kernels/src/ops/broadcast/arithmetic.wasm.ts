// AssemblyScript. Two inputs that are walked through with strides of their own; a part owns rows of the last axis.
import { at, share } from '../../devices/wasm/math.wasm';

@inline function four(code: i32, a: v128, b: v128): v128 {
  if (code == 0) return f32x4.add(a, b);
  if (code == 1) return f32x4.sub(a, b);
  if (code == 2) return f32x4.mul(a, b);
  if (code == 3) return f32x4.div(a, b);
  if (code == 4) return a;
  return v128.and(f32x4.eq(a, b), f32x4.splat(1));
}

@inline function load4(from: usize, step: i32, i: i32): v128 {
  return step ? v128.load(at(from, i)) : v128.load32_splat(from);
}

/** table [3, rank]: lengths of the axes, and the strides (0: repeated; along the last axis 0 or 1) of a and b. */
export function arithmetic(a: usize, b: usize, y: usize, table: usize, rows: i32, inner: i32, rank: i32, code: i32, part: i32, parts: i32): void {
  const aSteps = at(table, rank), bSteps = at(aSteps, rank), aStep = load<i32>(at(aSteps, rank - 1)), bStep = load<i32>(at(bSteps, rank - 1));
  for (let row = share(rows, part, parts), last = share(rows, part + 1, parts); row < last; row++) {
    let fromA = a, fromB = b;
    for (let axis = rank - 2, rest = row; axis >= 0; axis--) {
      const length = load<i32>(at(table, axis)), place = rest % length;
      fromA = at(fromA, place * load<i32>(at(aSteps, axis)));
      fromB = at(fromB, place * load<i32>(at(bSteps, axis)));
      rest /= length;
    }
    const to = at(y, row * inner);
    let i = 0;
    for (; i + 4 <= inner; i += 4) v128.store(at(to, i), four(code, load4(fromA, aStep, i), load4(fromB, bStep, i)));
    for (; i < inner; i++) v128.store_lane<f32>(at(to, i), four(code, v128.load32_splat(at(fromA, aStep * i)), v128.load32_splat(at(fromB, bStep * i))), 0);
  }
}

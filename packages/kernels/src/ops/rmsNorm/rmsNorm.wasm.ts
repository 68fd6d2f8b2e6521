// AssemblyScript. A part owns rows; the gradient of weight is summed over the rows of a part first, then over parts in order.
import { at, madd, nmadd, share, splat, total } from '../../devices/wasm/math.wasm';

/** Four elements of x, or of x + residual. */
@inline function load4(x: usize, residual: usize, added: i32, i: i32): v128 {
  const four = v128.load(at(x, i));
  return added ? f32x4.add(four, v128.load(at(residual, i))) : four;
}

@inline function load1(x: usize, residual: usize, added: i32, i: i32): f32 {
  const one = load<f32>(at(x, i));
  return added ? one + load<f32>(at(residual, i)) : one;
}

/** y = h · inverse · weight with h = x + residual; inverses [rows] takes 1 / √(mean(h²) + epsilon). */
export function rmsNorm(x: usize, weight: usize, residual: usize, y: usize, inverses: usize, rows: i32, width: i32, epsilon: f64, added: i32, part: i32, parts: i32): void {
  const fours = width & ~3;
  for (let row = share(rows, part, parts), last = share(rows, part + 1, parts); row < last; row++) {
    const from = at(x, row * width), more = at(residual, row * width), to = at(y, row * width);
    let sums = splat(0);
    for (let i = 0; i < fours; i += 4) {
      const h = load4(from, more, added, i);
      sums = madd(h, h, sums);
    }
    let sum = <f64>total(sums);
    for (let i = fours; i < width; i++) {
      const h = load1(from, more, added, i);
      sum += h * h;
    }
    const inverse = <f32>(1 / sqrt(sum / <f64>width + epsilon));
    let i = 0;
    for (; i < fours; i += 4) v128.store(at(to, i), f32x4.mul(f32x4.mul(load4(from, more, added, i), splat(inverse)), v128.load(at(weight, i))));
    for (; i < width; i++) store<f32>(at(to, i), load1(from, more, added, i) * inverse * load<f32>(at(weight, i)));
    store<f32>(at(inverses, row), inverse);
  }
}

/** dX = inverse · (g - n · mean(g · n)) with g = d · weight and n = h · inverse. */
export function rmsNormBackward(x: usize, weight: usize, inverses: usize, d: usize, residual: usize, dX: usize, rows: i32, width: i32, added: i32, part: i32, parts: i32): void {
  const fours = width & ~3;
  for (let row = share(rows, part, parts), last = share(rows, part + 1, parts); row < last; row++) {
    const from = at(x, row * width), more = at(residual, row * width), dFrom = at(d, row * width), to = at(dX, row * width), inverse = load<f32>(at(inverses, row));
    let sums = splat(0);
    for (let i = 0; i < fours; i += 4) sums = madd(f32x4.mul(v128.load(at(dFrom, i)), v128.load(at(weight, i))), f32x4.mul(load4(from, more, added, i), splat(inverse)), sums);
    let sum = total(sums);
    for (let i = fours; i < width; i++) sum += load<f32>(at(dFrom, i)) * load<f32>(at(weight, i)) * (load1(from, more, added, i) * inverse);
    const mean = sum / <f32>width;
    let i = 0;
    for (; i < fours; i += 4) {
      const g = f32x4.mul(v128.load(at(dFrom, i)), v128.load(at(weight, i))), n = f32x4.mul(load4(from, more, added, i), splat(inverse));
      v128.store(at(to, i), f32x4.mul(splat(inverse), nmadd(n, splat(mean), g)));
    }
    for (; i < width; i++) store<f32>(at(to, i), inverse * (load<f32>(at(dFrom, i)) * load<f32>(at(weight, i)) - load1(from, more, added, i) * inverse * mean));
  }
}

/** Sums of d · n over the rows of one part → partial [part, width]. */
export function rmsNormWeightPartial(x: usize, inverses: usize, d: usize, residual: usize, partial: usize, rows: i32, width: i32, added: i32, part: i32, parts: i32): void {
  const to = at(partial, part * width);
  memory.fill(to, 0, <usize>width << 2);
  for (let row = share(rows, part, parts), last = share(rows, part + 1, parts); row < last; row++) {
    const from = at(x, row * width), more = at(residual, row * width), dFrom = at(d, row * width), inverse = load<f32>(at(inverses, row));
    let i = 0;
    for (; i + 4 <= width; i += 4) v128.store(at(to, i), madd(v128.load(at(dFrom, i)), f32x4.mul(load4(from, more, added, i), splat(inverse)), v128.load(at(to, i))));
    for (; i < width; i++) store<f32>(at(to, i), load<f32>(at(to, i)) + load<f32>(at(dFrom, i)) * (load1(from, more, added, i) * inverse));
  }
}

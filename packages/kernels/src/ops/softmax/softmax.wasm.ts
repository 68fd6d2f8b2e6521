// AssemblyScript. A part owns rows.
import { at, exp1, expBounded4, largest, madd, share, splat, total } from '../../devices/wasm/math.wasm';

export function softmax(x: usize, y: usize, rows: i32, width: i32, part: i32, parts: i32): void {
  const fours = width & ~3;
  for (let row = share(rows, part, parts), last = share(rows, part + 1, parts); row < last; row++) {
    const from = at(x, row * width), to = at(y, row * width);
    let maxima = splat(-Infinity); // pmax loses NaN, but is one instruction where max is eight; the sum of exponentials keeps NaN
    for (let i = 0; i < fours; i += 4) maxima = f32x4.pmax(maxima, v128.load(at(from, i)));
    let top = largest(maxima);
    for (let i = fours; i < width; i++) top = max(top, load<f32>(at(from, i)));
    let sums = splat(0);
    for (let i = 0; i < fours; i += 4) {
      const e = expBounded4(f32x4.sub(v128.load(at(from, i)), splat(top)));
      v128.store(at(to, i), e);
      sums = f32x4.add(sums, e);
    }
    let sum = total(sums);
    for (let i = fours; i < width; i++) {
      const e = exp1(load<f32>(at(from, i)) - top);
      store<f32>(at(to, i), e);
      sum += e;
    }
    const inverse: f32 = 1 / sum;
    for (let i = 0; i < fours; i += 4) v128.store(at(to, i), f32x4.mul(v128.load(at(to, i)), splat(inverse)));
    for (let i = fours; i < width; i++) store<f32>(at(to, i), load<f32>(at(to, i)) * inverse);
  }
}

export function softmaxBackward(y: usize, d: usize, dX: usize, rows: i32, width: i32, part: i32, parts: i32): void {
  const fours = width & ~3;
  for (let row = share(rows, part, parts), last = share(rows, part + 1, parts); row < last; row++) {
    const from = at(y, row * width), dFrom = at(d, row * width), to = at(dX, row * width);
    let sums = splat(0);
    for (let i = 0; i < fours; i += 4) sums = madd(v128.load(at(from, i)), v128.load(at(dFrom, i)), sums);
    let sum = total(sums);
    for (let i = fours; i < width; i++) sum += load<f32>(at(from, i)) * load<f32>(at(dFrom, i));
    for (let i = 0; i < fours; i += 4) v128.store(at(to, i), f32x4.mul(v128.load(at(from, i)), f32x4.sub(v128.load(at(dFrom, i)), splat(sum))));
    for (let i = fours; i < width; i++) store<f32>(at(to, i), load<f32>(at(from, i)) * (load<f32>(at(dFrom, i)) - sum));
  }
}

// AssemblyScript. A part sums its own share; the partial sums are then added in order. Shares depend on the sizes only.
import { at, share, splat } from '../../devices/wasm/math.wasm';

/** Σ x, or Σ x² if `squares`, of one share, in f64: a loss is a small difference of many numbers. */
export function sumPartial(x: usize, partial: usize, count: i32, squares: i32, part: i32, parts: i32): void {
  let i = share(count, part, parts);
  const end = share(count, part + 1, parts);
  let low = f64x2.splat(0), high = f64x2.splat(0);
  for (; i + 4 <= end; i += 4) {
    const four = v128.load(at(x, i));
    let a = f64x2.promote_low_f32x4(four);
    let b = f64x2.promote_low_f32x4(v128.shuffle<f32>(four, four, 2, 3, 2, 3));
    if (squares) {
      a = f64x2.mul(a, a);
      b = f64x2.mul(b, b);
    }
    low = f64x2.add(low, a);
    high = f64x2.add(high, b);
  }
  const both = f64x2.add(low, high);
  let sum = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
  for (; i < end; i++) {
    const value = <f64>load<f32>(at(x, i));
    sum += squares ? value * value : value;
  }
  store<f64>(partial + (<usize>part << 3), sum);
}

/** Adds up every `stride`th f64 from `offset` on, to f32. One part. */
export function sumPartials(partial: usize, total: usize, partials: i32, stride: i32, offset: i32, _part: i32, _parts: i32): void {
  let sum: f64 = 0;
  for (let i = 0; i < partials; i++) sum += load<f64>(partial + (<usize>(i * stride + offset) << 3));
  store<f32>(total, <f32>sum);
}

/** Rows `first` to `last` of x [·, width] into y [width]; sixteen columns stay in registers, and 64 rows at a time keep the error of long sums small. */
export function sumRowRange(x: usize, y: usize, width: i32, first: i32, last: i32): void {
  let j = 0;
  for (; j + 16 <= width; j += 16) {
    let s0 = splat(0), s1 = splat(0), s2 = splat(0), s3 = splat(0);
    for (let row = first; row < last; row += 64) {
      let b0 = splat(0), b1 = splat(0), b2 = splat(0), b3 = splat(0);
      for (let r = row, end = min(row + 64, last); r < end; r++) {
        const from = at(x, r * width + j);
        b0 = f32x4.add(b0, v128.load(from));
        b1 = f32x4.add(b1, v128.load(from, 16));
        b2 = f32x4.add(b2, v128.load(from, 32));
        b3 = f32x4.add(b3, v128.load(from, 48));
      }
      s0 = f32x4.add(s0, b0);
      s1 = f32x4.add(s1, b1);
      s2 = f32x4.add(s2, b2);
      s3 = f32x4.add(s3, b3);
    }
    v128.store(at(y, j), s0);
    v128.store(at(y, j), s1, 16);
    v128.store(at(y, j), s2, 32);
    v128.store(at(y, j), s3, 48);
  }
  for (; j < width; j++) {
    let sum: f32 = 0;
    for (let row = first; row < last; row += 64) {
      let block: f32 = 0;
      for (let r = row, end = min(row + 64, last); r < end; r++) block += load<f32>(at(x, r * width + j));
      sum += block;
    }
    store<f32>(at(y, j), sum);
  }
}

/** The rows of one share of x [rows, width] → partial [part, width]. */
export function sumRowsPartial(x: usize, partial: usize, rows: i32, width: i32, part: i32, parts: i32): void {
  sumRowRange(x, at(partial, part * width), width, share(rows, part, parts), share(rows, part + 1, parts));
}

/** partial [partials, width] → y [width]. Parts share the columns. */
export function sumRowPartials(partial: usize, y: usize, partials: i32, width: i32, part: i32, parts: i32): void {
  for (let j = share(width, part, parts), end = share(width, part + 1, parts); j < end; j++) {
    let sum: f32 = 0;
    for (let i = 0; i < partials; i++) sum += load<f32>(at(partial, i * width + j));
    store<f32>(at(y, j), sum);
  }
}

export function spread(value: usize, y: usize, count: i32, part: i32, parts: i32): void {
  const x = load<f32>(value);
  for (let i = share(count, part, parts), end = share(count, part + 1, parts); i < end; i++) store<f32>(at(y, i), x);
}

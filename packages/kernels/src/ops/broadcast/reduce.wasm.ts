// AssemblyScript. A part owns runs of at most 16 neighbouring elements of the output.
import { at, share, splat } from '../../devices/wasm/math.wasm';

@inline function both(a: v128, b: v128, largest: i32): v128 {
  return largest ? f32x4.max(a, b) : f32x4.add(a, b);
}

@inline function both1(a: f32, b: f32, largest: i32): f32 {
  return largest ? max(a, b) : a + b;
}

/** One row: four lanes, blocks of 256 to keep the error of long sums small. */
function row(x: usize, count: i32, largest: i32): f32 {
  const start: f32 = largest ? -Infinity : 0;
  let all = splat(start), i = 0;
  while (i + 4 <= count) {
    let block = splat(start);
    for (const end = min(count & ~3, i + 256); i < end; i += 4) block = both(block, v128.load(at(x, i)), largest);
    all = both(all, block, largest);
  }
  let result = both1(both1(f32x4.extract_lane(all, 0), f32x4.extract_lane(all, 1), largest), both1(f32x4.extract_lane(all, 2), f32x4.extract_lane(all, 3), largest), largest);
  for (; i < count; i++) result = both1(result, load<f32>(at(x, i)), largest);
  return result;
}

/** Σ, or the largest, over the middle axis of x [outer, count, inner] → y [outer, inner]. */
export function reduce(x: usize, y: usize, outer: i32, count: i32, inner: i32, largest: i32, part: i32, parts: i32): void {
  const start: f32 = largest ? -Infinity : 0, runs = inner == 1 ? 1 : (inner + 15) >> 4;
  for (let item = share(outer * runs, part, parts), last = share(outer * runs, part + 1, parts); item < last; item++) {
    const own = item / runs, from = at(x, own * count * inner);
    if (inner == 1) {
      store<f32>(at(y, own), row(from, count, largest));
      continue;
    }
    let j = (item % runs) << 4;
    const end = min(inner, j + 16);
    for (; j + 4 <= end; j += 4) {
      let all = splat(start);
      for (let i = 0; i < count; i += 64) {
        let block = splat(start);
        for (let r = i, stop = min(i + 64, count); r < stop; r++) block = both(block, v128.load(at(from, r * inner + j)), largest);
        all = both(all, block, largest);
      }
      v128.store(at(y, own * inner + j), all);
    }
    for (; j < end; j++) {
      let all = start;
      for (let i = 0; i < count; i++) all = both1(all, load<f32>(at(from, i * inner + j)), largest);
      store<f32>(at(y, own * inner + j), all);
    }
  }
}

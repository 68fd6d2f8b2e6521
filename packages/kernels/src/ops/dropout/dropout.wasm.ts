// AssemblyScript. Threefry-2x32 with 20 rounds, four counters at a time, as in random.ts: the same bits, hence the same mask.
import { at, share, splat } from '../../devices/wasm/math.wasm';

@inline function rotate(x: v128, by: i32): v128 {
  return v128.or(i32x4.shl(x, by), i32x4.shr_u(x, 32 - by));
}

/** Counters i … i + 3 give the bits of elements 2i … 2i + 7: element 2i has the first word of counter i, 2i + 1 the second. An element whose bits are below the threshold is dropped. */
export function dropout(x: usize, y: usize, count: i32, threshold: i32, kept: f32, seed: i32, layer: i32, step: i32, part: i32, parts: i32): void {
  const groups = (count + 7) >> 3;
  const key2 = seed ^ layer ^ 0x1bd11bda;
  const limit = i32x4.splat(threshold);
  for (let group = share(groups, part, parts), last = share(groups, part + 1, parts); group < last; group++) {
    let a = i32x4.add(i32x4.splat((group << 2) + seed), i32x4(0, 1, 2, 3));
    let b = i32x4.splat(step + layer);
    for (let four = 0; four < 5; four++) {
      const odd = four & 1;
      a = i32x4.add(a, b);
      b = v128.xor(rotate(b, odd ? 17 : 13), a);
      a = i32x4.add(a, b);
      b = v128.xor(rotate(b, odd ? 29 : 15), a);
      a = i32x4.add(a, b);
      b = v128.xor(rotate(b, odd ? 16 : 26), a);
      a = i32x4.add(a, b);
      b = v128.xor(rotate(b, odd ? 24 : 6), a);
      const turn = four % 3;
      a = i32x4.add(a, i32x4.splat(turn == 0 ? layer : turn == 1 ? key2 : seed));
      b = i32x4.add(b, i32x4.splat((turn == 0 ? key2 : turn == 1 ? seed : layer) + four + 1));
    }
    const low = i32x4.lt_u(v128.shuffle<i32>(a, b, 0, 4, 1, 5), limit), high = i32x4.lt_u(v128.shuffle<i32>(a, b, 2, 6, 3, 7), limit);
    let i = group << 3;
    if (i + 8 <= count) {
      v128.store(at(y, i), v128.andnot(f32x4.mul(v128.load(at(x, i)), splat(kept)), low));
      v128.store(at(y, i), v128.andnot(f32x4.mul(v128.load(at(x, i), 16), splat(kept)), high), 16);
      continue;
    }
    let dropped = low;
    for (let j = 0; i < count; i++, j++) {
      if (j == 4) dropped = high;
      store<f32>(at(y, i), i32x4.extract_lane(dropped, 0) ? 0 : load<f32>(at(x, i)) * kept);
      dropped = v128.shuffle<i32>(dropped, dropped, 1, 2, 3, 0);
    }
  }
}

// AssemblyScript. Threefry-2x32 with 20 rounds, four counters at a time, as in random.ts: the same bits, hence the same mask.
import { at, share, splat } from '../../devices/wasm/math.wasm';

/** The second word of half a round: rotated, and combined with the first. */
@inline function turn(b: v128, by: i32, a: v128): v128 {
  return v128.xor(v128.or(i32x4.shl(b, by), i32x4.shr_u(b, 32 - by)), a);
}

/**
 * Counter c gives the bits of elements 2c and 2c + 1; an element whose bits are below the threshold is dropped.
 * Thirty-two elements at a time: a round is a chain of dependent instructions, and four chains of four counters fill the waiting time (twice as fast as one).
 */
export function dropout(x: usize, y: usize, count: i32, threshold: i32, kept: f32, seed: i32, layer: i32, step: i32, part: i32, parts: i32): void {
  const groups = (count + 31) >> 5;
  const mixed = seed ^ layer ^ 0x1bd11bda;
  for (let group = share(groups, part, parts), last = share(groups, part + 1, parts); group < last; group++) {
    const four = i32x4.splat(4);
    let a0 = i32x4.add(i32x4.splat((group << 4) + seed), i32x4(0, 1, 2, 3)), a1 = i32x4.add(a0, four), a2 = i32x4.add(a1, four), a3 = i32x4.add(a2, four);
    let b0 = i32x4.splat(step + layer), b1 = b0, b2 = b0, b3 = b0;
    let key0 = layer, key1 = mixed, key2 = seed;
    for (let fours = 1; ; fours += 2) { // rounds 4 by 4; the rotations repeat after 8
      a0 = i32x4.add(a0, b0); a1 = i32x4.add(a1, b1); a2 = i32x4.add(a2, b2); a3 = i32x4.add(a3, b3);
      b0 = turn(b0, 13, a0); b1 = turn(b1, 13, a1); b2 = turn(b2, 13, a2); b3 = turn(b3, 13, a3);
      a0 = i32x4.add(a0, b0); a1 = i32x4.add(a1, b1); a2 = i32x4.add(a2, b2); a3 = i32x4.add(a3, b3);
      b0 = turn(b0, 15, a0); b1 = turn(b1, 15, a1); b2 = turn(b2, 15, a2); b3 = turn(b3, 15, a3);
      a0 = i32x4.add(a0, b0); a1 = i32x4.add(a1, b1); a2 = i32x4.add(a2, b2); a3 = i32x4.add(a3, b3);
      b0 = turn(b0, 26, a0); b1 = turn(b1, 26, a1); b2 = turn(b2, 26, a2); b3 = turn(b3, 26, a3);
      a0 = i32x4.add(a0, b0); a1 = i32x4.add(a1, b1); a2 = i32x4.add(a2, b2); a3 = i32x4.add(a3, b3);
      b0 = turn(b0, 6, a0); b1 = turn(b1, 6, a1); b2 = turn(b2, 6, a2); b3 = turn(b3, 6, a3);
      let keyA = i32x4.splat(key0), keyB = i32x4.splat(key1 + fours);
      a0 = i32x4.add(a0, keyA); a1 = i32x4.add(a1, keyA); a2 = i32x4.add(a2, keyA); a3 = i32x4.add(a3, keyA);
      b0 = i32x4.add(b0, keyB); b1 = i32x4.add(b1, keyB); b2 = i32x4.add(b2, keyB); b3 = i32x4.add(b3, keyB);
      if (fours == 5) break;
      a0 = i32x4.add(a0, b0); a1 = i32x4.add(a1, b1); a2 = i32x4.add(a2, b2); a3 = i32x4.add(a3, b3);
      b0 = turn(b0, 17, a0); b1 = turn(b1, 17, a1); b2 = turn(b2, 17, a2); b3 = turn(b3, 17, a3);
      a0 = i32x4.add(a0, b0); a1 = i32x4.add(a1, b1); a2 = i32x4.add(a2, b2); a3 = i32x4.add(a3, b3);
      b0 = turn(b0, 29, a0); b1 = turn(b1, 29, a1); b2 = turn(b2, 29, a2); b3 = turn(b3, 29, a3);
      a0 = i32x4.add(a0, b0); a1 = i32x4.add(a1, b1); a2 = i32x4.add(a2, b2); a3 = i32x4.add(a3, b3);
      b0 = turn(b0, 16, a0); b1 = turn(b1, 16, a1); b2 = turn(b2, 16, a2); b3 = turn(b3, 16, a3);
      a0 = i32x4.add(a0, b0); a1 = i32x4.add(a1, b1); a2 = i32x4.add(a2, b2); a3 = i32x4.add(a3, b3);
      b0 = turn(b0, 24, a0); b1 = turn(b1, 24, a1); b2 = turn(b2, 24, a2); b3 = turn(b3, 24, a3);
      keyA = i32x4.splat(key1);
      keyB = i32x4.splat(key2 + fours + 1);
      a0 = i32x4.add(a0, keyA); a1 = i32x4.add(a1, keyA); a2 = i32x4.add(a2, keyA); a3 = i32x4.add(a3, keyA);
      b0 = i32x4.add(b0, keyB); b1 = i32x4.add(b1, keyB); b2 = i32x4.add(b2, keyB); b3 = i32x4.add(b3, keyB);
      const third = key2;
      key2 = key1;
      key1 = key0;
      key0 = third;
    }
    const i = group << 5;
    keep(x, y, count, i, kept, threshold, a0, b0);
    keep(x, y, count, i + 8, kept, threshold, a1, b1);
    keep(x, y, count, i + 16, kept, threshold, a2, b2);
    keep(x, y, count, i + 24, kept, threshold, a3, b3);
  }
}

/** Elements i … i + 7, as far as there are any: the words of four counters in turn. */
@inline function keep(x: usize, y: usize, count: i32, i: i32, kept: f32, threshold: i32, a: v128, b: v128): void {
  const low = i32x4.lt_u(v128.shuffle<i32>(a, b, 0, 4, 1, 5), i32x4.splat(threshold)), high = i32x4.lt_u(v128.shuffle<i32>(a, b, 2, 6, 3, 7), i32x4.splat(threshold));
  if (i + 8 <= count) {
    v128.store(at(y, i), v128.andnot(f32x4.mul(v128.load(at(x, i)), splat(kept)), low));
    v128.store(at(y, i), v128.andnot(f32x4.mul(v128.load(at(x, i), 16), splat(kept)), high), 16);
  } else keepFew(x, y, count, i, kept, low, high);
}

function keepFew(x: usize, y: usize, count: i32, i: i32, kept: f32, low: v128, high: v128): void {
  for (let dropped = low, left = 4; i < count; i++) {
    store<f32>(at(y, i), i32x4.extract_lane(dropped, 0) ? 0 : load<f32>(at(x, i)) * kept);
    dropped = --left ? v128.shuffle<i32>(dropped, dropped, 1, 2, 3, 0) : high;
  }
}

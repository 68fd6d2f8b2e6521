// AssemblyScript. Threefry-2x32 with 20 rounds, four counters at a time, as in random.ts: the same bits, hence the same mask.
import { at, share, splat } from '../../devices/wasm/math.wasm';

/** The second word of half a round: rotated, and combined with the first. */
@inline function turn(b: v128, by: i32, a: v128): v128 {
  return v128.xor(v128.or(i32x4.shl(b, by), i32x4.shr_u(b, 32 - by)), a);
}

@inline function keep(x: usize, y: usize, kept: f32, dropped: v128): void {
  v128.store(y, v128.andnot(f32x4.mul(v128.load(x), splat(kept)), dropped));
}

/**
 * Counter c gives the bits of elements 2c and 2c + 1; an element whose bits are below the threshold is dropped.
 * Sixteen elements at a time: a round is a chain of dependent instructions, and two chains of four counters fill the waiting time (1.7 times as fast).
 */
export function dropout(x: usize, y: usize, count: i32, threshold: i32, kept: f32, seed: i32, layer: i32, step: i32, part: i32, parts: i32): void {
  const groups = (count + 15) >> 4;
  const mixed = seed ^ layer ^ 0x1bd11bda;
  const limit = i32x4.splat(threshold);
  for (let group = share(groups, part, parts), last = share(groups, part + 1, parts); group < last; group++) {
    let a = i32x4.add(i32x4.splat((group << 3) + seed), i32x4(0, 1, 2, 3)), c = i32x4.add(a, i32x4.splat(4));
    let b = i32x4.splat(step + layer), d = b;
    let key0 = layer, key1 = mixed, key2 = seed;
    for (let fours = 1; ; fours += 2) { // rounds 4 by 4; the rotations repeat after 8
      a = i32x4.add(a, b);
      c = i32x4.add(c, d);
      b = turn(b, 13, a);
      d = turn(d, 13, c);
      a = i32x4.add(a, b);
      c = i32x4.add(c, d);
      b = turn(b, 15, a);
      d = turn(d, 15, c);
      a = i32x4.add(a, b);
      c = i32x4.add(c, d);
      b = turn(b, 26, a);
      d = turn(d, 26, c);
      a = i32x4.add(a, b);
      c = i32x4.add(c, d);
      b = turn(b, 6, a);
      d = turn(d, 6, c);
      a = i32x4.add(a, i32x4.splat(key0));
      c = i32x4.add(c, i32x4.splat(key0));
      b = i32x4.add(b, i32x4.splat(key1 + fours));
      d = i32x4.add(d, i32x4.splat(key1 + fours));
      if (fours == 5) break;
      a = i32x4.add(a, b);
      c = i32x4.add(c, d);
      b = turn(b, 17, a);
      d = turn(d, 17, c);
      a = i32x4.add(a, b);
      c = i32x4.add(c, d);
      b = turn(b, 29, a);
      d = turn(d, 29, c);
      a = i32x4.add(a, b);
      c = i32x4.add(c, d);
      b = turn(b, 16, a);
      d = turn(d, 16, c);
      a = i32x4.add(a, b);
      c = i32x4.add(c, d);
      b = turn(b, 24, a);
      d = turn(d, 24, c);
      a = i32x4.add(a, i32x4.splat(key1));
      c = i32x4.add(c, i32x4.splat(key1));
      b = i32x4.add(b, i32x4.splat(key2 + fours + 1));
      d = i32x4.add(d, i32x4.splat(key2 + fours + 1));
      const third = key2;
      key2 = key1;
      key1 = key0;
      key0 = third;
    }
    let dropped = i32x4.lt_u(v128.shuffle<i32>(a, b, 0, 4, 1, 5), limit);
    const dropped1 = i32x4.lt_u(v128.shuffle<i32>(a, b, 2, 6, 3, 7), limit), dropped2 = i32x4.lt_u(v128.shuffle<i32>(c, d, 0, 4, 1, 5), limit), dropped3 = i32x4.lt_u(v128.shuffle<i32>(c, d, 2, 6, 3, 7), limit);
    let i = group << 4;
    if (i + 16 <= count) {
      keep(at(x, i), at(y, i), kept, dropped);
      keep(at(x, i + 4), at(y, i + 4), kept, dropped1);
      keep(at(x, i + 8), at(y, i + 8), kept, dropped2);
      keep(at(x, i + 12), at(y, i + 12), kept, dropped3);
      continue;
    }
    for (let j = 0; i < count; i++, j++) {
      if (j == 4) dropped = dropped1;
      else if (j == 8) dropped = dropped2;
      else if (j == 12) dropped = dropped3;
      store<f32>(at(y, i), i32x4.extract_lane(dropped, 0) ? 0 : load<f32>(at(x, i)) * kept);
      dropped = v128.shuffle<i32>(dropped, dropped, 1, 2, 3, 0);
    }
  }
}

// AssemblyScript. A part owns windows, or backward positions; four channels at a time, the rest through the same arithmetic with one lane used.
import { at, share, splat } from '../../devices/wasm/math.wasm';

/** Four channels from c on, or one in every lane. */
@inline function load4(x: usize, c: i32, four: bool): v128 {
  return four ? v128.load(at(x, c)) : v128.load32_splat(at(x, c));
}

@inline function store4(y: usize, c: i32, four: bool, value: v128): void {
  if (four) v128.store(at(y, c), value);
  else v128.store_lane<f32>(at(y, c), value, 0);
}

export function maxPool1d(x: usize, y: usize, places: usize, batch: i32, length: i32, channels: i32, count: i32, size: i32, stride: i32, padding: i32, part: i32, parts: i32): void {
  for (let row = share(batch * count, part, parts), last = share(batch * count, part + 1, parts); row < last; row++) {
    const start = (row % count) * stride - padding, first = max(0, start), end = min(length, start + size), from = at(x, (row / count) * length * channels);
    for (let c = 0; c < channels; ) {
      const four = c + 4 <= channels;
      let best = splat(-Infinity), place = i32x4.splat(first);
      for (let position = first; position < end; position++) {
        const value = load4(at(from, position * channels), c, four);
        const better = v128.or(f32x4.gt(value, best), f32x4.ne(value, value));
        best = v128.bitselect(value, best, better);
        place = v128.bitselect(i32x4.splat(position), place, better);
      }
      store4(at(y, row * channels), c, four, best);
      store4(at(places, row * channels), c, four, place);
      c += four ? 4 : 1;
    }
  }
}

export function maxPool1dBackward(d: usize, places: usize, dX: usize, batch: i32, length: i32, channels: i32, count: i32, size: i32, stride: i32, padding: i32, part: i32, parts: i32): void {
  for (let i = share(batch * length, part, parts), last = share(batch * length, part + 1, parts); i < last; i++) {
    const position = i % length, sequence = (i / length) * count, padded = position + padding;
    const first = max(0, (padded - size + stride) / stride), end = min(count, padded / stride + 1);
    for (let c = 0; c < channels; ) {
      const four = c + 4 <= channels;
      let sum = splat(0);
      for (let window = first; window < end; window++) {
        const own = (sequence + window) * channels;
        sum = f32x4.add(sum, v128.and(load4(at(d, own), c, four), i32x4.eq(load4(at(places, own), c, four), i32x4.splat(position))));
      }
      store4(at(dX, i * channels), c, four, sum);
      c += four ? 4 : 1;
    }
  }
}

export function averagePool1d(x: usize, y: usize, batch: i32, length: i32, channels: i32, count: i32, size: i32, stride: i32, padding: i32, part: i32, parts: i32): void {
  for (let row = share(batch * count, part, parts), last = share(batch * count, part + 1, parts); row < last; row++) {
    const start = (row % count) * stride - padding, first = max(0, start), end = min(length, start + size), from = at(x, (row / count) * length * channels);
    for (let c = 0; c < channels; ) {
      const four = c + 4 <= channels;
      let sum = splat(0);
      for (let position = first; position < end; position++) sum = f32x4.add(sum, load4(at(from, position * channels), c, four));
      store4(at(y, row * channels), c, four, f32x4.div(sum, splat(<f32>(end - first))));
      c += four ? 4 : 1;
    }
  }
}

export function averagePool1dBackward(d: usize, dX: usize, batch: i32, length: i32, channels: i32, count: i32, size: i32, stride: i32, padding: i32, part: i32, parts: i32): void {
  for (let i = share(batch * length, part, parts), last = share(batch * length, part + 1, parts); i < last; i++) {
    const sequence = (i / length) * count, padded = i % length + padding;
    const first = max(0, (padded - size + stride) / stride), end = min(count, padded / stride + 1);
    for (let c = 0; c < channels; ) {
      const four = c + 4 <= channels;
      let sum = splat(0);
      for (let window = first; window < end; window++) {
        const start = window * stride - padding;
        sum = f32x4.add(sum, f32x4.div(load4(at(d, (sequence + window) * channels), c, four), splat(<f32>(min(length, start + size) - max(0, start)))));
      }
      store4(at(dX, i * channels), c, four, sum);
      c += four ? 4 : 1;
    }
  }
}

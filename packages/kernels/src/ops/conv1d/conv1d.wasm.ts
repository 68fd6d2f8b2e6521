// AssemblyScript. Windows become rows, and back: a part owns windows, or elements of the sequence.
import { at, share } from '../../devices/wasm/math.wasm';

export function unfold(x: usize, y: usize, batch: i32, length: i32, channels: i32, count: i32, size: i32, stride: i32, padding: i32, dilation: i32, part: i32, parts: i32): void {
  const bytes = <usize>channels << 2, rows = batch * count;
  for (let row = share(rows, part, parts), last = share(rows, part + 1, parts); row < last; row++) {
    const start = (row % count) * stride - padding, from = x + <usize>(row / count) * <usize>length * bytes;
    let to = y + <usize>row * <usize>size * bytes;
    for (let tap = 0, position = start; tap < size; tap++, position += dilation, to += bytes) {
      if (position >= 0 && position < length) memory.copy(to, from + <usize>position * bytes, bytes);
      else memory.fill(to, 0, bytes);
    }
  }
}

export function fold(d: usize, dX: usize, batch: i32, length: i32, channels: i32, count: i32, size: i32, stride: i32, padding: i32, dilation: i32, part: i32, parts: i32): void {
  const bytes = <usize>channels << 2, all = batch * length;
  for (let i = share(all, part, parts), last = share(all, part + 1, parts); i < last; i++) {
    const position = i % length, from = d + <usize>(i / length) * <usize>count * <usize>size * bytes, to = dX + <usize>i * bytes;
    memory.fill(to, 0, bytes);
    for (let tap = 0; tap < size; tap++) {
      const start = position + padding - tap * dilation;
      if (start < 0 || start % stride) continue;
      const row = start / stride;
      if (row >= count) continue;
      const own = from + (<usize>row * <usize>size + <usize>tap) * bytes;
      let c = 0;
      for (; c + 4 <= channels; c += 4) v128.store(at(to, c), f32x4.add(v128.load(at(to, c)), v128.load(at(own, c))));
      for (; c < channels; c++) store<f32>(at(to, c), load<f32>(at(to, c)) + load<f32>(at(own, c)));
    }
  }
}

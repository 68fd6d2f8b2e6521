// AssemblyScript. A part owns whole sequences.
import { at, share } from '../../devices/wasm/math.wasm';
import { sumRowRange } from '../sum/sum.wasm';

export function segmentMean(x: usize, y: usize, cuSeqlens: usize, sequences: i32, width: i32, part: i32, parts: i32): void {
  for (let s = share(sequences, part, parts), end = share(sequences, part + 1, parts); s < end; s++) {
    const first = load<i32>(at(cuSeqlens, s)), last = load<i32>(at(cuSeqlens, s + 1)), to = at(y, s * width);
    sumRowRange(x, to, width, first, last);
    for (let i = 0; i < width; i++) store<f32>(at(to, i), load<f32>(at(to, i)) / <f32>max(1, last - first));
  }
}

export function segmentMeanBackward(d: usize, dX: usize, cuSeqlens: usize, sequences: i32, width: i32, part: i32, parts: i32): void {
  for (let s = share(sequences, part, parts), end = share(sequences, part + 1, parts); s < end; s++) {
    const first = load<i32>(at(cuSeqlens, s)), last = load<i32>(at(cuSeqlens, s + 1)), from = at(d, s * width);
    for (let row = first; row < last; row++) {
      const to = at(dX, row * width);
      if (row == first) for (let i = 0; i < width; i++) store<f32>(at(to, i), load<f32>(at(from, i)) / <f32>(last - first));
      else memory.copy(to, at(dX, first * width), <usize>width << 2);
    }
  }
}

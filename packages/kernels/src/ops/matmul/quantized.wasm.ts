// AssemblyScript. A part owns rows.
import { at, largest, share, splat } from '../../devices/wasm/math.wasm';

/** values [rows, width] = round(x / top · 127), scales [rows] = top / 127, with the largest magnitude of each row; a row with a NaN or an infinity has zeros and that as scale. */
export function quantizeRows(x: usize, values: usize, scales: usize, rows: i32, width: i32, part: i32, parts: i32): void {
  for (let row = share(rows, part, parts), last = share(rows, part + 1, parts); row < last; row++) {
    const from = at(x, row * width), to = values + <usize>row * <usize>width;
    let maxima = splat(0);
    let i = 0;
    for (; i + 4 <= width; i += 4) maxima = f32x4.max(maxima, f32x4.abs(v128.load(at(from, i))));
    let top = largest(maxima);
    for (; i < width; i++) top = max(top, abs(load<f32>(at(from, i))));
    store<f32>(at(scales, row), top / 127);
    const finite = top > 0 && top < Infinity;
    for (let j = 0; j < width; j++) store<i8>(to + j, finite ? <i8>nearest(load<f32>(at(from, j)) / top * 127) : 0);
  }
}

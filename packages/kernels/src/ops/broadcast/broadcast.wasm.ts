// AssemblyScript. A part owns rows.
import { at, share } from '../../devices/wasm/math.wasm';

export function addRow(x: usize, row: usize, y: usize, rows: i32, width: i32, part: i32, parts: i32): void {
  for (let r = share(rows, part, parts), last = share(rows, part + 1, parts); r < last; r++) {
    const from = at(x, r * width), to = at(y, r * width);
    let i = 0;
    for (; i + 4 <= width; i += 4) v128.store(at(to, i), f32x4.add(v128.load(at(from, i)), v128.load(at(row, i))));
    for (; i < width; i++) store<f32>(at(to, i), load<f32>(at(from, i)) + load<f32>(at(row, i)));
  }
}

export function mulRow(x: usize, row: usize, y: usize, rows: i32, width: i32, part: i32, parts: i32): void {
  for (let r = share(rows, part, parts), last = share(rows, part + 1, parts); r < last; r++) {
    const from = at(x, r * width), to = at(y, r * width);
    let i = 0;
    for (; i + 4 <= width; i += 4) v128.store(at(to, i), f32x4.mul(v128.load(at(from, i)), v128.load(at(row, i))));
    for (; i < width; i++) store<f32>(at(to, i), load<f32>(at(from, i)) * load<f32>(at(row, i)));
  }
}

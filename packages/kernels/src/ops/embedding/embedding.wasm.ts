// AssemblyScript. Gathering rows by id, and its gradient: a counting sort of the positions by id, then one owner for each row of the table.
import { at, share, splat } from '../../devices/wasm/math.wasm';
import { place, widenRow } from '../../devices/wasm/storage.wasm';

export function embedding(table: usize, ids: usize, y: usize, rows: i32, width: i32, count: i32, type: i32, part: i32, parts: i32): void {
  const bytes = <usize>width << 2, rowBytes = place(0, width, type);
  for (let i = share(count, part, parts), end = share(count, part + 1, parts); i < end; i++) {
    const id = load<u32>(at(ids, i)), to = y + <usize>i * bytes;
    if (id < <u32>rows) widenRow(table + <usize>id * rowBytes, to, width, type);
    else memory.fill(to, 0, bytes);
  }
}

/** ends [rows + 1] becomes the end of each row's positions in `order` (the last entry is only room), and `order` the positions sorted by id, those of one id as they came. One part. */
export function embeddingSort(ids: usize, ends: usize, order: usize, rows: i32, count: i32, _part: i32, _parts: i32): void {
  memory.fill(ends, 0, (<usize>rows + 1) << 2);
  for (let i = 0; i < count; i++) {
    const id = load<u32>(at(ids, i));
    if (id < <u32>rows) store<i32>(at(ends, <i32>id + 1), load<i32>(at(ends, <i32>id + 1)) + 1);
  }
  for (let row = 0; row < rows; row++) store<i32>(at(ends, row + 1), load<i32>(at(ends, row + 1)) + load<i32>(at(ends, row)));
  for (let i = 0; i < count; i++) {
    const id = load<u32>(at(ids, i));
    if (id >= <u32>rows) continue;
    const place = load<i32>(at(ends, <i32>id));
    store<i32>(at(order, place), i);
    store<i32>(at(ends, <i32>id), place + 1);
  }
}

/** dTable [rows, width]: each row is the sum of its d rows in the order they came, 64 at a time to keep the error of frequent ids small. */
export function embeddingBackward(d: usize, ends: usize, order: usize, dTable: usize, rows: i32, width: i32, part: i32, parts: i32): void {
  for (let row = share(rows, part, parts), last = share(rows, part + 1, parts); row < last; row++) {
    const first = row ? load<i32>(at(ends, row - 1)) : 0, end = load<i32>(at(ends, row)), to = at(dTable, row * width);
    let j = 0;
    for (; j + 4 <= width; j += 4) {
      let sum = splat(0);
      for (let i = first; i < end; i += 64) {
        let block = splat(0);
        for (let r = i, stop = min(i + 64, end); r < stop; r++) block = f32x4.add(block, v128.load(at(d, load<i32>(at(order, r)) * width + j)));
        sum = f32x4.add(sum, block);
      }
      v128.store(at(to, j), sum);
    }
    for (; j < width; j++) {
      let sum: f32 = 0;
      for (let i = first; i < end; i += 64) {
        let block: f32 = 0;
        for (let r = i, stop = min(i + 64, end); r < stop; r++) block += load<f32>(at(d, load<i32>(at(order, r)) * width + j));
        sum += block;
      }
      store<f32>(at(to, j), sum);
    }
  }
}

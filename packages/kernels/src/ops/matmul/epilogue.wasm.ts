// AssemblyScript. What follows a product while its block is still in the cache: an activation, then a sum.
import { at, splat } from '../../devices/wasm/math.wasm';
import { value4 } from '../activation/activation.wasm';

/** c = f(c) + residual, in columns [first, last) of rows that are `row` bytes apart; f by code as in activation.wasm.ts, below zero for none. */
export function epilogue(c: usize, residual: usize, row: usize, rows: i32, first: i32, last: i32, code: i32, added: i32): void {
  if (code < 0 && !added) return;
  for (let r = 0; r < rows; r++, c += row, residual += row) {
    let j = first;
    for (; j + 4 <= last; j += 4) {
      let y = v128.load(at(c, j));
      if (code >= 0) y = value4(code, y);
      if (added) y = f32x4.add(y, v128.load(at(residual, j)));
      v128.store(at(c, j), y);
    }
    for (; j < last; j++) {
      let y = v128.load32_splat(at(c, j));
      if (code >= 0) y = value4(code, y);
      if (added) y = f32x4.add(y, splat(load<f32>(at(residual, j))));
      v128.store_lane<f32>(at(c, j), y, 0);
    }
  }
}

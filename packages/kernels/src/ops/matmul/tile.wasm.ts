// AssemblyScript. The register tile under matmul and attention: 4 rows times 8 columns, eight accumulators (a taller one spills in V8).
// b is packed in panels of 8 columns, [k][8], so that a step reads 32 bytes in a row.
import { madd } from '../../devices/wasm/math.wasm';

/** Depth of an inner block of packed b: a panel is then 12 KiB and stays in the first cache beside four rows of a (1.03 times 256). */
export const BLOCK_K: i32 = 384;

/**
 * c [4, 8] = from [4, 8] + a [4, k] · panel [k, 8]. Rows of a begin at a0 … a3; all distances are in bytes.
 * Eight steps make one round of the loop, with a way out after each: 26 instructions a step where V8's own unrolling needs 31, which is what counts (1.2 times), above all where two threads share a core.
 * The ways out also keep the steps apart: V8 would bring the loads of all to the front, and spill.
 */
@inline function tile(a0: usize, a1: usize, a2: usize, a3: usize, panel: usize, k: i32, from: usize, fromRow: usize, c: usize, cRow: usize): void {
  let c00 = v128.load(from), c01 = v128.load(from, 16);
  let c10 = v128.load(from + fromRow), c11 = v128.load(from + fromRow, 16);
  let c20 = v128.load(from + 2 * fromRow), c21 = v128.load(from + 2 * fromRow, 16);
  let c30 = v128.load(from + 3 * fromRow), c31 = v128.load(from + 3 * fromRow, 16);
  for (let left = k; left > 0; left -= 8) {
    let b0 = v128.load(panel), b1 = v128.load(panel, 16), x0 = v128.load32_splat(a0), x1 = v128.load32_splat(a1), x2 = v128.load32_splat(a2), x3 = v128.load32_splat(a3);
    c00 = madd(x0, b0, c00), c01 = madd(x0, b1, c01);
    c10 = madd(x1, b0, c10), c11 = madd(x1, b1, c11);
    c20 = madd(x2, b0, c20), c21 = madd(x2, b1, c21);
    c30 = madd(x3, b0, c30), c31 = madd(x3, b1, c31);
    if (left == 1) break;
    b0 = v128.load(panel, 32), b1 = v128.load(panel, 48), x0 = v128.load32_splat(a0, 4), x1 = v128.load32_splat(a1, 4), x2 = v128.load32_splat(a2, 4), x3 = v128.load32_splat(a3, 4);
    c00 = madd(x0, b0, c00), c01 = madd(x0, b1, c01);
    c10 = madd(x1, b0, c10), c11 = madd(x1, b1, c11);
    c20 = madd(x2, b0, c20), c21 = madd(x2, b1, c21);
    c30 = madd(x3, b0, c30), c31 = madd(x3, b1, c31);
    if (left == 2) break;
    b0 = v128.load(panel, 64), b1 = v128.load(panel, 80), x0 = v128.load32_splat(a0, 8), x1 = v128.load32_splat(a1, 8), x2 = v128.load32_splat(a2, 8), x3 = v128.load32_splat(a3, 8);
    c00 = madd(x0, b0, c00), c01 = madd(x0, b1, c01);
    c10 = madd(x1, b0, c10), c11 = madd(x1, b1, c11);
    c20 = madd(x2, b0, c20), c21 = madd(x2, b1, c21);
    c30 = madd(x3, b0, c30), c31 = madd(x3, b1, c31);
    if (left == 3) break;
    b0 = v128.load(panel, 96), b1 = v128.load(panel, 112), x0 = v128.load32_splat(a0, 12), x1 = v128.load32_splat(a1, 12), x2 = v128.load32_splat(a2, 12), x3 = v128.load32_splat(a3, 12);
    c00 = madd(x0, b0, c00), c01 = madd(x0, b1, c01);
    c10 = madd(x1, b0, c10), c11 = madd(x1, b1, c11);
    c20 = madd(x2, b0, c20), c21 = madd(x2, b1, c21);
    c30 = madd(x3, b0, c30), c31 = madd(x3, b1, c31);
    if (left == 4) break;
    b0 = v128.load(panel, 128), b1 = v128.load(panel, 144), x0 = v128.load32_splat(a0, 16), x1 = v128.load32_splat(a1, 16), x2 = v128.load32_splat(a2, 16), x3 = v128.load32_splat(a3, 16);
    c00 = madd(x0, b0, c00), c01 = madd(x0, b1, c01);
    c10 = madd(x1, b0, c10), c11 = madd(x1, b1, c11);
    c20 = madd(x2, b0, c20), c21 = madd(x2, b1, c21);
    c30 = madd(x3, b0, c30), c31 = madd(x3, b1, c31);
    if (left == 5) break;
    b0 = v128.load(panel, 160), b1 = v128.load(panel, 176), x0 = v128.load32_splat(a0, 20), x1 = v128.load32_splat(a1, 20), x2 = v128.load32_splat(a2, 20), x3 = v128.load32_splat(a3, 20);
    c00 = madd(x0, b0, c00), c01 = madd(x0, b1, c01);
    c10 = madd(x1, b0, c10), c11 = madd(x1, b1, c11);
    c20 = madd(x2, b0, c20), c21 = madd(x2, b1, c21);
    c30 = madd(x3, b0, c30), c31 = madd(x3, b1, c31);
    if (left == 6) break;
    b0 = v128.load(panel, 192), b1 = v128.load(panel, 208), x0 = v128.load32_splat(a0, 24), x1 = v128.load32_splat(a1, 24), x2 = v128.load32_splat(a2, 24), x3 = v128.load32_splat(a3, 24);
    c00 = madd(x0, b0, c00), c01 = madd(x0, b1, c01);
    c10 = madd(x1, b0, c10), c11 = madd(x1, b1, c11);
    c20 = madd(x2, b0, c20), c21 = madd(x2, b1, c21);
    c30 = madd(x3, b0, c30), c31 = madd(x3, b1, c31);
    if (left == 7) break;
    b0 = v128.load(panel, 224), b1 = v128.load(panel, 240), x0 = v128.load32_splat(a0, 28), x1 = v128.load32_splat(a1, 28), x2 = v128.load32_splat(a2, 28), x3 = v128.load32_splat(a3, 28);
    c00 = madd(x0, b0, c00), c01 = madd(x0, b1, c01);
    c10 = madd(x1, b0, c10), c11 = madd(x1, b1, c11);
    c20 = madd(x2, b0, c20), c21 = madd(x2, b1, c21);
    c30 = madd(x3, b0, c30), c31 = madd(x3, b1, c31);
    a0 += 32;
    a1 += 32;
    a2 += 32;
    a3 += 32;
    panel += 256;
  }
  v128.store(c, c00);
  v128.store(c, c01, 16);
  v128.store(c + cRow, c10);
  v128.store(c + cRow, c11, 16);
  v128.store(c + 2 * cRow, c20);
  v128.store(c + 2 * cRow, c21, 16);
  v128.store(c + 3 * cRow, c30);
  v128.store(c + 3 * cRow, c31, 16);
}

/** The corner [rows, columns] of a tile. */
export function copyTile(from: usize, fromRow: usize, to: usize, toRow: usize, rows: i32, columns: i32): void {
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) store<f32>(to + <usize>i * toRow + (<usize>j << 2), load<f32>(from + <usize>i * fromRow + (<usize>j << 2)));
}

/**
 * c [rows, columns ≤ 8] = from + a [rows, k] · panel [k, 8]; rows of a are contiguous.
 * `from` is c itself to add up, a row of bias with `fromRow` 0, or address 0, where zeros lie. `edge` is room for one tile: incomplete ones are computed there.
 * `next`, if not 0, is the panel that comes after this one. A word of three of its cache lines is read before each tile, so that 256 rows bring all of it while this one is multiplied: one tile hides the wait for three lines, not that for a whole panel.
 */
export function panelProduct(a: usize, aRow: usize, rows: i32, panel: usize, k: i32, from: usize, fromRow: usize, c: usize, cRow: usize, columns: i32, edge: usize, next: usize = 0): void {
  const last = next + (<usize>k << 5) - 4;
  let ahead = next, words = 0;
  for (let row = 0; row < rows; row += 4) {
    if (next) {
      words |= load<i32>(min(ahead, last)) | load<i32>(min(ahead + 64, last)) | load<i32>(min(ahead + 128, last));
      ahead += 192;
    }
    const left = min(4, rows - row), whole = left == 4 && columns == 8;
    if (!whole) copyTile(from, fromRow, edge, 32, left, columns);
    tile(a, a + <usize>min(1, left - 1) * aRow, a + <usize>min(2, left - 1) * aRow, a + <usize>min(3, left - 1) * aRow, panel, k, whole ? from : edge, whole ? fromRow : 32, whole ? c : edge, whole ? cRow : 32);
    if (!whole) copyTile(edge, 32, c, cRow, left, columns);
    a += 4 * aRow;
    c += 4 * cRow;
    from += 4 * fromRow;
  }
  if (next) store<i32>(edge, words); // else no compiler would read them
}

/** `columns` ≤ 8 columns of b [k, ·], whose rows are contiguous and `bRow` bytes apart, as a panel; missing columns are zeros. */
export function packRows(b: usize, bRow: usize, columns: i32, k: i32, panel: usize): void {
  if (columns == 8) {
    for (let i = 0; i < k; i++) {
      v128.store(panel, v128.load(b));
      v128.store(panel, v128.load(b, 16), 16);
      b += bRow;
      panel += 32;
    }
    return;
  }
  for (let i = 0; i < k; i++) {
    for (let j = 0; j < 8; j++) store<f32>(panel + (<usize>j << 2), j < columns ? load<f32>(b + (<usize>j << 2)) : 0);
    b += bRow;
    panel += 32;
  }
}

/** `columns` ≤ 8 columns of b [k, ·], each contiguous and `bColumn` bytes apart, as a panel; missing columns are zeros. */
export function packColumns(b: usize, bColumn: usize, columns: i32, k: i32, panel: usize): void {
  let i = 0;
  if (columns == 8) {
    for (; i + 4 <= k; i += 4) {
      transpose4(b, bColumn, panel, 32);
      transpose4(b + 4 * bColumn, bColumn, panel + 16, 32);
      b += 16;
      panel += 128;
    }
  }
  for (; i < k; i++) {
    for (let j = 0; j < 8; j++) store<f32>(panel + (<usize>j << 2), j < columns ? load<f32>(b + <usize>j * bColumn) : 0);
    b += 4;
    panel += 32;
  }
}

/** [columns, rows], its rows `fromRow` bytes apart, becomes [rows, columns], its rows `toRow` bytes apart: sixteen rows at a time, a cache line of each column. */
export function transpose(from: usize, fromRow: usize, rows: i32, columns: i32, to: usize, toRow: usize): void {
  for (let first = 0; first < rows; first += 16) {
    const last = min(rows, first + 16);
    for (let i = 0; i < columns; i += 4) {
      const left = columns - i;
      let j = first;
      if (left >= 4) for (; j + 4 <= last; j += 4) transpose4(from + <usize>i * fromRow + (<usize>j << 2), fromRow, to + <usize>j * toRow + (<usize>i << 2), toRow);
      for (; j < last; j++) for (let q = i, end = i + min(4, left); q < end; q++) store<f32>(to + <usize>j * toRow + (<usize>q << 2), load<f32>(from + <usize>q * fromRow + (<usize>j << 2)));
    }
  }
}

/** Four columns of four numbers, `column` bytes apart, become four rows, `row` bytes apart. */
@inline function transpose4(from: usize, column: usize, to: usize, row: usize): void {
  const a = v128.load(from), b = v128.load(from + column), c = v128.load(from + 2 * column), d = v128.load(from + 3 * column);
  const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5), cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7), cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
  v128.store(to + row, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
  v128.store(to + 2 * row, v128.shuffle<f32>(abHigh, cdHigh, 0, 1, 4, 5));
  v128.store(to + 3 * row, v128.shuffle<f32>(abHigh, cdHigh, 2, 3, 6, 7));
}

// AssemblyScript. The register tiles under matmul and attention: 4 rows times 8 columns, eight accumulators; with relaxed SIMD 5 rows too.
// b is packed in panels of 8 columns, [k][8], so that a step reads 32 bytes in a row. Lines between `unroll NAME count` and `end` are written out by tools/embed.mjs, NAME as 0, 1, 2 …
import { madd } from '../../devices/wasm/math.wasm';

/** Depth of an inner block of packed b. A panel is 12 KiB and stays in the first cache beside four rows of a (1.03 times 256). Of 768, fused, products of 512 rows are 1.01 to 1.03 times as fast, but those of 32 rows 0.95 and of 4 rows 0.7 times. */
export const BLOCK_K: i32 = 384;

/** Bytes of the next panel that are read before each tile: 256 rows bring all of it. */
const AHEAD: usize = ASC_FEATURE_RELAXED_SIMD ? 256 : 192;

/** How many of `rows` go through tiles of 5, the others through tiles of 4: a fused multiply-add takes four cycles and two begin in each, so that eight chains only just keep them busy. Ten do (1.02 to 1.04 times); with two instructions in place of one, they spill. */
@inline export function rowsByFive(rows: i32): i32 {
  return ASC_FEATURE_RELAXED_SIMD ? max(0, rows - 4 * ((4 * rows) % 5)) : 0;
}

/**
 * c [4, 8] = from [4, 8] + a [4, k] · panel [k, 8]. Rows of a begin at a0 … a3; all distances are in bytes.
 * Eight steps make one round of the loop, with a way out after each: 26 instructions a step where V8's own unrolling needs 31, which is what counts (1.2 times), above all where two threads share a core.
 * The ways out also keep the steps apart: V8 would bring the loads of all to the front, and spill. One that is never taken parts each step: without it V8 13.6 (Node 24) spills (1.1 times), while it costs V8 11 and 12 a fortieth.
 */
@inline function tile(a0: usize, a1: usize, a2: usize, a3: usize, panel: usize, k: i32, from: usize, fromRow: usize, c: usize, cRow: usize): void {
  // unroll ROW 4
  let cROW0 = v128.load(from + ROW * fromRow), cROW1 = v128.load(from + ROW * fromRow, 16);
  // end
  for (let left = k; left > 0; left -= 8) {
    // unroll STEP 8
    {
      let b0 = v128.load(panel, 32 * STEP), b1 = v128.load(panel, 32 * STEP + 16), x = v128.load32_splat(a0, 4 * STEP);
      c00 = madd(x, b0, c00), c01 = madd(x, b1, c01);
      x = v128.load32_splat(a1, 4 * STEP), c10 = madd(x, b0, c10), c11 = madd(x, b1, c11);
      if (left == -1 - STEP) break;
      x = v128.load32_splat(a2, 4 * STEP), c20 = madd(x, b0, c20), c21 = madd(x, b1, c21);
      x = v128.load32_splat(a3, 4 * STEP), c30 = madd(x, b0, c30), c31 = madd(x, b1, c31);
      if (left == STEP + 1) break;
    }
    // end
    // unroll ROW 4
    aROW += 32;
    // end
    panel += 256;
  }
  // unroll ROW 4
  v128.store(c + ROW * cRow, cROW0);
  v128.store(c + ROW * cRow, cROW1, 16);
  // end
}

/** The same for 5 rows: registers hold all sums and the numbers of three rows, so that a way out that is never taken parts a step. */
@inline function tallTile(a: usize, aRow: usize, panel: usize, k: i32, from: usize, fromRow: usize, c: usize, cRow: usize): void {
  // unroll ROW 5
  let aROW = a + ROW * aRow, cROW0 = v128.load(from + ROW * fromRow), cROW1 = v128.load(from + ROW * fromRow, 16);
  // end
  for (let left = k; left > 0; left -= 8) {
    // unroll STEP 8
    {
      let b0 = v128.load(panel, 32 * STEP), b1 = v128.load(panel, 32 * STEP + 16);
      let x = v128.load32_splat(a0, 4 * STEP);
      c00 = madd(x, b0, c00), c01 = madd(x, b1, c01);
      x = v128.load32_splat(a1, 4 * STEP), c10 = madd(x, b0, c10), c11 = madd(x, b1, c11);
      x = v128.load32_splat(a2, 4 * STEP), c20 = madd(x, b0, c20), c21 = madd(x, b1, c21);
      if (left == -1 - STEP) break;
      x = v128.load32_splat(a3, 4 * STEP), c30 = madd(x, b0, c30), c31 = madd(x, b1, c31);
      x = v128.load32_splat(a4, 4 * STEP), c40 = madd(x, b0, c40), c41 = madd(x, b1, c41);
      if (left == STEP + 1) break;
    }
    // end
    // unroll ROW 5
    aROW += 32;
    // end
    panel += 256;
  }
  // unroll ROW 5
  v128.store(c + ROW * cRow, cROW0);
  v128.store(c + ROW * cRow, cROW1, 16);
  // end
}

/** The corner [rows, columns] of a tile. */
export function copyTile(from: usize, fromRow: usize, to: usize, toRow: usize, rows: i32, columns: i32): void {
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) store<f32>(to + <usize>i * toRow + (<usize>j << 2), load<f32>(from + <usize>i * fromRow + (<usize>j << 2)));
}

/**
 * c [rows, columns ≤ 8] = from + a [rows, k] · panel [k, 8]; rows of a are contiguous.
 * `from` is c itself to add up, a row of bias with `fromRow` 0, or address 0, where zeros lie. `edge` is room for one tile: incomplete ones are computed there.
 * `next`, if not 0, is the panel that comes after this one. A word of some of its cache lines is read before each tile, so that many rows bring all of it while this one is multiplied: one tile hides the wait for a few lines, not that for a whole panel.
 */
export function panelProduct(a: usize, aRow: usize, rows: i32, panel: usize, k: i32, from: usize, fromRow: usize, c: usize, cRow: usize, columns: i32, edge: usize, next: usize = 0): void {
  const last = next + (<usize>k << 5) - 4, tall = columns == 8 ? rowsByFive(rows) : 0;
  let ahead = next, words = 0;
  for (let row = 0, height = 0; row < rows; row += height) {
    if (next) {
      for (let line: usize = 0; line < AHEAD; line += 64) words |= load<i32>(min(ahead + line, last));
      ahead += AHEAD;
    }
    height = row < tall ? 5 : 4;
    if (ASC_FEATURE_RELAXED_SIMD && row < tall) tallTile(a, aRow, panel, k, from, fromRow, c, cRow);
    else {
      const left = min(4, rows - row), whole = left == 4 && columns == 8;
      if (!whole) copyTile(from, fromRow, edge, 32, left, columns);
      tile(a, a + <usize>min(1, left - 1) * aRow, a + <usize>min(2, left - 1) * aRow, a + <usize>min(3, left - 1) * aRow, panel, k, whole ? from : edge, whole ? fromRow : 32, whole ? c : edge, whole ? cRow : 32);
      if (!whole) copyTile(edge, 32, c, cRow, left, columns);
    }
    a += <usize>height * aRow;
    c += <usize>height * cRow;
    from += <usize>height * fromRow;
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

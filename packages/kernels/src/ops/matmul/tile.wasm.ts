// AssemblyScript. The register tiles under matmul and attention: 4 rows times 8 columns, eight accumulators; with relaxed SIMD 5 rows too; and both with 16 columns, for engines that join pairs of registers.
// b is packed in panels of 8 columns, [k][8], so that a step reads 32 bytes in a row. Lines between `unroll NAME …` and `end` are written out by tools/embed.mjs.
import { madd } from '../../devices/wasm/math.wasm';

/**
 * 1 where the engine makes one operation of 256 bits of two of 128 that lie side by side (V8's --experimental-wasm-revectorize): then two panels at once, 16 columns, keep its registers busy, 1.4 to 1.5 times as fast as one (512 × 768 × 3072).
 * Without that they spill, and are 0.7 times as fast. Every element is the same sum in the same order.
 */
@external('env', 'wideTiles') export declare const wideTiles: i32;

/** Depth of an inner block of packed b. A panel is 12 KiB and stays in the first cache beside four rows of a (1.03 times 256). Of 768, fused, products of 512 rows are 1.01 to 1.03 times as fast, but those of 32 rows 0.95 and of 4 rows 0.7 times. */
export const BLOCK_K: i32 = 384;

/** Bytes of the next panel that are read before each tile: 256 rows bring all of it. */
const AHEAD: usize = ASC_FEATURE_RELAXED_SIMD ? 256 : 192;

/** How many of `rows` go through tiles of 5, the others through tiles of 4: a fused multiply-add takes four cycles and two begin in each, so that eight chains only just keep them busy. Ten do (1.02 to 1.04 times); with two instructions in place of one, they spill. */
@inline export function rowsByFive(rows: i32): i32 {
  return ASC_FEATURE_RELAXED_SIMD ? max(0, rows - 4 * ((4 * rows) % 5)) : 0;
}

// unroll VECTORS in 2 4
// unroll HEIGHT in 4 5
/**
 * c [HEIGHT, columns] = from [HEIGHT, columns] + a [HEIGHT, k] · b, a panel [k, 8] or two. Rows of a that are missing repeat the last; all distances are in bytes.
 * Eight steps make one round of the loop, with a way out after each: 26 instructions a step of 4 x 8 where V8's own unrolling needs 31, which is what counts (1.2 times), above all where two threads share a core.
 * The ways out also keep the steps apart: V8 would bring the loads of all to the front, and spill. One that is never taken parts each step: without it V8 13.6 (Node 24) spills (1.1 times), while it costs V8 11 and 12 a fortieth.
 */
@inline function tileHEIGHTxVECTORS(a: usize, aRow: usize, rows: i32, panel: usize, other: usize, k: i32, from: usize, fromRow: usize, c: usize, cRow: usize): void {
  // unroll ROW HEIGHT
  let aROW = a + <usize>min(ROW, rows - 1) * aRow;
  // unroll VECTOR VECTORS
  let cROWVECTOR = v128.load(from + ROW * fromRow, 16 * VECTOR);
  // end
  // end
  for (let left = k; left > 0; left -= 8) {
    // unroll STEP 8
    {
      let x: v128;
      // unroll VECTOR VECTORS
      const bVECTOR = v128.load(VECTOR < 2 ? panel : other, 32 * STEP + 16 * (VECTOR & 1));
      // end
      // unroll ROW HEIGHT
      x = v128.load32_splat(aROW, 4 * STEP);
      // unroll VECTOR VECTORS
      cROWVECTOR = madd(x, bVECTOR, cROWVECTOR);
      // end
      if (ROW == HEIGHT - 3 && left == -1 - STEP) break;
      // end
      if (left == STEP + 1) break;
    }
    // end
    // unroll ROW HEIGHT
    aROW += 32;
    // end
    panel += 256;
    other += 256;
  }
  // unroll ROW HEIGHT
  // unroll VECTOR VECTORS
  v128.store(c + ROW * cRow, cROWVECTOR, 16 * VECTOR);
  // end
  // end
}
// end

/**
 * A panel, or two, for all rows: c [rows, columns]. `edge` is room for one tile: incomplete ones are computed there.
 * `next`, if not 0, is what comes after it, up to `last`. A word of some of its cache lines is read before each tile, so that many rows bring all of it while this one is multiplied: one tile hides the wait for a few lines, not that for a whole panel.
 */
function productVECTORS(a: usize, aRow: usize, rows: i32, panel: usize, other: usize, k: i32, from: usize, fromRow: usize, c: usize, cRow: usize, columns: i32, edge: usize, next: usize, last: usize): void {
  const complete = columns == 4 * VECTORS, tall = complete ? rowsByFive(rows) : 0;
  let ahead = next, words = 0;
  for (let row = 0, height = 0; row < rows; row += height) {
    if (next) {
      for (let line: usize = 0; line < AHEAD * (VECTORS >> 1); line += 64) words |= load<i32>(min(ahead + line, last));
      ahead += AHEAD * (VECTORS >> 1);
    }
    height = row < tall ? 5 : 4;
    if (ASC_FEATURE_RELAXED_SIMD && row < tall) tile5xVECTORS(a, aRow, 5, panel, other, k, from, fromRow, c, cRow);
    else {
      const left = min(4, rows - row), whole = left == 4 && complete;
      if (!whole) copyTile(from, fromRow, edge, 64, left, columns);
      tile4xVECTORS(a, aRow, left, panel, other, k, whole ? from : edge, whole ? fromRow : 64, whole ? c : edge, whole ? cRow : 64);
      if (!whole) copyTile(edge, 64, c, cRow, left, columns);
    }
    a += <usize>height * aRow;
    c += <usize>height * cRow;
    from += <usize>height * fromRow;
  }
  if (next) store<i32>(edge, words); // else no compiler would read them
}
// end

/**
 * c [rows, columns] = from + a [rows, k] · b, in panels [k, 8] that begin `panelBytes` after one another; rows of a are contiguous.
 * `from` is c itself to add up, a row of bias with `fromRow` 0, or address 0, from which on zeros lie. `edge` is scratch of 256 bytes. `ahead` says to read the next panel while one is multiplied, where panels do not lie in the first caches.
 */
export function panelsProduct(a: usize, aRow: usize, rows: i32, panels: usize, panelBytes: usize, k: i32, from: usize, fromRow: usize, c: usize, cRow: usize, columns: i32, edge: usize, ahead: bool = false): void {
  const end = panels + <usize>((columns + 7) >> 3) * panelBytes;
  for (let column = 0; column < columns; ) {
    if (wideTiles && columns - column > 8) {
      const next = ahead && columns - column > 16 ? panels + 2 * panelBytes : 0;
      product4(a, aRow, rows, panels, panels + panelBytes, k, from, fromRow, c, cRow, min(16, columns - column), edge, next, end - 4);
      column += 16, panels += 2 * panelBytes, from += 64, c += 64;
    } else {
      const next = ahead && columns - column > 8 ? panels + panelBytes : 0;
      product2(a, aRow, rows, panels, 0, k, from, fromRow, c, cRow, min(8, columns - column), edge, next, end - 4);
      column += 8, panels += panelBytes, from += 32, c += 32;
    }
  }
}

/** The corner [rows, columns] of a tile. */
export function copyTile(from: usize, fromRow: usize, to: usize, toRow: usize, rows: i32, columns: i32): void {
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) store<f32>(to + <usize>i * toRow + (<usize>j << 2), load<f32>(from + <usize>i * fromRow + (<usize>j << 2)));
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

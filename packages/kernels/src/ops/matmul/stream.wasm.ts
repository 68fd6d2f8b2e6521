// AssemblyScript. Products with up to 64 rows of a, as in decoding, and b packed by matmulPack: b is read once, as one stream. Rows of a that fit into the first caches wait for it.
// One row keeps two accumulators busy: reading is the limit (27 GB/s on one thread, as a loop that does nothing else), and several panels at once, which are several streams, halve it.
// Every element is added up in order, as in matmul.wasm.ts: a row's result does not depend, to the bit, on how many rows come with it.
import { at, madd, share } from '../../devices/wasm/math.wasm';
import { epilogue } from './epilogue.wasm';
import { BLOCK_K, copyTile, panelsProduct, rowsByFive, wideTiles } from './tile.wasm';

/** c [8] = from [8] + a [k] · panel [k, 8]. */
@inline function row(a: usize, panel: usize, k: i32, from: usize, c: usize): void {
  let low = v128.load(from), high = v128.load(from, 16);
  const end = panel + (<usize>k << 5);
  for (const fours = panel + (<usize>(k & ~3) << 5); panel < fours; panel += 128, a += 16) {
    let x = v128.load32_splat(a);
    low = madd(x, v128.load(panel), low);
    high = madd(x, v128.load(panel, 16), high);
    x = v128.load32_splat(a, 4);
    low = madd(x, v128.load(panel, 32), low);
    high = madd(x, v128.load(panel, 48), high);
    x = v128.load32_splat(a, 8);
    low = madd(x, v128.load(panel, 64), low);
    high = madd(x, v128.load(panel, 80), high);
    x = v128.load32_splat(a, 12);
    low = madd(x, v128.load(panel, 96), low);
    high = madd(x, v128.load(panel, 112), high);
  }
  for (; panel < end; panel += 32, a += 4) {
    const x = v128.load32_splat(a);
    low = madd(x, v128.load(panel), low);
    high = madd(x, v128.load(panel, 16), high);
  }
  v128.store(c, low);
  v128.store(c, high, 16);
}

// unroll HEIGHT in 4 5
// unroll VECTORS in 2 4
/**
 * c [rows, columns] = from + a · b, a panel [k, 8] or two, with four or, with relaxed SIMD, five rows of a side by side, [k][rows]. Beside the tile of tile.wasm.ts, whose rows stay where they are: 1.1 times as fast with 8 rows, 1.04 with 32, the same with 64, 0.85 with 4, which hence go through the tile (one thread, 768 x 3072).
 * Eight steps make one round, with a way out after each, as there: 1.05 to 1.12 times as fast as V8's own unrolling, 0.97 to 1.07 with relaxed SIMD. But a moves on with each step, as a broadcast with another offset would cost an address of its own.
 */
@inline function rowsHEIGHTxVECTORS(a: usize, panel: usize, other: usize, k: i32, from: usize, fromRow: usize, c: usize, cRow: usize): void {
  // unroll ROW HEIGHT
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
      x = v128.load32_splat(a, 4 * ROW);
      // unroll VECTOR VECTORS
      cROWVECTOR = madd(x, bVECTOR, cROWVECTOR);
      // end
      if (ROW == HEIGHT - 3 && HEIGHT + VECTORS > 6 && left == -1 - STEP) break;
      // end
      a += 4 * HEIGHT;
      if (left == STEP + 1) break;
    }
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
// end

/** `depth` columns of `width` (4 or 5) rows of a, `aRow` bytes apart, side by side, [depth][width]; those beyond `rows` repeat the last. */
@inline function sideBySide(a: usize, aRow: usize, rows: i32, width: i32, depth: i32, to: usize): void {
  // unroll ROW 5
  const aROW = a + <usize>min(ROW, rows - 1) * aRow;
  // end
  const step = <usize>width << 2;
  let i = 0;
  for (; i + 4 <= depth; i += 4, to += 4 * step) {
    const x0 = v128.load(at(a0, i)), x1 = v128.load(at(a1, i)), x2 = v128.load(at(a2, i)), x3 = v128.load(at(a3, i));
    const low01 = v128.shuffle<f32>(x0, x1, 0, 4, 1, 5), high01 = v128.shuffle<f32>(x0, x1, 2, 6, 3, 7), low23 = v128.shuffle<f32>(x2, x3, 0, 4, 1, 5), high23 = v128.shuffle<f32>(x2, x3, 2, 6, 3, 7);
    v128.store(to, v128.shuffle<f64>(low01, low23, 0, 2));
    v128.store(to + step, v128.shuffle<f64>(low01, low23, 1, 3));
    v128.store(to + 2 * step, v128.shuffle<f64>(high01, high23, 0, 2));
    v128.store(to + 3 * step, v128.shuffle<f64>(high01, high23, 1, 3));
    if (width == 5) {
      // unroll STEP 4
      store<f32>(to + STEP * step, load<f32>(at(a4, i), 4 * STEP), 16);
      // end
    }
  }
  for (; i < depth; i++, to += step) {
    // unroll ROW 4
    store<f32>(to, load<f32>(at(aROW, i)), 4 * ROW);
    // end
    if (width == 5) store<f32>(to, load<f32>(at(a4, i)), 16);
  }
}

/** a [m, k] for matmulStream: one inner block after another, in each its rows by five and by four, side by side; to a multiple of four rows. A part turns some columns. */
export function matmulTurn(a: usize, turned: usize, m: i32, k: i32, part: i32, parts: i32): void {
  const aRow = <usize>k << 2, tall = rowsByFive(m), padded = (m + 3) & ~3;
  const first = share(k, part, parts), last = share(k, part + 1, parts);
  for (let inner = first; inner < last; ) {
    const begin = inner - inner % BLOCK_K, depth = min(BLOCK_K, k - begin), own = min(last, begin + depth) - inner;
    for (let row = 0, height = 0; row < m; row += height) {
      height = row < tall ? 5 : 4;
      const to = at(turned, begin * padded + row * depth + (inner - begin) * height), from = at(a + <usize>row * aRow, inner);
      if (ASC_FEATURE_RELAXED_SIMD && row < tall) sideBySide(from, aRow, 5, 5, own, to);
      else sideBySide(from, aRow, min(4, m - row), 4, own, to);
    }
    inner += own;
  }
}

/** Panels that some rows of a meet, one after another, before the next rows do: 12 KiB each, so that a group stays in the second cache. */
const GROUP: i32 = 16;

/**
 * c [m, columns] = from + turned a · panels [depth, 8]; incomplete tiles are computed in `edge`.
 * The first rows are still in the first cache while panel after panel comes from memory: 1.04 times all rows for one panel with 32 rows.
 */
@inline function turnedProduct(a: usize, m: i32, panels: usize, depth: i32, from: usize, fromRow: usize, c: usize, cRow: usize, columns: i32, edge: usize): void {
  const tall = rowsByFive(m), pairs = wideTiles && m > 16; // with fewer, reading from memory is what counts, and two panels are two streams
  for (let row = 0, height = 0; row < m; row += height) {
    height = row < tall ? 5 : 4;
    const left = min(height, m - row);
    for (let column = 0, width = 0; column < columns; column += width) {
      width = pairs && columns - column > 8 ? 16 : 8;
      const across = min(width, columns - column), whole = left == height && across == width, panel = at(panels, column * depth), other = at(panel, 8 * depth), begin = at(from, column), end = at(c, column);
      if (!whole) copyTile(begin, fromRow, edge, 64, left, across);
      const first = whole ? begin : edge, firstRow = whole ? fromRow : 64, to = whole ? end : edge, toRow = whole ? cRow : 64;
      if (ASC_FEATURE_RELAXED_SIMD && row < tall) width == 8 ? rows5x2(a, panel, other, depth, first, firstRow, to, toRow) : rows5x4(a, panel, other, depth, first, firstRow, to, toRow);
      else width == 8 ? rows4x2(a, panel, other, depth, first, firstRow, to, toRow) : rows4x4(a, panel, other, depth, first, firstRow, to, toRow);
      if (!whole) copyTile(edge, 64, end, cRow, left, across);
    }
    a += <usize>(height * depth) << 2;
    from += <usize>height * fromRow;
    c += <usize>height * cRow;
  }
}

/** The first item of a part, of which each is smaller than the one before, by the same amount, the last almost nothing: threads that are not equally fast, as on shared cores, end at about the same time. */
@inline function taperedShare(count: i32, part: i32, parts: i32): i32 {
  const left = <i64>(parts - part);
  return count - <i32>((left * left * count) / (<i64>parts * parts));
}

/** c [m ≤ 64, n] = a [m, k] · packed b + bias, and its epilogue. More than four rows of a come from matmulTurn. A part owns panels of 8 columns; its scratch of 320 bytes is for incomplete tiles. */
export function matmulStream(a: usize, packed: usize, packedBias: usize, c: usize, scratch: usize, residual: usize, m: i32, n: i32, k: i32, code: i32, added: i32, part: i32, parts: i32): void {
  const panels = (n + 7) >> 3, padded = panels << 3, firstPanel = taperedShare(panels, part, parts), lastPanel = taperedShare(panels, part + 1, parts);
  const edge = scratch + <usize>part * 320, aRow = <usize>k << 2, cRow = <usize>n << 2, alone = m == 1 && (n & 7) == 0;
  let inner = 0;
  do {
    const depth = min(BLOCK_K, k - inner);
    for (let p = firstPanel, count = 0; p < lastPanel; p += count) {
      count = m <= 4 ? 1 : min(GROUP, lastPanel - p);
      const column = p << 3, panel = at(packed, inner * padded + column * depth), to = at(c, column);
      const columns = min(count << 3, n - column), from = inner ? to : at(packedBias, column), fromRow = inner ? cRow : 0;
      if (alone) row(at(a, inner), panel, depth, from, to);
      else if (m <= 4) panelsProduct(at(a, inner), aRow, m, panel, <usize>depth << 5, depth, from, fromRow, to, cRow, columns, edge);
      else turnedProduct(at(a, inner * ((m + 3) & ~3)), m, panel, depth, from, fromRow, to, cRow, columns, edge);
    }
    inner += depth;
  } while (inner < k);
  epilogue(c, residual, cRow, m, firstPanel << 3, min(n, lastPanel << 3), code, added);
}

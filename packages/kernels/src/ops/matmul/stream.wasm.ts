// AssemblyScript. Products with up to 64 rows of a, as in decoding, and b packed by matmulPack: b is read once, as one stream. Rows of a that fit into the first caches wait for it.
// One row keeps two accumulators busy: reading is the limit (27 GB/s on one thread, as a loop that does nothing else), and several panels at once, which are several streams, halve it.
// Every element is added up in order, as in matmul.wasm.ts: a row's result does not depend, to the bit, on how many rows come with it.
import { at, madd } from '../../devices/wasm/math.wasm';
import { epilogue } from './epilogue.wasm';
import { BLOCK_K, copyTile, panelProduct } from './tile.wasm';

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

/**
 * c [4, 8] = from [4, 8] + a · panel [k, 8], with four rows of a side by side, [k][4]. Beside the tile of tile.wasm.ts, whose rows stay where they are: 1.1 times as fast with 8 rows, 1.04 with 32, the same with 64, 0.85 with 4, which hence go through the tile (one thread, 768 x 3072).
 * Eight steps make one round, with a way out after each, as there: 1.05 to 1.12 times as fast as V8's own unrolling, 0.97 to 1.07 with relaxed SIMD. But a moves on with each step, as a broadcast with another offset would cost an address of its own.
 */
@inline function fourRows(a: usize, panel: usize, k: i32, from: usize, fromRow: usize, c: usize, cRow: usize): void {
  let c00 = v128.load(from), c01 = v128.load(from, 16);
  let c10 = v128.load(from + fromRow), c11 = v128.load(from + fromRow, 16);
  let c20 = v128.load(from + 2 * fromRow), c21 = v128.load(from + 2 * fromRow, 16);
  let c30 = v128.load(from + 3 * fromRow), c31 = v128.load(from + 3 * fromRow, 16);
  for (let left = k; left > 0; left -= 8, panel += 256) {
    let b0 = v128.load(panel), b1 = v128.load(panel, 16), x = v128.load32_splat(a);
    c00 = madd(x, b0, c00), c01 = madd(x, b1, c01);
    x = v128.load32_splat(a, 4);
    c10 = madd(x, b0, c10), c11 = madd(x, b1, c11);
    x = v128.load32_splat(a, 8);
    c20 = madd(x, b0, c20), c21 = madd(x, b1, c21);
    x = v128.load32_splat(a, 12);
    c30 = madd(x, b0, c30), c31 = madd(x, b1, c31);
    a += 16;
    if (left == 1) break;
    b0 = v128.load(panel, 32), b1 = v128.load(panel, 48), x = v128.load32_splat(a);
    c00 = madd(x, b0, c00), c01 = madd(x, b1, c01);
    x = v128.load32_splat(a, 4);
    c10 = madd(x, b0, c10), c11 = madd(x, b1, c11);
    x = v128.load32_splat(a, 8);
    c20 = madd(x, b0, c20), c21 = madd(x, b1, c21);
    x = v128.load32_splat(a, 12);
    c30 = madd(x, b0, c30), c31 = madd(x, b1, c31);
    a += 16;
    if (left == 2) break;
    b0 = v128.load(panel, 64), b1 = v128.load(panel, 80), x = v128.load32_splat(a);
    c00 = madd(x, b0, c00), c01 = madd(x, b1, c01);
    x = v128.load32_splat(a, 4);
    c10 = madd(x, b0, c10), c11 = madd(x, b1, c11);
    x = v128.load32_splat(a, 8);
    c20 = madd(x, b0, c20), c21 = madd(x, b1, c21);
    x = v128.load32_splat(a, 12);
    c30 = madd(x, b0, c30), c31 = madd(x, b1, c31);
    a += 16;
    if (left == 3) break;
    b0 = v128.load(panel, 96), b1 = v128.load(panel, 112), x = v128.load32_splat(a);
    c00 = madd(x, b0, c00), c01 = madd(x, b1, c01);
    x = v128.load32_splat(a, 4);
    c10 = madd(x, b0, c10), c11 = madd(x, b1, c11);
    x = v128.load32_splat(a, 8);
    c20 = madd(x, b0, c20), c21 = madd(x, b1, c21);
    x = v128.load32_splat(a, 12);
    c30 = madd(x, b0, c30), c31 = madd(x, b1, c31);
    a += 16;
    if (left == 4) break;
    b0 = v128.load(panel, 128), b1 = v128.load(panel, 144), x = v128.load32_splat(a);
    c00 = madd(x, b0, c00), c01 = madd(x, b1, c01);
    x = v128.load32_splat(a, 4);
    c10 = madd(x, b0, c10), c11 = madd(x, b1, c11);
    x = v128.load32_splat(a, 8);
    c20 = madd(x, b0, c20), c21 = madd(x, b1, c21);
    x = v128.load32_splat(a, 12);
    c30 = madd(x, b0, c30), c31 = madd(x, b1, c31);
    a += 16;
    if (left == 5) break;
    b0 = v128.load(panel, 160), b1 = v128.load(panel, 176), x = v128.load32_splat(a);
    c00 = madd(x, b0, c00), c01 = madd(x, b1, c01);
    x = v128.load32_splat(a, 4);
    c10 = madd(x, b0, c10), c11 = madd(x, b1, c11);
    x = v128.load32_splat(a, 8);
    c20 = madd(x, b0, c20), c21 = madd(x, b1, c21);
    x = v128.load32_splat(a, 12);
    c30 = madd(x, b0, c30), c31 = madd(x, b1, c31);
    a += 16;
    if (left == 6) break;
    b0 = v128.load(panel, 192), b1 = v128.load(panel, 208), x = v128.load32_splat(a);
    c00 = madd(x, b0, c00), c01 = madd(x, b1, c01);
    x = v128.load32_splat(a, 4);
    c10 = madd(x, b0, c10), c11 = madd(x, b1, c11);
    x = v128.load32_splat(a, 8);
    c20 = madd(x, b0, c20), c21 = madd(x, b1, c21);
    x = v128.load32_splat(a, 12);
    c30 = madd(x, b0, c30), c31 = madd(x, b1, c31);
    a += 16;
    if (left == 7) break;
    b0 = v128.load(panel, 224), b1 = v128.load(panel, 240), x = v128.load32_splat(a);
    c00 = madd(x, b0, c00), c01 = madd(x, b1, c01);
    x = v128.load32_splat(a, 4);
    c10 = madd(x, b0, c10), c11 = madd(x, b1, c11);
    x = v128.load32_splat(a, 8);
    c20 = madd(x, b0, c20), c21 = madd(x, b1, c21);
    x = v128.load32_splat(a, 12);
    c30 = madd(x, b0, c30), c31 = madd(x, b1, c31);
    a += 16;
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

/** `depth` columns of a, whose rows are `aRow` bytes apart, as groups of four rows side by side, [rows / 4][depth][4]; missing rows repeat the last. */
function sideBySide(a: usize, aRow: usize, rows: i32, depth: i32, to: usize): void {
  for (let first = 0; first < rows; first += 4) {
    const a0 = a + <usize>first * aRow, a1 = a + <usize>min(first + 1, rows - 1) * aRow, a2 = a + <usize>min(first + 2, rows - 1) * aRow, a3 = a + <usize>min(first + 3, rows - 1) * aRow;
    let i = 0;
    for (; i + 4 <= depth; i += 4, to += 64) {
      const x0 = v128.load(at(a0, i)), x1 = v128.load(at(a1, i)), x2 = v128.load(at(a2, i)), x3 = v128.load(at(a3, i));
      const low01 = v128.shuffle<f32>(x0, x1, 0, 4, 1, 5), high01 = v128.shuffle<f32>(x0, x1, 2, 6, 3, 7), low23 = v128.shuffle<f32>(x2, x3, 0, 4, 1, 5), high23 = v128.shuffle<f32>(x2, x3, 2, 6, 3, 7);
      v128.store(to, v128.shuffle<f64>(low01, low23, 0, 2));
      v128.store(to, v128.shuffle<f64>(low01, low23, 1, 3), 16);
      v128.store(to, v128.shuffle<f64>(high01, high23, 0, 2), 32);
      v128.store(to, v128.shuffle<f64>(high01, high23, 1, 3), 48);
    }
    for (; i < depth; i++, to += 16) {
      store<f32>(to, load<f32>(at(a0, i)));
      store<f32>(to, load<f32>(at(a1, i)), 4);
      store<f32>(to, load<f32>(at(a2, i)), 8);
      store<f32>(to, load<f32>(at(a3, i)), 12);
    }
  }
}

/** The first item of a part, of which each is smaller than the one before, by the same amount, the last almost nothing: threads that are not equally fast, as on shared cores, end at about the same time. */
@inline function taperedShare(count: i32, part: i32, parts: i32): i32 {
  const left = <i64>(parts - part);
  return count - <i32>((left * left * count) / (<i64>parts * parts));
}

/** c [m ≤ 64, n] = a [m, k] · packed b + bias, and its epilogue. A part owns panels of 8 columns; its scratch of `scratchSize` bytes holds an edge tile and a block of a. */
export function matmulStream(a: usize, packed: usize, packedBias: usize, c: usize, scratch: usize, residual: usize, m: i32, n: i32, k: i32, scratchSize: i32, code: i32, added: i32, part: i32, parts: i32): void {
  const panels = (n + 7) >> 3, padded = panels << 3, firstPanel = taperedShare(panels, part, parts), lastPanel = taperedShare(panels, part + 1, parts);
  const edge = scratch + <usize>part * <usize>scratchSize, block = edge + 128, aRow = <usize>k << 2, cRow = <usize>n << 2;
  let inner = 0;
  do {
    const depth = min(BLOCK_K, k - inner);
    const alone = m == 1 && (n & 7) == 0;
    if (m > 4) sideBySide(at(a, inner), aRow, m, depth, block);
    for (let p = firstPanel; p < lastPanel; p++) {
      const column = p << 3, panel = at(packed, inner * padded + column * depth), to = at(c, column);
      const columns = min(8, n - column), from = inner ? to : at(packedBias, column), fromRow = inner ? cRow : 0;
      if (alone) row(at(a, inner), panel, depth, from, to);
      else if (m <= 4) panelProduct(at(a, inner), aRow, m, panel, depth, from, fromRow, to, cRow, columns, edge);
      else for (let r = 0; r < m; r += 4) {
        const own = block + ((<usize>r * <usize>depth) << 2), first = from + <usize>r * fromRow, own4 = to + <usize>r * cRow, left = min(4, m - r), whole = left == 4 && columns == 8;
        if (!whole) copyTile(first, fromRow, edge, 32, left, columns);
        fourRows(own, panel, depth, whole ? first : edge, whole ? fromRow : 32, whole ? own4 : edge, whole ? cRow : 32);
        if (!whole) copyTile(edge, 32, own4, cRow, left, columns);
      }
    }
    inner += depth;
  } while (inner < k);
  epilogue(c, residual, cRow, m, firstPanel << 3, min(n, lastPanel << 3), code, added);
}

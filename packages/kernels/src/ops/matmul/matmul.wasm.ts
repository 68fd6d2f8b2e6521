// AssemblyScript. Goto and van de Geijn 2008 ("Anatomy of high-performance matrix multiplication") with the register tiles of tile.wasm.ts:
// b is packed once into panels of 8 columns; a part owns a block of rows and columns of c and adds up inner blocks in order.
import { at, share } from '../../devices/wasm/math.wasm';
import { epilogue } from './epilogue.wasm';
import { BLOCK_K, packColumns, packRows, panelsProduct, transpose } from './tile.wasm';

/** Packs b [k, n], one inner block after another and its panels in order, so that a part reads them as one stream; and bias [n] (or zeros) to a multiple of 8. A part packs some panels. */
export function matmulPack(b: usize, bias: usize, packed: usize, packedBias: usize, n: i32, k: i32, transposed: i32, hasBias: i32, part: i32, parts: i32): void {
  const panels = (n + 7) >> 3, padded = panels << 3;
  for (let panel = share(panels, part, parts), last = share(panels, part + 1, parts); panel < last; panel++) {
    const first = panel << 3;
    const columns = min(8, n - first);
    for (let inner = 0; inner < k; inner += BLOCK_K) {
      const depth = min(BLOCK_K, k - inner);
      const to = at(packed, inner * padded + first * depth);
      if (transposed) packColumns(at(b, first * k + inner), <usize>k << 2, columns, depth, to);
      else packRows(at(b, inner * n + first), <usize>n << 2, columns, depth, to);
    }
    for (let j = 0; j < 8; j++) store<f32>(at(packedBias, first + j), hasBias && j < columns ? load<f32>(at(bias, first + j)) : 0);
  }
}

/** Depth of a block of rows of a that is turned into scratch: a part of it stays in the second cache. */
const TURNED_K: i32 = 384;

/** c [m, n] = a [m, k] · b [k, n] + bias, and its epilogue. One part is one block of rows and columns; its scratch holds an edge tile and, if a is stored as [k, m], a block of its rows. */
export function matmul(a: usize, packed: usize, packedBias: usize, c: usize, scratch: usize, residual: usize, m: i32, n: i32, k: i32, transposed: i32, blockRows: i32, blockColumns: i32, scratchSize: i32, code: i32, added: i32, part: i32, _parts: i32): void {
  const padded = (n + 7) & ~7, across = (n + blockColumns - 1) / blockColumns;
  const firstRow = (part / across) * blockRows, rows = min(blockRows, m - firstRow);
  const firstColumn = (part % across) * blockColumns, lastColumn = min(n, firstColumn + blockColumns);
  const edge = scratch + <usize>part * <usize>scratchSize, block = edge + 256;
  const cRow = <usize>n << 2;
  let inner = 0;
  do {
    const begin = inner - inner % BLOCK_K, packedDepth = min(BLOCK_K, k - begin), depth = transposed ? min(TURNED_K, packedDepth - (inner - begin)) : packedDepth;
    if (transposed) transpose(a + ((<usize>inner * <usize>m + <usize>firstRow) << 2), <usize>m << 2, rows, depth, block, <usize>depth << 2);
    const own = transposed ? block : a + ((<usize>firstRow * <usize>k + <usize>inner) << 2), ownRow = <usize>(transposed ? depth : k) << 2;
    const to = c + ((<usize>firstRow * <usize>n + <usize>firstColumn) << 2), panels = at(packed, begin * padded + firstColumn * packedDepth + ((inner - begin) << 3));
    panelsProduct(own, ownRow, rows, panels, <usize>packedDepth << 5, depth, inner ? to : at(packedBias, firstColumn), inner ? cRow : 0, to, cRow, lastColumn - firstColumn, edge, true);
    inner += depth;
  } while (inner < k);
  const start = (<usize>firstRow * <usize>n) << 2;
  epilogue(c + start, residual + start, cRow, rows, firstColumn, lastColumn, code, added);
}

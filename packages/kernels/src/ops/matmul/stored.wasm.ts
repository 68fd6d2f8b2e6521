// AssemblyScript. Products with b stored in 8 or 16 bits: each part turns its panels of 8 columns into f32 as it goes, 8 KiB at a time, so that b is read once, as it lies.
// Every element is added up over k in order, as in matmul.wasm.ts: a row's result does not depend, to the bit, on how many rows come with it, nor on the type that holds the numbers of b.
import { at, madd1, share } from '../../devices/wasm/math.wasm';
import { allFinite16, FINITE16, FLOAT16, high4, INT8, load1, load4, low4, place } from '../../devices/wasm/storage.wasm';
import { epilogue } from './epilogue.wasm';
import { products } from './few.wasm';
import { panelsProduct } from './tile.wasm';

const BLOCK_K: i32 = 256;

/** Columns `first` to `first + 8` of b [k, n], or of its transpose stored as [n, k], from row `inner` on, as a panel [depth][8]; missing columns are zeros. */
@inline function pack(b: usize, n: i32, k: i32, transposed: i32, type: i32, first: i32, columns: i32, inner: i32, depth: i32, panel: usize): void {
  let i = 0;
  if (columns == 8) {
    if (!transposed) {
      for (; i < depth; i++) {
        const from = place(b, 0, type) + (<usize>(inner + i) * <usize>n + <usize>first) * (type == INT8 ? 1 : 2), to = panel + (<usize>i << 5);
        v128.store(to, load4(from, type));
        v128.store(to, load4(place(from, 4, type), type), 16);
      }
      return;
    }
    const row = <usize>k * (type == INT8 ? 1 : 2), own = b + <usize>first * row + <usize>inner * (type == INT8 ? 1 : 2);
    if (type == INT8) {
      for (; i + 16 <= depth; i += 16) {
        turn8(own + i, row, panel + (<usize>i << 5));
        turn8(own + i + 4 * row, row, panel + (<usize>i << 5) + 16);
      }
    } else {
      for (; i + 8 <= depth; i += 8) {
        turn16(own + 2 * i, row, type, panel + (<usize>i << 5));
        turn16(own + 2 * i + 4 * row, row, type, panel + (<usize>i << 5) + 16);
      }
    }
  }
  for (; i < depth; i++) {
    for (let j = 0; j < 8; j++) {
      const element = transposed ? <usize>(first + j) * <usize>k + <usize>(inner + i) : <usize>(inner + i) * <usize>n + <usize>(first + j);
      store<f32>(panel + (<usize>(8 * i + j) << 2), j < columns ? load1(b + element * (type == INT8 ? 1 : 2), type) : 0);
    }
  }
}

/** Four rows of eight elements of 16 bits become eight rows of four f32, 32 bytes apart. */
@inline function turn16(from: usize, row: usize, type: i32, to: usize): void {
  const a = v128.load(from), b = v128.load(from + row), c = v128.load(from + 2 * row), d = v128.load(from + 3 * row);
  const ab = v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11), cd = v128.shuffle<i16>(c, d, 0, 8, 1, 9, 2, 10, 3, 11);
  const abHigh = v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15), cdHigh = v128.shuffle<i16>(c, d, 4, 12, 5, 13, 6, 14, 7, 15);
  if (type == FLOAT16 && allFinite16(a, b, c, d)) eight16(ab, cd, abHigh, cdHigh, FINITE16, to);
  else eight16(ab, cd, abHigh, cdHigh, type, to);
}

@inline function eight16(ab: v128, cd: v128, abHigh: v128, cdHigh: v128, type: i32, to: usize): void {
  two16(v128.shuffle<i32>(ab, cd, 0, 4, 1, 5), type, to);
  two16(v128.shuffle<i32>(ab, cd, 2, 6, 3, 7), type, to + 64);
  two16(v128.shuffle<i32>(abHigh, cdHigh, 0, 4, 1, 5), type, to + 128);
  two16(v128.shuffle<i32>(abHigh, cdHigh, 2, 6, 3, 7), type, to + 192);
}

@inline function two16(both: v128, type: i32, to: usize): void {
  v128.store(to, low4(both, type));
  v128.store(to, high4(both, type), 32);
}

/** The same for sixteen elements of 8 bits. */
@inline function turn8(from: usize, row: usize, to: usize): void {
  const a = v128.load(from), b = v128.load(from + row), c = v128.load(from + 2 * row), d = v128.load(from + 3 * row);
  const ab = v128.shuffle<i8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), cd = v128.shuffle<i8>(c, d, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const abHigh = v128.shuffle<i8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), cdHigh = v128.shuffle<i8>(c, d, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  four8(v128.shuffle<i16>(ab, cd, 0, 8, 1, 9, 2, 10, 3, 11), to);
  four8(v128.shuffle<i16>(ab, cd, 4, 12, 5, 13, 6, 14, 7, 15), to + 128);
  four8(v128.shuffle<i16>(abHigh, cdHigh, 0, 8, 1, 9, 2, 10, 3, 11), to + 256);
  four8(v128.shuffle<i16>(abHigh, cdHigh, 4, 12, 5, 13, 6, 14, 7, 15), to + 384);
}

@inline function four8(all: v128, to: usize): void {
  const low = i16x8.extend_low_i8x16_s(all), high = i16x8.extend_high_i8x16_s(all);
  v128.store(to, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(low)));
  v128.store(to, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(low)), 32);
  v128.store(to, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(high)), 64);
  v128.store(to, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(high)), 96);
}

/** sums [4] plus eight products each, in order: a [8] times four rows of eight elements of 16 bits, turned in registers. */
@inline function products16(sums: v128, a: usize, from: usize, row: usize, type: i32): v128 {
  const r0 = v128.load(from), r1 = v128.load(from + row), r2 = v128.load(from + 2 * row), r3 = v128.load(from + 3 * row);
  if (type == FLOAT16 && allFinite16(r0, r1, r2, r3)) return turned16(sums, a, r0, r1, r2, r3, FINITE16);
  return turned16(sums, a, r0, r1, r2, r3, type);
}

@inline function turned16(sums: v128, a: usize, r0: v128, r1: v128, r2: v128, r3: v128, type: i32): v128 {
  const low01 = v128.shuffle<i16>(r0, r1, 0, 8, 1, 9, 2, 10, 3, 11), low23 = v128.shuffle<i16>(r2, r3, 0, 8, 1, 9, 2, 10, 3, 11);
  const high01 = v128.shuffle<i16>(r0, r1, 4, 12, 5, 13, 6, 14, 7, 15), high23 = v128.shuffle<i16>(r2, r3, 4, 12, 5, 13, 6, 14, 7, 15);
  const t0 = v128.shuffle<i32>(low01, low23, 0, 4, 1, 5), t1 = v128.shuffle<i32>(low01, low23, 2, 6, 3, 7);
  const t2 = v128.shuffle<i32>(high01, high23, 0, 4, 1, 5), t3 = v128.shuffle<i32>(high01, high23, 2, 6, 3, 7);
  sums = products(sums, a, low4(t0, type), high4(t0, type), low4(t1, type), high4(t1, type));
  return products(sums, a + 16, low4(t2, type), high4(t2, type), low4(t3, type), high4(t3, type));
}

/** The same with sixteen elements of 8 bits. */
@inline function products8(sums: v128, a: usize, from: usize, row: usize): v128 {
  const r0 = v128.load(from), r1 = v128.load(from + row), r2 = v128.load(from + 2 * row), r3 = v128.load(from + 3 * row);
  const low01 = v128.shuffle<i8>(r0, r1, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), low23 = v128.shuffle<i8>(r2, r3, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const high01 = v128.shuffle<i8>(r0, r1, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), high23 = v128.shuffle<i8>(r2, r3, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  sums = four8Products(sums, a, v128.shuffle<i16>(low01, low23, 0, 8, 1, 9, 2, 10, 3, 11));
  sums = four8Products(sums, a + 16, v128.shuffle<i16>(low01, low23, 4, 12, 5, 13, 6, 14, 7, 15));
  sums = four8Products(sums, a + 32, v128.shuffle<i16>(high01, high23, 0, 8, 1, 9, 2, 10, 3, 11));
  return four8Products(sums, a + 48, v128.shuffle<i16>(high01, high23, 4, 12, 5, 13, 6, 14, 7, 15));
}

@inline function four8Products(sums: v128, a: usize, all: v128): v128 {
  const low = i16x8.extend_low_i8x16_s(all), high = i16x8.extend_high_i8x16_s(all);
  return products(sums, a, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(low)), f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(low)), f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(high)), f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(high)));
}

/** c [8] = from [8] + a [k] · eight rows of b, stored as [n, k]: one row of a, for which panels would cost a way through memory. */
@inline function rowTransposed(a: usize, b: usize, k: i32, type: i32, from: usize, c: usize): void {
  const width: usize = type == INT8 ? 1 : 2, step = type == INT8 ? 16 : 8, row = <usize>k * width;
  let low = v128.load(from), high = v128.load(from, 16), i = 0;
  for (let own = b; i + step <= k; i += step, own += 16) {
    if (type == INT8) {
      low = products8(low, at(a, i), own, row);
      high = products8(high, at(a, i), own + 4 * row, row);
    } else {
      low = products16(low, at(a, i), own, row, type);
      high = products16(high, at(a, i), own + 4 * row, row, type);
    }
  }
  v128.store(c, low);
  v128.store(c, high, 16);
  for (; i < k; i++) for (let j = 0; j < 8; j++) store<f32>(at(c, j), madd1(load<f32>(at(a, i)), load1(b + <usize>j * row + <usize>i * width, type), load<f32>(at(c, j))));
}

/** Columns that are turned into floats at once: two panels of 8 KiB. */
const COLUMNS: i32 = 16;

/** A block of rows and a share of the panels. */
@inline function block(a: usize, b: usize, scales: usize, bias: usize, c: usize, edge: usize, rows: i32, n: i32, k: i32, transposed: i32, type: i32, hasBias: i32, firstPanel: i32, lastPanel: i32): void {
  const panels = edge + 256, aRow = <usize>k << 2, cRow = <usize>n << 2, alone = rows == 1 && transposed;
  for (let column = firstPanel << 3, last = min(n, lastPanel << 3), columns = 0; column < last; column += columns) {
    columns = min(alone ? 8 : COLUMNS, last - column);
    const start = hasBias && type != INT8 ? at(bias, column) : 0, to = at(c, column);
    let inner = 0;
    if (alone && columns == 8) rowTransposed(a, b + <usize>column * <usize>k * (type == INT8 ? 1 : 2), k, type, start, to);
    else do {
      const depth = min(BLOCK_K, k - inner);
      for (let j = 0; j < columns; j += 8) pack(b, n, k, transposed, type, column + j, min(8, columns - j), inner, depth, at(panels, j * depth));
      panelsProduct(at(a, inner), aRow, rows, panels, <usize>depth << 5, depth, inner ? to : start, inner ? cRow : 0, to, cRow, columns, edge);
      inner += depth;
    } while (inner < k);
    if (type == INT8) for (let r = 0; r < rows; r++) for (let j = column, to = c + <usize>r * cRow; j < column + columns; j++) store<f32>(at(to, j), load<f32>(at(to, j)) * load<f32>(at(scales, j)) + (hasBias ? load<f32>(at(bias, j)) : 0));
  }
}

/**
 * c [m, n] = a [m, k] · b + bias, with b of type 1 (float16), 2 (bfloat16) or 3 (int8, whose columns are multiplied by scales [n] afterwards), stored as [k, n] or, transposed, [n, k].
 * Then its epilogue. A part is one block of rows and one of `across` shares of the columns; its scratch holds an edge tile and two panels, 16,640 bytes.
 */
export function matmulStored(a: usize, b: usize, scales: usize, bias: usize, c: usize, scratch: usize, residual: usize, m: i32, n: i32, k: i32, transposed: i32, type: i32, hasBias: i32, blockRows: i32, across: i32, code: i32, added: i32, part: i32, _parts: i32): void {
  const firstRow = (part / across) * blockRows, rows = min(blockRows, m - firstRow), panels = (n + 7) >> 3;
  const firstPanel = share(panels, part % across, across), lastPanel = share(panels, part % across + 1, across);
  const own = a + ((<usize>firstRow * <usize>k) << 2), to = c + ((<usize>firstRow * <usize>n) << 2), edge = scratch + <usize>part * 16640;
  if (type == INT8) block(own, b, scales, bias, to, edge, rows, n, k, transposed, INT8, hasBias, firstPanel, lastPanel);
  else if (type == FLOAT16) block(own, b, scales, bias, to, edge, rows, n, k, transposed, FLOAT16, hasBias, firstPanel, lastPanel);
  else block(own, b, scales, bias, to, edge, rows, n, k, transposed, 2, hasBias, firstPanel, lastPanel);
  epilogue(to, residual + ((<usize>firstRow * <usize>n) << 2), <usize>n << 2, rows, firstPanel << 3, min(n, lastPanel << 3), code, added);
}

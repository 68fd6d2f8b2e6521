// AssemblyScript. The register tile under matmul and attention: 4 rows times 8 columns, eight accumulators (a taller one spills in V8).
// b is packed in panels of 8 columns, [k][8], so that a step reads 32 bytes in a row.

/** c [4, 8] = from [4, 8] + a [4, k] · panel [k, 8]. Rows of a begin at a0 … a3; all distances are in bytes. */
@inline function tile(a0: usize, a1: usize, a2: usize, a3: usize, aColumn: usize, panel: usize, k: i32, from: usize, fromRow: usize, c: usize, cRow: usize): void {
  let c00 = v128.load(from), c01 = v128.load(from, 16);
  let c10 = v128.load(from + fromRow), c11 = v128.load(from + fromRow, 16);
  let c20 = v128.load(from + 2 * fromRow), c21 = v128.load(from + 2 * fromRow, 16);
  let c30 = v128.load(from + 3 * fromRow), c31 = v128.load(from + 3 * fromRow, 16);
  for (const end = panel + (<usize>k << 5); panel < end; panel += 32) {
    const b0 = v128.load(panel), b1 = v128.load(panel, 16);
    let x = v128.load32_splat(a0);
    c00 = f32x4.add(c00, f32x4.mul(x, b0));
    c01 = f32x4.add(c01, f32x4.mul(x, b1));
    x = v128.load32_splat(a1);
    c10 = f32x4.add(c10, f32x4.mul(x, b0));
    c11 = f32x4.add(c11, f32x4.mul(x, b1));
    x = v128.load32_splat(a2);
    c20 = f32x4.add(c20, f32x4.mul(x, b0));
    c21 = f32x4.add(c21, f32x4.mul(x, b1));
    x = v128.load32_splat(a3);
    c30 = f32x4.add(c30, f32x4.mul(x, b0));
    c31 = f32x4.add(c31, f32x4.mul(x, b1));
    a0 += aColumn;
    a1 += aColumn;
    a2 += aColumn;
    a3 += aColumn;
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

/**
 * c [rows, columns ≤ 8] = from + a [rows, k] · panel [k, 8]. Four rows of a are `aGroup` bytes apart from the next four.
 * `from` is c itself to add up, a row of bias with `fromRow` 0, or address 0, where zeros lie. `edge` is room for one tile: incomplete ones are computed there.
 */
export function panelProduct(a: usize, aGroup: usize, aRow: usize, aColumn: usize, rows: i32, panel: usize, k: i32, from: usize, fromRow: usize, c: usize, cRow: usize, columns: i32, edge: usize): void {
  for (let row = 0; row < rows; row += 4) {
    const left = min(4, rows - row);
    if (left == 4 && columns == 8) tile(a, a + aRow, a + 2 * aRow, a + 3 * aRow, aColumn, panel, k, from, fromRow, c, cRow);
    else {
      for (let i = 0; i < left; i++) for (let j = 0; j < columns; j++) store<f32>(edge + (<usize>(i * 8 + j) << 2), load<f32>(from + <usize>i * fromRow + (<usize>j << 2)));
      tile(a, a + <usize>min(1, left - 1) * aRow, a + <usize>min(2, left - 1) * aRow, a + <usize>min(3, left - 1) * aRow, aColumn, panel, k, edge, 32, edge, 32);
      for (let i = 0; i < left; i++) for (let j = 0; j < columns; j++) store<f32>(c + <usize>i * cRow + (<usize>j << 2), load<f32>(edge + (<usize>(i * 8 + j) << 2)));
    }
    a += aGroup;
    c += 4 * cRow;
    from += 4 * fromRow;
  }
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
      transpose4(b, bColumn, panel);
      transpose4(b + 4 * bColumn, bColumn, panel + 16);
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

/** Four columns of four numbers become four rows, 32 bytes apart. */
@inline function transpose4(from: usize, column: usize, to: usize): void {
  const a = v128.load(from), b = v128.load(from + column), c = v128.load(from + 2 * column), d = v128.load(from + 3 * column);
  const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5), cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7), cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
  v128.store(to, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7), 32);
  v128.store(to, v128.shuffle<f32>(abHigh, cdHigh, 0, 1, 4, 5), 64);
  v128.store(to, v128.shuffle<f32>(abHigh, cdHigh, 2, 3, 6, 7), 96);
}

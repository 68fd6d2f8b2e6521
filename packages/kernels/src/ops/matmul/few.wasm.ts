// AssemblyScript. Products with few rows of a, as in decoding: b is read once, as it lies. Packing it would cost more than the product.
// Every element is bias + a[0] b[0] + a[1] b[1] + …, in this order, as in matmul.wasm.ts: a row's result does not depend, to the bit, on how many rows come with it.
import { at, madd, madd1, share, splat } from '../../devices/wasm/math.wasm';
import { epilogue } from './epilogue.wasm';

/** sums [4] plus four products each, in order: x [4] times four rows of b, `bRow` bytes apart, turned in registers. */
@inline function four(sums: v128, x: v128, b: usize, bRow: usize): v128 {
  const r0 = v128.load(b), r1 = v128.load(b + bRow), r2 = v128.load(b + 2 * bRow), r3 = v128.load(b + 3 * bRow);
  const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5), low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7), high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  sums = madd(v128.shuffle<f32>(x, x, 0, 0, 0, 0), v128.shuffle<f32>(low01, low23, 0, 1, 4, 5), sums);
  sums = madd(v128.shuffle<f32>(x, x, 1, 1, 1, 1), v128.shuffle<f32>(low01, low23, 2, 3, 6, 7), sums);
  sums = madd(v128.shuffle<f32>(x, x, 2, 2, 2, 2), v128.shuffle<f32>(high01, high23, 0, 1, 4, 5), sums);
  return madd(v128.shuffle<f32>(x, x, 3, 3, 3, 3), v128.shuffle<f32>(high01, high23, 2, 3, 6, 7), sums);
}

/** Columns [first, last) of one row of c, which holds what they begin with; b is stored as [n, k]. Eight rows of b at once: more would fall into one set of the first cache where k is a power of two. */
function rowTransposed(a: usize, b: usize, c: usize, k: i32, first: i32, last: i32): void {
  const bRow = <usize>k << 2, fours = k & ~3;
  let j = first;
  for (; j + 8 <= last; j += 8) {
    const own = b + <usize>j * bRow, other = own + 4 * bRow;
    let low = v128.load(at(c, j)), high = v128.load(at(c, j), 16);
    for (let i = 0; i < fours; i += 4) {
      const x = v128.load(at(a, i));
      low = four(low, x, at(own, i), bRow);
      high = four(high, x, at(other, i), bRow);
    }
    v128.store(at(c, j), low);
    v128.store(at(c, j), high, 16);
    for (let i = fours; i < k; i++) for (let q = 0; q < 8; q++) store<f32>(at(c, j + q), madd1(load<f32>(at(a, i)), load<f32>(at(own + <usize>q * bRow, i)), load<f32>(at(c, j + q))));
  }
  for (; j < last; j++) {
    let sum = load<f32>(at(c, j));
    for (let i = 0; i < k; i++) sum = madd1(load<f32>(at(a, i)), load<f32>(at(b + <usize>j * bRow, i)), sum);
    store<f32>(at(c, j), sum);
  }
}

/** The same for four rows of c, which share the turning of b; rows that are missing repeat the last. */
function fourRowsTransposed(a: usize, aRow: usize, b: usize, c: usize, cRow: usize, rows: i32, k: i32, first: i32, last: i32): void {
  const bRow = <usize>k << 2, fours = k & ~3, whole = first + ((last - first) & ~3);
  const a1 = a + <usize>min(1, rows - 1) * aRow, a2 = a + <usize>min(2, rows - 1) * aRow, a3 = a + <usize>min(3, rows - 1) * aRow;
  const c1 = c + <usize>min(1, rows - 1) * cRow, c2 = c + <usize>min(2, rows - 1) * cRow, c3 = c + <usize>min(3, rows - 1) * cRow;
  for (let j = first; j < whole; j += 4) {
    let s0 = v128.load(at(c, j)), s1 = v128.load(at(c1, j)), s2 = v128.load(at(c2, j)), s3 = v128.load(at(c3, j));
    for (let i = 0, from = b + <usize>j * bRow; i < fours; i += 4, from += 16) {
      const r0 = v128.load(from), r1 = v128.load(from + bRow), r2 = v128.load(from + 2 * bRow), r3 = v128.load(from + 3 * bRow);
      const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5), low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
      const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7), high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
      const t0 = v128.shuffle<f32>(low01, low23, 0, 1, 4, 5), t1 = v128.shuffle<f32>(low01, low23, 2, 3, 6, 7);
      const t2 = v128.shuffle<f32>(high01, high23, 0, 1, 4, 5), t3 = v128.shuffle<f32>(high01, high23, 2, 3, 6, 7);
      s0 = products(s0, at(a, i), t0, t1, t2, t3);
      s1 = products(s1, at(a1, i), t0, t1, t2, t3);
      s2 = products(s2, at(a2, i), t0, t1, t2, t3);
      s3 = products(s3, at(a3, i), t0, t1, t2, t3);
    }
    v128.store(at(c, j), s0);
    v128.store(at(c1, j), s1);
    v128.store(at(c2, j), s2);
    v128.store(at(c3, j), s3);
  }
  for (let r = 0; r < rows; r++) {
    const x = a + <usize>r * aRow, to = c + <usize>r * cRow;
    for (let j = first; j < last; j++) {
      let sum = load<f32>(at(to, j));
      for (let i = j < whole ? fours : 0; i < k; i++) sum = madd1(load<f32>(at(x, i)), load<f32>(at(b + <usize>j * bRow, i)), sum);
      store<f32>(at(to, j), sum);
    }
  }
}

/** sums [4] plus four products each, in order: a [4] times rows that are turned already. */
@inline export function products(sums: v128, a: usize, t0: v128, t1: v128, t2: v128, t3: v128): v128 {
  sums = madd(v128.load32_splat(a), t0, sums);
  sums = madd(v128.load32_splat(a, 4), t1, sums);
  sums = madd(v128.load32_splat(a, 8), t2, sums);
  return madd(v128.load32_splat(a, 12), t3, sums);
}

/** The same with b stored as [k, n]: four rows of b are added at a time. */
function row(a: usize, b: usize, c: usize, n: i32, k: i32, first: i32, last: i32): void {
  const bRow = <usize>n << 2;
  let i = 0;
  for (; i + 4 <= k; i += 4) {
    const b0 = b + <usize>i * bRow, b1 = b0 + bRow, b2 = b1 + bRow, b3 = b2 + bRow;
    const x0 = load<f32>(at(a, i)), x1 = load<f32>(at(a, i), 4), x2 = load<f32>(at(a, i), 8), x3 = load<f32>(at(a, i), 12);
    let j = first;
    for (; j + 4 <= last; j += 4) {
      let sum = madd(splat(x0), v128.load(at(b0, j)), v128.load(at(c, j)));
      sum = madd(splat(x1), v128.load(at(b1, j)), sum);
      sum = madd(splat(x2), v128.load(at(b2, j)), sum);
      v128.store(at(c, j), madd(splat(x3), v128.load(at(b3, j)), sum));
    }
    for (; j < last; j++) store<f32>(at(c, j), madd1(x3, load<f32>(at(b3, j)), madd1(x2, load<f32>(at(b2, j)), madd1(x1, load<f32>(at(b1, j)), madd1(x0, load<f32>(at(b0, j)), load<f32>(at(c, j)))))));
  }
  for (; i < k; i++) for (let j = first; j < last; j++) store<f32>(at(c, j), madd1(load<f32>(at(a, i)), load<f32>(at(b + <usize>i * bRow, j)), load<f32>(at(c, j))));
}

/** c [m ≤ 4, n] = a [m, k] · b + bias, and its epilogue; a part owns columns, in groups of eight. */
export function matmulFew(a: usize, b: usize, bias: usize, c: usize, residual: usize, m: i32, n: i32, k: i32, transposed: i32, hasBias: i32, code: i32, added: i32, part: i32, parts: i32): void {
  const groups = (n + 7) >> 3, first = share(groups, part, parts) << 3, last = min(n, share(groups, part + 1, parts) << 3);
  if (last <= first) return;
  const aRow = <usize>k << 2, cRow = <usize>n << 2;
  for (let r = 0; r < m; r++) {
    const to = c + <usize>r * cRow;
    if (hasBias) memory.copy(at(to, first), at(bias, first), <usize>(last - first) << 2);
    else memory.fill(at(to, first), 0, <usize>(last - first) << 2);
  }
  if (transposed && m > 1) fourRowsTransposed(a, aRow, b, c, cRow, m, k, first, last);
  else for (let r = 0; r < m; r++) {
    if (transposed) rowTransposed(a + <usize>r * aRow, b, c + <usize>r * cRow, k, first, last);
    else row(a + <usize>r * aRow, b, c + <usize>r * cRow, n, k, first, last);
  }
  epilogue(c, residual, cRow, m, first, last, code, added);
}

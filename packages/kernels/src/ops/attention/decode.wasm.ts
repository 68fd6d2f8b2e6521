// AssemblyScript. Attention of one query in each sequence over many keys, as in decoding: keys are read once, as they lie, and split into chunks (Dao et al. 2023, "Flash-Decoding").
// A part owns whole items, a chunk of keys for one head; the chunks of a query are then added up in order, so that results do not depend on the threads.
import { at, exp1, expBounded4, largest, log1, madd, nmadd, share, splat, total } from '../../devices/wasm/math.wasm';

/** One chunk: the largest score, the sum of exponentials, and the values they weigh, [2 + headDim] → `partial`. `scores` has room for the chunk and three more. */
export function chunkOf(q: usize, key: usize, value: usize, keyRow: usize, keys: i32, headDim: i32, scale: f32, slope: f32, distance: i32, scores: usize, partial: usize): void {
  const fours = headDim & ~3;
  let maxima = splat(-Infinity); // pmax loses NaN, the sum below keeps it
  for (let j = 0; j < keys; j += 4) {
    const k0 = key + <usize>j * keyRow, k1 = key + <usize>min(j + 1, keys - 1) * keyRow, k2 = key + <usize>min(j + 2, keys - 1) * keyRow, k3 = key + <usize>min(j + 3, keys - 1) * keyRow;
    let s0 = splat(0), s1 = splat(0), s2 = splat(0), s3 = splat(0);
    for (let i = 0; i < fours; i += 4) {
      const x = v128.load(at(q, i));
      s0 = madd(x, v128.load(at(k0, i)), s0);
      s1 = madd(x, v128.load(at(k1, i)), s1);
      s2 = madd(x, v128.load(at(k2, i)), s2);
      s3 = madd(x, v128.load(at(k3, i)), s3);
    }
    let dots = f32x4(total(s0), total(s1), total(s2), total(s3));
    for (let i = fours; i < headDim; i++) dots = madd(v128.load32_splat(at(q, i)), f32x4(load<f32>(at(k0, i)), load<f32>(at(k1, i)), load<f32>(at(k2, i)), load<f32>(at(k3, i))), dots);
    const distances = f32x4.add(splat(<f32>(distance + j)), f32x4(0, 1, 2, 3));
    const score = nmadd(splat(slope), f32x4.abs(distances), f32x4.mul(dots, splat(scale)));
    v128.store(at(scores, j), score);
    maxima = j + 4 <= keys ? f32x4.pmax(maxima, score) : maxima;
  }
  let top = largest(maxima);
  for (let j = keys & ~3; j < keys; j++) top = max(top, load<f32>(at(scores, j)));
  let sums = splat(0);
  for (let j = keys; j < ((keys + 3) & ~3); j++) store<f32>(at(scores, j), -Infinity);
  for (let j = 0; j < keys; j += 4) {
    const p = expBounded4(f32x4.sub(v128.load(at(scores, j)), splat(top)));
    v128.store(at(scores, j), p);
    sums = f32x4.add(sums, p);
  }
  store<f32>(partial, top);
  store<f32>(partial, total(sums), 4);
  const to = partial + 8;
  let i = 0;
  for (; i + 16 <= headDim; i += 16) {
    let v0 = splat(0), v1 = splat(0), v2 = splat(0), v3 = splat(0);
    for (let j = 0, row = at(value, i); j < keys; j++, row += keyRow) {
      const p = v128.load32_splat(at(scores, j));
      v0 = madd(p, v128.load(row), v0);
      v1 = madd(p, v128.load(row, 16), v1);
      v2 = madd(p, v128.load(row, 32), v2);
      v3 = madd(p, v128.load(row, 48), v3);
    }
    v128.store(at(to, i), v0);
    v128.store(at(to, i), v1, 16);
    v128.store(at(to, i), v2, 32);
    v128.store(at(to, i), v3, 48);
  }
  for (; i < headDim; i++) {
    let sum: f32 = 0;
    for (let j = 0, row = at(value, i); j < keys; j++, row += keyRow) sum += load<f32>(at(scores, j)) * load<f32>(row);
    store<f32>(at(to, i), sum);
  }
}

/** `chunks [count, 4]`: query, first key, number of keys, and the position of the query among the keys. partial [count · heads, 2 + headDim]; scratch [parts, scratchSize bytes]. */
export function attentionDecode(query: usize, key: usize, value: usize, chunks: usize, slopes: usize, partial: usize, scratch: usize,
  count: i32, heads: i32, group: i32, headDim: i32, scale: f32, biased: i32, scratchSize: i32, part: i32, parts: i32): void {
  const keyRow = (heads / group) * headDim, scores = scratch + <usize>part * <usize>scratchSize;
  for (let item = share(count * heads, part, parts), last = share(count * heads, part + 1, parts); item < last; item++) {
    const chunk = at(chunks, 4 * (item / heads)), head = item % heads, firstKey = load<i32>(chunk, 4);
    const offset = (<usize>firstKey * <usize>keyRow + <usize>((head / group) * headDim)) << 2;
    chunkOf(at(query, (load<i32>(chunk) * heads + head) * headDim), key + offset, value + offset, <usize>keyRow << 2, load<i32>(chunk, 8), headDim, scale,
      biased ? load<f32>(at(slopes, head)) : 0, firstKey - load<i32>(chunk, 12), scores, partial + ((<usize>item * <usize>(2 + headDim)) << 2));
  }
}

/** Query `row` has the chunks `starts[row]` to `starts[row + 1]`. A query without keys gets zeros, and logSumExp -Infinity. */
export function attentionDecodeSum(partial: usize, output: usize, logSumExp: usize, starts: usize, rows: i32, heads: i32, headDim: i32, part: i32, parts: i32): void {
  const size = <usize>(2 + headDim) << 2;
  for (let item = share(rows * heads, part, parts), last = share(rows * heads, part + 1, parts); item < last; item++) {
    const first = load<i32>(at(starts, item / heads)), end = load<i32>(at(starts, item / heads + 1)), head = item % heads, to = at(output, item * headDim);
    let top: f32 = -Infinity;
    for (let chunk = first; chunk < end; chunk++) top = max(top, load<f32>(partial + <usize>(chunk * heads + head) * size));
    memory.fill(to, 0, <usize>headDim << 2);
    let sum: f32 = 0;
    for (let chunk = first; chunk < end; chunk++) {
      const own = partial + <usize>(chunk * heads + head) * size, weight = exp1(load<f32>(own) - top);
      sum += weight * load<f32>(own, 4);
      for (let i = 0; i < headDim; i++) store<f32>(at(to, i), load<f32>(at(to, i)) + weight * load<f32>(at(own + 8, i)));
    }
    const inverse: f32 = sum == 0 ? 0 : 1 / sum;
    for (let i = 0; i < headDim; i++) store<f32>(at(to, i), load<f32>(at(to, i)) * inverse);
    store<f32>(at(logSumExp, item), sum == 0 ? -Infinity : <f32>(<f64>top + log1(sum)));
  }
}

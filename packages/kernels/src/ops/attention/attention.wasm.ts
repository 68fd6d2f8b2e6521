// AssemblyScript. Exact attention with an online softmax. Forward, parts take blocks of queries of one head from a queue; backward, a part owns whole items: sequences of one key head.
// Blocks of queries meet blocks of keys in the register tile of matmul; at most one block of scores exists for each part. Forward, scores are in powers of two, and ALiBi's bias is what a tile starts from.
import { at, exp2Weight4, expBounded4, largest, log1, madd, nmadd, share, splat, total } from '../../devices/wasm/math.wasm';
import { packColumns, packRows, panelsProduct, transpose } from '../matmul/tile.wasm';

const LOG2_E: f32 = 1.4426950408889634;

/** First and last + 1 column of a block of keys that a query sees: `position` is where the query stands among the keys, `first` the first key of the block. */
@inline function firstSeen(position: i32, first: i32, left: i32): i32 {
  return left < 0 ? 0 : max(0, position - left - first);
}

@inline function endSeen(position: i32, first: i32, keys: i32, right: i32): i32 {
  return right < 0 ? keys : min(keys, position + right + 1 - first);
}

/** Lanes `column` … `column + 3` that lie in [first, end). */
@inline function seen4(column: i32, first: i32, end: i32): v128 {
  const columns = i32x4.add(i32x4.splat(column), i32x4(0, 1, 2, 3));
  return v128.and(i32x4.ge_s(columns, i32x4.splat(first)), i32x4.lt_s(columns, i32x4.splat(end)));
}

/** score · scale - slope · |distance|, -Infinity in columns that are not seen. */
@inline function biased4(score: v128, scale: v128, slope: v128, distance: v128, column: i32, first: i32, end: i32): v128 {
  const biased = nmadd(slope, f32x4.abs(distance), f32x4.mul(score, scale));
  return column >= first && column + 4 <= end ? biased : v128.bitselect(biased, splat(-Infinity), seen4(column, first, end));
}

/** Columns [from, to) of a row of scores become 2^(score - top). @returns their sum */
@inline function weights(scores: usize, from: i32, to: i32, top: f32): f32 {
  const tops = splat(top);
  let sums = splat(0), more = sums, j = from;
  for (; j + 8 <= to; j += 8) {
    const p = exp2Weight4(f32x4.sub(v128.load(at(scores, j)), tops)), q = exp2Weight4(f32x4.sub(v128.load(at(scores, j), 16), tops));
    v128.store(at(scores, j), p);
    v128.store(at(scores, j), q, 16);
    sums = f32x4.add(sums, p);
    more = f32x4.add(more, q);
  }
  if (j < to) {
    const p = exp2Weight4(f32x4.sub(v128.load(at(scores, j)), tops));
    v128.store(at(scores, j), p);
    sums = f32x4.add(sums, p);
  }
  return total(f32x4.add(sums, more));
}

/** One row of scores, in powers of two, becomes unnormalised probabilities; the row's maximum and sum (two floats at `state`) and its output move to the new maximum. */
@inline function onlineSoftmax(scores: usize, padded: i32, first: i32, end: i32, state: usize, output: usize, width: i32): void {
  if (end <= first) {
    memory.fill(scores, 0, <usize>padded << 2);
    return;
  }
  const from = first & ~3, to = (end + 3) & ~3;
  for (let j = from; j < first; j++) store<f32>(at(scores, j), -Infinity);
  for (let j = end; j < to; j++) store<f32>(at(scores, j), -Infinity);
  if (from > 0) memory.fill(scores, 0, <usize>from << 2);
  if (to < padded) memory.fill(at(scores, to), 0, <usize>(padded - to) << 2);
  let maxima = splat(-Infinity), more = maxima, j = from; // pmax loses NaN, but is one instruction where max is eight; the sum below keeps NaN
  for (; j + 8 <= to; j += 8) {
    maxima = f32x4.pmax(maxima, v128.load(at(scores, j)));
    more = f32x4.pmax(more, v128.load(at(scores, j), 16));
  }
  if (j < to) maxima = f32x4.pmax(maxima, v128.load(at(scores, j)));
  const before = load<f32>(state), top = max(before, largest(f32x4.pmax(maxima, more)));
  const added = weights(scores, from, to, top);
  let sum = load<f32>(state, 4);
  if (before != top && before != -Infinity) {
    const shrink = exp2Weight4(splat(before - top));
    sum *= f32x4.extract_lane(shrink, 0);
    for (let j = 0; j < width; j += 4) v128.store(at(output, j), f32x4.mul(v128.load(at(output, j)), shrink));
  }
  store<f32>(state, top);
  store<f32>(state, sum + added, 4);
}

/** -slope · |distance| for a block of queries and keys, of which the first are `distance` apart, as one line: element j - i + rows - 1 belongs to query i and key j. */
@inline function alibiLine(line: usize, distance: i32, rows: i32, keys: i32, slope: f32): void {
  let distances = f32x4.add(splat(<f32>(distance - rows + 1)), f32x4(0, 1, 2, 3));
  for (let j = 0, count = rows + keys; j < count; j += 4) {
    v128.store(at(line, j), f32x4.mul(f32x4.abs(distances), splat(-slope)));
    distances = f32x4.add(distances, splat(4));
  }
}

/** Panels of 8 keys before those of sequence `s`: each sequence begins a panel of its own. */
@inline function panelsBefore(cuSeqlensKey: usize, s: i32): i32 {
  return (load<i32>(at(cuSeqlensKey, s)) >> 3) + s;
}

/** The square of the longest of the 8 keys of a panel. */
@inline function longestOf(panel: usize, headDim: i32): f32 {
  let a = splat(0), b = a;
  for (let i = 0; i < headDim; i++, panel += 32) {
    const x = v128.load(panel), y = v128.load(panel, 16);
    a = madd(x, x, a);
    b = madd(y, y, b);
  }
  return max(largest(a), largest(b));
}

/**
 * Keys and values of `heads` key heads from `firstHead` on as panels, once for all blocks of queries. Of each head, `headSize` elements: keys [panels, headDim, 8]; of each sequence values [wide / 8, its keys in whole panels, 8];
 * and [panels] the square of the longest key of each, which is NaN where values are not finite. A part takes some of `chunks [count, 3]`: sequence, first key (whole panels after the first of all) and number of keys.
 */
export function attentionPack(key: usize, value: usize, packed: usize, queue: usize, chunks: usize, cuSeqlensKey: usize,
  count: i32, firstHead: i32, heads: i32, headDim: i32, keyRow: i32, packedWidth: i32, panels: i32, headSize: i32, part: i32, parts: i32): void {
  if (part == 0) store<i32>(queue, 0);
  const wide = (headDim + 7) & ~7, row = <usize>keyRow << 2;
  for (let item = share(count * heads, part, parts), last = share(count * heads, part + 1, parts); item < last; item++) {
    const chunk = at(chunks, 3 * (item % count)), head = item / count;
    const s = load<i32>(chunk), first = load<i32>(chunk, 4), keys = load<i32>(chunk, 8);
    const start = load<i32>(at(cuSeqlensKey, s)), before = panelsBefore(cuSeqlensKey, s), panel = before + ((first - start) >> 3);
    const from = first * keyRow + (firstHead + head) * headDim, k = at(key, from + packedWidth), v = at(value, from + 2 * packedWidth);
    const own = at(packed, head * headSize), keys8 = at(own, 8 * headDim * panel), values8 = at(own, 8 * (panels * headDim + before * wide + first - start)), longest = at(own, 8 * panels * (headDim + wide) + panel);
    const column = (load<i32>(at(cuSeqlensKey, s + 1)) - start + 7) >> 3 << 6;
    let zeros = splat(0);
    for (let j = 0; j < headDim; j += 8) {
      const to = at(values8, (j >> 3) * column);
      packRows(at(v, j), row, min(8, headDim - j), keys, to);
      for (let i = 0; i < 8 * keys; i += 4) zeros = madd(v128.load(at(to, i)), splat(0), zeros);
    }
    for (let j = 0; j < keys; j += 8) {
      packColumns(at(k, j * keyRow), row, min(8, keys - j), headDim, at(keys8, j * headDim));
      store<f32>(at(longest, j >> 3), longestOf(at(keys8, j * headDim), headDim) + total(zeros));
    }
  }
}

/**
 * How far from a query a key can be before ALiBi makes its weight zero in float32, whatever it says: no score of the block is above `bound` or below -bound before the bias, and a query's own key has none.
 * All in powers of two, of which weights end at 2^-125.5. Anything that is not a number makes it 2^30.
 */
@inline function reach(bound: f32, slope: f32): i32 {
  const far: f32 = (128 + 2.01 * bound) / slope;
  return slope > 0 && far < 1e9 ? <i32>far : 1 << 30;
}

@inline function scaleRow(from: usize, to: usize, count: i32, factor: f32): void {
  let j = 0;
  for (; j + 4 <= count; j += 4) v128.store(at(to, j), f32x4.mul(v128.load(at(from, j)), splat(factor)));
  for (; j < count; j++) store<f32>(at(to, j), load<f32>(at(from, j)) * factor);
}

/**
 * For the key heads that attentionPack packed. `blocks [count, 3]` lists sequence, first query and number of queries of each block. `queryRow` is the distance between tokens, in elements.
 * Parts take blocks from one `queue`, so that they end together; each has scratch of its own, `scratchSize` bytes.
 */
export function attention(query: usize, output: usize, logSumExp: usize, packed: usize, queue: usize, blocks: usize, cuSeqlens: usize, cuSeqlensKey: usize, slopes: usize, scratch: usize,
  count: i32, firstHead: i32, heads: i32, panels: i32, headSize: i32, numHeads: i32, group: i32, headDim: i32, queryRow: i32, scale: f32, left: i32, right: i32, biased: i32, blockQ: i32, blockK: i32, scratchSize: i32, part: i32, _parts: i32): void {
  const wide = (headDim + 7) & ~7, paddedK = (blockK + 7) & ~7;
  const edge = scratch + <usize>part * <usize>scratchSize;
  const scores = edge + 256, sums = at(scores, blockQ * paddedK), state = at(sums, blockQ * wide), queries = at(state, 2 * blockQ), line = at(queries, blockQ * headDim);
  for (let item = atomic.add<i32>(queue, 1); item < count * heads * group; item = atomic.add<i32>(queue, 1)) {
    const block = at(blocks, 3 * (item % count)), kvHead = item / count / group, head = firstHead * group + item / count;
    const s = load<i32>(block), firstQ = load<i32>(block, 4), rows = load<i32>(block, 8);
    const slope: f32 = biased ? load<f32>(at(slopes, head)) * LOG2_E : 0;
    const startK = load<i32>(at(cuSeqlensKey, s)), endK = load<i32>(at(cuSeqlensKey, s + 1)), panel = panelsBefore(cuSeqlensKey, s), ownPanels = (endK - startK + 7) >> 3;
    const keys8 = at(packed, kvHead * headSize + 8 * headDim * panel), values8 = at(packed, kvHead * headSize + 8 * (panels * headDim + panel * wide)), longest = at(packed, kvHead * headSize + 8 * panels * (headDim + wide) + panel);
    const position = firstQ + endK - load<i32>(at(cuSeqlens, s + 1));
    let longestQuery: f32 = 0;
    for (let i = 0; i < rows; i++) {
      const own = at(queries, i * headDim);
      scaleRow(at(query, (firstQ + i) * queryRow + head * headDim), own, headDim, scale * LOG2_E);
      longestQuery = max(longestQuery, dot(own, own, headDim));
      store<f32>(at(state, 2 * i), -Infinity);
      store<f32>(at(state, 2 * i), 0, 4);
    }
    memory.fill(sums, 0, <usize>(rows * wide) << 2);
    let from = left < 0 ? startK : max(startK, startK + ((position - left - startK) & ~7)), end = right < 0 ? endK : min(endK, position + rows + right);
    if (biased && position >= startK && position + rows <= endK) {
      let longestKey: f32 = 0;
      for (let i = 0; i < ownPanels; i++) longestKey = max(longestKey, load<f32>(at(longest, i)));
      const far = reach(sqrt(longestQuery * longestKey), slope);
      if (position - far > from) from += (position - far - from) / blockK * blockK; // whole blocks, so that the others stay as they are
      end = min(end, position + rows + far);
    }
    for (let firstK = from; firstK < end; firstK += blockK) {
      const keys = min(blockK, end - firstK), padded = (keys + 7) & ~7;
      const scoresRow = <usize>padded << 2, sumsRow = <usize>wide << 2;
      if (biased) alibiLine(line, firstK - position, rows, padded, slope);
      panelsProduct(queries, <usize>headDim << 2, rows, at(keys8, (firstK - startK) * headDim), <usize>headDim << 5, headDim, biased ? at(line, rows - 1) : 0, biased ? -4 : 0, scores, scoresRow, padded, edge);
      for (let i = 0; i < rows; i++) {
        const own = position + i;
        onlineSoftmax(at(scores, i * padded), padded, firstSeen(own, firstK, left), endSeen(own, firstK, keys, right), at(state, 2 * i), at(sums, i * wide), wide);
      }
      panelsProduct(scores, scoresRow, rows, at(values8, 8 * (firstK - startK)), <usize>ownPanels << 8, keys, sums, sumsRow, sums, sumsRow, wide, edge);
    }
    for (let i = 0; i < rows; i++) {
      const top = load<f32>(at(state, 2 * i)), sum = load<f32>(at(state, 2 * i), 4), to = at(output, ((firstQ + i) * numHeads + head) * headDim);
      const inverse: f32 = sum == 0 ? 0 : 1 / sum;
      let j = 0;
      for (; j + 4 <= headDim; j += 4) v128.store(at(to, j), f32x4.mul(v128.load(at(sums, i * wide + j)), splat(inverse)));
      for (; j < headDim; j++) store<f32>(at(to, j), load<f32>(at(sums, i * wide + j)) * inverse);
      store<f32>(at(logSumExp, (firstQ + i) * numHeads + head), sum == 0 ? -Infinity : <f32>(<f64>top * 0.6931471805599453 + log1(sum)));
    }
  }
}

/** One row: scores become probabilities by its logSumExp, and dScores (so far dOutput · value) the gradients of the raw products, probability · (dScore - delta) · scale. */
@inline function softmaxBackward(scores: usize, dScores: usize, padded: i32, first: i32, end: i32, scale: f32, slope: f32, distance: i32, logSumExp: f32, delta: f32): void {
  if (end <= first) {
    memory.fill(scores, 0, <usize>padded << 2);
    memory.fill(dScores, 0, <usize>padded << 2);
    return;
  }
  let distances = f32x4.add(splat(<f32>distance), f32x4(0, 1, 2, 3));
  for (let j = 0; j < padded; j += 4) {
    const score = biased4(v128.load(at(scores, j)), splat(scale), splat(slope), distances, j, first, end);
    const p = expBounded4(f32x4.sub(score, splat(logSumExp)));
    v128.store(at(scores, j), p);
    v128.store(at(dScores, j), f32x4.mul(f32x4.mul(p, f32x4.sub(v128.load(at(dScores, j)), splat(delta))), splat(scale)));
    distances = f32x4.add(distances, splat(4));
  }
}

@inline function dot(a: usize, b: usize, count: i32): f32 {
  let sums = splat(0);
  let i = 0;
  for (; i + 4 <= count; i += 4) sums = madd(v128.load(at(a, i)), v128.load(at(b, i)), sums);
  let sum = total(sums);
  for (; i < count; i++) sum += load<f32>(at(a, i)) * load<f32>(at(b, i));
  return sum;
}

/** The square of the longest of some rows of `width` numbers, `row` elements apart; NaN where one is. */
function longestRow(x: usize, row: i32, rows: i32, width: i32): f32 {
  let longest: f32 = 0;
  for (let i = 0; i < rows; i++) longest = max(longest, dot(at(x, i * row), at(x, i * row), width));
  return longest;
}

/**
 * Blocks of keys outside, of queries inside: gradients of a key block stay in scratch, those of the queries add up in place, in order. Both belong to this part alone.
 * Queries so far that ALiBi leaves a block's keys no weight have gradients of zero from them, and are not visited, unless something is not finite.
 * With more than one segment, an item is a segment of the keys, and adds to a dQuery of its own, [tokens, heads, headDim], `segmentSize` elements after the one before; attentionSegmentSum adds them up.
 */
export function attentionBackward(query: usize, key: usize, value: usize, output: usize, logSumExp: usize, dOutput: usize, dQuery: usize, dKey: usize, dValue: usize, cuSeqlens: usize, cuSeqlensKey: usize, slopes: usize, scratch: usize,
  segments: i32, segmentSize: i32, sequences: i32, heads: i32, group: i32, headDim: i32, queryRow: i32, keyRow: i32, packedWidth: i32, scale: f32, left: i32, right: i32, biased: i32, blockQ: i32, blockK: i32, scratchSize: i32, part: i32, parts: i32): void {
  key = at(key, packedWidth);
  value = at(value, 2 * packedWidth);
  dKey = at(dKey, packedWidth);
  dValue = at(dValue, 2 * packedWidth);
  const wide = (headDim + 7) & ~7, paddedK = (blockK + 7) & ~7, width = heads * headDim, kvHeads = heads / group;
  const queryBytes = <usize>queryRow << 2, keyBytes = <usize>keyRow << 2, bytes = <usize>width << 2, wideBytes = <usize>wide << 2;
  const dQueryRow = segments > 1 ? width : queryRow, dQueryBytes = <usize>dQueryRow << 2;
  const edge = scratch + <usize>part * <usize>scratchSize;
  const keys8 = edge + 256, values8 = at(keys8, paddedK * headDim), keyRows8 = at(values8, paddedK * headDim), scores = at(keyRows8, wide * blockK), dScores = at(scores, blockQ * paddedK);
  const queries8 = at(dScores, blockQ * paddedK), dOutputs8 = at(queries8, wide * blockQ), dKeys = at(dOutputs8, wide * blockQ), dValues = at(dKeys, wide * blockK), turned = at(dValues, wide * blockK), reaches = at(turned, blockQ * blockK);
  const items = sequences * kvHeads * segments;
  for (let item = share(items, part, parts), last = share(items, part + 1, parts); item < last; item++) {
    const s = item / (kvHeads * segments), kvHead = (item / segments) % kvHeads, segment = item % segments;
    const startQ = load<i32>(at(cuSeqlens, s)), endQ = load<i32>(at(cuSeqlens, s + 1)), startK = load<i32>(at(cuSeqlensKey, s)), endK = load<i32>(at(cuSeqlensKey, s + 1));
    const shift = endK - endQ, ownQuery = at(dQuery, segment * segmentSize);
    const narrow = biased && endK - startK > blockK && endQ - startQ <= endK - startK; // several blocks, and every query has a key where it stands
    const longestKey: f32 = narrow ? longestRow(at(key, startK * keyRow + kvHead * headDim), keyRow, endK - startK, headDim) : Infinity, longestValue: f32 = narrow ? longestRow(at(value, startK * keyRow + kvHead * headDim), keyRow, endK - startK, headDim) : Infinity;
    for (let i = 0; i < group; i++) {
      const head = kvHead * group + i;
      let far = 1 << 30;
      if (longestKey * longestValue < Infinity && longestRow(at(dOutput, startQ * width + head * headDim), width, endQ - startQ, headDim) * longestValue < Infinity) {
        const bound = abs(scale) * sqrt(longestRow(at(query, startQ * queryRow + head * headDim), queryRow, endQ - startQ, headDim) * longestKey);
        far = reach(bound * LOG2_E, load<f32>(at(slopes, head)) * LOG2_E);
      }
      store<i32>(at(reaches, i), far);
    }
    const blocks = (endK - startK + blockK - 1) / blockK, stopK = min(endK, startK + share(blocks, segment + 1, segments) * blockK);
    for (let row = startQ; row < endQ; row++) memory.fill(at(ownQuery, row * dQueryRow + kvHead * group * headDim), 0, <usize>(group * headDim) << 2);
    for (let firstK = startK + share(blocks, segment, segments) * blockK; firstK < stopK; firstK += blockK) {
      const keys = min(blockK, endK - firstK), padded = (keys + 7) & ~7, scoresRow = <usize>padded << 2;
      const ownKey = firstK * keyRow + kvHead * headDim;
      for (let j = 0; j < keys; j += 8) {
        packColumns(at(key, ownKey + j * keyRow), keyBytes, min(8, keys - j), headDim, at(keys8, j * headDim));
        packColumns(at(value, ownKey + j * keyRow), keyBytes, min(8, keys - j), headDim, at(values8, j * headDim));
      }
      for (let j = 0; j < headDim; j += 8) packRows(at(key, ownKey + j), keyBytes, min(8, headDim - j), keys, at(keyRows8, j * keys));
      memory.fill(dKeys, 0, <usize>keys * wideBytes);
      memory.fill(dValues, 0, <usize>keys * wideBytes);
      for (let head = kvHead * group; head < (kvHead + 1) * group; head++) {
        const slope: f32 = biased ? load<f32>(at(slopes, head)) : 0;
        const far = load<i32>(at(reaches, head - kvHead * group));
        const fromQ = max(right < 0 ? startQ : max(startQ, firstK - right - shift), firstK - far - shift), toQ = min(left < 0 ? endQ : min(endQ, firstK + keys + left - shift), firstK + keys + far - shift);
        for (let firstQ = fromQ; firstQ < toQ; firstQ += blockQ) {
          const rows = min(blockQ, toQ - firstQ);
          const q = at(query, firstQ * queryRow + head * headDim), d = at(dOutput, firstQ * width + head * headDim), dQ = at(ownQuery, firstQ * dQueryRow + head * headDim);
          panelsProduct(q, queryBytes, rows, keys8, <usize>headDim << 5, headDim, 0, 0, scores, scoresRow, padded, edge);
          panelsProduct(d, bytes, rows, values8, <usize>headDim << 5, headDim, 0, 0, dScores, scoresRow, padded, edge);
          for (let i = 0; i < rows; i++) {
            const own = firstQ + i + shift, at0 = (firstQ + i) * heads + head;
            const delta = dot(at(dOutput, at0 * headDim), at(output, at0 * headDim), headDim);
            softmaxBackward(at(scores, i * padded), at(dScores, i * padded), padded, firstSeen(own, firstK, left), endSeen(own, firstK, keys, right), scale, slope, firstK - own, load<f32>(at(logSumExp, at0)), delta);
          }
          const turnedRow = <usize>rows << 2, dScoresTurned = scores; // whose probabilities are turned by then
          transpose(scores, scoresRow, keys, rows, turned, turnedRow);
          transpose(dScores, scoresRow, keys, rows, dScoresTurned, turnedRow);
          for (let j = 0; j < headDim; j += 8) {
            packRows(at(d, j), bytes, min(8, headDim - j), rows, at(dOutputs8, j * rows));
            packRows(at(q, j), queryBytes, min(8, headDim - j), rows, at(queries8, j * rows));
          }
          panelsProduct(dScores, scoresRow, rows, keyRows8, <usize>keys << 5, keys, dQ, dQueryBytes, dQ, dQueryBytes, headDim, edge);
          panelsProduct(turned, turnedRow, keys, dOutputs8, <usize>rows << 5, rows, dValues, wideBytes, dValues, wideBytes, wide, edge);
          panelsProduct(dScoresTurned, turnedRow, keys, queries8, <usize>rows << 5, rows, dKeys, wideBytes, dKeys, wideBytes, wide, edge);
        }
      }
      for (let i = 0; i < keys; i++) {
        const to = ownKey + i * keyRow;
        memory.copy(at(dKey, to), at(dKeys, i * wide), <usize>headDim << 2);
        memory.copy(at(dValue, to), at(dValues, i * wide), <usize>headDim << 2);
      }
    }
  }
}

/** dQuery, whose tokens are `queryRow` elements apart, = the sum of the segments' [tokens, width], in order. */
export function attentionSegmentSum(partial: usize, dQuery: usize, segments: i32, segmentSize: i32, tokens: i32, width: i32, queryRow: i32, part: i32, parts: i32): void {
  for (let token = share(tokens, part, parts), last = share(tokens, part + 1, parts); token < last; token++) {
    const from = at(partial, token * width), to = at(dQuery, token * queryRow);
    for (let i = 0; i < width; i++) {
      let sum: f32 = 0;
      for (let segment = 0; segment < segments; segment++) sum += load<f32>(at(from, segment * segmentSize + i));
      store<f32>(at(to, i), sum);
    }
  }
}

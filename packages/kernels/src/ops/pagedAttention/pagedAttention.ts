// Attention of new queries over keys and values in pages, as in decoding (Kwon et al. 2023, arXiv 2309.06180; Dao et al. 2023, "Flash-Decoding").
import { apply, checkTensors, type Op } from '../../op';
import { checkFloats, checkShape, integers, numbers, windowOf } from '../check';
import { numbersOf } from '../cast/cast';
import { checkCuSeqlens } from '../attention/cuSeqlens';
import { float32, type Tensor, type TensorSpec } from '../../tensor';
import { cacheLayout, ofQueries, pageSize, seenKeys, type CacheLayout, type PagedAttributes } from './pages';
import { pagedCalls, pagedPlan } from './plans';

const op = 'pagedAttention';

/** Queries, and where keys and values lie. */
export interface PagedAttentionInputs {
  /** `[totalTokens, numHeads, headDim]`: the last tokens of each sequence. */
  readonly query: Tensor;
  /** `[pages · 16, numKvHeads, headDim]` in float32, float16 or bfloat16; the keys of the queries' own tokens are there already, see `cacheAppend`. */
  readonly keyCache: Tensor;
  readonly valueCache: Tensor;
}

/** Whose queries these are, and where their pages lie. */
export interface PagedAttentionOptions {
  /** `[0, …, totalTokens]`: which queries belong to each sequence. A few at most: each of them reads its keys anew. */
  readonly cuSeqlens: ArrayLike<number>;
  /** Keys of each sequence, those of its queries' own tokens among them. */
  readonly contextLengths: ArrayLike<number>;
  /** Pages of each sequence, `[sequences, pagesPerSequence]`: key i lies in page i / 16 of its row. Places that no query sees may hold anything. */
  readonly blockTable: ArrayLike<number>;
  /** By default 1 / √headDim. */
  readonly softmaxScale?: number;
  /** Keys to the left of its own position that a query sees; -1, the default, is all. */
  readonly windowLeft?: number;
  /** One per head, as in `attention`. */
  readonly alibiSlopes?: ArrayLike<number>;
}

/**
 * Causal attention of the last tokens of each sequence over its cached keys: what `attention` with `causal` computes on keys and values that lie side by side.
 * The order of a query's sums depends on its own keys alone, not on its neighbours in the batch, nor on where its pages lie.
 * @returns `output [totalTokens, numHeads, headDim]`
 */
export function pagedAttention({ query, keyCache, valueCache }: PagedAttentionInputs, options: PagedAttentionOptions): Tensor {
  checkTensors(op, [query, keyCache, valueCache]);
  const { cuSeqlens, contextLengths, blockTable, softmaxScale = query.shape.at(-1)! ** -0.5, windowLeft = -1, alibiSlopes = [] } = options;
  return apply(pagedAttentionOp, [query, keyCache, valueCache], {
    cuSeqlens: integers(op, 'cuSeqlens', cuSeqlens), contextLengths: integers(op, 'contextLengths', contextLengths), blockTable: integers(op, 'blockTable', blockTable), alibiSlopes: numbers(op, 'alibiSlopes', alibiSlopes), softmaxScale, windowLeft: windowOf(op, 'windowLeft', windowLeft),
  })[0];
}

function checkInputs([query, keyCache, valueCache]: readonly TensorSpec[], attributes: PagedAttributes): void {
  const { cuSeqlens, contextLengths, blockTable, alibiSlopes } = attributes;
  checkFloats(op, { query });
  const layout: CacheLayout = cacheLayout(op, 'keyCache', keyCache);
  const { totalTokens, numHeads } = checkShape(op, 'query', query, ['totalTokens', 'numHeads', layout.headDim]);
  checkShape(op, 'valueCache', valueCache, keyCache.shape);
  if (valueCache.dtype !== keyCache.dtype) throw new TypeError(`${op}: expected keyCache and valueCache of one type, got ${keyCache.dtype} and ${valueCache.dtype}; make both alike`);
  if (numHeads % layout.numKvHeads) throw new RangeError(`${op}: expected numHeads to be a multiple of numKvHeads, got ${numHeads} and ${layout.numKvHeads}; each key head serves a group of query heads`);
  if (alibiSlopes.length && alibiSlopes.length !== numHeads) throw new RangeError(`${op}: expected one ALiBi slope for each of ${numHeads} heads, got ${alibiSlopes.length}; alibiSlopes(numHeads) makes them`);
  checkCuSeqlens(op, 'cuSeqlens', cuSeqlens, totalTokens);
  const sequences = cuSeqlens.length - 1;
  if (contextLengths.length !== sequences) throw new RangeError(`${op}: expected one context length for each of ${sequences} sequences, got ${contextLengths.length}; cuSeqlens has one entry more than there are sequences`);
  if (sequences ? blockTable.length % sequences : blockTable.length) throw new RangeError(`${op}: expected a blockTable of as many pages for each of ${sequences} sequences, got ${blockTable.length} in all; fill up shorter rows`);
  const room = (pageSize * blockTable.length) / Math.max(1, sequences);
  contextLengths.forEach((length, s) => {
    const queries = cuSeqlens[s + 1] - cuSeqlens[s];
    if (length < queries || (queries && length > room)) throw new RangeError(`${op}: expected from ${queries} (its queries) to ${room} keys (its pages) in sequence ${s}, got ${length}; append its keys to the cache, and their pages to the blockTable`);
  });
  for (const { first, position, table } of seenKeys(attributes)) {
    for (let page = Math.floor(first / pageSize); page <= Math.floor(position / pageSize); page++) {
      const at = blockTable[table + page];
      if (at < 0 || at >= layout.pages) throw new RangeError(`${op}: expected pages in [0, ${layout.pages}), got ${at} at ${table + page} of the blockTable; give the cache more pages`);
    }
  }
}

const pagedAttentionOp: Op<PagedAttributes> = {
  name: 'pagedAttention',
  rowwise: ([{ shape: [rows] }], attributes) => ({ rows, inputs: [0], part: (first, end) => ofQueries(attributes, first, end) }),
  infer(inputs, attributes) {
    checkInputs(inputs, attributes);
    return [float32(...inputs[0].shape)];
  },
  reference([query, keys, values], [output], attributes, [{ shape: [, numHeads, headDim] }, { dtype, shape: [, numKvHeads] }]) {
    const [key, value] = [numbersOf(keys, dtype), numbersOf(values, dtype)];
    const { blockTable, alibiSlopes, softmaxScale } = attributes;
    for (const { row, first, position, table } of seenKeys(attributes)) {
      const slots = Array.from({ length: position + 1 - first }, (_, i) => blockTable[table + Math.floor((first + i) / pageSize)] * pageSize + ((first + i) % pageSize));
      for (let head = 0; head < numHeads; head++) {
        const [own, kvHead] = [(row * numHeads + head) * headDim, Math.floor(head / (numHeads / numKvHeads))];
        const at = slots.map((slot) => (slot * numKvHeads + kvHead) * headDim);
        const scores = at.map((from, i) => {
          let dot = 0;
          for (let d = 0; d < headDim; d++) dot += query[own + d] * key[from + d];
          return dot * softmaxScale - (alibiSlopes.length ? alibiSlopes[head] * (position - first - i) : 0);
        });
        const max = scores.reduce((a, b) => Math.max(a, b), -Infinity);
        const weights = scores.map((score) => Math.exp(score - max));
        const total = weights.reduce((a, b) => a + b, 0);
        for (let d = 0; d < headDim; d++) output[own + d] = weights.reduce((sum, weight, i) => sum + weight * value[at[i] + d], 0) / total;
      }
    }
  },
  wasm: pagedCalls,
  webgpu: pagedPlan,
};

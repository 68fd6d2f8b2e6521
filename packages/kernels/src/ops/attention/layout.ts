// Where queries, keys and values lie, and which keys a query sees: shared by the definition and the plans.
import { checkFloats, checkShape } from '../check';
import { checkCuSeqlens } from './cuSeqlens';
import type { TensorSpec } from '../../tensor';

export interface AttentionAttributes {
  readonly cuSeqlens: Int32Array;
  readonly cuSeqlensKey: Int32Array;
  /** One per head, or none at all. */
  readonly alibiSlopes: Float32Array;
  readonly softmaxScale: number;
  /** Keys visible to the left and right of a query's own position; -1 for all. Causal is `windowRight` 0. */
  readonly windowLeft: number;
  readonly windowRight: number;
}

export interface AttentionLayout {
  /** One input holds query, key and value of each token side by side: `[tokens, 3, heads, headDim]`. */
  readonly packed: boolean;
  readonly totalTokens: number;
  readonly totalKeys: number;
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headDim: number;
  /** Elements from one token to the next, and from the start of the input to its first element, for query, key and value. */
  readonly rowStride: readonly [query: number, key: number, value: number];
  readonly start: readonly [query: number, key: number, value: number];
}

/** Reads and checks the shapes of `[qkv]` or `[query, key, value]`. */
export function attentionLayout(inputs: readonly TensorSpec[], { cuSeqlens, cuSeqlensKey, alibiSlopes }: AttentionAttributes, packed = inputs.length === 1): AttentionLayout {
  const [first, key, value] = inputs;
  let layout: AttentionLayout;
  if (packed) {
    checkFloats('attention', { qkv: first });
    const { tokens, numHeads, headDim } = checkShape('attention', 'qkv', first, ['tokens', 3, 'numHeads', 'headDim']);
    const width = numHeads * headDim;
    layout = { packed, totalTokens: tokens, totalKeys: tokens, numHeads, numKvHeads: numHeads, headDim, rowStride: [3 * width, 3 * width, 3 * width], start: [0, width, 2 * width] };
  } else {
    checkFloats('attention', { query: first, key, value });
    const { totalTokens, numHeads, headDim } = checkShape('attention', 'query', first, ['totalTokens', 'numHeads', 'headDim']);
    const { totalKeys, numKvHeads } = checkShape('attention', 'key', key, ['totalKeys', 'numKvHeads', headDim]);
    checkShape('attention', 'value', value, [totalKeys, numKvHeads, headDim]);
    if (numHeads % numKvHeads) throw new RangeError(`attention: expected numHeads to be a multiple of numKvHeads, got ${numHeads} and ${numKvHeads}; each key head serves a group of query heads`);
    layout = { packed, totalTokens, totalKeys, numHeads, numKvHeads, headDim, rowStride: [numHeads * headDim, numKvHeads * headDim, numKvHeads * headDim], start: [0, 0, 0] };
  }
  checkCuSeqlens('attention', 'cuSeqlens', cuSeqlens, layout.totalTokens);
  checkCuSeqlens('attention', 'cuSeqlensKey', cuSeqlensKey, layout.totalKeys);
  if (cuSeqlens.length !== cuSeqlensKey.length) throw new RangeError(`attention: expected as many sequences in cuSeqlens as in cuSeqlensKey, got ${cuSeqlens.length - 1} and ${cuSeqlensKey.length - 1}; a sequence without keys has two equal entries`);
  if (alibiSlopes.length && alibiSlopes.length !== layout.numHeads) throw new RangeError(`attention: expected one ALiBi slope for each of ${layout.numHeads} heads, got ${alibiSlopes.length}; alibiSlopes(numHeads) makes them`);
  return layout;
}

/**
 * Calls `f` for every query row of every sequence with the keys it sees, `[firstKey, lastKey)`, and `position`, the key that stands where the query stands:
 * sequences are aligned at their ends (bottom right), as in flash-attention. All are row numbers of the whole batch.
 */
export function eachQuery({ cuSeqlens, cuSeqlensKey, windowLeft, windowRight }: AttentionAttributes, f: (row: number, firstKey: number, lastKey: number, position: number) => void): void {
  for (let s = 0; s + 1 < cuSeqlens.length; s++) {
    const [keyStart, keyEnd] = [cuSeqlensKey[s], cuSeqlensKey[s + 1]];
    for (let row = cuSeqlens[s]; row < cuSeqlens[s + 1]; row++) {
      const position = keyEnd - cuSeqlens[s + 1] + row;
      const firstKey = windowLeft < 0 ? keyStart : Math.max(keyStart, position - windowLeft);
      const lastKey = windowRight < 0 ? keyEnd : Math.min(keyEnd, position + windowRight + 1);
      f(row, firstKey, Math.max(firstKey, lastKey), position);
    }
  }
}

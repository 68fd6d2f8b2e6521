// Exact attention over packed sequences with an online softmax (Dao et al. 2022, arXiv 2205.14135; Dao 2023, arXiv 2307.08691). Names and alignment are flash-attention's.
// But: ALiBi is computed in the kernel, and no device ever holds a matrix of queries by keys.
import { apply, checkTensors, type Op } from '../../op';
import { integers, numbers, windowOf } from '../check';
import { attentionLayout, eachQuery, type AttentionAttributes } from './layout';
import { attentionBackwardCalls, attentionCalls } from './wasm';
import { attentionBackwardPlan, attentionPlan } from './webgpu';
import { float32, type Data, type Tensor, type TensorSpec } from '../../tensor';

/** Queries, keys and values: side by side in one tensor, or in three. Shapes as in `attention`. */
export type AttentionInputs = { readonly qkv: Tensor } | { readonly query: Tensor; readonly key: Tensor; readonly value: Tensor };

/** Which keys a query sees, and what is added to its scores. */
export interface AttentionOptions {
  /** `[0, …, totalTokens]`: where each sequence begins and ends. */
  readonly cuSeqlens: ArrayLike<number>;
  /** The same for keys and values; by default `cuSeqlens`. */
  readonly cuSeqlensKey?: ArrayLike<number>;
  /** By default 1 / √headDim. */
  readonly softmaxScale?: number;
  /** A query sees keys up to its own position; queries and keys are aligned at the end of each sequence. */
  readonly causal?: boolean;
  /** `[left, right]`: how many keys beside its own position a query sees; -1 is no limit. */
  readonly windowSize?: readonly [left: number, right: number];
  /** One per head: adds -slope · |position of the query - position of the key| to each score. */
  readonly alibiSlopes?: ArrayLike<number>;
}

/**
 * `softmax(query · keyᵀ · softmaxScale + bias) · value` within each sequence.
 * @param inputs - `qkv [totalTokens, 3, numHeads, headDim]`, or `query [totalTokens, numHeads, headDim]` with `key`, `value [totalKeys, numKvHeads, headDim]`; numHeads is a multiple of numKvHeads.
 * @returns `output [totalTokens, numHeads, headDim]`, and `logSumExp [totalTokens, numHeads]` of the scores; a row that sees no key is zeros, with logSumExp -Infinity.
 */
export function attention(inputs: AttentionInputs, options: AttentionOptions): { output: Tensor; logSumExp: Tensor } {
  const tensors = 'qkv' in inputs ? [inputs.qkv] : [inputs.query, inputs.key, inputs.value];
  checkTensors('attention', tensors);
  const { cuSeqlens, cuSeqlensKey = cuSeqlens, causal = false, windowSize = [-1, -1], alibiSlopes = [], softmaxScale = (tensors[0].shape.at(-1) ?? 1) ** -0.5 } = options;
  const [left, right] = windowSize.map((keys) => windowOf('attention', 'windowSize', keys));
  if (!Number.isFinite(softmaxScale)) throw new RangeError(`attention: expected a finite softmaxScale, got ${softmaxScale}; leave it out for 1 / √headDim`);
  const [output, logSumExp] = apply(attentionOp, tensors, {
    cuSeqlens: integers('attention', 'cuSeqlens', cuSeqlens),
    cuSeqlensKey: integers('attention', 'cuSeqlensKey', cuSeqlensKey),
    alibiSlopes: numbers('attention', 'alibiSlopes', alibiSlopes),
    softmaxScale,
    windowLeft: left,
    windowRight: causal ? (right < 0 ? 0 : Math.min(0, right)) : right,
  });
  return { output, logSumExp };
}

const attentionOp: Op<AttentionAttributes> = {
  name: 'attention',
  saves: (needs) => ({ inputs: needs.map((_, i) => i), outputs: [0, 1] }),
  infer(inputs, attributes) {
    const { totalTokens, numHeads, headDim } = attentionLayout(inputs, attributes);
    return [float32(totalTokens, numHeads, headDim), float32(totalTokens, numHeads)];
  },
  reference(inputs, [output, logSumExp], attributes, specs) {
    const { at, numHeads, headDim, bias } = indexing(inputs.length, specs, attributes);
    const [query, key, value] = inputs.length === 1 ? [inputs[0], inputs[0], inputs[0]] : inputs;
    eachQuery(attributes, (row, firstKey, lastKey, position) => {
      for (let head = 0; head < numHeads; head++) {
        const scores = Float64Array.from({ length: lastKey - firstKey }, (_, i) => attributes.softmaxScale * dot(query, at.query(row, head), key, at.key(firstKey + i, head), headDim) + bias(head, firstKey + i - position));
        const max = scores.reduce((a, b) => Math.max(a, b), -Infinity);
        const total = scores.reduce((sum, score) => sum + Math.exp(score - max), 0);
        const own = (row * numHeads + head) * headDim;
        for (let d = 0; d < headDim; d++) {
          let weighted = 0;
          scores.forEach((score, i) => { weighted += (Math.exp(score - max) / total) * value[at.value(firstKey + i, head) + d]; });
          output[own + d] = weighted;
        }
        logSumExp[row * numHeads + head] = scores.length ? max + Math.log(total) : -Infinity;
      }
    });
  },
  wasm: attentionCalls,
  webgpu: attentionPlan,
  backward: (d, { inputs, outputs }, attributes) => apply(attentionBackwardOp, [...inputs, ...outputs, d], attributes),
};

/** Gradients of `[qkv]` or `[query, key, value]`; the probabilities are computed again from logSumExp. Inputs: those of attention, output, logSumExp, dOutput. */
const attentionBackwardOp: Op<AttentionAttributes> = {
  name: 'attentionBackward',
  infer: (inputs) => inputs.slice(0, inputs.length - 3),
  reference(tensors, gradients, attributes, specs) {
    const count = tensors.length - 3;
    const { at, numHeads, headDim, bias } = indexing(count, specs, attributes);
    const [query, key, value] = count === 1 ? [tensors[0], tensors[0], tensors[0]] : tensors;
    const [dQuery, dKey, dValue] = count === 1 ? [gradients[0], gradients[0], gradients[0]] : gradients;
    const [output, logSumExp, d] = tensors.slice(count);
    for (const gradient of gradients) gradient.fill(0);
    eachQuery(attributes, (row, firstKey, lastKey, position) => {
      for (let head = 0; head < numHeads; head++) {
        const own = (row * numHeads + head) * headDim;
        const delta = dot(d, own, output, own, headDim);
        const q = at.query(row, head);
        for (let k = firstKey; k < lastKey; k++) {
          const score = attributes.softmaxScale * dot(query, q, key, at.key(k, head), headDim) + bias(head, k - position);
          const probability = Math.exp(score - logSumExp[row * numHeads + head]);
          const dScore = probability * (dot(d, own, value, at.value(k, head), headDim) - delta) * attributes.softmaxScale;
          for (let j = 0; j < headDim; j++) {
            dQuery[q + j] += dScore * key[at.key(k, head) + j];
            dKey[at.key(k, head) + j] += dScore * query[q + j];
            dValue[at.value(k, head) + j] += probability * d[own + j];
          }
        }
      }
    });
  },
  wasm: attentionBackwardCalls,
  webgpu: attentionBackwardPlan,
};

function indexing(count: number, specs: readonly TensorSpec[], attributes: AttentionAttributes) {
  const { numHeads, numKvHeads, headDim, rowStride, start } = attentionLayout(specs.slice(0, count), attributes);
  const group = numHeads / numKvHeads;
  const { alibiSlopes } = attributes;
  return {
    numHeads,
    headDim,
    at: {
      query: (row: number, head: number) => start[0] + row * rowStride[0] + head * headDim,
      key: (row: number, head: number) => start[1] + row * rowStride[1] + Math.floor(head / group) * headDim,
      value: (row: number, head: number) => start[2] + row * rowStride[2] + Math.floor(head / group) * headDim,
    },
    bias: (head: number, distance: number) => (alibiSlopes.length ? -alibiSlopes[head] * Math.abs(distance) : 0),
  };
}

function dot(a: Data, atA: number, b: Data, atB: number, length: number): number {
  let total = 0;
  for (let i = 0; i < length; i++) total += a[atA + i] * b[atB + i];
  return total;
}

// The WebAssembly plans of attention: blocks of queries and of keys, and how much scratch a part needs for them.
import { array, call, input, output, partsFor, scratch } from '../../devices/wasm/plan';
import { float32, type TensorSpec } from '../../tensor';
import { attentionLayout, eachQuery, type AttentionAttributes, type AttentionLayout } from './layout';
import type { Plan, WasmCall } from '../../op';

/** Most queries and keys of a block. As keys and values are packed beforehand, few queries cost nothing: they, their scores and a panel of values stay near the first cache. 40 are whole tiles of 4 and of 5 rows. */
const forwardBlock = [40, 256];

/** Keys that are packed at a time: their values are read twice from the first cache. */
const packedKeys = 64;

/** Most bytes of packed keys and values at a time, but for one head at least: further heads follow when these are done. */
const packedBytes = 2 ** 26;

/** The gradient has seven blocks at a time: 96 x 96 scores are 36 KiB, and a sequence of 67 tokens is one block. */
const backwardBlock = [96, 96];

/** Scratch is allocated for each part, and a part is at least some heads of a block: 32 keep eight threads busy. */
const maxParts = 32;

/** More tokens than a memory of 4 GiB holds; positions plus a window must stay within 32 bits. */
const maxWindow = 2 ** 30;

const largest = (cuSeqlens: Int32Array): number => cuSeqlens.reduce((most, end, s) => (s ? Math.max(most, end - cuSeqlens[s - 1]) : 0), 0);
const roundUp = (count: number, to: number): number => Math.ceil(count / to) * to;

interface Blocks {
  readonly layout: AttentionLayout;
  readonly blockQ: number;
  readonly blockK: number;
  /** headDim in whole panels of 8 columns, blockK likewise. */
  readonly wide: number;
  readonly paddedK: number;
  /** Arguments of the kernels: how many heads there are and where queries lie, where keys and values lie, and what a query sees of them. */
  readonly queries: readonly number[];
  readonly keys: readonly number[];
  readonly seen: readonly number[];
}

function blocksOf(inputs: readonly TensorSpec[], attributes: AttentionAttributes, most: readonly number[]): Blocks {
  const layout = attentionLayout(inputs, attributes);
  const { packed, numHeads, numKvHeads, headDim, rowStride } = layout;
  const { cuSeqlens, cuSeqlensKey, alibiSlopes, softmaxScale, windowLeft, windowRight } = attributes;
  const [blockQ, blockK] = [cuSeqlens, cuSeqlensKey].map((lengths, i) => Math.max(1, Math.min(most[i], largest(lengths))));
  return {
    layout, blockQ, blockK, wide: roundUp(headDim, 8), paddedK: roundUp(blockK, 8),
    queries: [numHeads, numHeads / numKvHeads, headDim, rowStride[0]], keys: [rowStride[1], packed ? numHeads * headDim : 0],
    seen: [softmaxScale, ...[windowLeft, windowRight].map((window) => Math.min(window, maxWindow)), alibiSlopes.length ? 1 : 0, blockQ, blockK],
  };
}

/** `[sequence, first row, number of rows]` for every block of at most `most` rows. */
function blocksOfRows(cuSeqlens: Int32Array, most: number): Int32Array {
  const blocks: number[] = [];
  for (let s = 0; s + 1 < cuSeqlens.length; s++) {
    for (let first = cuSeqlens[s]; first < cuSeqlens[s + 1]; first += most) blocks.push(s, first, Math.min(most, cuSeqlens[s + 1] - first));
  }
  return Int32Array.from(blocks);
}

/** Keys of a chunk when each sequence has one query: 256 keys of 64 numbers are 64 KiB, in which all heads of a group find them in the second cache. */
const decodeChunk = 256;

/** At most one query in each sequence, and more than its own key: nothing is packed, and the keys are split. */
function decodeCalls({ numHeads, numKvHeads, headDim, totalTokens }: AttentionLayout, attributes: AttentionAttributes): Plan<WasmCall> {
  const { alibiSlopes, softmaxScale } = attributes;
  const chunks: number[] = [];
  const starts = [0];
  let keys = 0;
  eachQuery(attributes, (row, firstKey, lastKey, position) => {
    for (let first = firstKey; first < lastKey; first += decodeChunk) chunks.push(row, first, Math.min(decodeChunk, lastKey - first), position);
    starts.push(chunks.length / 4);
    keys += lastKey - firstKey;
  });
  const items = (chunks.length / 4) * numHeads;
  const parts = Math.min(items, partsFor(2 * keys * numHeads * headDim));
  const perPart = decodeChunk + 16; // whole cache lines
  return {
    scratch: [float32(items, 2 + headDim), float32(parts, perPart)],
    steps: [
      call('attentionDecode', [input(0), input(1), input(2), array(Int32Array.from(chunks)), array(alibiSlopes), scratch(0), scratch(1)], [chunks.length / 4, numHeads, numHeads / numKvHeads, headDim, softmaxScale, alibiSlopes.length ? 1 : 0, 4 * perPart], parts),
      call('attentionDecodeSum', [scratch(0), output(0), output(1), array(Int32Array.from(starts))], [totalTokens, numHeads, headDim], partsFor(items * headDim)),
    ],
  };
}

export function attentionCalls(inputs: readonly TensorSpec[], _outputs: readonly TensorSpec[], attributes: AttentionAttributes): Plan<WasmCall> {
  if (inputs.length === 3 && largest(attributes.cuSeqlens) === 1 && largest(attributes.cuSeqlensKey) > 1) return decodeCalls(attentionLayout(inputs, attributes), attributes);
  const { layout: { packed, totalKeys, numHeads, numKvHeads, headDim }, blockQ, wide, paddedK, queries, keys, seen } = blocksOf(inputs, attributes, forwardBlock);
  const { cuSeqlens, cuSeqlensKey, alibiSlopes } = attributes;
  const blocks = blocksOfRows(cuSeqlens, blockQ), chunks = blocksOfRows(cuSeqlensKey, packedKeys);
  const panels = Math.floor(totalKeys / 8) + cuSeqlens.length - 1, headSize = roundUp(panels * (8 * (headDim + wide) + 1), 16);
  const inFlight = Math.max(1, Math.min(numKvHeads, Math.floor(packedBytes / (4 * headSize))));
  const perPart = roundUp(64 + blockQ * (paddedK + wide + 2 + headDim) + blockQ + paddedK + 4, 16);
  const parts = Math.min(maxParts, (blocks.length / 3) * numHeads, Math.max(1, Math.floor((inFlight * 2 ** 20) / (4 * perPart))));
  const [query, key, value] = (packed ? [0, 0, 0] : [0, 1, 2]).map(input);
  const steps = Array.from({ length: Math.ceil(numKvHeads / inFlight) }, (_, i) => {
    const first = i * inFlight, heads = Math.min(inFlight, numKvHeads - first);
    return [
      call('attentionPack', [key, value, scratch(0), scratch(1), array(chunks), array(cuSeqlensKey)], [chunks.length / 3, first, heads, headDim, ...keys, panels, headSize], partsFor(2 * totalKeys * heads * headDim)),
      call('attention', [query, output(0), output(1), scratch(0), scratch(1), array(blocks), array(cuSeqlens), array(cuSeqlensKey), array(alibiSlopes), scratch(2)], [blocks.length / 3, first, heads, panels, headSize, ...queries, ...seen, 4 * perPart], parts),
    ];
  });
  return { scratch: [float32(inFlight, headSize), float32(16), float32(parts, perPart)], steps: steps.flat() };
}

/** From this many keys on, fewer than four heads of sequences are split into segments of their keys, so that several threads find work. */
const longSequence = 1024;

/** Segments of the keys: four pieces of work at least. Each has gradients of all queries, in proportion to the tokens. */
const segmentsOf = (items: number, { cuSeqlensKey }: AttentionAttributes): number => (items > 0 && items < 4 && largest(cuSeqlensKey) >= longSequence ? Math.ceil(4 / items) : 1);

export function attentionBackwardCalls(tensors: readonly TensorSpec[], _outputs: readonly TensorSpec[], attributes: AttentionAttributes): Plan<WasmCall> {
  const count = tensors.length - 3;
  const { layout, blockQ, blockK, wide, paddedK, queries, keys, seen } = blocksOf(tensors.slice(0, count), attributes, backwardBlock);
  const { headDim, numHeads, numKvHeads, totalTokens, rowStride } = layout;
  const sequences = attributes.cuSeqlens.length - 1;
  const segments = segmentsOf(sequences * numKvHeads, attributes);
  const parts = Math.min(maxParts, sequences * numKvHeads * segments);
  const perPart = roundUp(64 + 2 * paddedK * headDim + wide * blockK + 2 * blockQ * paddedK + 2 * wide * blockQ + 2 * wide * blockK + blockQ * blockK + numHeads / numKvHeads, 16);
  const three = layout.packed ? [0, 0, 0] : [0, 1, 2];
  const segmentSize = segments > 1 ? totalTokens * numHeads * headDim : 0;
  const backward = call('attentionBackward', [...three.map(input), input(count), input(count + 1), input(count + 2), segments > 1 ? scratch(1) : output(0), output(three[1]), output(three[2]),
    array(attributes.cuSeqlens), array(attributes.cuSeqlensKey), array(attributes.alibiSlopes), scratch(0)], [segments, segmentSize, sequences, ...queries, ...keys, ...seen, 4 * perPart], parts);
  if (segments === 1) return { scratch: [float32(parts, perPart)], steps: [backward] };
  const sum = call('attentionSegmentSum', [scratch(1), output(0)], [segments, segmentSize, totalTokens, numHeads * headDim, rowStride[0]], partsFor(segments * segmentSize));
  return { scratch: [float32(parts, perPart), float32(segments, segmentSize)], steps: [backward, sum] };
}

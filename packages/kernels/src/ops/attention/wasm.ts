// The WebAssembly plans of attention: blocks of queries and of keys, and how much scratch a part needs for them.
import { array, call, input, output, partsFor, scratch } from '../../devices/wasm/plan';
import { float32, type TensorSpec } from '../../tensor';
import { attentionLayout, eachQuery, type AttentionAttributes, type AttentionLayout } from './layout';
import type { Plan, WasmCall } from '../../op';

/** Most queries and keys of a block: 128 x 256 scores are 128 KiB, in the second cache (1.06 times 96 x 96). */
const forwardBlock = [128, 256];

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
  /** What both kernels take after their own first argument. */
  readonly shared: readonly number[];
}

function blocksOf(inputs: readonly TensorSpec[], attributes: AttentionAttributes, most: readonly number[]): Blocks {
  const layout = attentionLayout(inputs, attributes);
  const { packed, numHeads, numKvHeads, headDim, rowStride } = layout;
  const { cuSeqlens, cuSeqlensKey, alibiSlopes, softmaxScale, windowLeft, windowRight } = attributes;
  const [blockQ, blockK] = [cuSeqlens, cuSeqlensKey].map((lengths, i) => Math.max(1, Math.min(most[i], largest(lengths))));
  return {
    layout, blockQ, blockK, wide: roundUp(headDim, 8), paddedK: roundUp(blockK, 8),
    shared: [numHeads, numHeads / numKvHeads, headDim, rowStride[0], rowStride[1], packed ? numHeads * headDim : 0, softmaxScale, ...[windowLeft, windowRight].map((window) => Math.min(window, maxWindow)), alibiSlopes.length ? 1 : 0, blockQ, blockK],
  };
}

/** `[sequence, first query, number of queries]` for every block. */
function queryBlocks({ cuSeqlens }: AttentionAttributes, blockQ: number): Int32Array {
  const blocks: number[] = [];
  for (let s = 0; s + 1 < cuSeqlens.length; s++) {
    for (let first = cuSeqlens[s]; first < cuSeqlens[s + 1]; first += blockQ) blocks.push(s, first, Math.min(blockQ, cuSeqlens[s + 1] - first));
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
  const { layout, blockQ, blockK, wide, paddedK, shared } = blocksOf(inputs, attributes, forwardBlock);
  const { numHeads, headDim } = layout;
  const blocks = queryBlocks(attributes, blockQ);
  const perPart = roundUp(32 + paddedK * headDim + wide * blockK + blockQ * (paddedK + wide + 2), 16);
  const affordable = Math.floor((numHeads * (8 * layout.totalTokens * headDim + 2 ** 20)) / (4 * perPart)); // two more rows for each, and a mebibyte a head
  const parts = Math.min(maxParts, (blocks.length / 3) * numHeads, Math.max(1, affordable));
  const [query, key, value] = layout.packed ? [input(0), input(0), input(0)] : [input(0), input(1), input(2)];
  return {
    scratch: [float32(parts, perPart)],
    steps: [call('attention', [query, key, value, output(0), output(1), array(blocks), array(attributes.cuSeqlens), array(attributes.cuSeqlensKey), array(attributes.alibiSlopes), scratch(0)],
      [blocks.length / 3, ...shared, 4 * perPart], parts)],
  };
}

/** From this many keys on, fewer than four heads of sequences are split into segments of their keys, so that several threads find work. */
const longSequence = 1024;

/** Segments of the keys: four pieces of work at least. Each has gradients of all queries, in proportion to the tokens. */
const segmentsOf = (items: number, { cuSeqlensKey }: AttentionAttributes): number => (items > 0 && items < 4 && largest(cuSeqlensKey) >= longSequence ? Math.ceil(4 / items) : 1);

export function attentionBackwardCalls(tensors: readonly TensorSpec[], _outputs: readonly TensorSpec[], attributes: AttentionAttributes): Plan<WasmCall> {
  const count = tensors.length - 3;
  const { layout, blockQ, blockK, wide, paddedK, shared } = blocksOf(tensors.slice(0, count), attributes, backwardBlock);
  const { headDim, numHeads, numKvHeads, totalTokens, rowStride } = layout;
  const sequences = attributes.cuSeqlens.length - 1;
  const segments = segmentsOf(sequences * numKvHeads, attributes);
  const parts = Math.min(maxParts, sequences * numKvHeads * segments);
  const perPart = roundUp(32 + 2 * paddedK * headDim + wide * blockK + 2 * blockQ * paddedK + 2 * wide * blockQ + 2 * wide * blockK + blockQ * blockK, 16);
  const three = layout.packed ? [0, 0, 0] : [0, 1, 2];
  const segmentSize = segments > 1 ? totalTokens * numHeads * headDim : 0;
  const backward = call('attentionBackward', [...three.map(input), input(count), input(count + 1), input(count + 2), segments > 1 ? scratch(1) : output(0), output(three[1]), output(three[2]),
    array(attributes.cuSeqlens), array(attributes.cuSeqlensKey), array(attributes.alibiSlopes), scratch(0)], [segments, segmentSize, sequences, ...shared, 4 * perPart], parts);
  if (segments === 1) return { scratch: [float32(parts, perPart)], steps: [backward] };
  const sum = call('attentionSegmentSum', [scratch(1), output(0)], [segments, segmentSize, totalTokens, numHeads * headDim, rowStride[0]], partsFor(segments * segmentSize));
  return { scratch: [float32(parts, perPart), float32(segments, segmentSize)], steps: [backward, sum] };
}

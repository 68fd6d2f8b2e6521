// The plans of pagedAttention: chunks of keys that are added up in order.
import { canDecode, decodePlan, type Gather } from '../attention/decodePlan';
import { bytesPerElement, float32, type TensorSpec } from '../../tensor';
import { array, call, input, output, partsFor, scratch } from '../../devices/wasm/plan';
import { storageCode } from '../../devices/wasm/storage';
import { fits, mostElements, show, wrapped } from '../../devices/webgpu/windows';
import { linearGrid } from '../check';
import { seenKeys, slotRuns, type PagedAttributes } from './pages';
import gatherShader from './gatherRows.wgsl';
import type { Limits } from '../../device';
import type { Dispatch, Plan, WasmCall } from '../../op';

/** Keys of a chunk: as float32, 128 keys and values of 64 numbers are 64 KiB in the second cache, where all heads of a group find them. */
const chunk = 128;

/** Each part has scratch of its own: with 4,096 parts, as a prompt of 512 tokens would make, it was 400 MB. */
const maxParts = 32;

/** From so many chunks on a part takes whole ones, with all heads, whose keys lie side by side: 1.3 times as fast as two heads of each (one sequence of 1,000 keys). */
const enoughChunks = 8;

export function pagedCalls([query, keyCache]: readonly TensorSpec[], _outputs: readonly TensorSpec[], attributes: PagedAttributes): Plan<WasmCall> {
  const { alibiSlopes, blockTable, softmaxScale } = attributes;
  const [{ shape: [rows, numHeads, headDim] }, { shape: [, numKvHeads], dtype }] = [query, keyCache];
  const chunks: number[] = [], starts = [0];
  let keys = 0;
  for (const { row, first, position, table } of seenKeys(attributes)) {
    for (let from = first; from <= position; from += chunk) chunks.push(row, from, Math.min(chunk, position + 1 - from), position, table);
    starts.push(chunks.length / 5);
    keys += position + 1 - first;
  }
  const count = chunks.length / 5;
  const parts = Math.min(count < enoughChunks ? count * numKvHeads : count, maxParts, partsFor(2 * keys * (numHeads + numKvHeads) * headDim));
  const perPart = chunk + 16 + 2 * chunk * headDim; // scores, keys and values
  return {
    scratch: [float32(count * numHeads, 2 + headDim), float32(parts, perPart), float32(rows, numHeads)],
    steps: [
      call('pagedAttention', [input(0), input(1), input(2), array(Int32Array.from(chunks)), array(blockTable), array(alibiSlopes), scratch(0), scratch(1)],
        [count, numHeads, numHeads / numKvHeads, headDim, storageCode[dtype as 'float32'], softmaxScale, alibiSlopes.length ? 1 : 0, 4 * perPart, chunk], parts),
      call('attentionDecodeSum', [scratch(0), output(0), scratch(2), array(Int32Array.from(starts))], [rows, numHeads, headDim], partsFor(count * numHeads * headDim)),
    ],
  };
}

/** Elements of keys, and of values, that are brought together at once where a cache is more than the GPU binds. */
const gathered = 2 ** 21;

export function pagedPlan([query, keyCache]: readonly TensorSpec[], _outputs: readonly TensorSpec[], attributes: PagedAttributes, limits: Limits): Plan<Dispatch> {
  const [{ shape: [, numHeads, headDim] }, { shape: [, numKvHeads], dtype }] = [query, keyCache];
  const width = numKvHeads * headDim;
  const layout = { ...attributes, numHeads, numKvHeads, headDim, dtypeKey: dtype, rowStride: [numHeads * headDim, width, width], start: [0, 0, 0] } as const;
  if (!canDecode(layout, limits)) throw new RangeError(`pagedAttention: expected a headDim of at most 256 of which 8 rows fit into the GPU's ${limits.workgroupBytes} bytes of workgroup memory, got ${headDim}; use the wasm device`);
  const queries = seenKeys(attributes).map(({ row, first, position, table }) => ({ row, first, end: position + 1, position, pages: table }));
  if (fits([keyCache], limits)) return decodePlan(layout, queries, [{ input: 0 }, { input: 1 }, { input: 2 }], undefined, limits);
  const most = mostElements(keyCache, limits), words = (width * bytesPerElement(dtype)) / 4;
  const gather: Gather = {
    rows: Math.floor(Math.min(gathered, most) / width),
    steps: (slots, ...to) => to.flatMap((into, cache) => slotRuns(slots, Math.floor(most / width)).map(({ begin, end, low, high }): Dispatch => {
      const { view } = show({ input: 1 + cache }, keyCache, low * width, (high + 1) * width, limits);
      const count = (end - begin) * words;
      return { shader: gatherShader, params: { count, words, xStart: wrapped((-view.window!.first * bytesPerElement(dtype)) / 4), to: begin * words }, arrays: { slots: slots.subarray(begin, end) }, bind: [view, into], workgroups: linearGrid(count) };
    })),
  };
  return decodePlan(layout, queries, [{ input: 0 }], undefined, limits, gather);
}

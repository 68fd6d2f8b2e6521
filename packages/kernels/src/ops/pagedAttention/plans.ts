// The plans of pagedAttention: on wasm chunks of keys that are added up in order, on webgpu one workgroup for each query and head.
import { float32, sizeOf, type TensorSpec } from '../../tensor';
import { array, call, input, output, partsFor, scratch } from '../../devices/wasm/plan';
import { storageCode } from '../../devices/wasm/storage';
import { seenKeys, type PagedAttributes } from './pages';
import shader from './pagedAttention.wgsl';
import type { Limits } from '../../device';
import type { Dispatch, Plan, WasmCall } from '../../op';

/** Keys of a chunk: as float32, 128 keys and values of 64 numbers are 64 KiB in the second cache, where all heads of a group find them. */
const chunk = 128;

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
  const items = (chunks.length / 5) * numKvHeads;
  const parts = Math.min(items, partsFor(2 * keys * (numHeads + numKvHeads) * headDim));
  const perPart = chunk + 16 + 2 * chunk * headDim; // scores, keys and values
  return {
    scratch: [float32((chunks.length / 5) * numHeads, 2 + headDim), float32(parts, perPart), float32(rows, numHeads)],
    steps: [
      call('pagedAttention', [input(0), input(1), input(2), array(Int32Array.from(chunks)), array(blockTable), array(alibiSlopes), scratch(0), scratch(1)],
        [chunks.length / 5, numHeads, numHeads / numKvHeads, headDim, storageCode[dtype as 'float32'], softmaxScale, alibiSlopes.length ? 1 : 0, 4 * perPart, chunk], parts),
      call('attentionDecodeSum', [scratch(0), output(0), scratch(2), array(Int32Array.from(starts))], [rows, numHeads, headDim], partsFor((chunks.length / 5) * numHeads * headDim)),
    ],
  };
}

export function pagedPlan([query, keyCache]: readonly TensorSpec[], _outputs: readonly TensorSpec[], attributes: PagedAttributes, { workPerDispatch }: Limits): Plan<Dispatch> {
  const { alibiSlopes, blockTable, softmaxScale } = attributes;
  const [{ shape: [, numHeads, headDim] }, { shape: [, numKvHeads], dtype }] = [query, keyCache];
  const slopes = alibiSlopes.length ? alibiSlopes : new Float32Array(numHeads);
  const steps: Dispatch[] = [];
  let [table, work]: [number[], number] = [[], 0];
  const flush = () => {
    if (table.length) {
      steps.push({
        shader, constants: { TYPE: storageCode[dtype as 'float32'], HEAD_DIM: headDim }, params: { numHeads, numKvHeads, softmaxScale },
        arrays: { rows: Int32Array.from(table), blockTable, alibiSlopes: slopes }, bind: [{ input: 0 }, { input: 1 }, { input: 2 }, { output: 0 }], workgroups: [numHeads, table.length / 4, 1], work,
      });
    }
    [table, work] = [[], 0];
  };
  for (const { row, first, position, table: pages } of seenKeys(attributes)) {
    const more = 2 * numHeads * headDim * (position + 1 - first);
    if (work + more > workPerDispatch || table.length >= 4 * 65535) flush();
    table.push(row, first, position, pages);
    work += more;
  }
  if (sizeOf(query)) flush();
  return { steps };
}

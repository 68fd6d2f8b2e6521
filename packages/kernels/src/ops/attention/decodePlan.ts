// The WebGPU plan of attention for few queries over many keys: chunks of keys side by side, so that one query fills the GPU.
import { remembered } from '../../devices/webgpu/quads';
import { float32, type DType } from '../../tensor';
import { chunkKeys, decodeMemory, decodeShader, quadsIn } from './decode.wgsl';
import mergeShader from './mergeChunks.wgsl';
import type { Limits } from '../../device';
import type { Bind, Dispatch, Plan } from '../../op';

/** A query and the keys [first, end) that it sees; `pages` is where its pages begin in the block table. */
export interface DecodeQuery {
  readonly row: number;
  readonly first: number;
  readonly end: number;
  readonly position: number;
  readonly pages: number;
}

export interface DecodeLayout {
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headDim: number;
  readonly rowStride: readonly [query: number, key: number, value: number];
  readonly start: readonly [query: number, key: number, value: number];
  readonly dtypeKey: DType;
  readonly softmaxScale: number;
  readonly alibiSlopes: Float32Array;
  readonly blockTable?: Int32Array;
}

const decodeText = remembered(decodeShader);
const mostGroups = 65535;

/** As many keys at once as fit, for the heads of a group that are computed together. */
function chooseVariant({ numHeads, numKvHeads, headDim }: DecodeLayout, { workgroupBytes }: Limits): { members: number; blockKeys: number } | undefined {
  const members = Math.min(8, 2 ** Math.ceil(Math.log2(numHeads / numKvHeads)));
  const fitting = [members, 4, 2, 1].filter((m) => m <= members).flatMap((m) => [64, 32, 16, 8].map((blockKeys) => ({ members: m, blockKeys })));
  return fitting.find((variant) => decodeMemory({ headDim, ...variant }).bytes <= workgroupBytes);
}

/** Whether the kernels can: a head fits into the lanes of a workgroup, and into its memory. */
export const canDecode = (layout: DecodeLayout, limits: Limits): boolean => layout.headDim <= 256 && chooseVariant(layout, limits) !== undefined;

/** `operands` are query, key and value; `outputs` the output and logSumExp, or else scratch 1 takes the latter. */
export function decodePlan(layout: DecodeLayout, queries: readonly DecodeQuery[], operands: readonly Bind[], logSumExp: Bind | undefined, limits: Limits): Plan<Dispatch> {
  const { numHeads, numKvHeads, headDim, rowStride, start, softmaxScale, alibiSlopes, blockTable, dtypeKey } = layout;
  const { members, blockKeys } = chooseVariant(layout, limits)!;
  const groups = Math.ceil(numHeads / numKvHeads / members);
  const [chunks, merges]: [number[], number[]] = [[], []];
  for (const { row, first, end, position, pages } of queries) {
    merges.push(row, chunks.length / 5, Math.max(0, Math.ceil((end - first) / chunkKeys)));
    for (let from = first; from < end; from += chunkKeys) chunks.push(row, from, Math.min(end, from + chunkKeys), position, pages);
  }
  const shader = decodeText({ headDim, members, blockKeys, paged: blockTable !== undefined, dtypeKey });
  const params = {
    numHeads, group: numHeads / numKvHeads, groups, softmaxScale,
    queryStride: rowStride[0], keyStride: rowStride[1], valueStride: rowStride[2], queryStart: start[0], keyStart: start[1], valueStart: start[2],
  };
  const arrays = { chunks: Int32Array.from(chunks), alibiSlopes: alibiSlopes.length ? alibiSlopes : new Float32Array(numHeads), ...(blockTable && { blockTable }) };
  const workPerChunk = 2 * chunkKeys * numHeads * headDim;
  const atOnce = Math.max(1, Math.min(mostGroups, Math.floor(limits.workPerDispatch / workPerChunk)));
  return {
    scratch: [float32(chunks.length / 5, numHeads, 4 * (quadsIn(headDim) + 1)), ...(logSumExp ? [] : [float32(queries.reduce((most, { row }) => Math.max(most, row + 1), 0), numHeads)])],
    steps: [
      ...parts(chunks.length / 5, atOnce).map(([firstChunk, count]): Dispatch => ({ shader, params: { ...params, firstChunk }, arrays, bind: [...operands, { scratch: 0 }], workgroups: [numKvHeads * groups, count, 1], work: count * workPerChunk })),
      ...parts(queries.length, mostGroups).map(([firstQuery, count]): Dispatch => ({
        shader: mergeShader, params: { numHeads, headDim, firstQuery, minusInfinity: -Infinity }, arrays: { queries: Int32Array.from(merges) }, bind: [{ scratch: 0 }, { output: 0 }, logSumExp ?? { scratch: 1 }], workgroups: [numHeads, count, 1],
      })),
    ],
  };
}

const parts = (total: number, most: number): [first: number, count: number][] => Array.from({ length: Math.ceil(total / most) }, (_, i) => [i * most, Math.min(most, total - i * most)]);

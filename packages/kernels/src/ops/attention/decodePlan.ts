// The WebGPU plan of attention for few queries over many keys: chunks of keys side by side, so that one query fills the GPU.
import { remembered } from '../../devices/webgpu/quads';
import { mostElements } from '../../devices/webgpu/windows';
import { float32, type DType, type TensorSpec } from '../../tensor';
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

/** How keys and values come together that lie in more than can be bound: so many rows of each at a time. */
export interface Gather {
  readonly rows: number;
  /** Copies keys and values of these slots, in order. */
  steps(slots: Int32Array, keys: Bind, values: Bind): Dispatch[];
}

/** The chunks of keys of some queries, whose sums are bound together. */
interface Batch {
  readonly queries: readonly DecodeQuery[];
  readonly chunks: readonly DecodeQuery[];
}

/** As few batches as there can be, of at most `most` chunks. */
function batchesOf(queries: readonly DecodeQuery[], most: number): Batch[] {
  const batches: { queries: DecodeQuery[]; chunks: DecodeQuery[] }[] = [];
  for (const query of queries) {
    const chunks = parts(query.end - query.first, chunkKeys).map(([from, keys]): DecodeQuery => ({ ...query, first: query.first + from, end: query.first + from + keys }));
    if (!batches.length || batches.at(-1)!.chunks.length + chunks.length > most) batches.push({ queries: [], chunks: [] });
    batches.at(-1)!.queries.push(query);
    for (const chunk of chunks) batches.at(-1)!.chunks.push(chunk);
  }
  return batches;
}

/** `operands` are query, key and value, or the query alone where the others are gathered; `outputs` the output and logSumExp, or else scratch 1 takes the latter. */
export function decodePlan(layout: DecodeLayout, queries: readonly DecodeQuery[], operands: readonly Bind[], logSumExp: Bind | undefined, limits: Limits, gather?: Gather): Plan<Dispatch> {
  const { numHeads, numKvHeads, headDim, rowStride, start, softmaxScale, alibiSlopes, blockTable, dtypeKey } = layout;
  const { members, blockKeys } = chooseVariant(layout, limits)!;
  const groups = Math.ceil(numHeads / numKvHeads / members);
  const params = {
    numHeads, group: numHeads / numKvHeads, groups, softmaxScale,
    queryStride: rowStride[0], keyStride: rowStride[1], valueStride: rowStride[2], queryStart: start[0], keyStart: start[1], valueStart: start[2],
  };
  const workPerChunk = 2 * chunkKeys * numHeads * headDim;
  const atOnce = Math.max(1, Math.min(mostGroups, Math.floor(limits.workPerDispatch / workPerChunk), gather ? Math.floor(gather.rows / chunkKeys) : Infinity));
  const sums = 4 * (quadsIn(headDim) + 1); // of a chunk and head
  const batches = batchesOf(queries, Math.floor(mostElements(float32(), limits) / (numHeads * sums)));
  const mostChunks = batches.reduce((most, { chunks }) => Math.max(most, chunks.length), 0);
  const scratch: TensorSpec[] = [float32(mostChunks, numHeads, sums), ...(logSumExp ? [] : [float32(queries.reduce((most, { row }) => Math.max(most, row + 1), 0), numHeads)])];
  const [keys, values] = [scratch.length, scratch.length + 1].map((index): Bind => ({ scratch: index }));
  if (gather) for (let i = 0; i < 2; i++) scratch.push({ dtype: dtypeKey, shape: [Math.min(atOnce, mostChunks) * chunkKeys, numKvHeads, headDim] });
  const paged = blockTable !== undefined && !gather;
  const shader = decodeText({ headDim, members, blockKeys, paged, dtypeKey });
  const bind = [...operands, ...(gather ? [keys, values] : []), { scratch: 0 }];
  const stepsOf = ({ queries: own, chunks }: Batch): Dispatch[] => {
    const table = Int32Array.from((gather ? together(chunks, atOnce) : chunks).flatMap(({ row, first, end, position, pages }) => [row, first, end, position, pages]));
    const arrays = { chunks: table, alibiSlopes: alibiSlopes.length ? alibiSlopes : new Float32Array(numHeads), ...(paged && { blockTable }) };
    let before = 0;
    const merges = own.flatMap(({ row, first, end }) => { const [from, count] = [before, Math.max(0, Math.ceil((end - first) / chunkKeys))]; before += count; return [row, from, count]; });
    return [
      ...parts(chunks.length, atOnce).flatMap(([firstChunk, count]): Dispatch[] => [
        ...(gather?.steps(slotsOf(chunks.slice(firstChunk, firstChunk + count), blockTable!), keys, values) ?? []),
        { shader, params: { ...params, firstChunk }, arrays, bind, workgroups: [numKvHeads * groups, count, 1], work: count * workPerChunk },
      ]),
      ...parts(own.length, mostGroups).map(([firstQuery, count]): Dispatch => ({
        shader: mergeShader, params: { numHeads, headDim, firstQuery, minusInfinity: -Infinity }, arrays: { queries: Int32Array.from(merges) }, bind: [{ scratch: 0 }, { output: 0 }, logSumExp ?? { scratch: 1 }], workgroups: [numHeads, count, 1],
      })),
    ];
  };
  return { scratch, steps: batches.flatMap(stepsOf) };
}

/** Where the keys of each chunk lie once those of `atOnce` chunks are together. */
function together(chunks: readonly DecodeQuery[], atOnce: number): DecodeQuery[] {
  let from = 0;
  return chunks.map(({ row, first, end, position }, i) => {
    if (i % atOnce === 0) from = 0;
    const shift = from - first;
    from += end - first;
    return { row, first: first + shift, end: end + shift, position: position + shift, pages: 0 };
  });
}

/** The slots of the chunks' keys, one after another. */
const slotsOf = (chunks: readonly DecodeQuery[], blockTable: Int32Array): Int32Array =>
  Int32Array.from(chunks.flatMap(({ first, end, pages }) => Array.from({ length: end - first }, (_, i) => 16 * blockTable[pages + ((first + i) >> 4)] + ((first + i) % 16))));

const parts = (total: number, most: number): [first: number, count: number][] => Array.from({ length: Math.max(0, Math.ceil(total / most)) }, (_, i) => [i * most, Math.min(most, total - i * most)]);

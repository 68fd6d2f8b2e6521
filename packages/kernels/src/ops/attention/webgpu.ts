// The WebGPU plans of attention: which rows a workgroup owns is worked out here, where cuSeqlens is at hand.
import { float32, type DType, type TensorSpec } from '../../tensor';
import { linearGrid } from '../check';
import { canDecode, decodePlan, type DecodeQuery } from './decodePlan';
import { attentionLayout, eachQuery, type AttentionAttributes, type AttentionLayout } from './layout';
import { backwardShader } from './backward.wgsl';
import { memoryOf, paddedDim, type Block } from './blocks';
import { forwardShader } from './forward.wgsl';
import { matrixBackwardBytes, matrixBackwardShader } from './matrixBackward.wgsl';
import { matrixForwardBytes, matrixForwardShader, matrixRows, type MatrixForwardVariant } from './subgroupMatrix.wgsl';
import delta from './rowSums.wgsl';
import { remembered } from '../../devices/webgpu/quads';
import { fits, mostElements, show, spans, wrapped } from '../../devices/webgpu/windows';
import type { Limits } from '../../device';
import type { Bind, Dispatch, Plan, View } from '../../op';

/** Queries of each sequence that look at its keys, or keys that are looked at by its queries. */
interface Side {
  readonly rows: Int32Array;
  readonly others: Int32Array;
  readonly before: number;
  readonly after: number;
}

const queriesOf = ({ cuSeqlens, cuSeqlensKey, windowLeft, windowRight }: AttentionAttributes): Side => ({ rows: cuSeqlens, others: cuSeqlensKey, before: windowLeft, after: windowRight });
const keysOf = ({ cuSeqlens, cuSeqlensKey, windowLeft, windowRight }: AttentionAttributes): Side => ({ rows: cuSeqlensKey, others: cuSeqlens, before: windowRight, after: windowLeft });

/** So many rows of either side can be bound at once. */
interface Reach {
  readonly rows: number;
  readonly others: number;
}

/** `[first row, end of rows, start and end of the others, position among the others minus row]` a block; and the rows, and those of the others, that all blocks are about. */
interface BlockTable {
  readonly blocks: Int32Array;
  readonly count: number;
  readonly work: number;
  readonly rows: readonly [from: number, to: number];
  readonly others: readonly [from: number, to: number];
  /** The blocks have been run with others before these. */
  readonly continues: boolean;
}

/** Blocks of rows, each with the others that it sees: `[start, end)`. */
function* eachBlock({ rows, others, before, after }: Side, block: number): Generator<{ row: number; end: number; start: number; stop: number; shift: number; sees: readonly [number, number] }> {
  for (let s = 0; s + 1 < rows.length; s++) {
    const [end, start, stop] = [rows[s + 1], others[s], others[s + 1]];
    const shift = stop - end;
    for (let row = rows[s]; row < end; row += block) {
      const last = Math.min(end, row + block) - 1 + shift;
      yield { row, end, start, stop, shift, sees: [before < 0 ? start : Math.max(start, row + shift - before), after < 0 ? stop : Math.min(stop, last + after + 1)] };
    }
  }
}

/** Tables of blocks, each of which a dispatch may take on at once. Where a block sees more of the others than can be bound, all blocks meet some of the others first, then the next ones. */
function* blockTables(side: Side, block: number, workPerPair: number, { workPerDispatch }: Limits, reach: Reach): Generator<BlockTable> {
  const all = side.others[side.others.length - 1];
  const farthest = reach.others === Infinity ? 0 : Array.from(eachBlock(side, block), ({ sees: [from, to] }) => to - from).reduce((most, seen) => Math.max(most, seen), 0);
  for (const [first, end] of farthest > reach.others ? spans(all, reach.others) : [[0, all]]) {
    let table: number[] = [], work = 0, others: readonly [number, number] = [0, 0];
    const finished = (): BlockTable => ({ blocks: Int32Array.from(table), count: table.length / 5, work, rows: [table[0], Math.min(table[table.length - 5] + block, table[table.length - 4])], others, continues: first > 0 });
    for (const { row, end: rowEnd, start, stop, shift, sees } of eachBlock(side, block)) {
      const [from, to] = [Math.max(first, sees[0]), Math.min(end, sees[1])];
      if (from >= to && first > 0) continue;
      const more = block * Math.max(0, to - from) * workPerPair;
      let joined = from >= to ? others : others[0] < others[1] ? ([Math.min(others[0], from), Math.max(others[1], to)] as const) : ([from, to] as const);
      if (table.length && (work + more > workPerDispatch || table.length >= 5 * 65535 || joined[1] - joined[0] > reach.others || Math.min(row + block, rowEnd) - table[0] > reach.rows)) {
        yield finished();
        [table, work, joined] = [[], 0, from >= to ? [0, 0] : [from, to]];
      }
      table.push(row, rowEnd, Math.max(start, first), Math.min(stop, end), shift);
      [work, others] = [work + more, joined];
    }
    if (table.length) yield finished();
  }
}

/** Workgroups that keep a large GPU busy: two for each of 132 multiprocessors. */
const enoughGroups = 264;

/** Rows and lanes of a workgroup, the best first; the last ones are for GPUs with 16 KiB of workgroup memory. */
const shapes = [[64, 8], [32, 8], [16, 8], [8, 8], [8, 4], [4, 4], [4, 2], [4, 1]].map(([rows, lanes]) => ({ rows, lanes }));

/** The largest block that fits into workgroup memory, is not mostly empty for sequences of this length, and leaves enough workgroups to fill the GPU. */
export function chooseBlock({ rows: cuSeqlens }: Pick<Side, 'rows'>, heads: number, rowTiles: number, { headDim }: AttentionLayout, { workgroupBytes, reducedPrecision }: Limits): Block {
  const depths = [...new Set([paddedDim(headDim), Math.min(32, paddedDim(headDim))])];
  const fitting = shapes.flatMap((shape) => depths.map((depth): Block => ({ ...shape, depth, half: reducedPrecision === 'float16' })).filter((block) => memoryOf(headDim, block, rowTiles).bytes <= workgroupBytes).slice(0, 1));
  if (!fitting.length) throw new RangeError(`attention: expected a headDim of which ${4 * rowTiles + 4} rows fit into the GPU's ${workgroupBytes} bytes of workgroup memory, got ${headDim}; use the wasm device`);
  const total = cuSeqlens[cuSeqlens.length - 1];
  const longest = cuSeqlens.reduce((most, end, s) => Math.max(most, end - (cuSeqlens[s - 1] ?? 0)), 0);
  const busy = fitting.filter(({ rows, lanes }) => lanes === fitting[0].lanes && rows >= 16 && rows < 2 * Math.max(16, longest));
  return busy.find(({ rows }) => (total / rows) * heads >= enoughGroups) ?? busy.at(-1) ?? fitting[0];
}

/** A tensor of a kernel: by rows of its own side, or of the others. */
interface Operand {
  readonly bind: Bind;
  readonly spec: TensorSpec;
  /** Undefined where the kernel sees the whole. */
  readonly side?: 'rows' | 'others';
  /** Elements from row to row. */
  readonly stride?: number;
  /** The param that says where row 0 lies, where it lies in the whole, and of how many elements one is made. */
  readonly start?: readonly [name: string, at: number, width?: number];
}

interface Kernel {
  readonly text: (block: Block, continues: boolean) => string;
  readonly side: Side;
  readonly heads: number;
  /** Operands of its own rows that it keeps in workgroup memory. */
  readonly rowTiles: number;
  /** Products of headDim numbers for each pair of query and key. */
  readonly products: number;
  readonly operands: readonly Operand[];
  readonly params?: Readonly<Record<string, number>>;
}

function steps(layout: AttentionLayout, attributes: AttentionAttributes, limits: Limits, { text, rowTiles, ...kernel }: Kernel): Dispatch[] {
  const block = chooseBlock(kernel.side, kernel.heads, rowTiles, layout, limits);
  return overBlocks(layout, attributes, limits, { ...kernel, text: (continues) => text(block, continues), rows: block.rows });
}

/** How many rows of a side can be bound, of all tensors that have them. */
const reachOf = (operands: readonly Operand[], wanted: Operand['side'], limits: Limits): number =>
  Math.min(Infinity, ...operands.filter(({ side, spec }) => side === wanted && !fits([spec], limits)).map(({ spec, stride }) => Math.max(1, Math.floor(mostElements(spec, limits) / stride!))));

/** A kernel whose text and rows are known, over tables of blocks. */
function overBlocks(layout: AttentionLayout, { alibiSlopes, softmaxScale }: AttentionAttributes, limits: Limits, kernel: Omit<Kernel, 'text' | 'rowTiles'> & { readonly text: (continues: boolean) => string; readonly rows: number }): Dispatch[] {
  const { numHeads, numKvHeads, headDim, rowStride } = layout;
  const { text, rows, side, heads, products, operands, params } = kernel;
  const slopes = alibiSlopes.length ? alibiSlopes : new Float32Array(numHeads);
  const reach: Reach = { rows: reachOf(operands, 'rows', limits), others: reachOf(operands, 'others', limits) };
  return Array.from(blockTables(side, rows, products * headDim * numHeads, limits, reach), (table) => {
    const starts: Record<string, number> = { queryStart: 0, keyStart: 0, valueStart: 0, dStart: 0, outputStart: 0, statisticsStart: 0 };
    const bind = operands.map(({ bind: whole, spec, side: own, stride = 0, start }): View => {
      const view: View = own ? show(whole, spec, table[own][0] * stride, table[own][1] * stride, limits).view : whole;
      if (start) starts[start[0]] = wrapped(start[1] - (view.window?.first ?? 0) / (start[2] ?? 1));
      return view;
    });
    return {
      shader: text(table.continues),
      params: {
        numHeads, group: numHeads / numKvHeads, softmaxScale, before: side.before, after: side.after, ...params,
        queryStride: rowStride[0], keyStride: rowStride[1], valueStride: rowStride[2], dStride: numHeads * headDim, ...starts,
      },
      arrays: { blocks: table.blocks, alibiSlopes: slopes },
      bind,
      workgroups: [table.count, heads, 1],
      work: table.work,
    };
  });
}

const [forwardText, backwardText, matrixText, matrixBackwardText] = [remembered(forwardShader), remembered(backwardShader), remembered(matrixForwardShader), remembered(matrixBackwardShader)];

/** How the operands are stored: the packed one is all three. */
const storageOf = ([query, key = query]: readonly TensorSpec[]): { dtypeQuery: DType; dtypeKey: DType } => ({ dtypeQuery: query.dtype, dtypeKey: key.dtype });

/** Up to so many queries a sequence are computed one by one: a block of rows would be mostly empty. */
const fewQueries = 8;
/** Below so many keys a chunk is mostly empty instead. */
const manyKeys = 128;

/** Every query by itself, where no sequence has more than a few and the keys are many. */
function singleQueries(attributes: AttentionAttributes): DecodeQuery[] | undefined {
  const { cuSeqlens, cuSeqlensKey } = attributes;
  const longest = (ends: Int32Array) => ends.reduce((most, end, s) => Math.max(most, end - (ends[s - 1] ?? 0)), 0);
  if (longest(cuSeqlens) > fewQueries || longest(cuSeqlensKey) < manyKeys) return undefined;
  const queries: DecodeQuery[] = [];
  eachQuery(attributes, (row, first, end, position) => queries.push({ row, first, end, position, pages: 0 }));
  return queries.every(({ position }) => position >= 0) ? queries : undefined;
}

export function attentionPlan(inputs: readonly TensorSpec[], outputs: readonly TensorSpec[], attributes: AttentionAttributes, limits: Limits): Plan<Dispatch> {
  const layout = attentionLayout(inputs, attributes);
  const { headDim } = layout;
  const storage = storageOf(inputs), whole = fits([...inputs, ...outputs], limits);
  const decode = { ...layout, dtypeKey: storage.dtypeKey, softmaxScale: attributes.softmaxScale, alibiSlopes: attributes.alibiSlopes };
  const queries = whole && canDecode(decode, limits) ? singleQueries(attributes) : undefined;
  if (queries) return decodePlan(decode, queries, tensorsOf(layout), { output: 1 }, limits);
  const matrices = { headDim, subgroups: 4, chunk: headDim % 64 ? 32 : 64, ...storage };
  if (limits.reducedPrecision === 'subgroupMatrix' && whole && headDim % 32 === 0 && matrixForwardBytes(matrices) <= limits.workgroupBytes) return { steps: matrixSteps(inputs, attributes, limits, matrices, matrixText(matrices)) };
  const text = (block: Block, continues: boolean) => forwardText({ headDim, block, ...storage, continues: continues || undefined });
  return { steps: steps(layout, attributes, limits, { text, ...forwardOf(layout, attributes, inputs), rowTiles: 1 }) };
}

/** The forward pass on matrix units. */
export function matrixSteps(inputs: readonly TensorSpec[], attributes: AttentionAttributes, limits: Limits, variant: MatrixForwardVariant, shader: string): Dispatch[] {
  const layout = attentionLayout(inputs, attributes);
  return overBlocks(layout, attributes, limits, { ...forwardOf(layout, attributes, inputs), text: () => shader, rows: matrixRows(variant) });
}

/** What every forward kernel has. */
function forwardOf(layout: AttentionLayout, attributes: AttentionAttributes, inputs: readonly TensorSpec[]): Omit<Kernel, 'text' | 'rowTiles'> {
  const { totalTokens, numHeads, headDim } = layout;
  const operands: Operand[] = [
    ...operandsOf(layout, inputs, 'rows'),
    { bind: { output: 0 }, spec: float32(totalTokens, numHeads, headDim), side: 'rows', stride: numHeads * headDim, start: ['outputStart', 0] },
    { bind: { output: 1 }, spec: float32(totalTokens, numHeads), side: 'rows', stride: numHeads, start: ['statisticsStart', 0] },
  ];
  return { side: queriesOf(attributes), heads: numHeads, products: 2, params: { minusInfinity: -Infinity }, operands };
}

/** Row sums first, then dQuery by rows of queries, then dKey and dValue by rows of keys: no atomics, one order of summation. */
export function attentionBackwardPlan(inputs: readonly TensorSpec[], outputs: readonly TensorSpec[], attributes: AttentionAttributes, limits: Limits): Plan<Dispatch> {
  const operands = inputs.slice(0, -3);
  const layout = attentionLayout(operands, attributes);
  const { packed, totalTokens, numHeads, numKvHeads, headDim } = layout;
  const [output, logSumExp, d] = [1, 2, 3].map((fromEnd) => ({ input: inputs.length - 4 + fromEnd }));
  const statistics = float32(totalTokens, numHeads, 2);
  const reads = (queries: 'rows' | 'others'): Operand[] => [
    ...operandsOf(layout, operands, queries),
    { bind: d, spec: inputs.at(-1)!, side: queries, stride: numHeads * headDim, start: ['dStart', 0] },
    { bind: { scratch: 0 }, spec: statistics, side: queries, stride: 2 * numHeads, start: ['statisticsStart', 0, 2] },
  ];
  const gradient = (index: number): Operand => ({ bind: { output: index }, spec: outputs[index], side: 'rows', stride: layout.rowStride[index] });
  const unused: Operand = { bind: { scratch: 1 }, spec: float32(1) };
  const byQueries = { side: queriesOf(attributes), heads: numHeads, products: 3, operands: [...reads('rows'), gradient(0)] };
  const byKeys = { side: keysOf(attributes), heads: numKvHeads, products: 4, operands: [...reads('others'), ...(packed ? [gradient(0), unused] : [gradient(1), gradient(2)])] };
  const matrices = limits.reducedPrecision === 'subgroupMatrix' && headDim % 16 === 0 && fits([...inputs, ...outputs, statistics], limits)
    ? [4, 2, 1].find((subgroups) => matrixBackwardBytes({ headDim, subgroups, by: 'keys' }) <= limits.workgroupBytes) : undefined;
  const gradients = (by: 'queries' | 'keys', kernel: typeof byQueries): Dispatch[] => {
    const variant = { headDim, by, packed: packed && by === 'keys', ...storageOf(operands) };
    if (matrices) return overBlocks(layout, attributes, limits, { ...kernel, text: () => matrixBackwardText({ ...variant, subgroups: matrices }), rows: matrixRows({ subgroups: matrices }) });
    return steps(layout, attributes, limits, { ...kernel, text: (block, continues) => backwardText({ ...variant, block, continues: continues || undefined }), rowTiles: 2 });
  };
  return {
    scratch: [statistics, ...(packed ? [unused.spec] : [])],
    steps: [...rowSums([output, logSumExp, d, { scratch: 0 }], totalTokens * numHeads, headDim, limits), ...gradients('queries', byQueries), ...gradients('keys', byKeys)],
  };
}

/** The statistics of as many rows at a time as can be bound: of 64 and their multiples, so that all tensors begin where WebGPU binds. */
function rowSums(tensors: readonly Bind[], rows: number, headDim: number, limits: Limits): Dispatch[] {
  const widths = [headDim, 1, headDim, 2]; // of output, logSumExp, d and statistics
  const whole = fits([float32(rows, Math.max(2, headDim))], limits);
  const most = whole ? rows : Math.max(64, Math.floor(mostElements(float32(rows), limits) / Math.max(2, headDim) / 64) * 64);
  return spans(rows, most).map(([first, end]) => ({
    shader: delta, params: { count: end - first, headDim }, bind: tensors.map((bind, i): View => (whole ? bind : { ...bind, window: { first: first * widths[i], count: (end - first) * widths[i] } })), workgroups: linearGrid(end - first, 8),
  }));
}

const tensorsOf = ({ packed }: AttentionLayout): Bind[] => (packed ? [{ input: 0 }, { input: 0 }, { input: 0 }] : [{ input: 0 }, { input: 1 }, { input: 2 }]);

/** Query, key and value, for kernels of which one side are the queries. */
const operandsOf = (layout: AttentionLayout, inputs: readonly TensorSpec[], queries: 'rows' | 'others'): Operand[] =>
  tensorsOf(layout).map((bind, i) => ({ bind, spec: inputs[layout.packed ? 0 : i], side: (i === 0) === (queries === 'rows') ? 'rows' : 'others', stride: layout.rowStride[i], start: [['queryStart', 'keyStart', 'valueStart'][i], layout.start[i]] }));

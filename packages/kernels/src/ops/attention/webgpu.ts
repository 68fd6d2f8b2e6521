// The WebGPU plans of attention: which rows a workgroup owns is worked out here, where cuSeqlens is at hand.
import { float32, type DType, type TensorSpec } from '../../tensor';
import { linearGrid } from '../check';
import { canDecode, decodePlan, type DecodeQuery } from './decodePlan';
import { attentionLayout, eachQuery, type AttentionAttributes, type AttentionLayout } from './layout';
import { backwardShader } from './backward.wgsl';
import { memoryOf, paddedDim, type Block } from './blocks';
import { forwardShader } from './forward.wgsl';
import { matrixForwardBytes, matrixForwardShader, matrixRows, type MatrixForwardVariant } from './subgroupMatrix.wgsl';
import delta from './rowSums.wgsl';
import { remembered } from '../../devices/webgpu/quads';
import type { Limits } from '../../device';
import type { Bind, Dispatch, Plan } from '../../op';

/** Queries of each sequence that look at its keys, or keys that are looked at by its queries. */
interface Side {
  readonly rows: Int32Array;
  readonly others: Int32Array;
  readonly before: number;
  readonly after: number;
}

const queriesOf = ({ cuSeqlens, cuSeqlensKey, windowLeft, windowRight }: AttentionAttributes): Side => ({ rows: cuSeqlens, others: cuSeqlensKey, before: windowLeft, after: windowRight });
const keysOf = ({ cuSeqlens, cuSeqlensKey, windowLeft, windowRight }: AttentionAttributes): Side => ({ rows: cuSeqlensKey, others: cuSeqlens, before: windowRight, after: windowLeft });

/** Tables of blocks, each of which a dispatch may take on at once: `[first row, end of rows, start and end of the others, position among the others minus row]` a block. */
function* blockTables({ rows, others, before, after }: Side, block: number, workPerPair: number, { workPerDispatch }: Limits): Generator<{ blocks: Int32Array; count: number; work: number }> {
  let table: number[] = [];
  let work = 0;
  for (let s = 0; s + 1 < rows.length; s++) {
    const [end, start, stop] = [rows[s + 1], others[s], others[s + 1]];
    const shift = stop - end;
    for (let row = rows[s]; row < end; row += block) {
      const seen = Math.min(stop - start, (before < 0 ? Infinity : before) + (after < 0 ? Infinity : after) + block);
      const more = block * seen * workPerPair;
      if (table.length && (work + more > workPerDispatch || table.length >= 5 * 65535)) {
        yield { blocks: Int32Array.from(table), count: table.length / 5, work };
        table = [];
        work = 0;
      }
      table.push(row, end, start, stop, shift);
      work += more;
    }
  }
  if (table.length) yield { blocks: Int32Array.from(table), count: table.length / 5, work };
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

interface Kernel {
  readonly text: (block: Block) => string;
  readonly side: Side;
  readonly heads: number;
  /** Operands of its own rows that it keeps in workgroup memory. */
  readonly rowTiles: number;
  /** Products of headDim numbers for each pair of query and key. */
  readonly products: number;
  readonly bind: readonly Bind[];
  readonly params?: Readonly<Record<string, number>>;
}

function steps(layout: AttentionLayout, attributes: AttentionAttributes, limits: Limits, { text, rowTiles, ...kernel }: Kernel): Dispatch[] {
  const block = chooseBlock(kernel.side, kernel.heads, rowTiles, layout, limits);
  return overBlocks(layout, attributes, limits, { ...kernel, shader: text(block), rows: block.rows });
}

/** A kernel whose text and rows are known, over tables of blocks. */
function overBlocks(layout: AttentionLayout, { alibiSlopes, softmaxScale }: AttentionAttributes, limits: Limits, { shader, rows, side, heads, products, bind, params }: Omit<Kernel, 'text' | 'rowTiles'> & { readonly shader: string; readonly rows: number }): Dispatch[] {
  const { numHeads, numKvHeads, headDim, rowStride, start } = layout;
  const slopes = alibiSlopes.length ? alibiSlopes : new Float32Array(numHeads);
  return Array.from(blockTables(side, rows, products * headDim * numHeads, limits), ({ blocks, count, work }) => ({
    shader,
    params: {
      numHeads, group: numHeads / numKvHeads, softmaxScale, before: side.before, after: side.after, ...params,
      queryStride: rowStride[0], keyStride: rowStride[1], valueStride: rowStride[2], dStride: numHeads * headDim, queryStart: start[0], keyStart: start[1], valueStart: start[2], dStart: 0,
    },
    arrays: { blocks, alibiSlopes: slopes },
    bind,
    workgroups: [count, heads, 1],
    work,
  }));
}

const [forwardText, backwardText, matrixText] = [remembered(forwardShader), remembered(backwardShader), remembered(matrixForwardShader)];

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

export function attentionPlan(inputs: readonly TensorSpec[], _outputs: readonly TensorSpec[], attributes: AttentionAttributes, limits: Limits): Plan<Dispatch> {
  const layout = attentionLayout(inputs, attributes);
  const { headDim, numHeads } = layout;
  const storage = storageOf(inputs);
  const decode = { ...layout, dtypeKey: storage.dtypeKey, softmaxScale: attributes.softmaxScale, alibiSlopes: attributes.alibiSlopes };
  const queries = canDecode(decode, limits) ? singleQueries(attributes) : undefined;
  if (queries) return decodePlan(decode, queries, tensorsOf(layout), { output: 1 }, limits);
  const matrices = { headDim, subgroups: 4, chunk: headDim % 64 ? 32 : 64, ...storage };
  if (limits.reducedPrecision === 'subgroupMatrix' && headDim % 32 === 0 && matrixForwardBytes(matrices) <= limits.workgroupBytes) return { steps: matrixSteps(inputs, attributes, limits, matrices, matrixText(matrices)) };
  const bind = [...tensorsOf(layout), { output: 0 }, { output: 1 }];
  const text = (block: Block) => forwardText({ headDim, block, ...storage });
  return { steps: steps(layout, attributes, limits, { text, side: queriesOf(attributes), heads: numHeads, rowTiles: 1, products: 2, params: { minusInfinity: -Infinity }, bind }) };
}

/** The forward pass on matrix units. */
export function matrixSteps(inputs: readonly TensorSpec[], attributes: AttentionAttributes, limits: Limits, variant: MatrixForwardVariant, shader: string): Dispatch[] {
  const layout = attentionLayout(inputs, attributes);
  return overBlocks(layout, attributes, limits, { shader, rows: matrixRows(variant), side: queriesOf(attributes), heads: layout.numHeads, products: 2, params: { minusInfinity: -Infinity }, bind: [...tensorsOf(layout), { output: 0 }, { output: 1 }] });
}

/** Row sums first, then dQuery by rows of queries, then dKey and dValue by rows of keys: no atomics, one order of summation. */
export function attentionBackwardPlan(inputs: readonly TensorSpec[], outputs: readonly TensorSpec[], attributes: AttentionAttributes, limits: Limits): Plan<Dispatch> {
  const operands = inputs.slice(0, -3);
  const layout = attentionLayout(operands, attributes);
  const { packed, totalTokens, numHeads, numKvHeads, headDim } = layout;
  const [output, logSumExp, d] = [1, 2, 3].map((fromEnd) => ({ input: inputs.length - 4 + fromEnd }));
  const [statistics, unused] = [{ scratch: 0 }, { scratch: 1 }];
  const rows = totalTokens * numHeads;
  const reads = [...tensorsOf(layout), d, statistics];
  const text = (by: 'queries' | 'keys') => (block: Block) => backwardText({ headDim, block, by, packed: packed && by === 'keys', ...storageOf(operands) });
  return {
    scratch: [float32(totalTokens, numHeads, 2), ...(packed ? [float32(1)] : [])],
    steps: [
      { shader: delta, params: { count: rows, headDim }, bind: [output, logSumExp, d, statistics], workgroups: linearGrid(rows, 8) },
      ...steps(layout, attributes, limits, { text: text('queries'), side: queriesOf(attributes), heads: numHeads, rowTiles: 2, products: 3, bind: [...reads, { output: 0 }] }),
      ...steps(layout, attributes, limits, { text: text('keys'), side: keysOf(attributes), heads: numKvHeads, rowTiles: 2, products: 4, bind: [...reads, ...(packed ? [{ output: 0 }, unused] : [{ output: 1 }, { output: 2 }])] }),
    ],
  };
}

const tensorsOf = ({ packed }: AttentionLayout): Bind[] => (packed ? [{ input: 0 }, { input: 0 }, { input: 0 }] : [{ input: 0 }, { input: 1 }, { input: 2 }]);

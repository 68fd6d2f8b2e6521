// The WebGPU plans of attention: which rows a workgroup owns is worked out here, where cuSeqlens is at hand.
import { float32, type TensorSpec } from '../../tensor';
import { linearGrid } from '../check';
import { attentionLayout, type AttentionAttributes, type AttentionLayout } from './layout';
import forward from './attention.wgsl';
import delta from './attentionDelta.wgsl';
import keyBackward from './attentionKeyBackward.wgsl';
import queryBackward from './attentionQueryBackward.wgsl';
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

/** The largest block whose `arrays` of [block, headDim] floats, and scores, fit into workgroup memory. */
function blockFor(arrays: number, { headDim }: AttentionLayout, { workgroupBytes }: Limits): number {
  const block = [32, 16, 8, 4, 2, 1].find((rows) => 4 * rows * (arrays * headDim + rows) <= workgroupBytes);
  if (!block) throw new RangeError(`attention: expected a headDim of which ${arrays} rows fit into the GPU's ${workgroupBytes} bytes of workgroup memory, got ${headDim}; use the wasm device`);
  return block;
}

interface Kernel {
  readonly shader: string;
  readonly side: Side;
  readonly heads: number;
  /** Rows of headDim floats that it keeps in workgroup memory for each of its own. */
  readonly arrays: number;
  /** Products of headDim numbers for each pair of query and key. */
  readonly products: number;
  readonly bind: readonly Bind[];
  readonly constants?: Readonly<Record<string, number>>;
  readonly params?: Readonly<Record<string, number>>;
}

function steps(layout: AttentionLayout, { alibiSlopes, softmaxScale }: AttentionAttributes, limits: Limits, { shader, side, heads, arrays, products, bind, constants, params }: Kernel): Dispatch[] {
  const { numHeads, numKvHeads, headDim, rowStride, start } = layout;
  const block = blockFor(arrays, layout, limits);
  const slopes = alibiSlopes.length ? alibiSlopes : new Float32Array(numHeads);
  return Array.from(blockTables(side, block, products * headDim * numHeads, limits), ({ blocks, count, work }) => ({
    shader,
    constants: { HEAD_DIM: headDim, BLOCK: block, ...constants },
    params: {
      numHeads, group: numHeads / numKvHeads, softmaxScale, before: side.before, after: side.after, ...params,
      queryStride: rowStride[0], keyStride: rowStride[1], valueStride: rowStride[2], queryStart: start[0], keyStart: start[1], valueStart: start[2],
    },
    arrays: { blocks, alibiSlopes: slopes },
    bind,
    workgroups: [count, heads, 1],
    work,
  }));
}

export function attentionPlan(inputs: readonly TensorSpec[], _outputs: readonly TensorSpec[], attributes: AttentionAttributes, limits: Limits): Plan<Dispatch> {
  const layout = attentionLayout(inputs, attributes);
  const bind = [...tensorsOf(layout), { output: 0 }, { output: 1 }];
  return { steps: steps(layout, attributes, limits, { shader: forward, side: queriesOf(attributes), heads: layout.numHeads, arrays: 4, products: 2, params: { minusInfinity: -Infinity }, bind }) };
}

/** Row sums first, then dQuery by rows of queries, then dKey and dValue by rows of keys: no atomics, one order of summation. */
export function attentionBackwardPlan(inputs: readonly TensorSpec[], outputs: readonly TensorSpec[], attributes: AttentionAttributes, limits: Limits): Plan<Dispatch> {
  const layout = attentionLayout(inputs.slice(0, -3), attributes);
  const { packed, totalTokens, numHeads, numKvHeads, headDim } = layout;
  const [output, logSumExp, d] = [1, 2, 3].map((fromEnd) => ({ input: inputs.length - 4 + fromEnd }));
  const [statistics, unused] = [{ scratch: 0 }, { scratch: 1 }];
  const rows = totalTokens * numHeads;
  const reads = [...tensorsOf(layout), d, statistics];
  return {
    scratch: [float32(totalTokens, numHeads, 2), ...(packed ? [float32(1)] : [])],
    steps: [
      { shader: delta, constants: { HEAD_DIM: headDim }, params: { count: rows }, bind: [output, logSumExp, d, statistics], workgroups: linearGrid(rows) },
      ...steps(layout, attributes, limits, { shader: queryBackward, side: queriesOf(attributes), heads: numHeads, arrays: 5, products: 3, bind: [...reads, { output: 0 }] }),
      ...steps(layout, attributes, limits, { shader: keyBackward, side: keysOf(attributes), heads: numKvHeads, arrays: 6, products: 4, constants: { PACKED: packed ? 1 : 0 }, bind: [...reads, ...(packed ? [{ output: 0 }, unused] : [{ output: 1 }, { output: 2 }])] }),
    ],
  };
}

const tensorsOf = ({ packed }: AttentionLayout): Bind[] => (packed ? [{ input: 0 }, { input: 0 }, { input: 0 }] : [{ input: 0 }, { input: 1 }, { input: 2 }]);

import { apply, type Bind, type Dispatch, type Op, type View } from '../../op';
import { addingRows, byElements, checkFloats, checkShape, checkType, splitRows } from '../check';
import { float32, sizeOf, type Tensor, type TensorSpec } from '../../tensor';
import { call, input, one, output, partsFor, scratch } from '../../devices/wasm/plan';
import { loadStep, numbersOf } from '../cast/cast';
import { storageCode } from '../../devices/wasm/storage';
import { fits, mostElements, show, spans } from '../../devices/webgpu/windows';
import backwardShader from './embeddingBackward.wgsl';
import type { Limits } from '../../device';

/**
 * Rows of `table [rows, width]` by `ids [count]` (uint32) → `[count, width]` in float32. Also the way to gather rows of activations ([CLS], masked positions), and of caches.
 * The table may be float16 or bfloat16.
 * An id beyond the table reads as zeros on every device; check ids on the host, where they are made.
 */
export const embedding = (table: Tensor, ids: Tensor): Tensor => apply(embeddingOp, [table, ids], {})[0];

/** Rows of a table that can be bound at once, and where row 0 lies in what is shown of them. */
function tableParts(bind: Bind, table: TensorSpec, limits: Limits): { readonly first: number; readonly rows: number; readonly view: View; readonly start: number }[] {
  const [rows, width] = table.shape;
  const most = fits([table], limits) ? rows : Math.floor(mostElements(table, limits) / width);
  return spans(Math.max(1, rows), most).map(([first, end]) => ({ first, rows: Math.min(rows, end) - first, ...show(bind, table, first * width, end * width, limits) }));
}

const embeddingOp: Op = {
  name: 'embedding',
  rowwise: byElements(1),
  saves: () => ({ inputs: [1] }),
  infer([table, ids]) {
    if (table.dtype !== 'float16' && table.dtype !== 'bfloat16') checkFloats('embedding', { table });
    checkType('embedding', 'ids', ids, 'uint32');
    const { width, count } = checkShape('embedding', 'ids', ids, ['count'], checkShape('embedding', 'table', table, ['rows', 'width']));
    return [float32(count, width)];
  },
  reference([stored, ids], [y], _attributes, [{ dtype, shape: [rows, width] }]) {
    const table = numbersOf(stored, dtype);
    ids.forEach((id: number, row: number) => {
      for (let i = 0; i < width; i++) y[row * width + i] = id < rows ? table[id * width + i] : 0;
    });
  },
  wasm: ([{ dtype, shape: [rows, width] }, { shape: [count] }]) => one('embedding', [input(0), input(1), output(0)], [rows, width, count, storageCode[dtype as 'float32']], partsFor(count * width)),
  webgpu: ([table], [y], _attributes, limits) => ({
    steps: tableParts({ input: 0 }, table, limits).map(({ first, rows, view, start }) => loadStep(view, { output: 0 }, table.dtype, { count: sizeOf(y), rows, width: table.shape[1], firstRow: first, xStart: start }, { input: 1 })),
  }),
  backward: (d, { inputs: [, ids], specs: [table] }) => [apply(embeddingBackwardOp, [d, ids], { rows: table.shape[0] })[0], null],
};

/** Sums the rows of d that share an id, in the order of the ids: deterministic, no atomics. */
const embeddingBackwardOp: Op<{ readonly rows: number }> = {
  name: 'embeddingBackward',
  rowwise: addingRows(0, 1),
  infer: ([d], { rows }): TensorSpec[] => [float32(rows, d.shape[1])],
  reference([d, ids], [dTable], { rows }, [{ shape: [, width] }]) {
    dTable.fill(0);
    ids.forEach((id: number, row: number) => {
      if (id >= rows) return;
      for (let i = 0; i < width; i++) dTable[id * width + i] += d[row * width + i];
    });
  },
  wasm: ([{ shape: [count, width] }], _outputs, { rows }) => ({
    scratch: [float32(rows + 1), float32(count)], // ends of rows in the order, and the order: integers
    steps: [
      call('embeddingSort', [input(1), scratch(0), scratch(1)], [rows, count], 1),
      call('embeddingBackward', [input(0), scratch(0), scratch(1), output(0)], [rows, width], partsFor((count + rows) * width)),
    ],
  }),
  webgpu([{ shape: [count, width] }], [dTable], _attributes, limits) {
    return { steps: tableParts({ output: 0 }, dTable, limits).flatMap(({ first, rows, view, start }) => splitRows(rows, count + width, limits.workPerDispatch).map((part): Dispatch => (
      { shader: backwardShader, params: { count, width, firstRow: first + part.firstRow, tableStart: start }, bind: [{ input: 0 }, { input: 1 }, view], workgroups: [part.rows, 1, 1], work: part.rows * (count + width) }))) };
  },
};

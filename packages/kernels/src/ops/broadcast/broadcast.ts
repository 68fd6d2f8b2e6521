// One row for all rows: biases, and weights by column.
import { apply, type Op } from '../../op';
import { reshape } from '../../grad';
import { byRows, checkFloats, checkShape, linearGrid, rowsOf } from '../check';
import { mul } from '../elementwise/elementwise';
import { sumRows } from '../sum/sum';
import { sizeOf, type Tensor, type TensorSpec } from '../../tensor';
import { input, one, output, partsFor } from '../../devices/wasm/plan';
import shader from './broadcast.wgsl';

/** `x [..., width] + row [width]`, the row to every row. */
export const addRow = (x: Tensor, row: Tensor): Tensor => apply(addRowOp, [x, row], {})[0];

/** `x [..., width] * row [width]`, every row by the row. */
export const mulRow = (x: Tensor, row: Tensor): Tensor => apply(mulRowOp, [x, row], {})[0];

function infer(name: string, [x, row]: readonly TensorSpec[]): TensorSpec[] {
  checkFloats(name, { x, row });
  checkShape(name, 'row', row, [rowsOf(x).width]);
  return [x];
}

const plans = (kernel: string, MULTIPLY: number): Pick<Op, 'wasm' | 'webgpu'> => ({
  wasm([x]) {
    const { rows, width } = rowsOf(x);
    return one(kernel, [input(0), input(1), output(0)], [rows, width], partsFor(sizeOf(x)));
  },
  webgpu: ([x]) => ({ steps: [{ shader, constants: { MULTIPLY }, params: { count: sizeOf(x), width: rowsOf(x).width }, bind: [{ input: 0 }, { input: 1 }, { output: 0 }], workgroups: linearGrid(sizeOf(x)) }] }),
});

const totalRow = (d: Tensor): Tensor => sumRows(reshape(d, [rowsOf(d).rows, rowsOf(d).width]));

const addRowOp: Op = {
  name: 'addRow',
  rowwise: byRows(0),
  infer: (inputs) => infer('addRow', inputs),
  reference([x, row], [y]) {
    for (let i = 0; i < y.length; i++) y[i] = x[i] + row[i % row.length];
  },
  ...plans('addRow', 0),
  backward: (d, _saved, _attributes, [, needsRow]) => [d, needsRow ? totalRow(d) : null],
};

const mulRowOp: Op = {
  name: 'mulRow',
  rowwise: byRows(0),
  saves: ([needsX, needsRow]) => ({ inputs: [...(needsRow ? [0] : []), ...(needsX ? [1] : [])] }),
  infer: (inputs) => infer('mulRow', inputs),
  reference([x, row], [y]) {
    for (let i = 0; i < y.length; i++) y[i] = x[i] * row[i % row.length];
  },
  ...plans('mulRow', 1),
  backward: (d, { inputs: [x, row] }, _attributes, [needsX, needsRow]) => [needsX ? mulRow(d, row) : null, needsRow ? totalRow(mul(d, x)) : null],
};

import { allocate, apply, type Bind, type Dispatch, type Op, type Plan, type WasmCall } from '../../op';
import { addingElements, addingRows, byElements, checkFloats, checkShape } from '../check';
import { eachElement } from '../elementwise/eachElement';
import { float32, sizeOf, type Tensor, type TensorSpec } from '../../tensor';
import { call, input, one, output, partsFor, scratch } from '../../devices/wasm/plan';
import { broadcastTo, reduce, type ReduceOptions } from '../broadcast/arithmetic';
import { columnSums } from './columnSums';
import shader from './sum.wgsl';
import rowsShader from './sumRows.wgsl';

/** All elements → `[]`, in float64 on wasm; or over axes. */
export const sum = (x: Tensor, options: ReduceOptions = {}): Tensor => (options.axes || options.keepDims ? reduce('sum', x, options) : apply(sumOp, [x], {})[0]);

/** Over the rows of `x [rows, width]` → `[width]`. */
export const sumRows = (x: Tensor): Tensor => apply(sumRowsOp, [x], {})[0];

/** `Σ x²` of all elements → `[]`, for gradient norms. */
export const sumSquares = (x: Tensor): Tensor => apply(sumSquaresOp, [x], {})[0];

export const sumOp: Op = {
  name: 'sum',
  rowwise: addingElements(0),
  infer([x]) {
    checkFloats('sum', { x });
    return [float32()];
  },
  reference([x], [total]) {
    total[0] = 0;
    for (const value of x) total[0] += value;
  },
  wasm: ([x]) => sumCalls(x, false),
  webgpu: ([x]) => sumPlan(x, 0),
  backward: (d, { specs: [spec] }) => [apply(spreadOp, [d, allocate(d.device, spec)], {})[0]],
};

/** The gradient of `sum`: one number for every element. The second input gives only its shape. */
const spreadOp: Op = {
  name: 'spread',
  rowwise: byElements(1),
  infer: ([, like]) => [like],
  reference([value], [y]) {
    y.fill(value[0]);
  },
  wasm: ([, like]) => one('spread', [input(0), output(0)], [sizeOf(like)], partsFor(sizeOf(like))),
  webgpu: eachElement({ reads: ['value'], value: 'value[0]' }),
};

const sumRowsOp: Op = {
  name: 'sumRows',
  rowwise: addingRows(0),
  infer([x]) {
    checkFloats('sumRows', { x });
    const { width } = checkShape('sumRows', 'x', x, ['rows', 'width']);
    return [float32(width)];
  },
  reference([x], [y]) {
    y.fill(0);
    for (let i = 0; i < x.length; i++) y[i % y.length] += x[i];
  },
  wasm([{ shape: [rows, width] }]) {
    const parts = partsFor(rows * width);
    return {
      scratch: [float32(parts, width)],
      steps: [call('sumRowsPartial', [input(0), scratch(0)], [rows, width], parts), call('sumRowPartials', [scratch(0), output(0)], [parts, width], partsFor(parts * width))],
    };
  },
  webgpu: ([x], outputs) => columnSums(x, outputs, { shader: rowsShader, reads: [{ input: 0 }] }),
  backward: (d, { specs: [{ shape }] }) => [broadcastTo(d, shape)],
};

const sumSquaresOp: Op = {
  name: 'sumSquares',
  rowwise: addingElements(0),
  infer([x]) {
    checkFloats('sumSquares', { x });
    return [float32()];
  },
  reference([x], [total]) {
    total[0] = 0;
    for (const value of x) total[0] += value * value;
  },
  wasm: ([x]) => sumCalls(x, true),
  webgpu: ([x]) => sumPlan(x, 1),
};

/** One workgroup for some thousand elements, up to 256 of them; then one more for their sums. */
function sumPlan(x: TensorSpec, squared: number): Plan<Dispatch> {
  const groups = Math.max(1, Math.min(256, Math.ceil(sizeOf(x) / 4096)));
  const pass = (count: number, width: number, SQUARED: number, from: Bind, to: Bind): Dispatch => ({ shader, constants: { SQUARED }, params: { count, groups: width }, bind: [from, to], workgroups: [width, 1, 1] });
  if (groups === 1) return { steps: [pass(sizeOf(x), 1, squared, { input: 0 }, { output: 0 })] };
  return { scratch: [float32(groups)], steps: [pass(sizeOf(x), groups, squared, { input: 0 }, { scratch: 0 }), pass(groups, 1, 0, { scratch: 0 }, { output: 0 })] };
}

/** Each part sums a share in float64; then the sums are added in order. */
function sumCalls(x: TensorSpec, squared: boolean): Plan<WasmCall> {
  const parts = partsFor(sizeOf(x));
  return {
    scratch: [float32(parts, 2)], // one float64 a part
    steps: [call('sumPartial', [input(0), scratch(0)], [sizeOf(x), squared ? 1 : 0], parts), call('sumPartials', [scratch(0), output(0)], [parts, 1, 0], 1)],
  };
}

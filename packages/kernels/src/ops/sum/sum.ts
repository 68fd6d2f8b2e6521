import { allocate, apply, type Op } from '../../op';
import { checkFloats, checkShape } from '../check';
import { float32, type Tensor } from '../../tensor';

/** All elements → `[]`. */
export const sum = (x: Tensor): Tensor => apply(sumOp, [x], {})[0];

/** Over the rows of `x [rows, width]` → `[width]`. */
export const sumRows = (x: Tensor): Tensor => apply(sumRowsOp, [x], {})[0];

/** `Σ x²` of all elements → `[]`, for gradient norms. */
export const sumSquares = (x: Tensor): Tensor => apply(sumSquaresOp, [x], {})[0];

const sumOp: Op = {
  name: 'sum',
  infer([x]) {
    checkFloats('sum', { x });
    return [float32()];
  },
  reference([x], [total]) {
    total[0] = 0;
    for (const value of x) total[0] += value;
  },
  backward: (d, { specs: [spec] }) => [apply(spreadOp, [d, allocate(d.device, spec)], {})[0]],
};

/** The gradient of `sum`: one number for every element. The second input gives only its shape. */
const spreadOp: Op = {
  name: 'spread',
  infer: ([, like]) => [like],
  reference([value], [y]) {
    y.fill(value[0]);
  },
};

const sumRowsOp: Op = {
  name: 'sumRows',
  infer([x]) {
    checkFloats('sumRows', { x });
    const { width } = checkShape('sumRows', 'x', x, ['rows', 'width']);
    return [float32(width)];
  },
  reference([x], [y]) {
    y.fill(0);
    for (let i = 0; i < x.length; i++) y[i % y.length] += x[i];
  },
};

const sumSquaresOp: Op = {
  name: 'sumSquares',
  infer([x]) {
    checkFloats('sumSquares', { x });
    return [float32()];
  },
  reference([x], [total]) {
    total[0] = 0;
    for (const value of x) total[0] += value * value;
  },
};

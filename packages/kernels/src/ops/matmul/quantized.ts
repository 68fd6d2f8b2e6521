// Weights of 8 bits with one scale for each row (symmetric, absmax: Dettmers et al. 2022, arXiv 2208.07339, without its outlier columns): a quarter of the memory to read.
import { apply, type Op } from '../../op';
import { scope } from '../../scope';
import { cast } from '../cast/cast';
import { mulRow } from '../broadcast/broadcast';
import { byRows, checkFloats, checkShape, checkType, linearGrid } from '../check';
import { matmul } from './matmul';
import { storedCalls } from './stored';
import { float32, type Tensor } from '../../tensor';
import { input, one, output, partsFor } from '../../devices/wasm/plan';
import quantizeShader from './quantizeRows.wgsl';
import { matmulPlan } from './webgpu';

/** Row r of a weight is `scales[r] · values[r]`: `values [outputs, inputs]` int8, `scales [outputs]` float32. */
export type QuantizedRows = { readonly values: Tensor; readonly scales: Tensor };

/** `weight [outputs, inputs]` in 8 bits: each row divided by 1/127 of its largest magnitude and rounded, so that no element is off by more than half of that. A row with a NaN stays one. */
export function quantizeRows(weight: Tensor): QuantizedRows {
  const [values, scales] = apply(quantizeRowsOp, [weight], {});
  return { values, scales };
}

/** What `linear` does with such a weight: `(x · valuesᵀ) · scales + bias`. */
export const quantizedLinear = (x: Tensor, { values, scales }: QuantizedRows, bias?: Tensor): Tensor => apply(quantizedLinearOp, bias ? [x, values, scales, bias] : [x, values, scales], {})[0];

/** To nearest, ties to even, as SIMD and WGSL round. */
function nearest(x: number): number {
  const rounded = Math.round(x);
  return rounded - x === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

const quantizeRowsOp: Op = {
  name: 'quantizeRows',
  rowwise: byRows(0),
  infer([weight]) {
    checkFloats('quantizeRows', { weight });
    const { outputs } = checkShape('quantizeRows', 'weight', weight, ['outputs', 'inputs']);
    return [{ dtype: 'int8', shape: weight.shape }, float32(outputs)];
  },
  reference([weight], [values, scales], _attributes, [{ shape: [outputs, inputs] }]) {
    for (let row = 0; row < outputs; row++) {
      let largest = 0;
      for (let i = row * inputs; i < (row + 1) * inputs; i++) largest = Math.max(largest, Math.abs(weight[i]));
      scales[row] = largest / 127;
      for (let i = row * inputs; i < (row + 1) * inputs; i++) values[i] = largest > 0 && largest < Infinity ? nearest((weight[i] / largest) * 127) : 0;
    }
  },
  wasm: ([{ shape: [outputs, inputs] }]) => one('quantizeRows', [input(0), output(0), output(1)], [outputs, inputs], partsFor(4 * outputs * inputs)),
  webgpu([{ shape: [rows, width] }]) {
    return { steps: [{ shader: quantizeShader, params: { rows, width }, bind: [{ input: 0 }, { output: 0 }, { output: 1 }], workgroups: linearGrid(Math.ceil(rows / 4)) }] };
  },
};

const quantizedLinearOp: Op = {
  name: 'linear',
  saves: ([needsX]) => ({ inputs: needsX ? [1, 2] : [] }),
  infer([x, values, scales, bias]) {
    checkFloats('linear', { x, scales, bias });
    checkType('linear', 'values', values, 'int8');
    const sizes = checkShape('linear', 'x', x, ['rows', 'inputs']);
    checkShape('linear', 'values', values, ['outputs', 'inputs'], sizes);
    checkShape('linear', 'scales', scales, ['outputs'], sizes);
    if (bias) checkShape('linear', 'bias', bias, ['outputs'], sizes);
    return [float32(sizes.rows, sizes.outputs)];
  },
  reference([x, values, scales, bias], [y], _attributes, [{ shape: [rows, inputs] }, { shape: [outputs] }]) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < outputs; column++) {
        let total = 0;
        for (let i = 0; i < inputs; i++) total += x[row * inputs + i] * values[column * inputs + i];
        y[row * outputs + column] = total * scales[column] + (bias ? bias[column] : 0);
      }
    }
  },
  wasm: ([{ shape: [m, k] }, { shape: [n] }, , bias]) => storedCalls({ m, n, k, transposed: true, type: 'int8', scales: 2, bias: bias && 3 }),
  webgpu: (inputs, _outputs, _attributes, limits) => matmulPlan(inputs, { m: inputs[0].shape[0], n: inputs[1].shape[0], k: inputs[0].shape[1], transposeA: false, transposeB: true }, limits, { scales: 2, bias: inputs[3] && 3 }),
  backward: (d, { inputs: [, values, scales] }, _attributes, [needsX, , needsScales, needsBias]) => {
    if (needsScales || needsBias) throw new TypeError('linear: expected a gradient of x alone through a weight of 8 bits, got one of its scales or bias; train in float32');
    return [needsX ? scope<Tensor>(() => matmul(mulRow(d, scales), cast(values, 'float32'))) : null, null, null, null];
  },
};

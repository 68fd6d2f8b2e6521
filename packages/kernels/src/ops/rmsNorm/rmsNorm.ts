import { apply, type Op } from '../../op';
import { scope } from '../../scope';
import { recorder, withRecorder } from '../../state';
import { add } from '../elementwise/elementwise';
import { eachElement } from '../elementwise/eachElement';
import { addingRows, byRows, checkFloats, checkSame, checkShape, linearGrid, rowsOf } from '../check';
import { float32, type Data, type Tensor } from '../../tensor';
import { call, input, one, output, partsFor, scratch } from '../../devices/wasm/plan';
import { columnSums } from '../sum/columnSums';
import shader from './rmsNorm.wgsl';
import backwardShader from './rmsNormBackward.wgsl';
import weightBackwardShader from './rmsNormWeightBackward.wgsl';

/**
 * Root-mean-square normalisation (Zhang and Sennrich 2019, arXiv 1910.07467) over the last axis of `x [..., width]`: `x / √(mean(x²) + epsilon) · weight [width]`.
 * With `residual`, of the shape of x, their sum is normalised, and never stored.
 */
export const rmsNorm = (x: Tensor, weight: Tensor, { epsilon = 1e-6, residual }: { readonly epsilon?: number; readonly residual?: Tensor } = {}): Tensor =>
  scope<Tensor>(() => apply(rmsNormOp, residual ? [x, weight, residual] : [x, weight], { epsilon })[0]);

/**
 * The residual stream's next value and its normalisation: `sum = x [..., width] + residual`, `output = rmsNorm(sum, weight [width])`, both of the shape of x and both with gradients.
 * For the backward pass only the sum is kept.
 */
export function addRmsNorm(x: Tensor, residual: Tensor, weight: Tensor, { epsilon = 1e-6 }: { readonly epsilon?: number } = {}): { output: Tensor; sum: Tensor } {
  const [output, inverses, sum] = withRecorder(null, () => scope<Tensor[]>(() => apply(addRmsNormOp, [x, weight, residual], { epsilon })));
  recorder()?.record('addRmsNorm', [x, residual, weight], [output, sum], () => ({
    saved: [sum, weight, inverses],
    differentiable: [output, sum],
    backward: ([dOutput, dSum], [needsX, needsResidual, needsWeight]) => {
      const through = dOutput && (needsX || needsResidual) ? apply(rmsNormBackwardOp, [sum, weight, inverses, dOutput], {})[0] : null;
      const both = through && dSum ? add(through, dSum) : (through ?? dSum);
      return [needsX ? both : null, needsResidual ? both : null, needsWeight && dOutput ? apply(rmsNormWeightBackwardOp, [sum, inverses, dOutput], {})[0] : null];
    },
  }));
  return { output, sum };
}

const plus = (x: Data, residual: Data | undefined, i: number): number => (residual ? x[i] + residual[i] : x[i]);

/** Output 1 holds the reciprocal root mean square of each row, `[rows]`. A residual is the third input of the forward op, and the fifth (fourth) of the backward ones. */
const rmsNormOp: Op<{ readonly epsilon: number }> = {
  name: 'rmsNorm',
  rowwise: byRows(0, 2),
  saves: (needs) => ({ inputs: needs.map((_, i) => i), outputs: [1] }),
  infer([x, weight, residual]) {
    checkFloats('rmsNorm', { x, weight });
    checkShape('rmsNorm', 'weight', weight, [rowsOf(x).width]);
    if (residual) checkSame('rmsNorm', { x, residual });
    return [x, float32(rowsOf(x).rows)];
  },
  reference([x, weight, residual], [y, inverses], { epsilon }, [spec]) {
    const { rows, width } = rowsOf(spec);
    for (let row = 0; row < rows; row++) {
      let squares = 0;
      for (let i = row * width; i < (row + 1) * width; i++) squares += plus(x, residual, i) ** 2;
      inverses[row] = 1 / Math.sqrt(squares / width + epsilon);
      for (let i = 0; i < width; i++) y[row * width + i] = plus(x, residual, row * width + i) * inverses[row] * weight[i];
    }
  },
  wasm([x, , residual], _outputs, { epsilon }) {
    const { rows, width } = rowsOf(x);
    return one('rmsNorm', [input(0), input(1), input(residual ? 2 : 0), output(0), output(1)], [rows, width, epsilon, residual ? 1 : 0], partsFor(2 * rows * width));
  },
  webgpu([x, , residual], _outputs, { epsilon }) {
    const { rows, width } = rowsOf(x);
    const bind = [{ input: 0 }, { input: 1 }, { input: residual ? 2 : 0 }, { output: 0 }, { output: 1 }];
    return { steps: [{ shader, constants: { HAS_RESIDUAL: residual ? 1 : 0 }, params: { rows, width, epsilon }, bind, workgroups: linearGrid(rows, 1) }] };
  },
  backward(d, { inputs: [x, weight, residual], outputs: [, inverses] }, _attributes, [needsX, needsWeight, needsResidual]) {
    const added = residual ? [residual] : [];
    const dX = needsX || needsResidual ? apply(rmsNormBackwardOp, [x, weight, inverses, d, ...added], {})[0] : null;
    const dWeight = needsWeight ? apply(rmsNormWeightBackwardOp, [x, inverses, d, ...added], {})[0] : null;
    return [needsX ? dX : null, dWeight, ...(residual ? [needsResidual ? dX : null] : [])];
  },
};

/** Outputs: the normalised sum, its reciprocal root mean squares, the sum. */
const addRmsNormOp: Op<{ readonly epsilon: number }> = {
  name: 'addRmsNorm',
  rowwise: byRows(0, 2),
  infer([x, weight, residual]) {
    checkFloats('addRmsNorm', { x, weight });
    checkShape('addRmsNorm', 'weight', weight, [rowsOf(x).width]);
    checkSame('addRmsNorm', { x, residual });
    return [x, float32(rowsOf(x).rows), x];
  },
  reference([x, weight, residual], [y, inverses, sum], attributes, [spec, weightSpec]) {
    for (let i = 0; i < x.length; i++) sum[i] = x[i] + residual[i];
    rmsNormOp.reference([sum, weight], [y, inverses], attributes, [spec, weightSpec]);
  },
  wasm([x], _outputs, { epsilon }) {
    const { rows, width } = rowsOf(x);
    return { steps: [call('add', [input(0), input(2), output(2)], [rows * width], partsFor(rows * width)), call('rmsNorm', [output(2), input(1), output(2), output(0), output(1)], [rows, width, epsilon, 0], partsFor(2 * rows * width))] };
  },
  webgpu([x, ...others], outputs, attributes) {
    const { rows, width } = rowsOf(x);
    const summed = addStep([x, others[1]], [outputs[2]], attributes).steps.map((step) => ({ ...step, bind: [{ input: 0 }, { input: 2 }, { output: 2 }] }));
    return { steps: [...summed, { shader, constants: { HAS_RESIDUAL: 0 }, params: { rows, width, epsilon: attributes.epsilon }, bind: [{ output: 2 }, { input: 1 }, { output: 2 }, { output: 0 }, { output: 1 }], workgroups: linearGrid(rows, 1) }] };
  },
};

const addStep = eachElement({ reads: ['a', 'b'], value: 'a[i] + b[i]' });

const rmsNormBackwardOp: Op = {
  name: 'rmsNormBackward',
  rowwise: byRows(0, 2, 3, 4),
  infer: ([x]) => [x],
  reference([x, weight, inverses, d, residual], [dX]) {
    const width = weight.length;
    for (let row = 0; row < inverses.length; row++) {
      const [start, inverse] = [row * width, inverses[row]];
      let product = 0;
      for (let i = 0; i < width; i++) product += d[start + i] * weight[i] * plus(x, residual, start + i) * inverse;
      for (let i = 0; i < width; i++) dX[start + i] = inverse * (d[start + i] * weight[i] - (plus(x, residual, start + i) * inverse * product) / width);
    }
  },
  wasm([x, , , , residual]) {
    const { rows, width } = rowsOf(x);
    return one('rmsNormBackward', [input(0), input(1), input(2), input(3), input(residual ? 4 : 0), output(0)], [rows, width, residual ? 1 : 0], partsFor(2 * rows * width));
  },
  webgpu: ([x, , , , residual]) => ({
    steps: [{
      shader: backwardShader, constants: { HAS_RESIDUAL: residual ? 1 : 0 }, params: rowsOf(x),
      bind: [{ input: 0 }, { input: 1 }, { input: 2 }, { input: 3 }, { input: residual ? 4 : 0 }, { output: 0 }], workgroups: linearGrid(rowsOf(x).rows, 1),
    }],
  }),
};

/** Column sums over all rows, in a fixed order. */
const rmsNormWeightBackwardOp: Op = {
  name: 'rmsNormWeightBackward',
  rowwise: addingRows(0, 1, 2, 3),
  infer: ([x]) => [float32(rowsOf(x).width)],
  reference([x, inverses, d, residual], [dWeight]) {
    const width = dWeight.length;
    dWeight.fill(0);
    for (let i = 0; i < x.length; i++) dWeight[i % width] += d[i] * plus(x, residual, i) * inverses[Math.floor(i / width)];
  },
  wasm([x, , , residual]) {
    const { rows, width } = rowsOf(x);
    const parts = partsFor(2 * rows * width);
    return {
      scratch: [float32(parts, width)],
      steps: [
        call('rmsNormWeightPartial', [input(0), input(1), input(2), input(residual ? 3 : 0), scratch(0)], [rows, width, residual ? 1 : 0], parts),
        call('sumRowPartials', [scratch(0), output(0)], [parts, width], partsFor(parts * width)),
      ],
    };
  },
  webgpu: ([x, , , residual], outputs) => columnSums(x, outputs, { shader: weightBackwardShader, constants: { HAS_RESIDUAL: residual ? 1 : 0 }, reads: [{ input: 0 }, { input: 1 }, { input: 2 }, { input: residual ? 3 : 0 }] }),
};

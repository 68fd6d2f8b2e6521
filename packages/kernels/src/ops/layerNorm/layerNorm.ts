import { apply, type Op } from '../../op';
import { scope } from '../../scope';
import { addingRows, byRows, checkFloats, checkShape, linearGrid, rowsOf } from '../check';
import { float32, type Tensor, type TensorSpec } from '../../tensor';
import { call, input, one, output, partsFor, scratch } from '../../devices/wasm/plan';
import { columnSums } from '../sum/columnSums';
import shader from './layerNorm.wgsl';
import backwardShader from './layerNormBackward.wgsl';
import parametersBackwardShader from './layerNormParametersBackward.wgsl';

/** Ba et al. 2016 (arXiv 1607.06450): over the last axis of `x [..., width]`; weight and bias are `[width]`. Variance is the biased one. */
export const layerNorm = (x: Tensor, weight: Tensor, bias: Tensor, { epsilon = 1e-12 } = {}): Tensor => scope<Tensor>(() => apply(layerNormOp, [x, weight, bias], { epsilon })[0]);

function check(op: string, x: TensorSpec, weight: TensorSpec, bias?: TensorSpec): void {
  checkFloats(op, { x, weight, bias });
  const { width } = rowsOf(x);
  checkShape(op, 'weight', weight, [width]);
  if (bias) checkShape(op, 'bias', bias, [width]);
}

/** Output 1 holds mean and reciprocal deviation of each row, `[rows, 2]`: what the backward needs beside x. */
const layerNormOp: Op<{ readonly epsilon: number }> = {
  name: 'layerNorm',
  rowwise: byRows(0),
  saves: () => ({ inputs: [0, 1], outputs: [1] }),
  infer([x, weight, bias]) {
    check('layerNorm', x, weight, bias);
    return [x, float32(rowsOf(x).rows, 2)];
  },
  reference([x, weight, bias], [y, statistics], { epsilon }, [spec]) {
    const { rows, width } = rowsOf(spec);
    for (let row = 0; row < rows; row++) {
      const start = row * width;
      let mean = 0;
      for (let i = 0; i < width; i++) mean += x[start + i];
      mean /= width;
      let variance = 0;
      for (let i = 0; i < width; i++) variance += (x[start + i] - mean) ** 2;
      const inverse = 1 / Math.sqrt(variance / width + epsilon);
      for (let i = 0; i < width; i++) y[start + i] = (x[start + i] - mean) * inverse * weight[i] + bias[i];
      statistics[2 * row] = mean;
      statistics[2 * row + 1] = inverse;
    }
  },
  wasm([x], _outputs, { epsilon }) {
    const { rows, width } = rowsOf(x);
    return one('layerNorm', [input(0), input(1), input(2), output(0), output(1)], [rows, width, epsilon], partsFor(2 * rows * width));
  },
  webgpu([x], _outputs, { epsilon }) {
    const { rows, width } = rowsOf(x);
    return { steps: [{ shader, params: { rows, width, epsilon }, bind: [{ input: 0 }, { input: 1 }, { input: 2 }, { output: 0 }, { output: 1 }], workgroups: linearGrid(rows, 1) }] };
  },
  backward(d, { inputs: [x, weight], outputs: [, statistics] }, _attributes, [needsX, needsWeight, needsBias]) {
    const dX = needsX ? apply(layerNormBackwardOp, [x, weight, statistics, d], {})[0] : null;
    const [dWeight, dBias] = needsWeight || needsBias ? apply(layerNormParametersBackwardOp, [x, weight, statistics, d], {}) : [null, null];
    return [dX, needsWeight ? dWeight : null, needsBias ? dBias : null];
  },
};

const layerNormBackwardOp: Op = {
  name: 'layerNormBackward',
  rowwise: byRows(0, 2, 3),
  infer: ([x]) => [x],
  reference([x, weight, statistics, d], [dX]) {
    const width = weight.length;
    for (let row = 0, start = 0; start < x.length; row++, start += width) {
      const mean = statistics[2 * row];
      const inverse = statistics[2 * row + 1];
      let [first, second] = [0, 0];
      for (let i = start; i < start + width; i++) {
        const weighted = d[i] * weight[i - start];
        first += weighted;
        second += weighted * (x[i] - mean) * inverse;
      }
      for (let i = start; i < start + width; i++) dX[i] = inverse * (d[i] * weight[i - start] - first / width - ((x[i] - mean) * inverse * second) / width);
    }
  },
  wasm([x]) {
    const { rows, width } = rowsOf(x);
    return one('layerNormBackward', [input(0), input(1), input(2), input(3), output(0)], [rows, width], partsFor(2 * rows * width));
  },
  webgpu: ([x]) => ({ steps: [{ shader: backwardShader, params: rowsOf(x), bind: [{ input: 0 }, { input: 1 }, { input: 2 }, { input: 3 }, { output: 0 }], workgroups: linearGrid(rowsOf(x).rows, 1) }] }),
};

/** Gradients of weight and bias: column sums over all rows, in a fixed order. */
const layerNormParametersBackwardOp: Op = {
  name: 'layerNormParametersBackward',
  rowwise: addingRows(0, 2, 3),
  infer: ([, weight]) => [weight, weight],
  reference([x, , statistics, d], [dWeight, dBias]) {
    const width = dWeight.length;
    dWeight.fill(0);
    dBias.fill(0);
    for (let i = 0; i < x.length; i++) {
      const row = Math.floor(i / width);
      dWeight[i % width] += d[i] * (x[i] - statistics[2 * row]) * statistics[2 * row + 1];
      dBias[i % width] += d[i];
    }
  },
  wasm([x]) {
    const { rows, width } = rowsOf(x);
    const parts = partsFor(2 * rows * width);
    return {
      scratch: [float32(parts, 2, width)],
      steps: [
        call('layerNormParametersPartial', [input(0), input(2), input(3), scratch(0)], [rows, width], parts),
        call('layerNormParameters', [scratch(0), output(0), output(1)], [parts, width], partsFor(parts * width)),
      ],
    };
  },
  webgpu: ([x], outputs) => columnSums(x, outputs, { shader: parametersBackwardShader, reads: [{ input: 0 }, { input: 2 }, { input: 3 }] }),
};

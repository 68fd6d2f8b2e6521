import { apply, type Op } from '../../op';
import { byRows, checkFloats, linearGrid, rowsOf } from '../check';
import { input, one, output, partsFor } from '../../devices/wasm/plan';
import shader from './softmax.wgsl';
import backwardShader from './softmaxBackward.wgsl';
import type { Tensor } from '../../tensor';

/** `e^x / Σ e^x` over the last axis of `x [..., width]`. For a loss use `crossEntropy`, and inside attention nothing: neither ever holds the probabilities. */
export const softmax = (x: Tensor): Tensor => apply(softmaxOp, [x], {})[0];

const softmaxOp: Op = {
  name: 'softmax',
  rowwise: byRows(0),
  saves: () => ({ outputs: [0] }),
  infer([x]) {
    checkFloats('softmax', { x });
    return [x];
  },
  reference([x], [y], _attributes, [spec]) {
    const { width } = rowsOf(spec);
    for (let start = 0; start < x.length; start += width) {
      let [max, total] = [-Infinity, 0];
      for (let i = start; i < start + width; i++) max = Math.max(max, x[i]);
      for (let i = start; i < start + width; i++) total += y[i] = Math.exp(x[i] - max);
      for (let i = start; i < start + width; i++) y[i] /= total;
    }
  },
  wasm([x]) {
    const { rows, width } = rowsOf(x);
    return one('softmax', [input(0), output(0)], [rows, width], partsFor(4 * rows * width));
  },
  webgpu: ([x]) => ({ steps: [{ shader, params: rowsOf(x), bind: [{ input: 0 }, { output: 0 }], workgroups: linearGrid(rowsOf(x).rows, 1) }] }),
  backward: (d, { outputs: [y] }) => [apply(softmaxBackwardOp, [y, d], {})[0]],
};

/** dX = y · (d - Σ d y). */
const softmaxBackwardOp: Op = {
  name: 'softmaxBackward',
  rowwise: byRows(0, 1),
  infer: ([y]) => [y],
  reference([y, d], [dX], _attributes, [spec]) {
    const { width } = rowsOf(spec);
    for (let start = 0; start < y.length; start += width) {
      let product = 0;
      for (let i = start; i < start + width; i++) product += d[i] * y[i];
      for (let i = start; i < start + width; i++) dX[i] = y[i] * (d[i] - product);
    }
  },
  wasm([y]) {
    const { rows, width } = rowsOf(y);
    return one('softmaxBackward', [input(0), input(1), output(0)], [rows, width], partsFor(2 * rows * width));
  },
  webgpu: ([y]) => ({ steps: [{ shader: backwardShader, params: rowsOf(y), bind: [{ input: 0 }, { input: 1 }, { output: 0 }], workgroups: linearGrid(rowsOf(y).rows, 1) }] }),
};

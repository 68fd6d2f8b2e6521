import { apply, type Op } from '../../op';
import { addingRows, byRows, checkFloats, checkShape, checkType, linearGrid } from '../check';
import { float32, type Data, type Tensor } from '../../tensor';
import { call, input, one, output, partsFor, scratch } from '../../devices/wasm/plan';
import shader from './crossEntropy.wgsl';
import backwardShader from './crossEntropyBackward.wgsl';
import totalShader from './crossEntropyTotal.wgsl';

/**
 * Softmax cross-entropy of `logits [rows, classes]` with `labels [rows]` (int32), in nats: the sum over rows whose label is not ignored, and how many those are.
 * Sum and count come apart, so that accumulating gradients over batches weighs every row alike. A label outside [0, classes) that is not `ignoreIndex` gives NaN.
 */
export function crossEntropy(logits: Tensor, labels: Tensor, { ignoreIndex = -100 } = {}): { sum: Tensor; count: Tensor } {
  const [sum, count] = apply(crossEntropyOp, [logits, labels], { ignoreIndex });
  return { sum, count };
}

interface Ignore {
  readonly ignoreIndex: number;
}

function logSumExp(x: Data, start: number, end: number): number {
  let max = -Infinity;
  for (let i = start; i < end; i++) max = Math.max(max, x[i]);
  let total = 0;
  for (let i = start; i < end; i++) total += Math.exp(x[i] - max);
  return max + Math.log(total);
}

const crossEntropyOp: Op<Ignore> = {
  name: 'crossEntropy',
  rowwise: addingRows(0, 1),
  saves: () => ({ inputs: [0, 1] }),
  infer([logits, labels]) {
    checkFloats('crossEntropy', { logits });
    checkType('crossEntropy', 'labels', labels, 'int32');
    checkShape('crossEntropy', 'labels', labels, ['rows'], checkShape('crossEntropy', 'logits', logits, ['rows', 'classes']));
    return [float32(), float32()];
  },
  reference([logits, labels], [sum, count], { ignoreIndex }, [{ shape: [, classes] }]) {
    sum[0] = count[0] = 0;
    labels.forEach((label: number, row: number) => {
      if (label === ignoreIndex) return;
      const target = label >= 0 && label < classes ? logits[row * classes + label] : NaN;
      sum[0] += logSumExp(logits, row * classes, (row + 1) * classes) - target;
      count[0]++;
    });
  },
  wasm([{ shape: [rows, classes] }], _outputs, { ignoreIndex }) {
    const parts = partsFor(4 * rows * classes);
    return {
      scratch: [float32(parts, 2, 2)], // two float64 a part
      steps: [
        call('crossEntropyPartial', [input(0), input(1), scratch(0)], [rows, classes, ignoreIndex], parts),
        ...[0, 1].map((value) => call('sumPartials', [scratch(0), output(value)], [parts, 2, value], 1)),
      ],
    };
  },
  webgpu([{ shape: [rows, classes] }], _outputs, { ignoreIndex }) {
    const losses = { scratch: 0 };
    return {
      scratch: [float32(rows, 2)],
      steps: [
        { shader, params: { rows, classes, ignoreIndex, nan: NaN }, bind: [{ input: 0 }, { input: 1 }, losses], workgroups: linearGrid(rows, 1) },
        { shader: totalShader, params: { rows }, bind: [losses, { output: 0 }, { output: 1 }], workgroups: [1, 1, 1] },
      ],
    };
  },
  backward: (dSum, { inputs: [logits, labels] }, ignore) => [apply(crossEntropyBackwardOp, [logits, labels, dSum], ignore)[0], null],
};

/** Inputs: logits, labels, the gradient of the sum. */
export const crossEntropyBackwardOp: Op<Ignore> = {
  name: 'crossEntropyBackward',
  rowwise: byRows(0, 1),
  infer: ([logits]) => [logits],
  reference([logits, labels, dSum], [d], { ignoreIndex }, [{ shape: [, classes] }]) {
    labels.forEach((label: number, row: number) => {
      const start = row * classes;
      const norm = logSumExp(logits, start, start + classes);
      for (let i = 0; i < classes; i++) d[start + i] = label === ignoreIndex ? 0 : dSum[0] * (Math.exp(logits[start + i] - norm) - (i === label ? 1 : 0));
    });
  },
  wasm: ([{ shape: [rows, classes] }], _outputs, { ignoreIndex }) => one('crossEntropyBackward', [input(0), input(1), input(2), output(0)], [rows, classes, ignoreIndex], partsFor(8 * rows * classes)),
  webgpu: ([{ shape: [rows, classes] }], _outputs, { ignoreIndex }) => ({ steps: [{ shader: backwardShader, params: { rows, classes, ignoreIndex }, bind: [{ input: 0 }, { input: 1 }, { input: 2 }, { output: 0 }], workgroups: linearGrid(rows, 1) }] }),
};

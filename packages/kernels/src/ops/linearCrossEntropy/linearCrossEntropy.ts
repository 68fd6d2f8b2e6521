// The last layer of a language model and its loss over blocks of rows: the logits of all rows, often the largest tensor of a training step, never exist.
import { allocate, apply, checkTensors } from '../../op';
import { scope } from '../../scope';
import { recorder, withRecorder } from '../../state';
import { checkFloats, checkShape, checkType } from '../check';
import { concat } from '../rows/rows';
import { crossEntropy, crossEntropyBackwardOp } from '../crossEntropy/crossEntropy';
import { accumulate, fill } from '../elementwise/elementwise';
import { linear } from '../matmul/linear';
import { matmul } from '../matmul/matmul';
import { sumRows } from '../sum/sum';
import { float32, type Tensor, type TensorSpec } from '../../tensor';

/** What may be left out of the last layer and its loss. */
export interface LinearCrossEntropyOptions {
  /** `[classes]` */
  readonly bias?: Tensor;
  /** Rows with this label do not count; by default -100. */
  readonly ignoreIndex?: number;
  /** Rows whose logits exist at once, a multiple of 64; by default about 16 MiB of logits. */
  readonly rowsPerBlock?: number;
}

/** Where each block of rows begins, and how many it has. */
function* blocksOf(rows: number, rowsPerBlock: number): Generator<readonly [first: number, count: number]> {
  for (let first = 0; first < rows; first += rowsPerBlock) yield [first, Math.min(rowsPerBlock, rows - first)];
}

/** Rows of a tensor in place: blocks of 64 rows begin at multiples of 64 elements, as views must. */
function view(x: Tensor, first: number, count: number): Tensor {
  const width = x.shape[1] ?? 1;
  return { ...x, shape: [count, ...x.shape.slice(1)], offset: x.offset + first * width };
}

const zeros = (like: Tensor, spec: TensorSpec = like): Tensor => fill(allocate(like.device, spec), 0);

/**
 * `crossEntropy(linear(x, weight, bias), labels)` without the `[rows, classes]` in between, forward and backward: the backward pass computes each block's logits again.
 * @param x - `[rows, width]`
 * @param weight - `[classes, width]`
 * @param labels - `[rows]`, int32
 * @returns the sum over rows that count, and how many those are, both `[]`
 */
export function linearCrossEntropy(x: Tensor, weight: Tensor, labels: Tensor, { bias, ignoreIndex = -100, rowsPerBlock }: LinearCrossEntropyOptions = {}): { sum: Tensor; count: Tensor } {
  checkTensors('linearCrossEntropy', [x, weight, labels, ...(bias ? [bias] : [])]);
  checkFloats('linearCrossEntropy', { x, weight, bias });
  checkType('linearCrossEntropy', 'labels', labels, 'int32');
  const { rows, classes } = checkShape('linearCrossEntropy', 'labels', labels, ['rows'], checkShape('linearCrossEntropy', 'weight', weight, ['classes', 'width'], checkShape('linearCrossEntropy', 'x', x, ['rows', 'width'])));
  if (bias) checkShape('linearCrossEntropy', 'bias', bias, [classes]);
  const block = rowsPerBlock ?? Math.max(64, Math.floor(2 ** 22 / Math.max(1, classes) / 64) * 64);
  if (!Number.isInteger(block) || block < 64 || block % 64) throw new RangeError(`linearCrossEntropy: expected rowsPerBlock as a positive multiple of 64, got ${block}; leave it out to have it chosen`);

  const outputs = withRecorder(null, () => scope<{ sum: Tensor; count: Tensor }>(() => {
    const total = { sum: zeros(x, float32()), count: zeros(x, float32()) };
    for (const [first, count] of blocksOf(rows, block)) {
      scope(() => {
        const part = crossEntropy(linear(view(x, first, count), weight, bias), view(labels, first, count), { ignoreIndex });
        accumulate(total.sum, part.sum);
        accumulate(total.count, part.count);
      });
    }
    return total;
  }));
  const inputs = bias ? [x, weight, labels, bias] : [x, weight, labels];
  recorder()?.record('linearCrossEntropy', inputs, [outputs.sum, outputs.count], () => ({
    saved: inputs,
    differentiable: [outputs.sum],
    backward([dSum], [needsX, needsWeight, , needsBias]) {
      const dWeight = needsWeight ? zeros(weight) : null;
      const dBias = bias && needsBias ? zeros(bias) : null;
      const dX = Array.from(blocksOf(rows, block), ([first, count]) => scope<Tensor | null>(() => {
        const [own, ownLabels] = [view(x, first, count), view(labels, first, count)];
        const [d] = apply(crossEntropyBackwardOp, [linear(own, weight, bias), ownLabels, dSum!], { ignoreIndex });
        if (dWeight) accumulate(dWeight, matmul(d, own, { transposeA: true }));
        if (dBias) accumulate(dBias, sumRows(d));
        return needsX ? matmul(d, weight) : null;
      }));
      const wanted = needsX ? (rows ? concat(dX as Tensor[]) : zeros(x)) : null;
      return [wanted, dWeight, null, ...(bias ? [dBias] : [])];
    },
  }));
  return outputs;
}

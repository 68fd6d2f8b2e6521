import { add, crossEntropy, scale, scope, tensor, type Tensor } from '@genomelm/kernels';

/** No label here: the row does not count. */
export const ignored = -100;

/**
 * Softmax cross-entropy, each row multiplied by its weight, over the sum of the weights: `[]`. Rows of weight 0 do not count.
 * One pass over the logits for each different weight: the kernel knows only rows that count and rows that do not.
 */
export function weightedCrossEntropy(logits: Tensor, labels: ArrayLike<number>, weights: ArrayLike<number>): Tensor {
  const different = [...new Set(Array.from(weights))].filter((weight) => weight > 0);
  const total = Array.from(weights).reduce((a, b) => a + b, 0);
  if (!(total > 0)) throw new RangeError('weightedCrossEntropy: expected at least one label that counts, got none');
  return scope<Tensor>(() => different.map((weight) => {
    const own = Int32Array.from(labels, (label, i) => (weights[i] === weight ? label : ignored));
    return scale(crossEntropy(logits, tensor(logits.device, own), { ignoreIndex: ignored }).sum, weight / total);
  }).reduce((a, b) => add(a, b)));
}

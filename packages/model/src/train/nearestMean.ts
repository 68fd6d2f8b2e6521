// Zero-shot: nothing is trained. A sequence belongs to the class whose mean vector is nearest (Rocchio's classifier; as few-shot prototypes in Snell et al. 2017, arXiv:1703.05175).
import { deviceOf, elements } from '../parameters';
import { foldStandardization, meanVectors, standardize } from './probe';
import type { EncoderModel } from '../models/encoder';
import type { Linear } from '../layers/linear';
import type { TokenSequence } from '../batch';

/**
 * Writes into `classifier` (`[classes, hiddenSize]`) the rule of the nearest class mean: squared Euclidean distance between the frozen encoder's mean vectors, each column standardised over `train`.
 * Probabilities are the softmax of -distance / sqrt(hiddenSize), a fixed scale: the difference of two distances is a sum over the columns, whose spread grows with that root.
 * |x|² is the same for all classes and cancels, so the rule is a linear layer: weight 2 m / sqrt(hiddenSize), bias -|m|² / sqrt(hiddenSize).
 * @throws RangeError where a class has no example, as then it has no mean
 */
export async function writeNearestMean(model: EncoderModel, classifier: Linear, sequences: readonly TokenSequence[], labels: readonly number[], signal?: AbortSignal): Promise<void> {
  const width = model.config.hiddenSize;
  const classes = elements(classifier.bias!);
  const counts = new Float64Array(classes);
  for (const label of labels) counts[label]++;
  if (counts.includes(0)) throw new RangeError(`fit: expected training examples of every class for protocol 'zero-shot', got none of class ${counts.indexOf(0)}; use protocol 'probe', or leave the class out`);
  const own = standardize(await meanVectors(model, sequences, signal), width);
  const means = new Float64Array(classes * width);
  own.rows.forEach((x, i) => { means[labels[Math.floor(i / width)] * width + (i % width)] += x / counts[labels[Math.floor(i / width)]]; });
  const scale = 1 / Math.sqrt(width);
  const device = deviceOf(classifier);
  device.write(classifier.weight, Float32Array.from(means, (m) => 2 * scale * m));
  device.write(classifier.bias!, Float32Array.from(counts, (_, k) => -scale * means.subarray(k * width, (k + 1) * width).reduce((total, m) => total + m * m, 0)));
  await foldStandardization(classifier, own);
}

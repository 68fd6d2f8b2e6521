import { checkPairs } from './confusion';
import { pairwiseSum } from './pairwiseSum';
import { auprc, auroc } from './ranking';
import type { Calibration } from '../runRecord';

/** Probabilities of the classes for each item, row by row, as run records keep them. */
export type ProbabilityRows = readonly ArrayLike<number>[];

/**
 * The mean squared distance of the probability of class 1 from the label (Brier 1950), 0 (best) to 1; scikit-learn's `brier_score_loss`.
 * @param labels - 0 or 1
 * @param scores - the probability of class 1, one an item
 */
export function brierScore(labels: ArrayLike<number>, scores: ArrayLike<number>): number {
  checkPairs('brierScore', labels, scores);
  return pairwiseSum(Array.from(scores, (score, item) => (checkProbability('brierScore', score, item) - labels[item]) ** 2)) / labels.length;
}

/** The mean of minus the logarithm of the true class's probability, in nats; probabilities are kept 2^-52 away from 0 and 1, and rows scaled to the sum 1. scikit-learn's `log_loss`. */
export function logLoss(labels: ArrayLike<number>, probabilities: ProbabilityRows): number {
  checkPairs('logLoss', labels, probabilities);
  const losses = probabilities.map((row, item) => {
    const clipped = Array.from(row, (value) => Math.min(1 - Number.EPSILON, Math.max(Number.EPSILON, checkProbability('logLoss', value, item))));
    return -Math.log(clipped[checkLabel('logLoss', labels[item], row, item)] / pairwiseSum(clipped));
  });
  return pairwiseSum(losses) / labels.length;
}

/** Items whose highest probability falls between two bounds. */
export interface ReliabilityBin {
  readonly items: number;
  /** Mean of the highest probability. */
  readonly confidence: number;
  /** Share of items whose most probable class is the true one. */
  readonly accuracy: number;
}

/** The bins of a reliability diagram over the highest probability: equal widths, each open below and closed above; empty ones are left out. */
export function reliability(labels: ArrayLike<number>, probabilities: ProbabilityRows, bins = 15): ReliabilityBin[] {
  checkPairs('reliability', labels, probabilities);
  if (!Number.isInteger(bins) || bins < 1) throw new RangeError(`reliability: expected bins as a whole number >= 1, got ${bins}; 15 is usual`);
  const sums = Array.from({ length: bins }, () => ({ items: 0, confidence: 0, right: 0 }));
  probabilities.forEach((row, item) => {
    checkLabel('reliability', labels[item], row, item);
    let best = 0;
    for (let k = 1; k < row.length; k++) if (row[k] > row[best]) best = k;
    const bin = sums[Math.min(bins - 1, Math.max(0, Math.ceil(checkProbability('reliability', row[best], item) * bins) - 1))];
    bin.items++;
    bin.confidence += row[best];
    if (best === labels[item]) bin.right++;
  });
  return sums.filter(({ items }) => items > 0).map(({ items, confidence, right }) => ({ items, confidence: confidence / items, accuracy: right / items }));
}

/** How far confidence and accuracy lie apart, averaged over the bins of {@link reliability} with their items as weights (Guo et al. 2017, equation 3), 0 (best) to 1. */
export function expectedCalibrationError(labels: ArrayLike<number>, probabilities: ProbabilityRows, bins = 15): number {
  return reliability(labels, probabilities, bins).reduce((sum, { items, confidence, accuracy }) => sum + (items / labels.length) * Math.abs(accuracy - confidence), 0);
}

/** All that a run record holds of its probabilities. */
export function calibrationOf(labels: readonly number[], probabilities: ProbabilityRows): Calibration {
  const scores = probabilities.map((row) => row[1]);
  const both = labels.includes(0) && labels.includes(1);
  return {
    logLoss: logLoss(labels, probabilities), expectedCalibrationError: expectedCalibrationError(labels, probabilities), bins: reliability(labels, probabilities),
    ...(probabilities[0].length === 2 ? { brier: brierScore(labels, scores), ...(both ? { auroc: auroc(labels, scores), auprc: auprc(labels, scores) } : {}) } : {}),
  };
}

function checkProbability(operation: string, value: number, item: number): number {
  if (!(value >= 0 && value <= 1)) throw new RangeError(`${operation}: expected probabilities from 0 to 1, got ${value} at item ${item}; pass probabilities, not logits`);
  return value;
}

function checkLabel(operation: string, label: number, row: ArrayLike<number>, item: number): number {
  if (!(Number.isInteger(label) && label >= 0 && label < row.length)) throw new RangeError(`${operation}: expected labels from 0 to ${row.length - 1}, got ${label} at item ${item}; pass one probability for each class`);
  return label;
}

import { checkPairs } from './confusion';
import { pairwiseSum } from './pairwiseSum';

/**
 * The area under the ROC curve: the chance that a positive item scores above a negative one, ties counting one half. 0 to 1.
 * Counted in integers, so the order of the items never matters.
 * @param labels - 0 or 1
 * @param scores - one number an item, higher means more positive
 */
export function auroc(labels: ArrayLike<number>, scores: ArrayLike<number>): number {
  const { truePositives, falsePositives, positives, negatives } = rankedCounts('auroc', labels, scores);
  if (positives === 0 || negatives === 0)
    throw new RangeError(`auroc: expected both classes among the labels, got ${positives} positives and ${negatives} negatives; the area is undefined for one class`);
  let doubledPairs = 0;
  for (let i = 0; i < truePositives.length; i++)
    doubledPairs += (falsePositives[i] - (falsePositives[i - 1] ?? 0)) * (truePositives[i] + (truePositives[i - 1] ?? 0));
  return doubledPairs / (2 * positives * negatives);
}

/**
 * Average precision, the step-wise area under the precision-recall curve (no interpolation), 0 to 1; scikit-learn's `average_precision_score`, also in that it is -0 without positives.
 * @param labels - 0 or 1
 * @param scores - one number an item, higher means more positive
 */
export function auprc(labels: ArrayLike<number>, scores: ArrayLike<number>): number {
  const { truePositives, falsePositives, positives } = rankedCounts('auprc', labels, scores);
  if (positives === 0) return -0;
  const terms: number[] = [];
  for (let i = truePositives.length - 1; i >= 0; i--) {
    const recallStep = (truePositives[i - 1] ?? 0) / positives - truePositives[i] / positives;
    terms.push(recallStep * (truePositives[i] / (truePositives[i] + falsePositives[i])));
  }
  return -pairwiseSum(terms);
}

/** Counts of true and false positives at each distinct score, from the highest score down. */
function rankedCounts(operation: string, labels: ArrayLike<number>, scores: ArrayLike<number>) {
  checkPairs(operation, labels, scores);
  const order = Array.from({ length: labels.length }, (_, item) => item).sort((i, j) => scores[j] - scores[i]);
  const truePositives: number[] = [];
  const falsePositives: number[] = [];
  let positives = 0;
  for (let rank = 0; rank < order.length; rank++) {
    const item = order[rank];
    if (labels[item] !== 0 && labels[item] !== 1)
      throw new RangeError(`${operation}: expected labels 0 and 1, got ${labels[item]} at item ${item}; score one class against the others`);
    if (Number.isNaN(scores[item])) throw new RangeError(`${operation}: expected a number as score, got NaN at item ${item}; check the model's output`);
    positives += labels[item];
    if (rank + 1 < order.length && scores[order[rank + 1]] === scores[item]) continue;
    truePositives.push(positives);
    falsePositives.push(rank + 1 - positives);
  }
  return { truePositives, falsePositives, positives, negatives: labels.length - positives };
}

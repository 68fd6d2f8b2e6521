import { confusionMatrix, type ConfusionMatrix } from './confusion';
import { pairwiseSum } from './pairwiseSum';

/** The metrics that work on counts. All lie in 0 to 1, the MCC in -1 to 1. */
export type MetricName = 'mcc' | 'f1Macro' | 'f1Micro' | 'f1Weighted' | 'accuracy' | 'precisionMacro' | 'recallMacro';

/**
 * Each metric as a function of a confusion matrix; equal to scikit-learn 1.2.1 in float64, to the last bit.
 * As there, macro averages run over the classes that occur among the labels or the predictions, and 0/0 counts as 0.
 */
export const metricsOnCounts: Readonly<Record<MetricName, (matrix: ConfusionMatrix) => number>> = {
  mcc: mccOfCounts,
  f1Macro: (matrix) => average(perClass(matrix).f1),
  f1Micro: (matrix) => f1(accuracyOfCounts(matrix), accuracyOfCounts(matrix)),
  f1Weighted: (matrix) => {
    const { f1: values, support } = perClass(matrix);
    return pairwiseSum(values.map((value, index) => value * support[index])) / pairwiseSum(support);
  },
  accuracy: accuracyOfCounts,
  precisionMacro: (matrix) => average(perClass(matrix).precision),
  recallMacro: (matrix) => average(perClass(matrix).recall),
};

/** The task's own metric first, then the usual ones. */
export const metricsOf = (metric: MetricName): MetricName[] => [...new Set<MetricName>([metric, 'mcc', 'f1Macro', 'accuracy'])];

const onItems = (name: MetricName) => (labels: ArrayLike<number>, predicted: ArrayLike<number>): number =>
  metricsOnCounts[name](confusionMatrix(labels, predicted));

/** Matthews' correlation coefficient for any number of classes (Gorodkin 2004, equation 8), -1 to 1. 0 where truth or prediction is constant. */
export const mcc = onItems('mcc');
/** The F1 score averaged over the classes seen, 0 to 1. */
export const f1Macro = onItems('f1Macro');
/** The F1 score over all items at once, 0 to 1: with one label an item it is the accuracy, up to the last bit. */
export const f1Micro = onItems('f1Micro');
/** The F1 score averaged with the true classes' sizes as weights, 0 to 1. */
export const f1Weighted = onItems('f1Weighted');
/** The share of items predicted right, 0 to 1. */
export const accuracy = onItems('accuracy');
/** The precision averaged over the classes seen, 0 to 1; a class that is never predicted counts as 0. */
export const precisionMacro = onItems('precisionMacro');
/** The recall averaged over the classes seen, 0 to 1; a class that never occurs counts as 0. */
export const recallMacro = onItems('recallMacro');

/** All sums are integers, exact in float64 below 2^26 items; only the last line rounds. */
function mccOfCounts({ classes, counts }: ConfusionMatrix): number {
  let items = 0;
  let correct = 0;
  let truthByPrediction = 0;
  let truthSquares = 0;
  let predictionSquares = 0;
  for (let k = 0; k < classes; k++) {
    let truth = 0;
    let prediction = 0;
    for (let other = 0; other < classes; other++) {
      truth += counts[k * classes + other];
      prediction += counts[other * classes + k];
    }
    items += truth;
    correct += counts[k * classes + k];
    truthByPrediction += truth * prediction;
    truthSquares += truth * truth;
    predictionSquares += prediction * prediction;
  }
  const spread = (items * items - truthSquares) * (items * items - predictionSquares);
  return spread === 0 ? 0 : (correct * items - truthByPrediction) / Math.sqrt(spread);
}

function accuracyOfCounts({ classes, counts }: ConfusionMatrix): number {
  let items = 0;
  let correct = 0;
  for (let i = 0; i < counts.length; i++) items += counts[i];
  for (let k = 0; k < classes; k++) correct += counts[k * classes + k];
  return correct / items;
}

interface PerClass {
  readonly precision: number[];
  readonly recall: number[];
  readonly f1: number[];
  /** Items that truly belong to the class. */
  readonly support: number[];
}

/** One entry for each class that occurs as truth or as prediction. */
function perClass({ classes, counts }: ConfusionMatrix): PerClass {
  const result: PerClass = { precision: [], recall: [], f1: [], support: [] };
  for (let k = 0; k < classes; k++) {
    let truth = 0;
    let prediction = 0;
    for (let other = 0; other < classes; other++) {
      truth += counts[k * classes + other];
      prediction += counts[other * classes + k];
    }
    if (truth + prediction === 0) continue;
    const hits = counts[k * classes + k];
    const precision = prediction === 0 ? 0 : hits / prediction;
    const recall = truth === 0 ? 0 : hits / truth;
    result.precision.push(precision);
    result.recall.push(recall);
    result.f1.push(f1(precision, recall));
    result.support.push(truth);
  }
  return result;
}

/** The order of the operations is scikit-learn's. */
const f1 = (precision: number, recall: number): number => (precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall));

const average = (values: readonly number[]): number => pairwiseSum(values) / values.length;

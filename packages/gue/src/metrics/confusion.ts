/** Counts of (truth, prediction) pairs: all that a classification metric needs, so that resampling never touches the items again. */
export interface ConfusionMatrix {
  readonly classes: number;
  /** `[classes, classes]`, row = truth, column = prediction. */
  readonly counts: Float64Array;
}

export function createConfusionMatrix(classes: number): ConfusionMatrix {
  if (!(classes <= mostClasses)) throw new RangeError(`confusionMatrix: expected classes from 0 to ${mostClasses - 1}, got ${classes - 1}; pass class numbers, not scores`);
  return { classes, counts: new Float64Array(classes * classes) };
}

/** A guard against scores or hashes passed as classes: the matrix then takes 128 MiB at most. */
const mostClasses = 4096;

/**
 * Counts pairs of true and predicted classes.
 * @param labels - true classes, integers >= 0
 * @param predicted - predicted classes, as many
 * @param classes - number of classes; without it, one more than the largest class seen
 */
export function confusionMatrix(labels: ArrayLike<number>, predicted: ArrayLike<number>, classes = 1 + largestClass(labels, predicted)): ConfusionMatrix {
  checkPairs('confusionMatrix', labels, predicted);
  const matrix = createConfusionMatrix(classes);
  for (let item = 0; item < labels.length; item++) {
    const truth = checkClass(labels[item], classes, item);
    const prediction = checkClass(predicted[item], classes, item);
    matrix.counts[truth * classes + prediction]++;
  }
  return matrix;
}

export function largestClass(...lists: readonly ArrayLike<number>[]): number {
  let largest = 0;
  for (const list of lists) for (let item = 0; item < list.length; item++) if (list[item] > largest) largest = list[item];
  return largest;
}

export function checkPairs(operation: string, labels: ArrayLike<number>, predicted: ArrayLike<unknown>): void {
  if (labels.length === 0) throw new RangeError(`${operation}: expected at least one item, got none; pass the labels of the test split`);
  if (labels.length !== predicted.length)
    throw new RangeError(`${operation}: expected one prediction for each of ${labels.length} labels, got ${predicted.length}; pass both in the order of the file`);
}

function checkClass(value: number, classes: number, item: number): number {
  if (!Number.isInteger(value) || value < 0 || value >= classes)
    throw new RangeError(`confusionMatrix: expected classes from 0 to ${classes - 1}, got ${value} at item ${item}; pass class numbers, not scores`);
  return value;
}

/** Matthews correlation for any number of classes (Gorodkin 2004): 0 where it is not defined. */
export function mcc(labels: ArrayLike<number>, predicted: ArrayLike<number>, classes: number): number {
  const [inLabels, inPredicted] = [new Float64Array(classes), new Float64Array(classes)];
  let correct = 0;
  for (let i = 0; i < labels.length; i++) {
    inLabels[labels[i]]++;
    inPredicted[predicted[i]]++;
    if (labels[i] === predicted[i]) correct++;
  }
  const total = labels.length;
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, i) => sum + x * b[i], 0);
  const scale = Math.sqrt((total ** 2 - dot(inPredicted, inPredicted)) * (total ** 2 - dot(inLabels, inLabels)));
  return scale === 0 ? 0 : (correct * total - dot(inPredicted, inLabels)) / scale;
}

/** Of an MCC estimated from so many items: (1 - mcc²) / √items, the large-sample error of a correlation coefficient, which the MCC of two classes is (Fisher 1915; Matthews 1975). */
export const standardErrorOfMcc = (value: number, items: number): number => (1 - value ** 2) / Math.sqrt(items);

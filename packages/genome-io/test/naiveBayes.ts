import type { LabelledSequence } from '../src/index';

/** What a classifier looks at: strings that a sequence has. */
export type Features = (sequence: string) => Iterable<string>;
export const kmers = (k: number): Features => function* (sequence) {
  for (let at = 0; at + k <= sequence.length; at++) yield sequence.slice(at, at + k);
};
/** k-mers that know where they stand. */
export const placedKmers = (k: number): Features => function* (sequence) {
  for (let at = 0; at + k <= sequence.length; at++) yield `${at}${sequence.slice(at, at + k)}`;
};

/** Multinomial naive Bayes with add-one smoothing: the smallest classifier that can show whether labels can be learnt. Returns the Matthews coefficient (Gorodkin 2004) on `test`, 0 when all predictions are one class. */
export function naiveBayesMcc(features: Features, train: readonly LabelledSequence[], test: readonly LabelledSequence[]): number {
  const classes = 1 + Math.max(...test.map(({ label }) => label));
  const counts = new Map<string, Float64Array>();
  const totals = new Float64Array(classes);
  for (const { sequence, label } of train) for (const feature of features(sequence)) {
    let row = counts.get(feature);
    if (!row) counts.set(feature, (row = new Float64Array(classes)));
    row[label]++;
    totals[label]++;
  }
  const confusion = Array.from({ length: classes }, () => new Float64Array(classes));
  for (const { sequence, label } of test) {
    const scores = new Float64Array(classes);
    for (const feature of features(sequence)) {
      const row = counts.get(feature);
      for (let c = 0; c < classes; c++) scores[c] += Math.log(((row?.[c] ?? 0) + 1) / (totals[c] + counts.size));
    }
    confusion[label][scores.indexOf(Math.max(...scores))]++;
  }
  const sum = (list: Iterable<number>) => [...list].reduce((a, b) => a + b, 0);
  const actual = confusion.map(sum);
  const predicted = actual.map((_, c) => sum(confusion.map((row) => row[c])));
  const n = sum(actual);
  const dot = (a: readonly number[], b: readonly number[]) => sum(a.map((x, i) => x * b[i]));
  const spread = (n * n - dot(predicted, predicted)) * (n * n - dot(actual, actual));
  return spread === 0 ? 0 : (n * sum(confusion.map((row, c) => row[c])) - dot(actual, predicted)) / Math.sqrt(spread);
}

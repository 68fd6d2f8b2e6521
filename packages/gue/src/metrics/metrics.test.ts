import fc from 'fast-check';
import golden from '../../test/golden/metrics/metrics.json';
import fixture from '../../test/golden/metrics/sklearn.json';
import { accuracy, f1Macro, f1Micro, f1Weighted, mcc, metricsOnCounts, precisionMacro, recallMacro, type MetricName } from './classification';
import { confusionMatrix, createConfusionMatrix } from './confusion';
import { auprc, auroc } from './ranking';

interface GoldenCase { y_true: number[]; y_pred: number[]; scores?: number[] | number[][]; confusion_matrix: number[][]; labels_used: number[]; [metric: string]: unknown }
const cases = Object.entries(golden.classification as unknown as Record<string, GoldenCase>);
const value = (entry: unknown): number | undefined => (entry as { value?: number } | undefined)?.value;

describe.each(cases)('scikit-learn 1.2.1, case %s, to the last bit', (_, golden) => {
  test.each([
    ['mcc', mcc], ['accuracy', accuracy], ['f1_macro', f1Macro], ['f1_micro', f1Micro], ['f1_weighted', f1Weighted],
    ['precision_macro', precisionMacro], ['recall_macro', recallMacro],
  ] as const)('%s', (name, metric) => expect(metric(golden.y_true, golden.y_pred)).toBe(value(golden[name])));

  test('the counts', () => {
    const { classes, counts } = confusionMatrix(golden.y_true, golden.y_pred);
    const rows = golden.labels_used.map((row) => golden.labels_used.map((column) => counts[row * classes + column]));
    expect(rows).toEqual(golden.confusion_matrix);
  });

  if (golden.scores && typeof golden.scores[0] === 'number') {
    const scores = golden.scores as number[];
    const area = value(golden.auroc);
    test('auroc', () =>
      area === undefined ? expect(() => auroc(golden.y_true, scores)).toThrow('both classes') : expect(Math.abs(auroc(golden.y_true, scores) - area)).toBeLessThan(2.3e-16));
    test('auprc', () => expect(auprc(golden.y_true, scores)).toBe(value(golden.auprc_average_precision)));
  }
});

test.each(fixture.cases.map((c) => [c.classes, c] as const))('%i classes, drawn at random, to the last bit', (_, random) => {
  const matrix = createConfusionMatrix(random.classes);
  for (const [row, column, count] of random.cells) matrix.counts[row * random.classes + column] = count;
  for (const name of Object.keys(metricsOnCounts) as MetricName[]) expect([name, metricsOnCounts[name](matrix)]).toEqual([name, random[name]]);
});

test('areas with and without ties', () => {
  for (const { labels, scores, ...expected } of fixture.ranked) {
    expect(Math.abs(auroc(labels, scores) - expected.auroc)).toBeLessThan(2.3e-16);
    expect(auprc(labels, scores)).toBe(expected.auprc);
  }
});

const items = fc.integer({ min: 2, max: 6 }).chain((classes) =>
  fc.array(fc.tuple(fc.nat(classes - 1), fc.nat(classes - 1)), { minLength: 1, maxLength: 60 }).map((pairs) => ({ classes, labels: pairs.map(([y]) => y), predicted: pairs.map(([, p]) => p) })));

describe('properties', () => {
  test('the MCC is symmetric in truth and prediction, and lies in -1 to 1', () =>
    fc.assert(fc.property(items, ({ labels, predicted }) => {
      expect(mcc(labels, predicted)).toBe(mcc(predicted, labels));
      expect(Math.abs(mcc(labels, predicted))).toBeLessThanOrEqual(1 + 1e-15);
    })));
  test('renaming the classes changes nothing', () =>
    fc.assert(fc.property(items, ({ classes, labels, predicted }) => {
      const rename = (k: number) => classes - 1 - k;
      for (const metric of [mcc, f1Macro, accuracy, f1Weighted]) expect(metric(labels.map(rename), predicted.map(rename))).toBeCloseTo(metric(labels, predicted), 14);
    })));
  test('perfect predictions score 1 unless there is one class', () =>
    fc.assert(fc.property(items, ({ labels }) => {
      expect([accuracy(labels, labels), f1Macro(labels, labels)]).toEqual([1, 1]);
      expect(mcc(labels, labels)).toBe(new Set(labels).size > 1 ? 1 : 0);
    })));
  test('reversing the scores mirrors the ROC curve', () =>
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(1), fc.integer({ min: -5, max: 5 })), { minLength: 2 }), (pairs) => {
      const labels = [0, 1, ...pairs.map(([y]) => y)];
      const scores = [0, 0, ...pairs.map(([, s]) => s)];
      expect(auroc(labels, scores) + auroc(labels, scores.map((s) => -s))).toBeCloseTo(1, 12);
    })));
});

test('bad input is one clear line', () => {
  expect(() => mcc([], [])).toThrow('confusionMatrix: expected at least one item, got none');
  expect(() => mcc([0, 1], [0])).toThrow('expected one prediction for each of 2 labels, got 1');
  expect(() => accuracy([0, 1], [0, 0.5])).toThrow('got 0.5 at item 1');
  expect(() => accuracy([0, -1], [0, 0])).toThrow('got -1 at item 1');
  expect(() => auroc([0, 2], [0, 1])).toThrow('expected labels 0 and 1, got 2');
});

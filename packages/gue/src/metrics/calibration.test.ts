import golden from '../../test/golden/metrics/metrics.json';
import fixture from '../../test/golden/metrics/calibration.json';
import { brierScore, expectedCalibrationError, logLoss, reliability } from './calibration';

const cases = Object.entries(golden.classification as unknown as Record<string, { y_true: number[]; scores: number[]; brier?: { value?: number } }>).filter(([, { brier }]) => brier?.value !== undefined);
test.each(cases)('Brier score of scikit-learn 1.2.1, case %s, to the last bit', (_, { y_true, scores, brier }) => expect(brierScore(y_true, scores)).toBe(brier!.value));

test.each(fixture.cases.map((c) => [c.labels.length, c.probabilities[0].length, c] as const))('log-loss of scikit-learn 1.2.1 and calibration error of numpy, %i items, %i classes', (_, classes, c) => {
  expect(Math.abs(logLoss(c.labels, c.probabilities) / c.logLoss - 1)).toBeLessThan(1e-14);
  expect(Math.abs(expectedCalibrationError(c.labels, c.probabilities) - c.expectedCalibrationError)).toBeLessThan(1e-12);
  if (classes === 2) expect(brierScore(c.labels, c.probabilities.map(([, p]) => p))).toBeCloseTo(c.brier!, 15);
});

test('the bins of a reliability diagram hold all items, the empty ones are left out', () => {
  expect(reliability([0, 1, 1], [[1, 0], [0.4, 0.6], [0.6, 0.4]], 5)).toEqual([{ items: 2, confidence: 0.6, accuracy: 0.5 }, { items: 1, confidence: 1, accuracy: 1 }]);
});

test('certainty about the wrong class costs much, and not infinitely much', () => expect(logLoss([0], [[0, 1]])).toBeCloseTo(52 * Math.LN2, 6));

test('bad input is one clear line', () => {
  expect(() => brierScore([1], [2])).toThrow('expected probabilities from 0 to 1, got 2 at item 0; pass probabilities, not logits');
  expect(() => logLoss([2], [[0.5, 0.5]])).toThrow('expected labels from 0 to 1, got 2 at item 0');
  expect(() => logLoss([], [])).toThrow('expected at least one item');
});

import fc from 'fast-check';
import { createRandom } from '@genomelm/kernels';
import { mcc, standardErrorOfMcc } from './mcc';

test('two classes: the formula of Matthews', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.nat({ max: 1 }), fc.nat({ max: 1 })), { minLength: 1 }), (pairs) => {
    const count = (label: number, predicted: number) => pairs.filter(([a, b]) => a === label && b === predicted).length;
    const [tn, fp, fn, tp] = [count(0, 0), count(0, 1), count(1, 0), count(1, 1)];
    const scale = Math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn));
    const expected = scale === 0 ? 0 : (tp * tn - fp * fn) / scale;
    expect(mcc(pairs.map(([a]) => a), pairs.map(([, b]) => b), 2)).toBeCloseTo(expected, 12);
  }));
});

test('three classes, worked out by hand', () => {
  expect(mcc([0, 1, 2, 2, 1, 0], [0, 2, 2, 2, 1, 1], 3)).toBeCloseTo(0.5222329678670935, 15); // 4 of 6 right: (4 * 6 - 12) / sqrt((36 - 14) * (36 - 12))
});

test('one class predicted is 0', () => {
  expect(mcc([0, 1, 1], [1, 1, 1], 2)).toBe(0);
});

test('the standard error is the spread over samples drawn anew', () => {
  const random = createRandom(1);
  const sample = () => {
    const labels = Array.from({ length: 500 }, () => random.integer(2));
    return mcc(labels, labels.map((label) => (random.uniform() < 0.75 ? label : 1 - label)), 2); // an MCC of 0.5 in the long run
  };
  const scores = Array.from({ length: 2000 }, sample);
  const mean = scores.reduce((a, b) => a + b) / scores.length;
  const spread = Math.sqrt(scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / scores.length);
  expect(spread / standardErrorOfMcc(0.5, 500)).toBeGreaterThan(0.9);
  expect(spread / standardErrorOfMcc(0.5, 500)).toBeLessThan(1.2);
});

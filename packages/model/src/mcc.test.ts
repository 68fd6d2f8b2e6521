import fc from 'fast-check';
import { mcc } from './mcc';

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

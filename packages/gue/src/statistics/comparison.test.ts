import golden from '../../test/golden/metrics/metrics.json';
import { benjaminiHochberg } from './multipleTests';
import { bootstrapInterval, pairedBootstrap } from './bootstrap';
import { equivalenceTest, minimumDetectableDifference, pairedTost } from './equivalence';
import { compareFamilies } from './families';
import { mcnemar } from './mcnemar';
import { permutationTest } from './permutation';
import { createResampleRandom } from './random';
import { studentCdf } from './studentT';

/** Two models that are right on given shares of items, independently. */
function models(items: number, seed: number, shareA = 0.8, shareB = 0.7) {
  const random = createResampleRandom(seed, 0);
  const labels = Array.from({ length: items }, () => (random() < 0.5 ? 1 : 0));
  const predict = (share: number) => labels.map((label) => (random() < share ? label : 1 - label));
  return { labels, a: predict(shareA), b: predict(shareB) };
}

test.each(golden.tests.multiple.map((g) => [g.p.length, g] as const))('Benjamini-Hochberg and -Yekutieli equal statsmodels 0.13.5 on %i p-values', (_, { p, fdr_bh, fdr_by }) => {
  benjaminiHochberg(p).forEach((value, i) => expect(Math.abs(value - fdr_bh.adjusted[i])).toBeLessThan(1e-12));
  benjaminiHochberg(p, { dependent: true }).forEach((value, i) => expect(Math.abs(value - fdr_by.adjusted[i])).toBeLessThan(1e-12));
  expect(() => benjaminiHochberg([0.5, 2])).toThrow('expected p-values from 0 to 1, got 2');
});

describe('exchanging predictions', () => {
  test('the exact test of accuracy is McNemar\'s exact test', () => {
    for (let seed = 0; seed < 5; seed++) {
      const { labels, a, b } = models(24, seed);
      const exact = permutationTest({ labels, a, b, metric: 'accuracy', permutations: 2 ** 17 });
      expect(exact.exact).toBe(true);
      expect(exact.pValue).toBeCloseTo(mcnemar({ labels, a, b }).pValue, 12);
    }
  });
  test('drawn exchanges come close to all of them, and the same seed draws the same', () => {
    const options = { ...models(28, 7, 0.9, 0.6), metric: 'mcc' } as const;
    const [exact, drawn] = [permutationTest({ ...options, permutations: 2 ** 17 }), permutationTest({ ...options, permutations: 4000, seed: 1 })];
    expect([exact.exact, drawn.exact]).toEqual([true, false]);
    expect(Math.abs(exact.pValue - drawn.pValue)).toBeLessThan(0.03);
    expect(permutationTest({ ...options, permutations: 4000, seed: 1 })).toEqual(drawn);
  });
  test('two equal models differ by nothing', () => {
    const { labels, a } = models(50, 1);
    expect(permutationTest({ labels, a, b: a, metric: 'mcc' })).toEqual({ difference: 0, pValue: 1, permutations: 1, exact: true });
  });
  test('each model says one class an item', () => expect(() => permutationTest({ labels: [0, 1, 0, 1], a: [0, 1, 0, 1, 1], b: [0, 1, 0], metric: 'mcc' })).toThrow('permutationTest: expected one prediction for each of 4 labels, got 5'));
});

describe('equivalence', () => {
  const { labels, a, b } = models(2000, 3, 0.8, 0.8);
  test('two models of equal strength are equal within 5 points, and not within half a point', () => {
    const wide = equivalenceTest({ labels, a, b, metric: 'accuracy', margin: 0.05, resamples: 2000 });
    expect(wide.equivalent).toBe(true);
    expect(wide.pValue).toBeLessThan(0.05);
    const narrow = equivalenceTest({ labels, a, b, metric: 'accuracy', margin: 0.005, resamples: 2000 });
    expect(narrow.equivalent).toBe(false);
    expect(narrow.pValue).toBeGreaterThan(0.05);
  });
  test('both one-sided tests reject where the 90 % interval lies inside', () => {
    const { interval, difference } = equivalenceTest({ labels, a, b, metric: 'mcc', margin: 0.1, resamples: 2000 });
    expect(interval.level).toBeCloseTo(0.9, 12);
    const paired = pairedBootstrap({ labels, a, b, metric: 'mcc', level: 0.9, method: 'percentile', resamples: 2000 });
    expect([difference, interval.low, interval.high]).toEqual([paired.difference, paired.interval.low, paired.interval.high]);
    expect(() => equivalenceTest({ labels, a, b, metric: 'mcc', margin: 0 })).toThrow('expected a margin above 0, got 0');
  });
  test('the least difference that is found agrees with the formula for accuracies', () => {
    const [onlyA, onlyB] = [labels.filter((y, i) => a[i] === y && b[i] !== y).length, labels.filter((y, i) => a[i] !== y && b[i] === y).length];
    const n = labels.length;
    const standardError = Math.sqrt((onlyA + onlyB) / n ** 2 - (onlyA - onlyB) ** 2 / n ** 3);
    const found = minimumDetectableDifference({ labels, a, b, metric: 'accuracy', resamples: 4000 });
    expect(Math.abs(found / ((1.959964 + 0.841621) * standardError) - 1)).toBeLessThan(0.04);
  });
});

describe('clusters', () => {
  const { labels, a } = models(300, 5);
  const width = ({ low, high }: { low: number; high: number }) => high - low;
  test.each(['bca', 'percentile'] as const)('of one item each they are the items (%s)', (method) => {
    const options = { labels, predicted: a, metric: 'mcc', method, resamples: 500 } as const;
    expect(bootstrapInterval({ ...options, clusters: labels.map((_, item) => item) })).toEqual(bootstrapInterval(options));
  });
  test('copies of each item make no interval narrower', () => {
    const copies = <T>(values: readonly T[]) => values.flatMap((value) => [value, value, value, value]);
    const options = { metric: 'mcc', resamples: 2000 } as const;
    const once = width(bootstrapInterval({ labels, predicted: a, ...options }));
    const copied = { labels: copies(labels), predicted: copies(a), ...options };
    expect(width(bootstrapInterval(copied))).toBeLessThan(0.6 * once);
    expect(Math.abs(width(bootstrapInterval({ ...copied, clusters: copies(labels.map((_, item) => item)) })) / once - 1)).toBeLessThan(1e-9);
  });
  test('one for each item, please', () => expect(() => bootstrapInterval({ labels, predicted: a, metric: 'mcc', clusters: [1] })).toThrow('expected a cluster for each of 300 items, got 1'));
});

describe('two one-sided t-tests against statsmodels 0.13.5, ttost_paired', () => {
  const bits = (text: string) => [...text].map(Number);
  const [a, b] = [bits('1011011010101011000111110111001101111000'), bits('1010110111111111111111100111101111101111')];
  test.each([[0.1, 0.895216858813583, -1.2758185038468166, -3.317128110001723], [0.3, 0.224293607462426, 0.7654911023080898, -5.35843771615663]])('margin %f', (margin, p, lower, upper) => {
    const tost = pairedTost({ a, b, margin });
    expect(Math.abs(tost.pValue / p - 1)).toBeLessThan(1e-12);
    expect([tost.t[0], tost.t[1]]).toEqual([expect.closeTo(lower, 12), expect.closeTo(upper, 12)]);
  });
  test('the bootstrap of the same differences comes to nearly the same p-value', () => {
    const { labels, a: first, b: second } = models(2000, 3, 0.8, 0.8);
    const right = (predicted: readonly number[]) => predicted.map((prediction, item) => Number(prediction === labels[item]));
    const classical = pairedTost({ a: right(first), b: right(second), margin: 0.02 });
    const bootstrap = equivalenceTest({ labels, a: first, b: second, metric: 'accuracy', margin: 0.02 });
    expect(Math.abs(classical.pValue - bootstrap.pValue)).toBeLessThan(0.02);
  });
  test('Student\'s distribution is scipy\'s', () => [[-2.1, 3, 0.0632826], [0.3, 10, 0.6148397], [4, 999, 0.99996599]].forEach(([t, degrees, p]) => expect(studentCdf(t, degrees)).toBeCloseTo(p, 7)));
});

describe('families of tasks', () => {
  const of = (values: readonly number[]) => values.map((difference, i) => ({ family: `f${i}`, difference }));
  test('Wilcoxon\'s p-value is that of scipy 1.10.1, exact', () => expect(compareFamilies(of([1.2, -0.4, 3.1, 0.7, -2.2, 5.1, 0.9])).wilcoxonPValue).toBe(0.21875));
  test('ten tasks of one family weigh as one', () => {
    const emp = Array.from({ length: 10 }, () => ({ family: 'EMP', difference: 0.05 }));
    const { families, meanDifference, signFlipPValue } = compareFamilies([...emp, { family: 'tf', difference: -0.03 }]);
    expect(families).toEqual([{ family: 'EMP', tasks: 10, difference: expect.closeTo(0.05, 12) }, { family: 'tf', tasks: 1, difference: -0.03 }]);
    expect(meanDifference).toBeCloseTo(0.01, 12);
    expect(signFlipPValue).toBe(1);
  });
  test('six families that agree cannot say more than 2/64', () => expect(compareFamilies(of([1, 2, 3, 4, 5, 6]))).toMatchObject({ signFlipPValue: 2 / 64, wilcoxonPValue: 2 / 64 }));
  test('what is no number proves nothing', () => expect(() => compareFamilies(of([1, NaN]))).toThrow('got NaN in f1'));
});

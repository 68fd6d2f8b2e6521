import fc from 'fast-check';
import golden from '../../test/golden/metrics/metrics.json';
import { accuracy, f1Macro, mcc, type MetricName } from '../metrics/classification';
import { auroc } from '../metrics/ranking';
import { bootstrapInterval, pairedBootstrap, seedMeanInterval } from './bootstrap';
import { holm } from './multipleTests';
import { quantile } from './interval';
import { mcnemar, mcnemarOfCounts } from './mcnemar';
import { chiSquareTail, erfc, normalCdf, normalQuantile } from './normal';
import { createBinomial, createMultinomial } from './multinomial';
import { createResampleRandom } from './random';
import { createCellStatistic, injectedValues } from './resample';

interface GoldenBootstrap { y_true: number[]; y_pred: number[]; statistic: string; indices: number[][]; percentile: number[]; BCa: number[]; bootstrap_distribution: number[] }
const names: Record<string, MetricName> = { accuracy: 'accuracy', mcc: 'mcc', f1_macro: 'f1Macro' };
const functions = { accuracy, mcc, f1_macro: f1Macro } as Record<string, typeof mcc>;

describe.each(Object.values(golden.bootstrap as Record<string, GoldenBootstrap>).map((g) => [g.statistic, g] as const))('scipy 1.10.1 with its own indices: %s', (statistic, g) => {
  const options = { labels: g.y_true, predicted: g.y_pred, resamples: g.indices.length, indices: (resample: number) => g.indices[resample] };
  test('the resampled values, to the last bit', () => {
    const cells = createCellStatistic(g.y_true, [g.y_pred], names[statistic], ([value]) => value);
    expect([...injectedValues(cells, options.indices, g.indices.length)]).toEqual(g.bootstrap_distribution);
  });
  test.each([['percentile', g.percentile], ['bca', g.BCa]] as const)('%s', (method, expected) => {
    for (const metric of [names[statistic], functions[statistic]]) {
      const interval = bootstrapInterval({ ...options, metric, method });
      expect(interval.method).toBe(method);
      expect(Math.abs(interval.low - expected[0])).toBeLessThan(1e-9);
      expect(Math.abs(interval.high - expected[1])).toBeLessThan(1e-9);
    }
  });
});

describe('McNemar and Holm against statsmodels 0.13.5', () => {
  interface GoldenTable { table: number[][]; exact: { p: number }; chi2_cc?: { statistic: number; p: number } }
  test.each((golden.tests.mcnemar as GoldenTable[]).map((g) => [g.table, g] as const))('table %j', (_, { table, exact, chi2_cc }) => {
    const result = mcnemarOfCounts(table[0][1], table[1][0]);
    expect(Math.abs(result.pValue / exact.p - 1)).toBeLessThan(1e-9);
    if (!chi2_cc) return;
    expect(result.chiSquare).toBeCloseTo(chi2_cc.statistic, 12);
    expect(Math.abs(result.chiSquarePValue / chi2_cc.p - 1)).toBeLessThan(1e-9);
  });
  test('a table of 44 against 20 discordant items', () => expect(mcnemarOfCounts(44, 20).pValue).toBeCloseTo(0.00368996, 8));
  test('it counts the items on which the two differ', () =>
    expect(mcnemar({ labels: [0, 0, 1, 1, 2], a: [0, 1, 1, 1, 0], b: [0, 0, 0, 2, 1] })).toMatchObject({ onlyA: 2, onlyB: 1, pValue: 1 }));
  test.each(golden.tests.multiple.map((g) => [g.p.length, g] as const))('Holm on %i p-values', (_, g) =>
    holm(g.p).forEach((p, i) => expect(Math.abs(p - g.holm.adjusted[i])).toBeLessThan(1e-12)));
});

test('normal and chi-square tails against scipy 1.10.1', () => {
  // scipy.special: erfc(0.5), erfc(1.999), erfc(2.001), erfc(5); ndtri(1e-10), ndtri(0.3); chi2.sf(3.84, 1)
  const pairs = [[erfc(0.5), 0.4795001221869535], [erfc(1.999), 0.0046984433486294865], [erfc(2.001), 0.004657109281475351], [erfc(5), 1.5374597944280347e-12],
    [normalQuantile(1e-10), -6.361340902404056], [normalQuantile(0.3), -0.5244005127080409], [chiSquareTail(3.84), 0.05004352124870519]];
  for (const [got, expected] of pairs) expect(Math.abs(got / expected - 1)).toBeLessThan(1e-12);
  fc.assert(fc.property(fc.double({ min: 1e-12, max: 1 - 1e-12, noNaN: true }), (p) => expect(normalCdf(normalQuantile(p)) / p).toBeCloseTo(1, 11)));
});

test('draws are uniform: chi-square over 64 bins within five deviations', () => {
  const bins = new Array<number>(64).fill(0);
  for (let resample = 0; resample < 1000; resample++) {
    const random = createResampleRandom(3, resample);
    for (let draw = 0; draw < 200; draw++) bins[Math.floor(random() * 64)]++;
  }
  const expected = 200_000 / 64;
  const chiSquare = bins.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  expect(Math.abs(chiSquare - 63)).toBeLessThan(5 * Math.sqrt(126));
});

describe('multinomial draws', () => {
  test.each([[5, 0.3], [30, 0.1], [40, 0.45], [400, 0.9], [9168, 0.004], [9168, 0.31]])('of %i trials at %f follow the binomial distribution: chi-square within five deviations', (n, p) => {
    const draw = createBinomial(n);
    const random = createResampleRandom(n, 1);
    const draws = 20_000;
    const seen = new Map<number, number>();
    for (let i = 0; i < draws; i++) {
      const k = draw(random, n, p);
      seen.set(k, (seen.get(k) ?? 0) + 1);
    }
    let [logProbability, chiSquare, bins, expected, count] = [n * Math.log(1 - p), 0, 0, 0, 0];
    for (let k = 0; k <= n; k++) {
      expected += draws * Math.exp(logProbability);
      count += seen.get(k) ?? 0;
      logProbability += Math.log(((n - k) / (k + 1)) * (p / (1 - p)));
      if (expected < 20 && k < n) continue;
      chiSquare += (count - expected) ** 2 / Math.max(expected, 1);
      [bins, expected, count] = [bins + 1, 0, 0];
    }
    expect(Math.abs(chiSquare - (bins - 1))).toBeLessThan(5 * Math.sqrt(2 * (bins - 1)) + 3);
  });
  test('add up, and covary as counts of one sample do: -n p q between kinds', () => {
    const weights = [5, 1, 14, 30, 50];
    const draw = createMultinomial(weights);
    const drawn = new Float64Array(5);
    const products = Array.from({ length: 5 }, () => new Float64Array(5));
    const draws = 20_000;
    for (let i = 0; i < draws; i++) {
      draw(createResampleRandom(4, i), drawn);
      expect(drawn.reduce((a, b) => a + b)).toBe(100);
      for (let j = 0; j < 5; j++) for (let k = 0; k < 5; k++) products[j][k] += ((drawn[j] - weights[j]) * (drawn[k] - weights[k])) / draws;
    }
    weights.forEach((w, j) => weights.forEach((v, k) => expect(Math.abs(products[j][k] - (j === k ? w * (1 - w / 100) : (-w * v) / 100))).toBeLessThan(1.2)));
  });
});

const labels = Array.from({ length: 200 }, (_, i) => (i * 7) % 3);
const noisy = (every: number) => labels.map((label, i) => (i % every === 0 ? (label + 1) % 3 : label));

describe('intervals', () => {
  test('agree with the textbook for an accuracy: 0.75 ± 1.96 standard errors of a binomial', () => {
    const interval = bootstrapInterval({ labels, predicted: noisy(4), metric: 'accuracy', seed: 5 });
    const halfWidth = 1.96 * Math.sqrt((0.75 * 0.25) / 200);
    expect(interval.low).toBeCloseTo(0.75 - halfWidth, 1);
    expect(interval.high).toBeCloseTo(0.75 + halfWidth, 1);
    expect(interval).toMatchObject({ level: 0.95, method: 'bca', resamples: 10_000 });
  });
  test('the same seed gives the same interval, another seed nearly so', () => {
    const of = (seed: number) => bootstrapInterval({ labels, predicted: noisy(4), metric: 'mcc', seed, resamples: 2000 });
    expect(of(1)).toEqual(of(1));
    expect(of(2)).not.toEqual(of(1));
    expect(Math.abs(of(2).low - of(1).low)).toBeLessThan(0.03);
  });
  test('fall back to percentiles, and say so, where every resample is alike', () =>
    expect(bootstrapInterval({ labels, predicted: labels, metric: 'mcc', resamples: 100 })).toEqual({ low: 1, high: 1, level: 0.95, method: 'percentile', resamples: 100 }));
  test('take any function of labels and scores', () => {
    const scores = [0.1, 0.4, 0.35, 0.8, 0.7, 0.2, 0.9, 0.6];
    const interval = bootstrapInterval({ labels: [0, 0, 1, 1, 1, 0, 1, 0], predicted: scores, metric: (y, s) => (new Set(Array.from(y)).size < 2 ? 0.5 : auroc(y, s)), resamples: 500 });
    expect(interval.low).toBeLessThan(0.875);
    expect(interval.high).toBeGreaterThan(0.875);
  });
  const accurate = (share: number, shift: number) => labels.map((label, i) => (((i * 61 + shift) % 200) / 200 < share ? label : (label + 1) % 3));
  test('a mean over seeds averages the seeds and is narrower than one seed where their errors differ', () => {
    const runs = [accurate(0.75, 0), accurate(0.75, 67), accurate(0.75, 133)];
    const all = seedMeanInterval({ labels, predictions: runs, metric: 'accuracy', resamples: 2000 });
    expect(all.values).toEqual(runs.map((run) => accuracy(labels, run)));
    expect(all.mean).toBeCloseTo((all.values[0] + all.values[1] + all.values[2]) / 3, 15);
    const one = bootstrapInterval({ labels, predicted: runs[0], metric: 'accuracy', resamples: 2000 });
    expect(all.interval.high - all.interval.low).toBeLessThan(one.high - one.low);
    expect(seedMeanInterval({ labels, predictions: [runs[0]], metric: 'accuracy', resamples: 2000 })).toMatchObject({ interval: one, standardDeviation: undefined });
  });
  test('seeds that differ widen the interval: it is of other seeds too', () => {
    const runs = [accurate(0.95, 0), accurate(0.7, 67), accurate(0.45, 133)];
    const { interval } = seedMeanInterval({ labels, predictions: runs, metric: 'accuracy', resamples: 4000, method: 'percentile' });
    // Standard error: items' and seeds' variances add; the bootstrap sees 2/3 of the latter. 1.96 times the square root of (0.25^2 x 2/3) / 3, and a little for the items.
    expect((interval.high - interval.low) / 2).toBeGreaterThan(1.7 * Math.sqrt((0.25 ** 2 * 2) / 9));
    expect((interval.high - interval.low) / 2).toBeLessThan(2.5 * Math.sqrt((0.25 ** 2 * 2) / 9));
    const { interval: paired } = pairedBootstrap({ labels, a: runs, b: runs[1], metric: 'accuracy', resamples: 4000, method: 'percentile' });
    expect(paired.high - paired.low).toBeGreaterThan(0.3);
  });
});

describe('paired bootstrap', () => {
  test('a model against itself differs by nothing', () =>
    expect(pairedBootstrap({ labels, a: noisy(4), b: noisy(4), metric: 'mcc', resamples: 200 })).toMatchObject({ difference: 0, pValue: 1, interval: { low: 0, high: 0 } }));
  test('swapping the models swaps the sign', () => {
    const forward = pairedBootstrap({ labels, a: noisy(20), b: noisy(3), metric: 'mcc', resamples: 2000, method: 'percentile' });
    const backward = pairedBootstrap({ labels, a: noisy(3), b: noisy(20), metric: 'mcc', resamples: 2000, method: 'percentile' });
    expect(forward.difference).toBe(forward.a - forward.b);
    expect(backward.difference).toBe(-forward.difference);
    expect(backward.interval.low).toBeCloseTo(-forward.interval.high, 14);
    expect(forward.interval.low).toBeGreaterThan(0);
    expect(forward.pValue).toBe(2 / 2001);
  });
  test('is tighter than two unpaired intervals where the models err on the same items', () => {
    const a = noisy(4);
    const b = a.map((prediction, i) => (i === 1 ? (prediction + 1) % 3 : prediction));
    const { interval } = pairedBootstrap({ labels, a, b, metric: 'accuracy', resamples: 2000 });
    expect(interval.high - interval.low).toBeLessThan(0.03);
  });
});

test('quantiles interpolate as numpy does', () => {
  expect([0, 0.1, 0.5, 0.99, 1].map((q) => quantile([1, 2, 4, 8], q))).toEqual([1, 1.3, 3, 7.88, 8].map((x) => expect.closeTo(x, 12)));
  expect(quantile([5], 0.3)).toBe(5);
});

test('bad input is one clear line', () => {
  expect(() => bootstrapInterval({ labels, predicted: labels, metric: 'auc' as MetricName })).toThrow('expected a metric among mcc, f1Macro');
  expect(() => bootstrapInterval({ labels, predicted: labels, metric: 'mcc', level: 95 })).toThrow('expected a level between 0 and 1, got 95');
  expect(() => pairedBootstrap({ labels, a: labels, b: [0], metric: 'mcc' })).toThrow('expected one prediction for each of 200 labels, got 1');
  expect(() => holm([0.1, 2])).toThrow('expected p-values from 0 to 1, got 2');
});

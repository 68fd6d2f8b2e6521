import type { Interval } from '../runRecord';
import type { Scored } from './bootstrap';
import { intervalOf, quantile } from './interval';
import { normalQuantile } from './normal';
import { createCellStatistic } from './resample';
import { studentCdf } from './studentT';

type Paired = Scored & { readonly a: ArrayLike<number>; readonly b: ArrayLike<number> };

export interface Equivalence {
  /** Metric of a minus metric of b. */
  readonly difference: number;
  /** The margin that was declared. */
  readonly margin: number;
  /** Of the larger of the two one-sided tests: small means that the difference lies within the margin. */
  readonly pValue: number;
  /** At level 1 - 2 alpha: it lies within the margin where both tests reject at alpha. */
  readonly interval: Interval;
  readonly equivalent: boolean;
}

/**
 * Are two models equal but for a margin? Two one-sided tests (Schuirmann 1987) over paired resamples of the items, as percentiles. The margin has to be declared before one looks.
 * @param options.margin - on the metric's own scale, for example 0.02
 * @param options.alpha - 0.05 unless given
 */
export function equivalenceTest(options: Omit<Paired, 'level' | 'method'> & { readonly margin: number; readonly alpha?: number }): Equivalence {
  const { labels, a, b, metric, margin, alpha = 0.05 } = options;
  if (!(margin > 0)) throw new RangeError(`equivalenceTest: expected a margin above 0, got ${margin}; say how large a difference would not matter, for example 0.02`);
  const { estimate, interval, sorted } = intervalOf(createCellStatistic(labels, [a, b], metric, ([first, second]) => first - second), { ...options, level: 1 - 2 * alpha, method: 'percentile' });
  const beyond = (outside: (difference: number) => boolean) => (sorted.filter(outside).length + 1) / (sorted.length + 1);
  const pValue = Math.max(beyond((difference) => difference <= -margin), beyond((difference) => difference >= margin));
  return { difference: estimate, margin, pValue, interval, equivalent: quantile(sorted, alpha) > -margin && quantile(sorted, 1 - alpha) < margin };
}

/** Two one-sided t-tests of paired values. */
export interface PairedTost {
  /** Mean of a minus mean of b. */
  readonly difference: number;
  /** Of the test against -margin, and of the one against +margin. */
  readonly t: readonly [lower: number, upper: number];
  /** Of the larger of the two. */
  readonly pValue: number;
}

/**
 * The classical form of {@link equivalenceTest} for means of paired values, such as 1 and 0 for right and wrong: two one-sided paired t-tests (Schuirmann 1987); statsmodels' `ttost_paired`.
 * Where all differences are equal, t is infinite, and NaN where they also equal the margin.
 */
export function pairedTost({ a, b, margin }: { readonly a: ArrayLike<number>; readonly b: ArrayLike<number>; readonly margin: number }): PairedTost {
  const n = a.length;
  if (n < 2 || b.length !== n) throw new RangeError(`pairedTost: expected two lists of the same length, at least 2, got ${n} and ${b.length}; pass one value an item`);
  if (!(margin > 0)) throw new RangeError(`pairedTost: expected a margin above 0, got ${margin}; say how large a difference would not matter, for example 0.02`);
  const differences = Array.from(a, (value, item) => value - b[item]);
  const difference = differences.reduce((sum, value) => sum + value, 0) / n;
  const standardError = Math.sqrt(differences.reduce((sum, value) => sum + (value - difference) ** 2, 0) / (n - 1) / n);
  const t = [(difference + margin) / standardError, (difference - margin) / standardError] as const;
  return { difference, t, pValue: Math.max(studentCdf(-t[0], n - 1), studentCdf(t[1], n - 1)) };
}

/**
 * The smallest true difference that a paired comparison of two such models on such a test set would find with the given power: (z of 1 - alpha / 2, plus z of the power) standard errors of the difference, these from resamples of the items.
 * A difference below it says nothing either way.
 * @param options.power - 0.8 unless given
 * @param options.alpha - two-sided, 0.05 unless given
 */
export function minimumDetectableDifference(options: Omit<Paired, 'level' | 'method'> & { readonly power?: number; readonly alpha?: number }): number {
  const { labels, a, b, metric, power = 0.8, alpha = 0.05 } = options;
  if (!(power > 0 && power < 1 && alpha > 0 && alpha < 1)) throw new RangeError(`minimumDetectableDifference: expected power and alpha between 0 and 1, got ${power} and ${alpha}; 0.8 and 0.05 are usual`);
  const { sorted } = intervalOf(createCellStatistic(labels, [a, b], metric, ([first, second]) => first - second), { ...options, method: 'percentile' });
  const centre = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  const standardError = Math.sqrt(sorted.reduce((sum, value) => sum + (value - centre) ** 2, 0) / Math.max(1, sorted.length - 1));
  return (normalQuantile(1 - alpha / 2) + normalQuantile(power)) * standardError;
}

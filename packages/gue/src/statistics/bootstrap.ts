import { mean } from '../metrics/pairwiseSum';
import type { Interval } from '../runRecord';
import { intervalOf, type BootstrapOptions } from './interval';
import { cellCounts, createCellStatistic, type Metric } from './resample';

/** Test items and what to compute on them. */
export interface Scored extends BootstrapOptions {
  /** True classes, `[items]`. */
  readonly labels: ArrayLike<number>;
  readonly metric: Metric;
}

/**
 * A confidence interval of a metric, by resampling the test items with replacement.
 * It tells how far the score would move with another test set of this size, and says nothing of another training run: for that see {@link seedMeanInterval}.
 */
export function bootstrapInterval(options: Scored & { readonly predicted: ArrayLike<number> }): Interval {
  return intervalOf(createCellStatistic(options.labels, [options.predicted], options.metric, ([value]) => value), options).interval;
}

/** A model's score over several seeds. */
export interface SeedMean {
  readonly mean: number;
  /** Standard deviation between seeds (n - 1); undefined for one seed. */
  readonly standardDeviation: number | undefined;
  /** Of the mean, by resampling seeds and items: each resample draws items once, as many seeds as there are, and averages these on those. */
  readonly interval: Interval;
  /** One value a seed. */
  readonly values: readonly number[];
}

/**
 * The mean over seeds, with an interval that holds for other test items and for other seeds. Of few seeds it holds a little too little of their spread:
 * a bootstrap sees (seeds - 1) / seeds of the variance.
 */
export function seedMeanInterval(options: Scored & { readonly predictions: readonly ArrayLike<number>[] }): SeedMean {
  const { labels, metric, predictions } = options;
  if (predictions.length === 0) throw new RangeError('seedMeanInterval: expected the predictions of at least one seed, got none; pass one list a run');
  const { estimate, interval } = intervalOf(createCellStatistic(labels, predictions, metric, meanOfSeeds), options);
  const values = predictions.map((predicted) => valueOf(labels, predicted, metric));
  const spread = values.reduce((sum, value) => sum + (value - estimate) ** 2, 0);
  return { mean: estimate, standardDeviation: values.length > 1 ? Math.sqrt(spread / (values.length - 1)) : undefined, interval, values };
}

/** The mean, and in a resample that of as many values drawn with replacement. */
const meanOfSeeds = (values: readonly number[], random?: () => number): number =>
  mean(random && values.length > 1 ? values.map(() => values[Math.floor(random() * values.length)]) : values);

/** The difference of two models on the same items. */
export interface PairedComparison {
  /** The metric of each. */
  readonly a: number;
  readonly b: number;
  /** a minus b. */
  readonly difference: number;
  readonly interval: Interval;
  /** Two-sided, for the null hypothesis of no difference: 2 (min(#resamples <= 0, #resamples >= 0) + 1) / (resamples + 1), at most 1. */
  readonly pValue: number;
}

/** Predictions of one run, `[items]`, or of several seeds. */
export type Runs = ArrayLike<number> | readonly ArrayLike<number>[];

/**
 * Compares two models by resampling items in pairs: each resample scores both on the same draw, so that what is hard for both cancels.
 * Of a model with several seeds the mean of their scores is compared, and each resample draws seeds beside items: see {@link seedMeanInterval}.
 */
export function pairedBootstrap(options: Scored & { readonly a: Runs; readonly b: Runs }): PairedComparison {
  const { labels, metric } = options;
  const [a, b] = [runsOf(options.a), runsOf(options.b)];
  const combine = (values: readonly number[], random?: () => number) => meanOfSeeds(values.slice(0, a.length), random) - meanOfSeeds(values.slice(a.length), random);
  const { estimate, interval, sorted } = intervalOf(createCellStatistic(labels, [...a, ...b], metric, combine), options);
  const notAbove = sorted.filter((difference) => difference <= 0).length;
  const notBelow = sorted.filter((difference) => difference >= 0).length;
  const pValue = Math.min(1, (2 * (Math.min(notAbove, notBelow) + 1)) / (sorted.length + 1));
  const scoreOf = (runs: readonly ArrayLike<number>[]) => mean(runs.map((predicted) => valueOf(labels, predicted, metric)));
  return { a: scoreOf(a), b: scoreOf(b), difference: estimate, interval, pValue };
}

const runsOf = (runs: Runs): readonly ArrayLike<number>[] => (typeof runs[0] === 'object' ? (runs as readonly ArrayLike<number>[]) : [runs as ArrayLike<number>]);

function valueOf(labels: ArrayLike<number>, predicted: ArrayLike<number>, metric: Metric): number {
  const statistic = createCellStatistic(labels, [predicted], metric, ([value]) => value);
  return statistic.value(cellCounts(statistic));
}

import { metricsOnCounts, type MetricName } from '../metrics/classification';
import { checkPairs, confusionMatrix, createConfusionMatrix, largestClass } from '../metrics/confusion';
import { createResampleRandom } from './random';

/** A metric by name (fast: it is computed from counts), or any function of labels and predictions that does not depend on the order of the items. */
export type Metric = MetricName | ((labels: ArrayLike<number>, predicted: ArrayLike<number>) => number);

/** Gives the items of a resample, as many as there are items; for comparing with another implementation's draw. */
export type IndexSource = (resample: number) => ArrayLike<number>;

/**
 * A statistic of the test items, in a form that makes resampling cheap: items with equal label and equal predictions share a cell,
 * and the statistic depends only on how many items fall into each.
 */
export interface CellStatistic {
  readonly items: number;
  /** `[items]` */
  readonly cellOfItem: Uint32Array;
  readonly cells: number;
  /** @param counts - `[cells]`, items in each cell */
  value(counts: Float64Array): number;
}

/**
 * The statistic `combine(metric of the first predictor, metric of the second, …)`.
 * @param labels - `[items]`
 * @param predictors - predictions of each model or seed, `[items]` each
 */
export function createCellStatistic(
  labels: ArrayLike<number>, predictors: readonly ArrayLike<number>[], metric: Metric, combine: (values: readonly number[]) => number,
): CellStatistic {
  for (const predicted of predictors) checkPairs('bootstrap', labels, predicted);
  const cellOfItem = new Uint32Array(labels.length);
  const firstItems: number[] = [];
  const known = new Map<string, number>();
  for (let item = 0; item < labels.length; item++) {
    let key = String(labels[item]);
    for (const predicted of predictors) key += ` ${predicted[item]}`;
    let cell = known.get(key);
    if (cell === undefined) {
      known.set(key, (cell = firstItems.length));
      firstItems.push(item);
    }
    cellOfItem[item] = cell;
  }
  const cellLabels = firstItems.map((item) => labels[item]);
  const metrics = predictors.map((predicted) => metricOnCells(metric, cellLabels, firstItems.map((item) => predicted[item])));
  return { items: labels.length, cellOfItem, cells: firstItems.length, value: (counts) => combine(metrics.map((each) => each(counts))) };
}

/** One predictor's metric as a function of the number of items in each cell. */
function metricOnCells(metric: Metric, labels: readonly number[], predicted: readonly number[]): (counts: Float64Array) => number {
  if (typeof metric !== 'string')
    return (counts) => {
      const repeat = (values: readonly number[]) => values.flatMap((value, cell) => new Array<number>(counts[cell]).fill(value));
      return metric(repeat(labels), repeat(predicted));
    };
  const compute = metricsOnCounts[metric];
  if (!compute) throw new TypeError(`bootstrap: expected a metric among ${Object.keys(metricsOnCounts).join(', ')}, got ${String(metric)}; or pass a function of labels and predictions`);
  const classes = 1 + largestClass(labels, predicted);
  confusionMatrix(labels, predicted, classes); // Refuses values that are not classes.
  const matrix = createConfusionMatrix(classes);
  return (counts) => {
    matrix.counts.fill(0);
    for (let cell = 0; cell < counts.length; cell++) matrix.counts[labels[cell] * classes + predicted[cell]] += counts[cell];
    return compute(matrix);
  };
}

/** Items in each cell of the whole sample, `[cells]`. */
export function cellCounts({ cellOfItem, cells }: CellStatistic): Float64Array {
  const counts = new Float64Array(cells);
  for (let item = 0; item < cellOfItem.length; item++) counts[cellOfItem[item]]++;
  return counts;
}

/** The statistic on `resamples` samples of as many items, drawn with replacement. An item's chance differs from 1/items by at most 2^-32. */
export function resampledValues(statistic: CellStatistic, resamples: number, seed: number, indices?: IndexSource): Float64Array {
  const { items, cellOfItem, cells } = statistic;
  const counts = new Float64Array(cells);
  return Float64Array.from({ length: resamples }, (_, resample) => {
    counts.fill(0);
    if (indices) {
      const drawn = indices(resample);
      for (let draw = 0; draw < drawn.length; draw++) counts[cellOfItem[drawn[draw]]]++;
    } else {
      const random = createResampleRandom(seed, resample);
      for (let draw = 0; draw < items; draw++) counts[cellOfItem[(random() * items) | 0]]++;
    }
    return statistic.value(counts);
  });
}

/** What is drawn together: the cells of the items of each cluster. Items of one cluster depend on each other, those of different ones do not. */
export function cellsOfClusters({ items, cellOfItem }: CellStatistic, clusters: ArrayLike<number>): Uint32Array[] {
  if (clusters.length !== items) throw new RangeError(`bootstrap: expected a cluster for each of ${items} items, got ${clusters.length}; pass them in the order of the file`);
  const members = new Map<number, number[]>();
  for (let item = 0; item < items; item++) {
    const cells = members.get(clusters[item]);
    if (cells) cells.push(cellOfItem[item]);
    else members.set(clusters[item], [cellOfItem[item]]);
  }
  return [...members.values()].map((cells) => Uint32Array.from(cells));
}

/** The statistic on `resamples` samples of as many clusters, drawn whole and with replacement; their sizes differ. */
export function resampledClusterValues(statistic: CellStatistic, clusters: readonly Uint32Array[], resamples: number, seed: number): Float64Array {
  const counts = new Float64Array(statistic.cells);
  return Float64Array.from({ length: resamples }, (_, resample) => {
    counts.fill(0);
    const random = createResampleRandom(seed, resample);
    for (let draw = 0; draw < clusters.length; draw++) {
      const cells = clusters[(random() * clusters.length) | 0];
      for (let i = 0; i < cells.length; i++) counts[cells[i]]++;
    }
    return statistic.value(counts);
  });
}

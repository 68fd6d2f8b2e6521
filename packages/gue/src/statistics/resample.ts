import { metricsOnCounts, type MetricName } from '../metrics/classification';
import { checkPairs, confusionMatrix, createConfusionMatrix, largestClass } from '../metrics/confusion';
import { createMultinomial } from './multinomial';
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
  /**
   * @param counts - `[cells]`, items in each cell
   * @param random - of a resample, for what is resampled beside the items; absent for the sample itself
   */
  value(counts: Float64Array, random?: () => number): number;
}

/**
 * The statistic `combine(metric of the first predictor, metric of the second, …)`.
 * @param labels - `[items]`
 * @param predictors - predictions of each model or seed, `[items]` each
 */
export function createCellStatistic(
  labels: ArrayLike<number>, predictors: readonly ArrayLike<number>[], metric: Metric, combine: (values: readonly number[], random?: () => number) => number,
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
  return { items: labels.length, cellOfItem, cells: firstItems.length, value: (counts, random) => combine(metrics.map((each) => each(counts)), random) };
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

/** What is drawn with replacement: units (items, or clusters of items), of which those of one kind put the same number of items into each cell. */
export interface Units {
  /** `[kinds]`, units of each kind. */
  readonly ofKind: readonly number[];
  /** `[kinds]`: the cells of the items in one unit, one entry an item. */
  readonly cellsOfKind: readonly (readonly number[])[];
}

/** Every item by itself: a kind is a cell. */
export function itemUnits(statistic: CellStatistic): Units {
  return { ofKind: [...cellCounts(statistic)], cellsOfKind: Array.from({ length: statistic.cells }, (_, cell) => [cell]) };
}

/** Items of one cluster depend on each other and are drawn together; those of different clusters are independent. */
export function clusterUnits({ items, cellOfItem }: CellStatistic, clusters: ArrayLike<number>): Units {
  if (clusters.length !== items) throw new RangeError(`bootstrap: expected a cluster for each of ${items} items, got ${clusters.length}; pass them in the order of the file`);
  const members = new Map<number, number[]>();
  for (let item = 0; item < items; item++) {
    const cells = members.get(clusters[item]);
    if (cells) cells.push(cellOfItem[item]);
    else members.set(clusters[item], [cellOfItem[item]]);
  }
  const kinds = new Map<string, { cells: number[]; units: number }>();
  for (const cells of members.values()) {
    const key = cells.sort((a, b) => a - b).join();
    const kind = kinds.get(key);
    if (kind) kind.units++;
    else kinds.set(key, { cells, units: 1 });
  }
  return { ofKind: Array.from(kinds.values(), ({ units }) => units), cellsOfKind: Array.from(kinds.values(), ({ cells }) => cells) };
}

/**
 * The statistic on `resamples` samples of as many units, drawn with replacement. Only how many units of each kind are drawn matters, and these numbers are multinomial:
 * see {@link createMultinomial}.
 */
export function resampledValues(statistic: CellStatistic, { ofKind, cellsOfKind }: Units, resamples: number, seed: number): Float64Array {
  const draw = createMultinomial(ofKind);
  const counts = new Float64Array(statistic.cells);
  const drawn = new Float64Array(ofKind.length);
  return Float64Array.from({ length: resamples }, (_, resample) => {
    const random = createResampleRandom(seed, resample);
    draw(random, drawn);
    counts.fill(0);
    for (let kind = 0; kind < drawn.length; kind++) {
      const cells = cellsOfKind[kind];
      for (let i = 0; i < cells.length; i++) counts[cells[i]] += drawn[kind];
    }
    return statistic.value(counts, random);
  });
}

/** The statistic on samples whose items someone else drew. */
export function injectedValues(statistic: CellStatistic, indices: IndexSource, resamples: number): Float64Array {
  const counts = new Float64Array(statistic.cells);
  return Float64Array.from({ length: resamples }, (_, resample) => {
    counts.fill(0);
    const drawn = indices(resample);
    for (let draw = 0; draw < drawn.length; draw++) counts[statistic.cellOfItem[drawn[draw]]]++;
    return statistic.value(counts);
  });
}

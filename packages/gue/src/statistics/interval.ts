import { mean, pairwiseSum } from '../metrics/pairwiseSum';
import type { Interval } from '../runRecord';
import { normalCdf, normalQuantile } from './normal';
import { cellCounts, clusterUnits, injectedValues, itemUnits, resampledValues, type CellStatistic, type IndexSource, type Units } from './resample';

export interface BootstrapOptions {
  /** Number of resamples; 10,000 unless given. */
  readonly resamples?: number;
  /** Coverage in 0 to 1; 0.95 unless given. */
  readonly level?: number;
  /** `bca` (bias-corrected and accelerated, Efron 1987) unless given. Where it is undefined (a constant statistic, for example) the percentile interval stands in, and the result says so. */
  readonly method?: Interval['method'];
  /** The same seed gives the same interval; 0 unless given. */
  readonly seed?: number;
  /** Injects the resamples' items; the test fixtures pass numpy's. */
  readonly indices?: IndexSource;
  /** `[items]`, any numbers: items with the same one (homologs, one chromosome) are drawn together, since they are not independent. Without it every item is drawn by itself. */
  readonly clusters?: ArrayLike<number>;
}

/** The interval of a statistic, its estimate and its resampled values in ascending order. */
export function intervalOf(statistic: CellStatistic, options: BootstrapOptions): { estimate: number; interval: Interval; sorted: Float64Array } {
  const { resamples = 10_000, level = 0.95, method = 'bca', seed = 0, indices, clusters } = options;
  if (!Number.isInteger(resamples) || resamples < 1) throw new RangeError(`bootstrap: expected resamples as an integer >= 1, got ${resamples}; 10000 is usual`);
  if (!(level > 0 && level < 1)) throw new RangeError(`bootstrap: expected a level between 0 and 1, got ${level}; 0.95 is usual`);
  const counts = cellCounts(statistic);
  const estimate = statistic.value(counts);
  const units = clusters ? clusterUnits(statistic, clusters) : itemUnits(statistic);
  const sorted = (indices ? injectedValues(statistic, indices, resamples) : resampledValues(statistic, units, resamples, seed)).sort();
  const tail = (1 - level) / 2;
  const tails = method === 'bca' ? bcaTails(withoutEachUnit(statistic, counts, units), estimate, sorted, tail) : undefined;
  const [low, high] = tails ?? [tail, 1 - tail];
  return { estimate, sorted, interval: { low: quantile(sorted, low), high: quantile(sorted, high), level, method: tails ? 'bca' : 'percentile', resamples } };
}

/** The two corrected tail probabilities as scipy.stats.bootstrap computes them, or undefined where bias or acceleration is not finite. */
function bcaTails(jackknife: ArrayLike<number>, estimate: number, sorted: Float64Array, tail: number): [number, number] | undefined {
  const below = sorted.filter((value) => value < estimate).length;
  const upTo = sorted.filter((value) => value <= estimate).length;
  const bias = normalQuantile((below + upTo) / (2 * sorted.length));
  const acceleration = accelerationOf(jackknife);
  const corrected = (z: number): number => normalCdf(bias + (bias + z) / (1 - acceleration * (bias + z)));
  const z = normalQuantile(tail);
  const tails: [number, number] = [corrected(z), corrected(-z)];
  return tails.every(Number.isFinite) ? tails : undefined;
}

/** Leaving out any unit of a kind gives the same value: as many evaluations as kinds, not as units. */
function withoutEachUnit(statistic: CellStatistic, counts: Float64Array, { ofKind, cellsOfKind }: Units): number[] {
  return cellsOfKind.flatMap((cells, kind) => {
    for (const cell of cells) counts[cell]--;
    const without = statistic.value(counts);
    for (const cell of cells) counts[cell]++;
    return new Array<number>(ofKind[kind]).fill(without);
  });
}

/** A sixth of the skewness of the values that leave one unit out. */
function accelerationOf(jackknife: ArrayLike<number>): number {
  const units = jackknife.length;
  const centre = mean(jackknife);
  const deviations = Array.from(jackknife, (value) => (units - 1) * (centre - value));
  const cubes = pairwiseSum(deviations.map((u) => u ** 3)) / units ** 3;
  const squares = pairwiseSum(deviations.map((u) => u ** 2)) / units ** 2;
  return cubes / squares ** 1.5 / 6;
}

/** The quantile by linear interpolation between order statistics, numpy's default. @param sorted - ascending @param q - 0 to 1 */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  const position = q * (sorted.length - 1);
  const lower = Math.min(Math.floor(position), sorted.length - 1);
  const upper = Math.min(lower + 1, sorted.length - 1);
  return sorted[lower] + (sorted[upper] - sorted[lower]) * (position - lower);
}

import { checkPairs } from '../metrics/confusion';
import { createResampleRandom } from './random';
import { cellCounts, createCellStatistic, type Metric } from './resample';

export interface PermutationTest {
  /** Metric of a minus metric of b. */
  readonly difference: number;
  /** Two-sided. Exact where all exchanges were tried; otherwise (as extreme + 1) / (permutations + 1). */
  readonly pValue: number;
  readonly permutations: number;
  /** All exchanges were tried. */
  readonly exact: boolean;
}

/**
 * If two models were alike, exchanging their predictions on any item would change nothing: how often is the difference then as large as it is?
 * For accuracy the exact test is McNemar's; it works for any metric.
 * @param options.permutations - 10,000 unless given; where all exchanges are fewer, all are tried
 */
export function permutationTest(options: {
  readonly labels: ArrayLike<number>; readonly a: ArrayLike<number>; readonly b: ArrayLike<number>; readonly metric: Metric; readonly permutations?: number; readonly seed?: number;
}): PermutationTest {
  const { labels, a, b, metric, permutations = 10_000, seed = 0 } = options;
  if (!Number.isInteger(permutations) || permutations < 1) throw new RangeError(`permutationTest: expected permutations as a whole number >= 1, got ${permutations}; 10000 is usual`);
  for (const predicted of [a, b]) checkPairs('permutationTest', labels, predicted);
  // Every item twice, as it is and exchanged, so that both have their cell.
  const twice = (first: ArrayLike<number>, second: ArrayLike<number>) => [...Array.from(first), ...Array.from(second)];
  const statistic = createCellStatistic(twice(labels, labels), [twice(a, b), twice(b, a)], metric, ([first, second]) => first - second);
  const { cellOfItem } = statistic;
  const items = labels.length;
  const observed = cellCounts({ ...statistic, cellOfItem: cellOfItem.subarray(0, items) });
  const difference = statistic.value(observed);
  const differing = Array.from({ length: items }, (_, item) => item).filter((item) => a[item] !== b[item]);
  const exact = differing.length < 31 && 2 ** differing.length <= permutations;
  const total = exact ? 2 ** differing.length : permutations;
  const counts = new Float64Array(observed.length);
  let asExtreme = 0;
  for (let permutation = 0; permutation < total; permutation++) {
    counts.set(observed);
    const random = exact ? undefined : createResampleRandom(seed, permutation);
    differing.forEach((item, i) => {
      if (random ? random() < 0.5 : ((permutation >> i) & 1) === 0) return;
      counts[cellOfItem[item]]--;
      counts[cellOfItem[items + item]]++;
    });
    if (Math.abs(statistic.value(counts)) >= Math.abs(difference) - 1e-12) asExtreme++;
  }
  return { difference, pValue: exact ? asExtreme / total : (asExtreme + 1) / (total + 1), permutations: total, exact };
}

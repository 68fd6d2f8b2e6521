import type { Example } from '../classifier';
import { createResampleRandom } from '../statistics/random';
import { splits, type Split } from '../task';
import { createGroups, mergeHomologs } from './clusters';
import type { HomologyThresholds } from './homologSearch';
import { textOf } from './leakage';

export interface SplitOptions extends HomologyThresholds {
  /** Shares of the rows; 0.8, 0.1 and 0.1 unless given. */
  readonly shares?: Readonly<Record<Split, number>>;
  /** Breaks ties between groups of one size; 0 unless given. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
  onProgress?(done: number, total: number): void;
}

export interface HomologySplit {
  readonly splits: Readonly<Record<Split, readonly Example[]>>;
  /** `[rows]`: the group of each row given, and where it went. */
  readonly clusters: readonly number[];
  readonly assigned: readonly Split[];
}

/**
 * Splits rows so that no row of one split aligns to one of another: homologous rows go together (single linkage over {@link auditLeakage}'s search), the largest groups first,
 * each to the split that then comes closest to its share of every class. Exact copies are one group, so nothing is thrown away.
 */
export async function splitByHomology(examples: readonly Example[], options: SplitOptions = {}): Promise<HomologySplit> {
  const { shares = { train: 0.8, dev: 0.1, test: 0.1 }, seed = 0, identity = 0.8, coverage = 0.5, signal, onProgress } = options;
  if (Math.abs(splits.reduce((sum, split) => sum + shares[split], 0) - 1) > 1e-9) throw new RangeError(`splitByHomology: expected shares that add up to 1, got ${JSON.stringify(shares)}; 0.8, 0.1 and 0.1 are usual`);
  if (examples.length < 3) throw new RangeError(`splitByHomology: expected at least 3 rows, got ${examples.length}; pass the rows of all splits together`);
  const groups = createGroups(examples.length);
  await mergeHomologs(groups, examples.map(textOf), { identity, coverage }, { signal, onProgress });
  const clusters = groups.numbers();
  const classes = 1 + examples.reduce((largest, { label }) => Math.max(largest, label), 0);
  const splitOf = assign(clusters, examples.map(({ label }) => label), classes, shares, seed);
  const assigned = clusters.map((cluster) => splitOf[cluster]);
  const rowsOf = (split: Split) => examples.filter((_, row) => assigned[row] === split);
  return { splits: { train: rowsOf('train'), dev: rowsOf('dev'), test: rowsOf('test') }, clusters, assigned };
}

/** The split of each cluster. */
function assign(clusters: readonly number[], labels: readonly number[], classes: number, shares: Readonly<Record<Split, number>>, seed: number): Split[] {
  const counts = Array.from({ length: 1 + clusters.reduce((most, cluster) => Math.max(most, cluster), 0) }, () => new Array<number>(classes).fill(0));
  clusters.forEach((cluster, row) => counts[cluster][labels[row]]++);
  const totals = counts.reduce((sums, own) => sums.map((sum, label) => sum + own[label]), new Array<number>(classes).fill(0));
  const random = createResampleRandom(seed, 0);
  const order = counts.map((own, cluster) => ({ cluster, size: own.reduce((a, b) => a + b), tie: random() })).sort((a, b) => b.size - a.size || a.tie - b.tie);
  const missing = Object.fromEntries(splits.map((split) => [split, totals.map((total) => total * shares[split])])) as Record<Split, number[]>;
  const result: Split[] = [];
  for (const { cluster } of order) {
    // How much closer each split comes to what it lacks of each class: the change of the sum of squares, relative to what it is to have.
    const gain = (split: Split) => counts[cluster].reduce((sum, count, label) => sum + (count * (2 * missing[split][label] - count)) / Math.max(1e-9, totals[label] * shares[split]), 0);
    const best = splits.reduce((a, b) => (gain(b) > gain(a) ? b : a));
    counts[cluster].forEach((count, label) => (missing[best][label] -= count));
    result[cluster] = best;
  }
  return result;
}

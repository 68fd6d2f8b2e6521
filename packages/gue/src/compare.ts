import { metricsOnCounts, type MetricName } from './metrics/classification';
import type { Interval, RunRecord } from './runRecord';
import { pairedBootstrap } from './statistics/bootstrap';
import { equivalenceTest, minimumDetectableDifference, type Equivalence } from './statistics/equivalence';
import { compareFamilies, mostFamilies, type FamilyTest } from './statistics/families';
import { holm } from './statistics/multipleTests';
import type { BootstrapOptions } from './statistics/interval';
import { mcnemar } from './statistics/mcnemar';
import { permutationTest } from './statistics/permutation';
import { familyOf } from './tasks';

/** Two models on one task, on the same test items. */
export interface TaskComparison {
  readonly task: string;
  readonly simulated: boolean;
  /** The task's own; all scores are on its scale. */
  readonly metric: string;
  readonly items: number;
  /** Means over the seeds of each. */
  readonly a: number;
  readonly b: number;
  readonly seeds: readonly [a: number, b: number];
  /** a minus b, with the interval and p-value of the paired bootstrap over items; all seeds share each draw. */
  readonly difference: number;
  readonly interval: Interval;
  readonly pValues: Readonly<Record<ComparisonTest, number>>;
  /** The same after Holm's correction over all tasks compared. */
  readonly adjusted: Readonly<Record<ComparisonTest, number>>;
  /** Smallest difference that these test items would show with a power of 0.8. */
  readonly detectable: number;
  /** Two one-sided tests of the runs in the middle, where a margin was declared. */
  readonly equivalence?: Equivalence;
}

export interface CompareOptions extends BootstrapOptions {
  /** A difference that would not matter, on the metric's own scale, declared before one looks: adds a test of equivalence to each task. */
  readonly margin?: number;
}

/** `mcnemar` and `permutation` (and the test of equivalence) compare single runs: of several seeds the one whose score is the middle one. */
export type ComparisonTest = 'bootstrap' | 'permutation' | 'mcnemar';

export interface ModelComparison {
  readonly a: string;
  readonly b: string;
  readonly tasks: readonly TaskComparison[];
  /** Tasks that only one of the two has run. */
  readonly missing: readonly string[];
  /** Of the differences; undefined where a task is missing or metrics differ, as it would then stand for something else. */
  readonly meanDifference?: number;
  /** The differences over families of tasks (`EMP`, `prom`, `tf` …), which are independent where tasks are not; absent where `meanDifference` is, and for more than 24. */
  readonly families?: FamilyTest;
  /** Tasks won and lost by a after the correction of the bootstrap at 0.05; the rest is undecided. */
  readonly won: number;
  readonly lost: number;
}

/**
 * Compares two models task by task from their stored predictions: paired bootstrap, McNemar's test and permutation test, corrected for the number of tasks.
 * @throws RangeError where a model has no record, or the two saw different test items
 */
export function compareModels(records: readonly RunRecord[], a: string, b: string, options: CompareOptions = {}): ModelComparison {
  for (const model of [a, b]) {
    if (records.some((record) => record.model === model)) continue;
    throw new RangeError(`compareModels: expected a model among ${[...new Set(records.map((record) => record.model))].join(', ') || 'none'}, got ${model}; run it first`);
  }
  const names = [...new Set(records.filter(({ model }) => model === a || model === b).map(({ task }) => task))];
  const runsOf = (task: string, model: string) => records.filter((record) => record.task === task && record.model === model).sort((x, y) => x.seed - y.seed);
  const both = names.filter((task) => runsOf(task, a).length && runsOf(task, b).length);
  const compared = both.map((task) => compareOnTask(runsOf(task, a), runsOf(task, b), options));
  const corrected = Object.fromEntries((['bootstrap', 'permutation', 'mcnemar'] as const).map((test) => [test, holm(compared.map(({ pValues }) => pValues[test]))])) as Record<ComparisonTest, number[]>;
  const tasks = compared.map((each, i): TaskComparison => ({ ...each, adjusted: { bootstrap: corrected.bootstrap[i], permutation: corrected.permutation[i], mcnemar: corrected.mcnemar[i] } }));
  const missing = names.filter((task) => !both.includes(task));
  const decided = tasks.filter(({ adjusted }) => adjusted.bootstrap < 0.05);
  const differences = tasks.map(({ task, difference }) => ({ family: familyOf(task), difference }));
  const comparable = missing.length === 0 && new Set(tasks.map(({ metric }) => metric)).size === 1;
  return {
    a, b, tasks, missing, won: decided.filter(({ difference }) => difference > 0).length, lost: decided.filter(({ difference }) => difference < 0).length,
    ...(comparable ? {
      meanDifference: tasks.reduce((sum, { difference }) => sum + difference, 0) / tasks.length,
      ...(new Set(differences.map(({ family }) => family)).size <= mostFamilies ? { families: compareFamilies(differences) } : {}),
    } : {}),
  };
}

function compareOnTask(runsA: readonly RunRecord[], runsB: readonly RunRecord[], { margin, ...options }: CompareOptions): Omit<TaskComparison, 'adjusted'> {
  const [first] = runsA;
  const metric = first.scores[0].metric;
  if (!isMetricName(metric)) throw new RangeError(`compareModels: expected a metric among ${Object.keys(metricsOnCounts).join(', ')}, got ${metric}; score the records again`);
  const other = [...runsA, ...runsB].find(({ data, simulated }) => data.sha256.test !== first.data.sha256.test || simulated !== first.simulated);
  if (other) throw new RangeError(`compareModels: expected one test set for ${first.task}, got sha256 ${first.data.sha256.test} and ${other.data.sha256.test}; compare runs on the same files`);
  const { labels } = first.predictions;
  const predictionsOf = (runs: readonly RunRecord[]) => runs.map(({ predictions }) => predictions.predicted);
  const paired = pairedBootstrap({ ...options, labels, a: predictionsOf(runsA), b: predictionsOf(runsB), metric });
  const single = { labels, a: middle(runsA).predictions.predicted, b: middle(runsB).predictions.predicted };
  return {
    task: first.task, simulated: first.simulated, metric, items: labels.length, a: paired.a, b: paired.b, seeds: [runsA.length, runsB.length], difference: paired.difference, interval: paired.interval,
    pValues: {
      bootstrap: paired.pValue, mcnemar: mcnemar(single).pValue,
      permutation: permutationTest({ ...single, metric, ...(options.resamples ? { permutations: options.resamples } : {}), seed: options.seed ?? 0 }).pValue,
    },
    detectable: minimumDetectableDifference({ ...options, ...single, metric }),
    ...(margin === undefined ? {} : { equivalence: equivalenceTest({ ...options, ...single, metric, margin }) }),
  };
}

const isMetricName = (name: string): name is MetricName => Object.hasOwn(metricsOnCounts, name);

/** The run whose score is the middle one, the lower of two. */
const middle = (runs: readonly RunRecord[]): RunRecord => [...runs].sort((x, y) => x.scores[0].value - y.scores[0].value)[(runs.length - 1) >> 1];

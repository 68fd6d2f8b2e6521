import type { LeakageAudit } from './audit/leakage';
import { metricsOf, metricsOnCounts, type MetricName } from './metrics/classification';
import { confusionMatrix, createConfusionMatrix } from './metrics/confusion';
import type { HomologyScores, LeakCounts, RunRecord, Score } from './runRecord';
import { intervalOf, type BootstrapOptions } from './statistics/interval';
import { createCellStatistic, type CellStatistic } from './statistics/resample';

/** What {@link homologyScores} needs of an audit. */
export type HomologyAudit = Pick<LeakageAudit, 'identity' | 'coverage' | 'homologs'> & Partial<LeakageAudit>;

/** A record with the scores of its homology-clean part, from its stored predictions: nothing is fitted again. @param audit - of the same test set */
export function withHomology(record: RunRecord, audit: HomologyAudit): RunRecord {
  const { device, cost, ...rest } = record;
  const [{ metric, interval }] = record.scores;
  const options = { seed: record.seed, ...(interval ? { resamples: interval.resamples } : {}) };
  const homology = homologyScores(record.predictions, audit, metricsOf(metric as MetricName), options);
  return { ...rest, homology, ...(device === undefined ? {} : { device }), cost };
}

/**
 * Scores apart for test items with and without a near duplicate in train. What a model remembers shows in the first part only.
 * @param metrics - the task's own first; it alone gets intervals
 */
export function homologyScores(
  { labels, predicted }: { readonly labels: readonly number[]; readonly predicted: readonly number[] }, audit: HomologyAudit, metrics: readonly MetricName[], options: BootstrapOptions = {},
): HomologyScores {
  const { identity, coverage, homologs } = audit;
  if (homologs.length !== labels.length) throw new RangeError(`homologyScores: expected an audit of ${labels.length} test items, got one of ${homologs.length}; audit the same test set`);
  const items = labels.map((_, item) => item);
  const parts = [items.filter((item) => !homologs[item]), items.filter((item) => homologs[item])];
  const [clean, homologous] = parts.map((part) => scoresOn(part.map((item) => labels[item]), part.map((item) => predicted[item]), metrics, options));
  const classes = 1 + items.reduce((largest, item) => Math.max(largest, labels[item], predicted[item]), 0);
  const cleanClassCounts = new Array<number>(classes).fill(0);
  for (const item of parts[0]) cleanClassCounts[labels[item]]++;
  const matched = matchedScore(labels, predicted, parts[0], classes, metrics[0]);
  const gap = parts.every((part) => new Set(part.map((item) => labels[item])).size > 1) ? gapOf(labels, predicted, homologs.map(Boolean), classes, metrics[0], options) : undefined;
  const clusters = audit.clusters && clusteredScore(labels, predicted, audit.clusters, metrics[0], options);
  const leaks = leakCounts(audit);
  return { identity, coverage, ...(leaks ? { leaks } : {}), cleanItems: parts[0].length, homologousItems: parts[1].length, cleanClassCounts, clean, homologous, ...(matched === undefined ? {} : { matched }), ...(clusters ? { clustered: clusters } : {}), ...(gap ? { gap } : {}) };
}

function scoresOn(labels: readonly number[], predicted: readonly number[], metrics: readonly MetricName[], options: BootstrapOptions): Score[] {
  if (labels.length === 0) return [];
  return metrics.map((metric, i) => {
    const statistic = createCellStatistic(labels, [predicted], metric, ([value]) => value);
    const { estimate, interval } = intervalOf(statistic, i === 0 ? options : { ...options, resamples: 1, method: 'percentile' });
    return { metric, value: estimate, items: labels.length, ...(i === 0 ? { interval } : {}) };
  });
}

/** What an audit counted, where the whole of it was given. */
function leakCounts({ exactDuplicates, reverseComplementDuplicates, labelConflicts, duplicatesInTrain, nearDuplicates, oppositeLabelTwins, positionalTwins, labelAgreement }: HomologyAudit): LeakCounts | undefined {
  if (exactDuplicates === undefined || reverseComplementDuplicates === undefined || labelConflicts === undefined || duplicatesInTrain === undefined || nearDuplicates === undefined || oppositeLabelTwins === undefined || !positionalTwins) return undefined;
  return { exactDuplicates, reverseComplementDuplicates, labelConflicts, duplicatesInTrain, nearDuplicates, oppositeLabelTwins, positionalTwins: positionalTwins.items, ...(labelAgreement === undefined ? {} : { labelAgreement }) };
}

/** Homologous test items depend on each other: drawn together they make the interval as wide as it should be. */
function clusteredScore(labels: readonly number[], predicted: readonly number[], clusters: readonly number[], metric: MetricName, options: BootstrapOptions): NonNullable<HomologyScores['clustered']> {
  const statistic = createCellStatistic(labels, [predicted], metric, ([value]) => value);
  return { clusters: new Set(clusters).size, interval: intervalOf(statistic, { ...options, clusters }).interval };
}

/** The metric on the clean items, weighted so that each class has its share of the whole test set; undefined where a class has no clean item. */
function matchedScore(labels: readonly number[], predicted: readonly number[], clean: readonly number[], classes: number, metric: MetricName): number | undefined {
  const all = confusionMatrix(labels, predicted, classes);
  if (clean.length === 0) return undefined;
  const own = confusionMatrix(clean.map((item) => labels[item]), clean.map((item) => predicted[item]), classes);
  for (let truth = 0; truth < classes; truth++) {
    const row = own.counts.subarray(truth * classes, (truth + 1) * classes);
    const [wanted, present] = [all.counts.subarray(truth * classes, (truth + 1) * classes), row].map((counts) => counts.reduce((a, b) => a + b));
    if (present === 0 && wanted > 0) return undefined;
    row.forEach((count, k) => (row[k] = present === 0 ? 0 : (count * wanted) / present));
  }
  return metricsOnCounts[metric](own);
}

/** Metric of the homologous items minus metric of the clean ones; all items are resampled together. */
function gapOf(labels: readonly number[], predicted: readonly number[], homologous: readonly boolean[], classes: number, metric: MetricName, options: BootstrapOptions): HomologyScores['gap'] {
  const matrices = [createConfusionMatrix(classes), createConfusionMatrix(classes)];
  const size = classes * classes;
  const statistic: CellStatistic = {
    items: labels.length, cells: 2 * size,
    cellOfItem: Uint32Array.from(labels, (label, item) => (homologous[item] ? size : 0) + label * classes + predicted[item]),
    value(counts) {
      const [clean, other] = matrices.map((matrix, part) => {
        matrix.counts.set(counts.subarray(part * size, (part + 1) * size));
        return metricsOnCounts[metric](matrix);
      });
      return other - clean;
    },
  };
  const { estimate, interval } = intervalOf(statistic, options);
  return { value: estimate, interval };
}

import type { Interval, LeakCounts, RunRecord } from '../runRecord';
import { holm } from '../statistics/multipleTests';
import { modelStyles } from './scorePlot';
import type { PairedDifference, PublishedRow, ReportInput, ReportTask } from './input';

/** One model or baseline on one task, over its seeds. Scores are on the metric's own scale. */
export interface Row {
  readonly model: string;
  readonly kind: RunRecord['kind'];
  /** One for each seed, ascending. */
  readonly records: readonly RunRecord[];
  readonly mean: number;
  readonly interval?: Interval;
  /** What the interval is of: the mean over seeds (given by the caller), one run, or the widest reach of the seeds' own intervals. */
  readonly intervalOf: 'mean' | 'run' | 'envelope' | 'nothing';
  /** Mean of the dev scores by which the checkpoint or setting was chosen; undefined where one record lacks it. */
  readonly dev?: number;
  /** On the test items without a near duplicate in train; where every record has it. */
  readonly clean?: Clean;
  /** Against the best baseline; models only. */
  readonly comparison?: Comparison;
}

/** Means over seeds. */
export interface Clean {
  readonly mean: number;
  readonly items: number;
  readonly homologousItems: number;
  /** Of one run, or the widest reach over seeds. */
  readonly interval?: Interval;
  /** `mean` with each class weighted to its share of the whole test set; undefined where a class has no clean item. */
  readonly matched?: number;
  /** On all items, homologous ones drawn together; of one run, or the widest reach over seeds. */
  readonly clustered?: { readonly clusters: number; readonly interval: Interval };
  readonly leaks?: LeakCounts;
  readonly identity: number;
  readonly coverage: number;
  /** Score of the items with near duplicates minus `mean`. */
  readonly gap?: { readonly value: number; readonly interval: Interval };
}

/** `unclear`: the intervals overlap, or the paired interval holds zero, or there is no interval. */
export interface Comparison {
  readonly baseline: string;
  readonly verdict: 'above' | 'unclear' | 'below';
  readonly difference: number;
  /** Of the paired difference, where the caller gave one. */
  readonly interval?: Interval;
  /** Of the paired difference, corrected by Holm over the model's tasks; where the caller gave one for each. */
  readonly pValue?: number;
}

export interface TaskSummary {
  readonly task: ReportTask;
  readonly simulated: boolean;
  readonly models: readonly Row[];
  readonly baselines: readonly Row[];
  readonly best?: { readonly row: Row; readonly chosenOn: 'dev' | 'test' };
}

/** Models, then baselines. */
export const rowsOf = (task: TaskSummary): readonly Row[] => [...task.models, ...task.baselines];

/** The input in order: what both the page and the terminal table are made from. */
export interface Summary {
  readonly input: ReportInput;
  readonly tasks: readonly TaskSummary[];
  /** Names of the models in the order in which they appear. */
  readonly models: readonly string[];
  /** The sign of each model in every plot, see {@link modelStyles}. */
  readonly styles: ReadonlyMap<string, number>;
  readonly simulated: boolean;
  /** "95 % interval" where all intervals have that coverage. */
  readonly intervalHead: string;
}

/**
 * Records grouped by task and model, with means over seeds and the comparison with the best baseline. Simulated and real runs of one task stand apart.
 * @throws RangeError where records, tasks and aggregates contradict each other.
 */
export function summarise(input: ReportInput): Summary {
  const tasks = correctPValues(summariseTasks(input));
  const rows = tasks.flatMap(rowsOf);
  const levels = [...new Set(rows.flatMap((row) => row.interval?.level ?? []))];
  const models = [...new Set(tasks.flatMap((task) => task.models.map((row) => row.model)))];
  return {
    input, tasks, models, styles: modelStyles(models),
    simulated: tasks.some((task) => task.simulated),
    intervalHead: levels.length === 1 ? `${Number((100 * levels[0]).toFixed(2))} % interval` : 'interval',
  };
}

/** One family of tests is one model against the best baselines of all tasks. A task without a p-value leaves the whole family without. */
function correctPValues(tasks: readonly TaskSummary[]): readonly TaskSummary[] {
  const corrected = new Map<Row, number>();
  for (const family of groupBy(tasks.flatMap(({ models }) => models.filter(({ comparison }) => comparison)), ({ model }) => model)) {
    const values = family.map(({ comparison }) => comparison!.pValue);
    if (values.every((value) => value !== undefined)) holm(values as readonly number[]).forEach((value, i) => corrected.set(family[i], value));
  }
  const withCorrected = (row: Row): Row => {
    if (!row.comparison) return row;
    const { baseline, verdict, difference, interval } = row.comparison;
    return { ...row, comparison: { baseline, verdict, difference, ...(interval ? { interval } : {}), ...(corrected.has(row) ? { pValue: corrected.get(row)! } : {}) } };
  };
  return tasks.map((task) => ({ ...task, models: task.models.map(withCorrected) }));
}

function summariseTasks(input: ReportInput): readonly TaskSummary[] {
  const known = new Set(input.tasks.map((task) => task.name));
  const stray = input.records.find((record) => !known.has(record.task));
  if (stray) throw new RangeError(`report: expected a task row for every record, got a record of ${stray.task}; add its task to tasks`);
  if (known.size < input.tasks.length) throw new RangeError(`report: expected each task once, got ${input.tasks.map((task) => task.name).join(', ')}; remove the repeated one`);
  return input.tasks.flatMap((task) => {
    const records = input.records.filter((record) => record.task === task.name);
    const sources = [...new Set(records.map((record) => record.simulated))].sort();
    return (sources.length ? sources : [false]).map((simulated) => summariseTask(task, simulated, records.filter((record) => record.simulated === simulated), input));
  });
}

function summariseTask(task: ReportTask, simulated: boolean, records: readonly RunRecord[], input: ReportInput): TaskSummary {
  const other = records.find((record) => record.data.sha256.test !== records[0].data.sha256.test);
  if (other) throw new RangeError(`report: expected one test set for ${task.name}, got sha256 ${records[0].data.sha256.test} and ${other.data.sha256.test}; report them apart`);
  const rows = groupBy(records, (record) => record.model).map((group) => summariseRow(task, group, input));
  const baselines = rows.filter((row) => row.kind === 'baseline');
  const best = bestBaseline(baselines);
  const pairedOf = (model: string, baseline: string) => input.differences?.find((entry) => entry.task === task.name && entry.model === model && entry.baseline === baseline);
  const models = rows.filter((row) => row.kind === 'model').map((row) => (best ? { ...row, comparison: compare(row, best.row, pairedOf(row.model, best.row.model)) } : row));
  return { task, simulated, models, baselines, ...(best && { best }) };
}

function summariseRow(task: ReportTask, group: readonly RunRecord[], input: ReportInput): Row {
  const records = [...group].sort((a, b) => a.seed - b.seed);
  const { model, kind } = records[0];
  const twin = records.find((record, i) => i > 0 && record.seed === records[i - 1].seed);
  if (twin) throw new RangeError(`report: expected one record for ${task.name}, ${model}, seed ${twin.seed}, got two; leave one out, or name the models apart`);
  if (records.some((record) => record.kind !== kind)) throw new RangeError(`report: expected ${model} to be a model or a baseline, got both on ${task.name}; name them apart`);
  const scores = records.map((record) => scoreOf(record, task.metric));
  const mean = average(scores.map((score) => score.value));
  const aggregate = input.aggregates?.find((entry) => entry.task === task.name && entry.model === model);
  if (aggregate && (aggregate.seeds !== records.length || Math.abs(aggregate.mean - mean) > 1e-9))
    throw new RangeError(`report: expected the aggregate of ${task.name}, ${model} to be ${mean} over ${records.length} seeds, got ${aggregate.mean} over ${aggregate.seeds}; compute it from the same records`);
  const intervals = scores.flatMap((score) => score.interval ?? []);
  const devs = records.map(devScoreOf);
  const pooled = aggregate ? { interval: aggregate.interval, intervalOf: 'mean' as const }
    : intervals.length < records.length ? { intervalOf: 'nothing' as const }
      : { interval: envelope(intervals), intervalOf: records.length === 1 ? 'run' as const : 'envelope' as const };
  return { model, kind, records, mean, ...pooled, ...(devs.every((dev) => dev !== undefined) && { dev: average(devs) }), ...cleanOf(records, task.metric) };
}

function cleanOf(records: readonly RunRecord[], metric: string): { clean?: Clean } {
  const parts = records.flatMap(({ homology }) => {
    const score = homology?.clean.find((candidate) => candidate.metric === metric);
    return homology && score ? [{ homology, score }] : [];
  });
  if (parts.length < records.length) return {};
  const { cleanItems, homologousItems, leaks, identity, coverage } = parts[0].homology;
  const clustered = parts.flatMap(({ homology }) => homology.clustered ?? []);
  const matched = parts.flatMap(({ homology }) => homology.matched ?? []);
  const intervals = parts.flatMap(({ score }) => score.interval ?? []);
  const gaps = parts.flatMap(({ homology }) => homology.gap ?? []);
  return { clean: {
    mean: average(parts.map(({ score }) => score.value)), items: cleanItems, homologousItems, identity, coverage, ...(leaks ? { leaks } : {}),
    ...(matched.length === records.length && { matched: average(matched) }),
    ...(clustered.length === records.length && { clustered: { clusters: clustered[0].clusters, interval: envelope(clustered.map(({ interval }) => interval)) } }),
    ...(intervals.length === records.length && { interval: envelope(intervals) }),
    ...(gaps.length === records.length && { gap: { value: average(gaps.map(({ value }) => value)), interval: envelope(gaps.map(({ interval }) => interval)) } }),
  } };
}

/** The score with the task's own metric. */
export function scoreOf(record: RunRecord, metric: string): RunRecord['scores'][number] {
  const score = record.scores.find((candidate) => candidate.metric === metric);
  if (!score)
    throw new RangeError(`report: expected a score of metric ${metric} for ${record.task}, ${record.model}, got ${record.scores.map((s) => s.metric).join(', ') || 'none'}; evaluate the record with the task's metric`);
  return score;
}

/** The highest dev score on the curve (the checkpoint that was kept), else `report.devScore`. */
export function devScoreOf(record: RunRecord): number | undefined {
  const scores = record.curve.flatMap((point) => (Number.isFinite(point.devScore) ? [point.devScore!] : []));
  return scores.length ? Math.max(...scores) : record.report.devScore;
}

/** Chosen by dev score where every baseline has one. Otherwise, and among equals on dev, the strongest on test, which is the harder choice for the model. */
function bestBaseline(baselines: readonly Row[]): TaskSummary['best'] {
  if (baselines.length === 0) return undefined;
  const onDev = baselines.every((row) => row.dev !== undefined);
  const isStronger = (a: Row, b: Row) => (onDev && a.dev !== b.dev ? a.dev! > b.dev! : a.mean > b.mean);
  return { row: baselines.reduce((best, row) => (isStronger(row, best) ? row : best)), chosenOn: onDev ? 'dev' : 'test' };
}

function compare(model: Row, baseline: Row, paired: PairedDifference | undefined): Comparison {
  if (paired) {
    const { difference, interval, pValue } = paired;
    return { baseline: baseline.model, difference, interval, ...(pValue === undefined ? {} : { pValue }), verdict: interval.low > 0 ? 'above' : interval.high < 0 ? 'below' : 'unclear' };
  }
  const [mine, other] = [model.interval, baseline.interval];
  const verdict = !mine || !other ? 'unclear' : mine.low > other.high ? 'above' : mine.high < other.low ? 'below' : 'unclear';
  return { baseline: baseline.model, difference: model.mean - baseline.mean, verdict };
}

const envelope = (intervals: readonly Interval[]): Interval => ({ ...intervals[0], low: Math.min(...intervals.map((i) => i.low)), high: Math.max(...intervals.map((i) => i.high)) });

/** Mean of a number that models report about their fit, over the records that have it. */
export function reported(records: readonly RunRecord[], name: string): number | undefined {
  const values = records.flatMap((record) => (Number.isFinite(record.report[name]) ? [record.report[name]] : []));
  return values.length ? average(values) : undefined;
}

/** Published rows stand beside ours as equals only when the data are real and the sizes are within a factor of ten. */
export function isComparable(published: PublishedRow, summary: TaskSummary): boolean {
  const largest = Math.max(...summary.models.map((row) => reported(row.records, 'parameters') ?? NaN));
  const ratio = (published.parameters ?? NaN) / largest;
  return !summary.simulated && ratio > 0.1 && ratio < 10;
}

export const average = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Groups in the order of their first members. */
export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return [...groups.values()];
}

import { mkdirSync, statSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { identityOf, openRunStore, pairedBootstrap, renderReport, renderTable, seedMeanInterval, tasks as benchmarkTasks, type Aggregate, type PairedDifference, type ReportInput, type ReportTask, type RunRecord } from '@genomelm/gue';
import { UsageError } from './command';
import { writeFileAtomic } from './output';
import { version } from './version';

export interface StoredRecord {
  readonly record: RunRecord;
  /** Of its file in the run store. */
  readonly path: string;
}

/** The records in a folder of runs; of several of one task, model and seed (other settings, other code) the newest. @throws UsageError where there are none */
export async function storedRecords(command: string, folder: string): Promise<StoredRecord[]> {
  const store = openRunStore(join(folder, 'records'));
  const newest = new Map<string, StoredRecord & { readonly written: number }>();
  for (const record of await store.list()) {
    const path = store.pathOf(await store.keyOf(identityOf(record)));
    const written = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0; // 0: written by an older version under another name
    const key = JSON.stringify([record.task, record.simulated, record.model, record.seed]);
    if (written >= (newest.get(key)?.written ?? 0)) newest.set(key, { record, path, written });
  }
  if (newest.size === 0) throw new UsageError(`${command}: expected run records in ${join(folder, 'records')}, got none; run genomelm gue run -o ${folder} first`);
  return [...newest.values()];
}

/** Everything that table and page show: means over seeds with intervals, and each model against each baseline on the same test items. */
export function reportInput(stored: readonly StoredRecord[], tasks: readonly ReportTask[], provenance: Readonly<Record<string, string>> = {}): ReportInput {
  const records = stored.map(({ record }) => record);
  const groups = groupByModel(records, tasks);
  return {
    title: records.every(({ simulated }) => simulated) ? 'Simulated GUE-shaped tasks: encoders from scratch beside baselines' : `${records.every(({ task }) => benchmarkTasks.some(({ name }) => name === task)) ? 'GUE: e' : 'E'}ncoders and baselines`,
    records,
    tasks,
    aggregates: groups.map(aggregate),
    differences: differences(groups),
    provenance: { genomelm: version(), command: `genomelm ${process.argv.slice(2).join(' ')}`, node: process.version, machine: `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}`, date: new Date().toISOString().slice(0, 10), ...provenance },
    recordPaths: stored.map(({ path }) => path),
  };
}

/** The runs of one model, one a seed, on one task. */
interface Group {
  readonly task: ReportTask;
  readonly runs: readonly RunRecord[];
}

function groupByModel(records: readonly RunRecord[], tasks: readonly ReportTask[]): Group[] {
  const groups = new Map<string, Group & { runs: RunRecord[] }>();
  for (const record of records) {
    const task = tasks.find(({ name }) => name === record.task);
    if (!task) continue;
    const key = JSON.stringify([record.task, record.model]);
    const group = groups.get(key);
    if (group) group.runs.push(record);
    else groups.set(key, { task, runs: [record] });
  }
  return [...groups.values()];
}

type Metric = Parameters<typeof seedMeanInterval>[0]['metric'];

function aggregate({ task, runs }: Group): Aggregate {
  const { mean, interval } = seedMeanInterval({ labels: runs[0].predictions.labels, predictions: runs.map(({ predictions }) => predictions.predicted), metric: task.metric as Metric, seed: 0 });
  return { task: task.name, model: runs[0].model, seeds: runs.length, mean, interval };
}

/** Each model against each baseline on the same items. The difference is that of the means over seeds shown beside it. */
function differences(groups: readonly Group[]): PairedDifference[] {
  const predictions = ({ runs }: Group) => runs.map((run) => run.predictions.predicted);
  return groups.filter(({ runs }) => runs[0].kind === 'model').flatMap((ours) => groups.filter(({ task, runs }) => task === ours.task && runs[0].kind === 'baseline').map((baseline) => {
    const { difference, interval, pValue } = pairedBootstrap({ labels: ours.runs[0].predictions.labels, a: predictions(ours), b: predictions(baseline), metric: ours.task.metric as Metric, seed: 0 });
    return { task: ours.task.name, model: ours.runs[0].model, baseline: baseline.runs[0].model, difference, interval, pValue };
  }));
}

export function writeReport(input: ReportInput, file: string): string {
  mkdirSync(dirname(file), { recursive: true });
  writeFileAtomic(file, renderReport(input));
  return file;
}

export const resultsText = (input: ReportInput, report: string): string =>
  `${renderTable(input, { colour: process.stdout.isTTY === true && !process.env['NO_COLOR'], width: Math.max(40, process.stdout.columns || 140) })}\nreport: ${report}\n`;

/**
 * `{"schema", "results": [{"task", "model" | "baseline", "mcc", "interval", "clean", …}], "report"}`: one row for each task and model, means over seeds. `clean` is the score without the test items
 * that have a near duplicate in train, `matched` the same weighted to the classes' shares of the whole set, `gap` homologous minus clean.
 */
export function resultsJson(input: ReportInput, report: string): string {
  const results = (input.aggregates ?? []).map(({ task, model, seeds, mean, interval }) => {
    const runs = input.records.filter((record) => record.task === task && record.model === model);
    const metric = runs[0].scores[0].metric;
    const average = (value: (record: RunRecord) => number) => runs.reduce((sum, record) => sum + value(record), 0) / runs.length;
    return {
      task, [runs[0].kind]: model, [metric]: mean, ...(metric === 'mcc' ? {} : { mcc: average(({ scores }) => scores.find((score) => score.metric === 'mcc')!.value) }),
      interval: [interval.low, interval.high], metric, seeds, values: runs.map(({ scores }) => scores[0].value), simulated: runs[0].simulated, collapsed: runs.filter(({ collapsed }) => collapsed).length,
      ...cleanJson(runs), ...(runs.every(({ calibration }) => calibration) ? { logLoss: average(({ calibration }) => calibration!.logLoss), expectedCalibrationError: average(({ calibration }) => calibration!.expectedCalibrationError) } : {}),
      ...(runs.every(({ report: { tokensPerBase } }) => tokensPerBase !== undefined) ? { tokensPerBase: average(({ report: facts }) => facts['tokensPerBase']) } : {}), testClassCounts: runs[0].data.testClassCounts,
      truncatedFraction: average((record) => record.report['truncatedFraction'] ?? 0), fitSeconds: average(({ cost }) => cost.fitSeconds), peakMemoryBytes: Math.max(...runs.map(({ cost }) => cost.peakMemoryBytes)),
    };
  });
  return `${JSON.stringify({ schema: 'genomelm-results/1', results, report })}\n`;
}

/** Means over seeds; nothing where a run was not audited. */
function cleanJson(runs: readonly RunRecord[]): object {
  const audits = runs.flatMap(({ homology }) => homology ?? []);
  if (audits.length < runs.length) return {};
  const mean = (values: readonly (number | undefined)[]) => (values.every((value) => value !== undefined) ? (values as number[]).reduce((a, b) => a + b, 0) / values.length : undefined);
  const [{ identity, coverage, cleanItems, homologousItems, cleanClassCounts, gap, clean: [score] }] = audits;
  return { clean: {
    identity, coverage, items: cleanItems, homologousItems, classCounts: cleanClassCounts, score: mean(audits.map(({ clean }) => clean[0]?.value)), matched: mean(audits.map(({ matched }) => matched)), gap: mean(audits.map((each) => each.gap?.value)),
    ...(runs.length === 1 ? { interval: score?.interval && [score.interval.low, score.interval.high], gapInterval: gap && [gap.interval.low, gap.interval.high] } : {}),
  } };
}

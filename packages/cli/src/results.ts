import { mkdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import { pairedBootstrap, renderReport, renderTable, seedMeanInterval, type Aggregate, type PairedDifference, type ReportInput, type ReportTask, type RunRecord } from '@genomelm/gue';
import { writeFileAtomic } from './output';
import { version } from './version';

export interface StoredRecord {
  readonly record: RunRecord;
  /** Of its file in the run store. */
  readonly path: string;
}

/** Everything that table and page show: means over seeds with intervals, and each model against each baseline on the same test items. */
export function reportInput(stored: readonly StoredRecord[], tasks: readonly ReportTask[], provenance: Readonly<Record<string, string>> = {}): ReportInput {
  const records = stored.map(({ record }) => record);
  const groups = groupByModel(records, tasks);
  return {
    title: records.every(({ simulated }) => simulated) ? 'Simulated GUE-shaped tasks: encoders from scratch beside baselines' : 'GUE: encoders and baselines',
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

/** Each model against each baseline on the same items. All seeds of a model share each draw, so that the difference is that of the means shown beside it. */
function differences(groups: readonly Group[]): PairedDifference[] {
  const predictions = ({ runs }: Group) => runs.map((run) => run.predictions.predicted);
  return groups.filter(({ runs }) => runs[0].kind === 'model').flatMap((ours) => groups.filter(({ task, runs }) => task === ours.task && runs[0].kind === 'baseline').map((baseline) => {
    const { difference, interval } = pairedBootstrap({ labels: ours.runs[0].predictions.labels, a: predictions(ours), b: predictions(baseline), metric: ours.task.metric as Metric, seed: 0 });
    return { task: ours.task.name, model: ours.runs[0].model, baseline: baseline.runs[0].model, difference, interval };
  }));
}

export function writeReport(input: ReportInput, file: string): string {
  mkdirSync(dirname(file), { recursive: true });
  writeFileAtomic(file, renderReport(input));
  return file;
}

export const resultsText = (input: ReportInput, report: string): string =>
  `${renderTable(input, { colour: process.stdout.isTTY === true && !process.env['NO_COLOR'], width: Math.max(40, process.stdout.columns || 140) })}\nreport: ${report}\n`;

/** `{"results": [{"task", "model" | "baseline", "mcc", "interval", …}], "report"}`: one row for each task and model, means over seeds. */
export function resultsJson(input: ReportInput, report: string): string {
  const results = (input.aggregates ?? []).map(({ task, model, seeds, mean, interval }) => {
    const runs = input.records.filter((record) => record.task === task && record.model === model);
    const metric = runs[0].scores[0].metric;
    const average = (value: (record: RunRecord) => number) => runs.reduce((sum, record) => sum + value(record), 0) / runs.length;
    return {
      task, [runs[0].kind]: model, [metric]: mean, ...(metric === 'mcc' ? {} : { mcc: average(({ scores }) => scores.find((score) => score.metric === 'mcc')!.value) }),
      interval: [interval.low, interval.high], metric, seeds, values: runs.map(({ scores }) => scores[0].value), simulated: runs[0].simulated, collapsed: runs.filter(({ collapsed }) => collapsed).length,
      truncatedFraction: average((record) => record.report['truncatedFraction'] ?? 0), fitSeconds: average(({ cost }) => cost.fitSeconds), peakMemoryBytes: Math.max(...runs.map(({ cost }) => cost.peakMemoryBytes)),
    };
  });
  return `${JSON.stringify({ results, report })}\n`;
}

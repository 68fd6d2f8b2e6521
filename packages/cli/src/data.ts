import { existsSync, readFileSync } from 'node:fs';
import { availableTasks, findTask, loadDataset, parseDataset, parseTask, type Dataset, type ReportTask, type Task, type UpstreamSettings } from '@genomelm/gue';
import { simulatedTasks, simulateGueTask, type SimulatedTask } from '@genomelm/genome-io';
import { UsageError } from './command';

/** A task with the way to its data. */
export interface Source {
  readonly name: string;
  readonly task: Pick<Task, 'name' | 'version' | 'metric' | 'classes' | 'pair'> & ReportTask;
  /** How upstream fine-tuned on it; nobody did on simulated tasks. */
  readonly upstream?: UpstreamSettings;
  load(signal: AbortSignal): Promise<Dataset>;
}

export const dataOption = { type: 'string', value: 'DIR', help: 'the folder that holds EMP/, prom/, tf/ …, a zip file of it, an address, or hf:OWNER/NAME (default: $GENOMELM_GUE, else simulated data)' } as const;

/** Where the data are: `--data`, else the environment variable GENOMELM_GUE, else the simulator. */
export function dataDirectory(option: string | undefined, environment = process.env['GENOMELM_GUE']): string | undefined {
  const directory = option ?? (environment || undefined);
  if (directory !== undefined && !/^(https?:\/\/|hf:)/i.test(directory) && !existsSync(directory)) throw new UsageError(`--data: expected a folder that holds EMP/, prom/, tf/ …, got ${directory}, which does not exist`);
  return directory;
}

/** The named tasks, or all that the folder or zip file has in full, or all simulated ones. */
export async function openSources(directory: string | undefined, names: readonly string[] | undefined): Promise<Source[]> {
  if (directory === undefined) return simulatedSources(names);
  if (names) return names.map((name) => realSource(name.endsWith('.json') ? userTask(name) : findTask(name), directory));
  const complete = await availableTasks(directory);
  if (!complete) throw new UsageError(`--tasks: expected task names, as ${directory} cannot be listed, got none; see genomelm gue tasks`);
  if (complete.length === 0) throw new UsageError(`--data: expected a folder that holds EMP/, prom/, tf/ … with train, dev and test.csv, got ${directory}, which has no complete task; see genomelm gue tasks`);
  return complete.map((task) => realSource(task, directory));
}

/** A task of the user's own, from a JSON file. */
export function userTask(path: string): Task {
  if (!existsSync(path)) throw new UsageError(`--tasks: expected a task as JSON, got ${path}, which does not exist`);
  return parseTask(readFileSync(path, 'utf8'), path);
}

const realSource = (task: Task, directory: string): Source => ({
  name: task.name,
  task,
  upstream: task.upstream,
  load: (signal) => loadDataset(task, directory, { signal }),
});

/** What the default run draws: small enough that all models and baselines take 80 s on two cores. */
const simulation = { seed: 1, sizes: { train: 800, dev: 200, test: 500 }, longest: 80 } as const;

/** A task row of the harness for a task of the simulator. */
export const simulatedTask = ({ name, title, description, classes, length }: SimulatedTask) =>
  ({ name, version: '1', benchmark: 'GUE', metric: 'mcc', classes: classes.length, pair: false, bp: Math.min(length, simulation.longest), description: `${title}. ${description.replace(/\.$/, '')}`, declaredSizes: simulation.sizes, published: [] }) as const;

function simulatedSources(names: readonly string[] | undefined): Source[] {
  const wanted = names ?? simulatedTasks.map(({ name }) => name);
  return wanted.map((name) => {
    const found = simulatedTasks.find((candidate) => candidate.name === name);
    if (!found) throw new UsageError(`--tasks: expected some of ${simulatedTasks.map((candidate) => candidate.name).join(', ')} (simulated, as there is no --data), got ${name}; for GUE's own tasks give --data`);
    const task = simulatedTask(found);
    return {
      name,
      task,
      async load() {
        const { train, dev, test } = simulateGueTask(name, { seed: simulation.seed, sizes: simulation.sizes, length: task.bp });
        const csv = (rows: typeof train) => `sequence,label\n${rows.map(({ sequence, label }) => `${sequence},${label}\n`).join('')}`;
        return parseDataset(task, { train: csv(train), dev: csv(dev), test: csv(test) }, { simulated: true });
      },
    };
  });
}

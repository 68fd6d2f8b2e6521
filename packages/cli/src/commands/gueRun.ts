import { join } from 'node:path';
import { auditLeakage, baselines, evaluate, openRunStore, runIdentity, type Dataset, type EvaluateOptions, type LeakageAudit } from '@genomelm/gue';
import { deviceOptions, integer, list, UsageError, type Command, type Context } from '../command';
import { dataDirectory, dataOption, openSources, type Source } from '../data';
import { openDevice } from '../devices';
import { dryRun } from '../dryRun';
import { builtInModels, findTokenizer, prepareModel, type PreparedModel, type TokenizerFile } from '../models';
import { reportInput, resultsJson, resultsText, writeReport, type StoredRecord } from '../results';
import { baselineNames } from './baselineNames';
import { outsideModels, type OutsideModel } from './outsideModels';
import type { Device } from '@genomelm/kernels';

const defaultBaselines = ['majority', 'composition', 'kmer', 'onehot'];

export const gueRun: Command = {
  name: 'gue run',
  summary: 'Fine-tune and score models and baselines on GUE tasks; writes run records and one HTML report.',
  usage: '[--data DIR] [--tasks a,b] [--models small,dnabert2-shape] [--seeds 3]',
  options: {
    data: dataOption,
    tasks: { type: 'string', value: 'A,B', help: 'task names (default: all that the data have in full); see gue tasks' },
    models: { type: 'string', value: 'A,B', help: `${builtInModels.join(', ')}, or directories with pre-trained models (default: both)` },
    outside: { type: 'string', value: 'A=X;…', help: 'models that are not ours: NAME=FILE.csv (predictions) or NAME=PROGRAM ARGUMENTS (sequences on stdin, a line for each on stdout); {task} stands for the task' },
    baselines: { type: 'string', value: 'A,B', help: `of ${Object.keys(baselines).join(', ')}, or all, or none (default: ${defaultBaselines.join(',')})` },
    seeds: { type: 'string', value: 'N', help: 'fits of each model (default 3, simulated 1)' },
    seed: { type: 'string', value: 'N', help: 'the first seed (default 0)' },
    epochs: { type: 'string', value: 'N', help: "instead of each model's own" },
    tokenizer: { type: 'string', value: 'FILE', help: 'tokenizer.json for models with BPE tokens (default: $GENOMELM_TOKENIZER, one beside the data, else trained on the train split)' },
    out: { type: 'string', short: 'o', value: 'DIR', help: 'where run records and report.html go (default: runs)' },
    'no-audit': { type: 'boolean', help: 'do not search test rows in train; the report then lacks the homology-clean scores' },
    refresh: { type: 'boolean', help: 'run again what is already there' },
    'dry-run': { type: 'boolean', help: 'only say what would run, what would be cut, and a guess of the cost' },
    ...deviceOptions,
  },
  async run(context) {
    const { values, positionals, json, print } = context;
    if (positionals.length) throw new UsageError(`gue run: expected options only, got ${positionals[0]}`);
    const directory = dataDirectory(values['data'] as string | undefined);
    const plan: Plan = {
      sources: await openSources(directory, list(context, 'tasks')),
      models: list(context, 'models') ?? [...builtInModels],
      outside: outsideModels(context),
      baselines: baselineNames(context, defaultBaselines),
      seeds: Array.from({ length: integer(context, 'seeds', directory ? 3 : 1, { max: 1000 }) }, (_, i) => integer(context, 'seed', 0, { min: 0 }) + i),
      tokenizerFile: findTokenizer(values['tokenizer'] as string | undefined, directory),
      hyperparameters: values['epochs'] === undefined ? {} : { epochs: integer(context, 'epochs', 0) },
      out: (values['out'] as string | undefined) ?? 'runs',
      refresh: values['refresh'] === true,
      audit: values['no-audit'] !== true,
    };
    if (!json && directory === undefined) print('No --data given: the tasks are SIMULATED. They show that everything works; they say nothing about genomes.\n\n');
    const device = await openDevice(context);
    try {
      if (values['dry-run']) {
        await dryRun(plan, device, context);
        return;
      }
      const records = await runAll(plan, device, context);
      context.progress.finish();
      const input = reportInput(records, plan.sources.map(({ task }) => task), { device: `${device.kind}, ${device.limits.threads} thread${device.limits.threads === 1 ? '' : 's'}` });
      const file = writeReport(input, join(plan.out, 'report.html'));
      print(json ? resultsJson(input, file) : resultsText(input, file));
    } finally {
      await device.destroy();
    }
  },
};

export interface Plan {
  readonly sources: readonly Source[];
  readonly models: readonly string[];
  /** Fitted elsewhere, so that each runs once, whatever the seeds. */
  readonly outside: readonly OutsideModel[];
  readonly baselines: readonly string[];
  readonly seeds: readonly number[];
  readonly tokenizerFile: TokenizerFile | undefined;
  /** Over the models' own. */
  readonly hyperparameters: Readonly<Record<string, number>>;
  readonly out: string;
  readonly refresh: boolean;
  /** Whether test rows are searched in train. */
  readonly audit: boolean;
}

/** Every task, every baseline once, every model with every seed; what the store already holds is not run again. */
async function runAll(plan: Plan, device: Device, context: Context): Promise<StoredRecord[]> {
  const store = openRunStore(join(plan.out, 'records'));
  const datasets: [Source, Dataset][] = [];
  for (const source of plan.sources) datasets.push([source, await source.load(context.signal)]); // all data are checked before anything is trained
  const total = plan.sources.length * (plan.baselines.length + plan.outside.length + plan.models.length * plan.seeds.length);
  const records: StoredRecord[] = [];
  const audits = new Map<Dataset, LeakageAudit>(); // made when the first run of a task needs one: stored records do not
  const auditOf = async ({ name }: Source, dataset: Dataset): Promise<LeakageAudit> => {
    const { train, test } = dataset;
    const onProgress = (done: number, all: number): void => context.progress.update({ stage: `audit ${name}`, done, total: all, unit: 'sequences' });
    const audit = audits.get(dataset) ?? await auditLeakage({ train: train.examples, test: test.examples }, { signal: context.signal, onProgress });
    audits.set(dataset, audit);
    return audit;
  };
  const run = async (source: Source, dataset: Dataset, kind: 'model' | 'baseline', seed: number, { classifier, settings, hyperparameters }: PreparedModel) => {
    const stage = `${records.length + 1}/${total} ${source.name} ${classifier.id}${kind === 'model' ? ` seed ${seed}` : ''}`;
    context.progress.update({ stage });
    const request: EvaluateOptions = {
      task: source.task, dataset, classifier, kind, seed, hyperparameters, settings, signal: context.signal,
      device: kind === 'model' ? device.kind : 'cpu', threads: kind === 'model' ? device.limits.threads : 1,
      onProgress: (event) => context.progress.update({ stage, ...event }),
    };
    const identity = runIdentity(request);
    const record = await store.readOrRun(identity, async () => evaluate(plan.audit ? { ...request, audit: await auditOf(source, dataset) } : request), { refresh: plan.refresh });
    records.push({ record, path: store.pathOf(await store.keyOf(identity)) });
  };
  for (const [source, dataset] of datasets) {
    for (const name of plan.baselines) await run(source, dataset, 'baseline', 0, { classifier: baselines[name](), settings: {}, hyperparameters: {} });
    for (const { source: outside, classifierFor } of plan.outside) await run(source, dataset, 'model', 0, { classifier: await classifierFor(source.name), settings: { outside }, hyperparameters: {} });
    for (const name of plan.models) {
      const prepared = await prepareModel(name, { source, dataset, device, tokenizerFile: plan.tokenizerFile });
      for (const seed of plan.seeds) await run(source, dataset, 'model', seed, { ...prepared, hyperparameters: { ...prepared.hyperparameters, ...plan.hyperparameters } });
      prepared.dispose?.();
    }
  }
  return records;
}

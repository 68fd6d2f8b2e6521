import { join } from 'node:path';
import { auditLeakage, evaluate, openRunStore, runIdentity, withHomology, type Dataset, type EvaluateOptions, type LeakageAudit, type RunRecord } from '@genomelm/gue';
import { choice, deviceOptions, integer, list, UsageError, type Command, type Context } from '../command';
import { dataDirectory, dataOption, openSources, type Source } from '../data';
import { openDevice } from '../devices';
import { dryRun } from '../dryRun';
import { builtInModels, checkModel, findTokenizer, overridden, prepareModel, presets, protocols } from '../models';
import { prepareFolder } from '../output';
import { reportInput, resultsJson, resultsText, writeReport, type StoredRecord } from '../results';
import { baselinesFor, mostBasesForCnn, seedsOf, type Plan } from '../runPlan';
import { baselineRequest, modelRequest, outsideRequest } from '../runRequests';
import { allBaselines, baselineNames } from './baselineNames';
import { outsideModels } from './outsideModels';
import type { Device } from '@genomelm/kernels';
import type { ClassifierProtocol } from '@genomelm/model';

export const gueRun: Command = {
  name: 'gue run',
  summary: 'Fine-tune and score models and baselines on GUE tasks; writes run records and one HTML report.',
  usage: '[--data DIR] [--tasks a,b] [--models small,dnabert2-shape] [--protocol full,lora,probe,zero-shot] [--seeds 3]',
  options: {
    data: dataOption,
    tasks: { type: 'string', value: 'A,B', help: 'task names (default: all that the data have in full); see gue tasks' },
    models: { type: 'string', value: 'A,B', help: `${builtInModels.join(', ')}, or directories with pre-trained models (default: both)` },
    outside: { type: 'string', value: 'A=X;…', help: 'models that are not ours: NAME=FILE.csv (predictions) or NAME=PROGRAM ARGUMENTS (sequences on stdin, a line for each on stdout); {task} stands for the task' },
    baselines: { type: 'string', value: 'A,B', help: `of ${allBaselines.join(', ')}, or all, or none (default: all; cnn on sets of up to ${mostBasesForCnn / 1e6} million training bases)` },
    protocol: { type: 'string', value: 'A,B', help: `what is trained of pre-trained models, of ${protocols.join(', ')} (default: full)` },
    preset: { type: 'string', value: 'NAME', help: "settings of pre-trained models: own, or upstream, those of DNABERT-2's script for the task (default: own)" },
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
      protocols: protocolsOf(context),
      preset: choice(context, 'preset', presets, 'own'),
      baselines: baselineNames(context, allBaselines),
      smallCnn: values['baselines'] === undefined,
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
      prepareFolder(plan.out);
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

function protocolsOf(context: Context): ClassifierProtocol[] {
  return (list(context, 'protocol') ?? ['full']).map((name) => {
    const found = protocols.find((each) => each === name);
    if (!found) throw new UsageError(`--protocol: expected some of ${protocols.join(', ')}, got ${name}`);
    return found;
  });
}

/** Every task, every baseline once, every model with every seed; what the store already holds is not run again. */
async function runAll(plan: Plan, device: Device, context: Context): Promise<StoredRecord[]> {
  const store = openRunStore(join(plan.out, 'records'));
  const datasets: [Source, Dataset][] = [];
  for (const source of plan.sources) datasets.push([source, await source.load(context.signal)]); // all data are checked before anything is trained
  for (const source of plan.sources) for (const name of plan.models) for (const protocol of plan.protocols) await checkModel(name, { source, tokenizerFile: plan.tokenizerFile, protocol, preset: plan.preset }); // and all models
  const perTask = plan.baselines.length + plan.outside.length + plan.models.length * plan.protocols.reduce((runs, protocol) => runs + seedsOf(plan, protocol).length, 0);
  const skipped = datasets.filter(([, dataset]) => !baselinesFor(plan, dataset).includes('cnn') && plan.baselines.includes('cnn')).length;
  const total = plan.sources.length * perTask - skipped;
  const records: StoredRecord[] = [];
  const audits = new Map<Dataset, LeakageAudit>(); // made when the first record of a task needs one
  const auditOf = async ({ name }: Source, dataset: Dataset): Promise<LeakageAudit> => {
    const { train, test } = dataset;
    const onProgress = (done: number, all: number): void => context.progress.update({ stage: `audit ${name}`, done, total: all, unit: 'sequences' });
    const audit = audits.get(dataset) ?? await auditLeakage({ train: train.examples, test: test.examples }, { signal: context.signal, onProgress });
    audits.set(dataset, audit);
    return audit;
  };
  const run = async (source: Source, dataset: Dataset, request: EvaluateOptions) => {
    const stage = `${records.length + 1}/${total} ${source.name} ${request.classifier.id}${request.kind === 'model' ? ` seed ${request.seed}` : ''}`;
    context.progress.update({ stage });
    const identity = runIdentity(request);
    const watched: EvaluateOptions = { ...request, signal: context.signal, onProgress: (event) => context.progress.update({ stage, ...event }) };
    let record: RunRecord = await store.readOrRun(identity, () => evaluate(watched), { refresh: plan.refresh });
    if (plan.audit && !record.homology) {
      record = withHomology(record, await auditOf(source, dataset)); // of a record from an earlier run without audit as well: nothing is fitted again
      await store.write(record);
    }
    records.push({ record, path: store.pathOf(await store.keyOf(identity)) });
  };
  for (const [source, dataset] of datasets) {
    const place = { source, dataset, device };
    for (const name of baselinesFor(plan, dataset)) await run(source, dataset, baselineRequest(name, place));
    for (const outside of plan.outside) await run(source, dataset, await outsideRequest(outside, place));
    for (const name of plan.models) {
      for (const protocol of plan.protocols) {
        const prepared = await prepareModel(name, { ...place, tokenizerFile: plan.tokenizerFile, protocol, preset: plan.preset });
        for (const seed of seedsOf(plan, protocol)) await run(source, dataset, modelRequest({ ...prepared, hyperparameters: overridden(prepared, plan.hyperparameters) }, place, seed));
        prepared.dispose?.();
      }
    }
  }
  return records;
}

import { evaluate, runIdentity, type Dataset, type EvaluateOptions, type RunRecord } from '@genomelm/gue';
import { deviceOptions, UsageError, type Command, type Context } from '../command';
import { dataDirectory, dataOption, openSources } from '../data';
import { openDevice } from '../devices';
import { builtInModels, findTokenizer, prepareModel, protocols } from '../models';
import { baselineRequest, modelRequest, outsideRequest, type Place } from '../runRequests';
import { readUserFile } from '../userFile';
import { allBaselines } from './baselineNames';
import { outsideModels } from './outsideModels';

export const gueReproduce: Command = {
  name: 'gue reproduce',
  summary: 'Run a stored record again, with its data, settings and seed, and compare the predictions one by one. Exit code 1 where they differ.',
  usage: 'RECORD.json [--data DIR] [--tasks MINE.json]',
  options: {
    data: dataOption,
    tasks: { type: 'string', value: 'FILE', help: 'the JSON file of a task of your own, where the record is of one' },
    tokenizer: { type: 'string', value: 'FILE', help: 'tokenizer.json, as for gue run' },
    ...deviceOptions,
  },
  async run(context) {
    const { values, positionals: [file, ...more], print, json, progress, signal } = context;
    if (file === undefined || more.length) throw new UsageError(`gue reproduce: expected one run record, got ${more.length ? `${more.length + 1} files` : 'none'}; see the folder records of gue run`);
    const record = readRecord(file);
    const directory = record.simulated ? undefined : dataDirectory(values['data'] as string | undefined);
    if (!record.simulated && directory === undefined) throw new UsageError(`gue reproduce: expected --data with the files of ${record.task}, got none`);
    const [source] = await openSources(directory, [(values['tasks'] as string | undefined) ?? record.task]);
    if (source.name !== record.task) throw new UsageError(`--tasks: expected the task ${record.task} of the record, got ${source.name}`);
    const dataset = await source.load(signal);
    checkData(record, dataset);
    const device = await openDevice({ values: { ...values, device: values['device'] ?? (['wasm', 'webgpu', 'reference'].includes(record.device ?? '') ? record.device : undefined) } });
    try {
      const request = await requestOf(record, { source, dataset, device }, context);
      const again = await evaluate({ ...request, ...resamplesOf(record), signal, onProgress: (event) => progress.update({ stage: `${record.task} ${record.model}`, ...event }) });
      progress.finish();
      const result = compare(record, again, request);
      print(json ? `${JSON.stringify(result)}\n` : text(result));
      return result.identical ? 0 : 1;
    } finally {
      await device.destroy();
    }
  },
};

function readRecord(file: string): RunRecord {
  const record = readUserFile(file, parseJson);
  if ((record as RunRecord | null)?.schema !== 'genomelm-run/1') throw new UsageError(`gue reproduce: expected a run record of schema genomelm-run/1, got another file: ${file}`);
  return record as RunRecord;
}

function parseJson(contents: Buffer): unknown {
  try {
    return JSON.parse(contents.toString('utf8'));
  } catch (cause) {
    throw new UsageError(`gue reproduce: expected a run record as JSON, got something else (${(cause as Error).message}); see the folder records of gue run`, { cause });
  }
}

function checkData({ task, data }: RunRecord, dataset: Dataset): void {
  for (const split of ['train', 'dev', 'test'] as const) {
    if (dataset[split].sha256 === data.sha256[split]) continue;
    throw new UsageError(`gue reproduce: expected the ${split} split of ${task} that the record was made from (sha256 ${data.sha256[split].slice(0, 12)}), got another (${dataset[split].sha256.slice(0, 12)})`);
  }
}

const resamplesOf = ({ scores: [score] }: RunRecord): Pick<EvaluateOptions, 'resamples'> => (score.interval ? { resamples: score.interval.resamples } : {});

/** The request that made the record, as far as names and settings tell. */
async function requestOf(record: RunRecord, place: Place, { values }: Context): Promise<EvaluateOptions> {
  const { model, kind, seed, hyperparameters } = record;
  if (kind === 'baseline' && allBaselines.includes(model)) return { ...baselineRequest(model, place), seed };
  const outside = hyperparameters['outside'];
  if (typeof outside === 'string') return outsideRequest(outsideModels({ values: { outside: `${model}=${outside}` } })[0], place);
  const protocol = protocols.find((each) => each === hyperparameters['protocol']) ?? 'full';
  const name = builtInModels.some((each) => each === model) ? model : model.replace(new RegExp(`\\+${protocol}$`), '');
  const tokenizerFile = findTokenizer(values['tokenizer'] as string | undefined, values['data'] as string | undefined);
  const prepared = await prepareModel(name, { ...place, tokenizerFile, protocol });
  const fitted = Object.fromEntries(Object.entries(hyperparameters).filter(([key]) => !Object.hasOwn(prepared.settings, key)));
  return modelRequest({ ...prepared, hyperparameters: fitted }, place, seed);
}

interface Reproduction {
  readonly task: string;
  readonly model: string;
  readonly seed: number;
  /** Every class, probability and score is the same. */
  readonly identical: boolean;
  readonly differingPredictions: number;
  readonly largestDifference: number;
  readonly items: number;
  readonly scores: readonly { readonly metric: string; readonly stored: number; readonly again: number }[];
  /** What is not as it was when the record was made, and may be why. */
  readonly changed: readonly string[];
}

function compare(stored: RunRecord, again: RunRecord, request: EvaluateOptions): Reproduction {
  const { labels, predicted, probabilities } = stored.predictions;
  const differingPredictions = predicted.filter((prediction, item) => prediction !== again.predictions.predicted[item]).length;
  const largestDifference = probabilities.reduce((most, row, item) => row.reduce((own, value, k) => Math.max(own, Math.abs(value - again.predictions.probabilities[item][k])), most), 0);
  const scores = stored.scores.map(({ metric, value }) => ({ metric, stored: value, again: again.scores.find((score) => score.metric === metric)?.value ?? NaN }));
  const identity = runIdentity(request);
  const changed = [
    ...(identity.fingerprint === stored.fingerprint ? [] : ['weights, tokenizer or default settings']),
    ...(identity.device === (stored.device ?? 'cpu') ? [] : [`the device (${stored.device ?? 'cpu'}, now ${identity.device})`]),
    ...(identity.hyperparameters['code'] === stored.hyperparameters['code'] ? [] : ['the code']),
  ];
  return { task: stored.task, model: stored.model, seed: stored.seed, identical: differingPredictions === 0 && largestDifference === 0 && scores.every(({ stored: a, again: b }) => a === b), differingPredictions, largestDifference, items: labels.length, scores, changed };
}

function text({ task, model, seed, identical, differingPredictions, largestDifference, items, scores, changed }: Reproduction): string {
  const [{ metric, stored, again }] = scores;
  const what = `${model} on ${task}, seed ${seed}: ${metric} ${stored.toFixed(4)}`;
  if (identical) return `${what}. Run again: all ${items} predictions and probabilities are the same.\n`;
  return `${what}, run again ${again.toFixed(4)}. ${differingPredictions} of ${items} predictions differ, probabilities by up to ${largestDifference.toPrecision(2)}.${changed.length ? ` Changed since: ${changed.join(', ')}.` : ''}\n`;
}

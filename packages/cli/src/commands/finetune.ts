import { join } from 'node:path';
import { free } from '@genomelm/kernels';
import { finetuneClassifier, isDecoder, savePretrained, saveLora, type AnyModel, type FinetuneClassifierOptions, type FinetunedClassifier, type LabelledSequence, type Protocol } from '@genomelm/model';
import { serializeTokenizerJson, type BpeTokenizer, type Tokenizer } from '@genomelm/tokenizer';
import { choice, deviceOptions, integer, list, UsageError, type Command, type Context } from '../command';
import { openDevice } from '../devices';
import { required } from '../genomeFiles';
import { classifierFor, labelledSequences, problems, readLabelled } from '../labelledFiles';
import { prepareFolder, writeFileAtomic } from '../output';
import { modelOptions, openPretrained } from '../pretrained';

const metrics = ['mcc', 'f1', 'accuracy', 'loss', 'pearson', 'r2'] as const;

export const finetune: Command = {
  name: 'finetune',
  summary: 'Train a pre-trained model on labelled sequences (CSV or TSV with a header: sequence,label). Of several seeds the best on dev is kept.',
  usage: '--model MODEL --train FILE --out DIR [--dev FILE] [--test FILE]',
  options: {
    model: { type: 'string', value: 'MODEL', help: 'a directory with config.json and weights, as pretrain or Hugging Face write them, an address, or an id on the hub' },
    ...modelOptions,
    train: { type: 'string', value: 'FILE', help: 'CSV or TSV, plain or gzip, with the columns sequence and label; a second sequence in sequence2' },
    dev: { type: 'string', value: 'FILE', help: 'chooses the parameters (default: every tenth row of train)' },
    test: { type: 'string', value: 'FILE', help: 'judged once, at the end, for every seed' },
    out: { type: 'string', short: 'o', value: 'DIR', help: 'where the model, its tokenizer and finetune.json go' },
    problem: { type: 'string', value: 'WHAT', help: 'classes (default), labels (several, with ; between), numbers, or bases (a letter for each base, a dot for none)' },
    'label-column': { type: 'string', value: 'NAME', help: 'default label' },
    protocol: { type: 'string', value: 'HOW', help: 'full (default), lora, or probe: a linear classifier on the frozen model' },
    rank: { type: 'string', value: 'N', help: 'of lora (default 8)' },
    alpha: { type: 'string', value: 'N', help: 'of lora (default 16)' },
    targets: { type: 'string', value: 'A,B', help: 'layers for lora, of Wqkv, dense, gated_layers, wo, of a decoder q, k, v, o, gate, up, down (default: all)' },
    metric: { type: 'string', value: 'NAME', help: `chooses the parameters on dev: ${metrics.join(', ')} (default mcc; f1 for labels; pearson for numbers)` },
    'class-weights': { type: 'string', value: 'A,B|balanced', help: 'what an example of each class counts' },
    'learning-rate': { type: 'string', value: 'X', help: 'the peak (default 3e-5; lora 1e-4; probe 1e-2)' },
    epochs: { type: 'string', value: 'N', help: 'default 3; probe 20' },
    'batch-size': { type: 'string', value: 'N', help: 'sequences a step (default 32; probe 64)' },
    'max-length': { type: 'string', value: 'N', help: 'cut sequences to so many tokens' },
    patience: { type: 'string', value: 'N', help: 'end after so many evaluations without a better score' },
    seeds: { type: 'string', value: 'N', help: 'fits, from --seed on (default 1)' },
    seed: { type: 'string', value: 'N', help: 'the first (default 0)' },
    ...deviceOptions,
  },
  async run(context) {
    const { positionals, json, print, progress } = context;
    if (positionals.length) throw new UsageError(`finetune: expected options only, got ${positionals[0]}`);
    const name = required(context, 'finetune', 'model', 'a directory, an address or an id on the hub');
    const out = required(context, 'finetune', 'out', 'a folder');
    const data = readData(context);
    const device = await openDevice(context);
    try {
      const { model, tokenizer } = await openPretrained(context, name, device);
      prepareFolder(out);
      const report = await fitAll(context, model, tokenizer, data, out);
      free(model.params);
      progress.finish();
      print(json ? `${JSON.stringify(report)}\n` : describe(report, out));
    } finally {
      await device.destroy();
    }
  },
};

interface Data extends Pick<FinetuneClassifierOptions, 'classifier'> {
  readonly train: LabelledSequence[];
  readonly dev: LabelledSequence[];
  readonly test: LabelledSequence[] | undefined;
}

function readData(context: Context): Data {
  const { values } = context;
  const problem = choice(context, 'problem', problems, 'classes');
  const path = required(context, 'finetune', 'train', 'a CSV file');
  const column = values['label-column'] as string | undefined;
  const rows = readLabelled(path, column);
  if (rows.length < 2) throw new UsageError(`${path}: expected at least 2 labelled sequences, got ${rows.length}; add some`);
  const classifier = classifierFor(problem, rows);
  const all = labelledSequences(path, rows, problem, classifier);
  const read = (name: 'dev' | 'test') => {
    if (typeof values[name] !== 'string') return undefined;
    const own = readLabelled(values[name], column);
    if (!own.length) throw new UsageError(`${values[name]}: expected labelled sequences, got none; leave --${name} out, or give another file`);
    return labelledSequences(values[name], own, problem, classifier);
  };
  const dev = read('dev');
  return { classifier, train: dev ? all : all.filter((_, i) => i % 10 !== 9), dev: dev ?? all.filter((_, i) => i % 10 === 9), test: read('test') };
}

function optionsOf(context: Context): Omit<FinetuneClassifierOptions, 'classifier' | 'seed'> {
  const { values } = context;
  const protocol = choice<Protocol>(context, 'protocol', ['full', 'lora', 'probe'], 'full');
  const hyperparameters: Record<string, number> = {};
  for (const [option, name] of [['learning-rate', 'learningRate'], ['epochs', 'epochs'], ['batch-size', 'batchSize'], ['max-length', 'maxLength']] as const) {
    if (values[option] === undefined) continue;
    const value = Number(values[option]);
    if (!(value > 0)) throw new UsageError(`--${option}: expected a number above 0, got ${String(values[option])}`);
    hyperparameters[name] = value;
  }
  const weights = values['class-weights'] === 'balanced' ? 'balanced' as const : list(context, 'class-weights')?.map(Number);
  return {
    protocol, hyperparameters, classWeights: weights,
    metric: values['metric'] === undefined ? undefined : choice(context, 'metric', metrics, 'mcc'),
    lora: { rank: integer(context, 'rank', 8), alpha: integer(context, 'alpha', 16), targetModules: list(context, 'targets') },
    patience: values['patience'] === undefined ? undefined : integer(context, 'patience', 0),
    signal: context.signal,
  };
}

interface SeedReport {
  readonly seed: number;
  readonly dev?: number;
  readonly test?: number;
  readonly steps: number;
  readonly trainedParameters: number;
  readonly truncatedFraction: number;
  /** All predictions on dev are the same: a warning. */
  readonly collapsed: boolean;
  /** On test: the most probable class, or the outputs of the other problems. */
  readonly predictions?: readonly number[];
}

async function fitAll(context: Context, model: AnyModel, tokenizer: Tokenizer, data: Data, out: string) {
  const { progress } = context;
  const first = integer(context, 'seed', 0, { min: 0 });
  const reports: SeedReport[] = [];
  let best: { readonly fitted: FinetunedClassifier; readonly score: number } | undefined;
  for (let seed = first; seed < first + integer(context, 'seeds', 1, { max: 1000 }); seed++) {
    const fitted = await finetuneClassifier(model, tokenizer, data, {
      ...optionsOf(context), classifier: data.classifier, seed,
      onProgress: (event) => progress.update(event.kind === 'step' ? { stage: `seed ${seed}`, done: event.step, unit: 'steps', loss: event.loss, tokensPerSecond: Math.round(event.tokensPerSecond), secondsLeft: Math.round(event.secondsLeft) } : { stage: `seed ${seed} evaluation`, epoch: event.epoch, devScore: event.devScore }),
    });
    const { dev, steps, trainedParameters, truncatedFraction } = fitted;
    const tested = data.test ? await fitted.judge(data.test) : undefined;
    reports.push({ seed, ...(dev ? { dev: dev.score } : {}), ...(tested ? { test: tested.score, predictions: predictionsOf(tested.logits, data) } : {}), steps, trainedParameters, truncatedFraction, collapsed: dev?.constant ?? false });
    const score = dev?.score ?? 0;
    if (best && score <= best.score) free([fitted.model.params, fitted.lora?.adapters ?? []]);
    else {
      if (best) free([best.fitted.model.params, best.fitted.lora?.adapters ?? []]);
      best = { fitted, score };
    }
  }
  await save(best!.fitted, tokenizer, out, context.values['model'] as string);
  const report = { out, classifier: data.classifier, examples: { train: data.train.length, dev: data.dev.length, test: data.test?.length ?? 0 }, hyperparameters: best!.fitted.settings, seeds: reports };
  writeFileAtomic(join(out, 'finetune.json'), `${JSON.stringify({ ...report, curve: best!.fitted.curve })}\n`);
  free([best!.fitted.model.params, best!.fitted.lora?.adapters ?? []]);
  return report;
}

function predictionsOf(logits: Float32Array, { classifier: { problemType, labels } }: Data): number[] {
  if (problemType !== 'single_label_classification') return Array.from(logits, (x) => Number(x.toPrecision(6)));
  return Array.from({ length: logits.length / labels.length }, (_, row) => {
    const own = logits.subarray(row * labels.length, (row + 1) * labels.length);
    return own.indexOf(Math.max(...own));
  });
}

/** The merged model; of lora also the adapters, for PEFT. */
async function save({ model, lora }: FinetunedClassifier, tokenizer: Tokenizer, out: string, baseModel: string): Promise<void> {
  await savePretrained(model, out);
  if ('definition' in tokenizer) writeFileAtomic(join(out, 'tokenizer.json'), serializeTokenizerJson(tokenizer as BpeTokenizer));
  if (!lora) return;
  await saveLora(lora, join(out, 'adapter'), { baseModel, head: headOf(model) });
}

/** What was trained whole beside the adapters. */
function headOf(model: AnyModel) {
  if (isDecoder(model)) return { score: model.params.score! };
  const { classifier, bert: { pooler } } = model.params;
  return { ...(classifier ? { classifier } : {}), ...(pooler ? { bert: { pooler } } : {}) };
}

function describe({ seeds, examples, classifier }: Awaited<ReturnType<typeof fitAll>>, out: string): string {
  const score = (value: number | undefined) => value?.toFixed(4) ?? 'none';
  return `${out}: ${examples.train} examples, outputs ${classifier.labels.join(', ')}\n${seeds.map(({ seed, dev, test, steps, trainedParameters, truncatedFraction, collapsed }) => `  seed ${seed}: dev ${score(dev)}${test === undefined ? '' : `, test ${score(test)}`}; ${steps} steps, ${trainedParameters} parameters trained${truncatedFraction ? `, ${(100 * truncatedFraction).toFixed(1)} % cut` : ''}${collapsed ? '; COLLAPSED: all predictions on dev are the same' : ''}\n`).join('')}`;
}

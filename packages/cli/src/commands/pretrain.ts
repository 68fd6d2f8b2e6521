import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { free, type Device } from '@genomelm/kernels';
import { bitsPerBase, checkTokenizer, createModel, dnabert2Config, loadPretrained, parseConfig, pretrain as train, samplers, savePretrained, tokenizerFingerprint, validate, type AnyModel, type HeldOutSequence, type ModelConfig, type SamplerName, type Tally, type TrainingWeights, type Validation } from '@genomelm/model';
import { serializeTokenizerJson, type BpeTokenizer, type Tokenizer } from '@genomelm/tokenizer';
import { choice, deviceOptions, integer, list, UsageError, type Command, type Context } from '../command';
import { openDevice } from '../devices';
import { required } from '../genomeFiles';
import { lock } from '../lock';
import { prepareFolder, writeFileAtomic } from '../output';
import { openClasses, openGenomes, openHeldOut, openTrainingCorpus, type GenomeFile, type TrainingCorpus } from '../trainingCorpus';
import { readUserFile } from '../userFile';
import { openTokenizer } from './tokenize';

export const pretrain: Command = {
  name: 'pretrain',
  summary: 'Train a model on genomes: hidden tokens (mlm) or the next token (causal). What is interrupted goes on where it was, to the same bits.',
  usage: '--tokenizer T --out DIR [--objective mlm|causal] [--tokens N] FILES…',
  options: {
    tokenizer: { type: 'string', short: 't', value: 'T', help: 'a tokenizer.json, kmer:6, or character' },
    out: { type: 'string', short: 'o', value: 'DIR', help: 'where the model, its tokenizer and pretrain.json go, and checkpoints while it trains' },
    objective: { type: 'string', value: 'WHAT', help: 'mlm (default) trains an encoder, causal a decoder' },
    model: { type: 'string', value: 'PATH', help: 'a directory with a model to train further, or a config.json (default: a small model by the next options)' },
    hidden: { type: 'string', value: 'N', help: 'width of a new model (default 64)' },
    layers: { type: 'string', value: 'N', help: 'its layers (default 2)' },
    heads: { type: 'string', value: 'N', help: 'its heads (default 4)' },
    tokens: { type: 'string', value: 'N', help: 'the budget (default 1000000)' },
    'tokens-per-step': { type: 'string', value: 'N', help: 'the same at every step (default 8192)' },
    'tokens-per-batch': { type: 'string', value: 'N', help: 'computed at once; gradients add up to a step (default: the whole step)' },
    window: { type: 'string', value: 'A-B', help: 'bases a sequence, drawn between A and B, or one number (default 510)' },
    strands: { type: 'string', value: 'HOW', help: 'forward (default) or both' },
    order: { type: 'string', value: 'HOW', help: `${Object.keys(samplers).join(', ')} (default random)` },
    'learning-rate': { type: 'string', value: 'X', help: 'the peak (default 1e-3)' },
    warmup: { type: 'string', value: 'X', help: 'share of the steps in which it rises (default 0.05)' },
    decay: { type: 'string', value: 'HOW', help: 'linear (default) or cosine' },
    dropout: { type: 'string', value: 'X', help: 'of a new encoder (default 0)' },
    mask: { type: 'string', value: 'X', help: 'mlm: share of tokens to predict (default 0.15)' },
    span: { type: 'string', value: 'N', help: 'mlm: neighbours chosen together (default 1; kmer:K wants K)' },
    'repeat-weight': { type: 'string', value: 'W', help: 'what lower-case tokens count in the loss (default 1)' },
    'hold-out': { type: 'string', value: 'A,B', help: 'contigs that are never trained on, or files of others; judged at the end' },
    validation: { type: 'string', value: 'A,B', help: 'the same; judged on the way' },
    classes: { type: 'string', value: 'FILE', help: 'BED or GFF3: scores by its names (default: upper and lower case)' },
    'class-types': { type: 'string', value: 'A,B', help: 'GFF3 types, the first that covers a base counts (default CDS,gene)' },
    'validate-every': { type: 'string', value: 'N', help: 'steps (default: ten times in all)' },
    'save-every': { type: 'string', value: 'N', help: 'steps between checkpoints (default: twenty in all)' },
    'save-dtype': { type: 'string', value: 'TYPE', help: 'float32 (default), bfloat16 or float16: numbers of the finished model on disk' },
    weights: { type: 'string', value: 'TYPE', help: 'float32 (default), bfloat16 or float16: what each step reads the weights of linear layers as; AdamW and checkpoints keep float32' },
    'layers-again': { type: 'boolean', help: 'compute layers again in the backward pass: less memory, a third slower' },
    seed: { type: 'string', value: 'N', help: 'of weights, order, masks and windows (default 0)' },
    ...deviceOptions,
  },
  async run(context) {
    const { positionals, print, json, progress } = context;
    if (!positionals.length) throw new UsageError('pretrain: expected one file or more to train on, got none');
    const out = required(context, 'pretrain', 'out', 'a folder');
    const tokenizer = openTokenizer(required(context, 'pretrain', 'tokenizer', 'a tokenizer.json, kmer:6 or character'));
    const genomes = await openGenomes(positionals);
    const device = await openDevice(context);
    const model = await startingModel(context, tokenizer, device);
    try {
      const report = await run(context, { model, tokenizer, genomes, out });
      progress.finish();
      print(json ? `${JSON.stringify(report)}\n` : describe(report, out));
    } finally {
      free(model.params);
      await device.destroy();
    }
  },
};

interface Occasion {
  readonly model: AnyModel;
  readonly tokenizer: Tokenizer;
  readonly genomes: readonly GenomeFile[];
  readonly out: string;
}

async function run(context: Context, { model, tokenizer, genomes, out }: Occasion) {
  const { values, progress, signal, json, print } = context;
  const decoder = 'numKvHeads' in model.config;
  const seed = integer(context, 'seed', 0, { min: 0 });
  const [heldOutFrom, validationFrom] = await Promise.all(['hold-out', 'validation'].map((name) => setAside(context, name, genomes)));
  const window = windowOf(context);
  const spanLength = integer(context, 'span', 1);
  const dtype = choice(context, 'save-dtype', ['float32', 'bfloat16', 'float16'], 'float32');
  const maskProbability = number(context, 'mask', 0.15, 1);
  const corpusOptions = { tokenizer, decoder, window, bothStrands: choice(context, 'strands', ['forward', 'both'], 'forward') === 'both', repeatWeight: number(context, 'repeat-weight', 1, Infinity), seed, onProgress: (done: number) => progress.update({ stage: 'read', done, unit: 'bases' }) };
  const away = new Set([...heldOutFrom.contigs, ...validationFrom.contigs]);
  const corpus = await openTrainingCorpus(genomes, (name) => !away.has(name), corpusOptions);
  const lengths = distribution(corpus.lengths);
  if (!json) print(`${corpus.lengths.length} sequences, ${corpus.bases} bases; tokens a sequence: ${lengths.map(([name, value]) => `${name} ${value}`).join(', ')}\n`);
  const classes = await openClasses(values['classes'] as string | undefined, list(context, 'class-types') ?? ['CDS', 'gene']);
  const [heldOut, validation] = await Promise.all([heldOutFrom, validationFrom].map(async ({ contigs, files }) =>
    [...await openHeldOut(genomes, (name) => contigs.includes(name), classes, corpusOptions), ...await openHeldOut(files, () => true, classes, corpusOptions)]));

  const tokensPerStep = integer(context, 'tokens-per-step', 8192);
  const steps = Math.max(1, Math.floor(integer(context, 'tokens', 1_000_000) / tokensPerStep));
  const { specialIds } = tokenizer;
  let validated: Validation | undefined;
  const judge = (sequences: readonly HeldOutSequence[]) => validate(model, sequences, { specialIds, classNames: classes.names, maskProbability, spanLength, signal });
  const began = performance.now();
  prepareFolder(out);
  const release = lock(join(out, 'pretrain'));
  const result = await train(model, corpus, {
    specialIds, steps, tokensPerStep, maskProbability, spanLength, seed, signal,
    tokensPerBatch: values['tokens-per-batch'] === undefined ? undefined : integer(context, 'tokens-per-batch', 0),
    sampler: choice(context, 'order', Object.keys(samplers) as SamplerName[], 'random'),
    learningRate: number(context, 'learning-rate', 1e-3, Infinity),
    warmupSteps: Math.round(number(context, 'warmup', 0.05, 1) * steps),
    decay: choice<'linear' | 'cosine'>(context, 'decay', ['linear', 'cosine'], 'linear'),
    checkpointLayers: values['layers-again'] === true,
    weights: choice<TrainingWeights>(context, 'weights', ['float32', 'bfloat16', 'float16'], 'float32'),
    ...(validation.length ? { validate: async () => summarize(validated = await judge(validation), decoder), validateEvery: integer(context, 'validate-every', Math.max(1, Math.ceil(steps / 10))) } : {}),
    save: { directory: join(out, 'checkpoints'), every: integer(context, 'save-every', Math.max(1, Math.ceil(steps / 20))), data: identify(context, corpus, validation) },
    onProgress: (event) => progress.update(event.kind === 'step'
      ? { stage: 'train', done: event.step * tokensPerStep, total: steps * tokensPerStep, unit: 'tokens', step: event.step, loss: event.loss, learningRate: event.learningRate, tokensPerSecond: Math.round(event.tokensPerSecond) }
      : { stage: `validation at step ${event.step}`, [decoder ? 'bitsPerBase' : 'top1']: decoder ? -event.devScore : event.devScore, ...(event.devLoss === undefined ? {} : { loss: event.devLoss }) }),
  });
  const seconds = (performance.now() - began) / 1000;
  await savePretrained(model, out, { dtype });
  if ('definition' in tokenizer) writeFileAtomic(join(out, 'tokenizer.json'), serializeTokenizerJson(tokenizer as BpeTokenizer));
  const tested = heldOut.length ? await judge(heldOut) : undefined;
  if (validation.length) validated ??= await judge(validation); // not where a finished run is asked for again
  const report = {
    objective: decoder ? 'causal' : 'mlm', steps, tokens: result.tokens, tokensPerStep, resumedFrom: result.resumedFrom, seconds, bases: corpus.bases, sequences: corpus.lengths.length, lengths: Object.fromEntries(lengths),
    ...(validated ? { validation: scores(validated, decoder) } : {}), ...(tested ? { heldOut: scores(tested, decoder) } : {}),
  };
  // Blocks for a bootstrap, and the curve, are too long for the screen.
  const blocks = (found: Validation | undefined, sequences: readonly HeldOutSequence[]) => found?.sequences.map(({ tokens, bases, nats, top1 }, i) => [sequences[i].contig, tokens, bases, Number(nats.toFixed(4)), top1]);
  writeFileAtomic(join(out, 'pretrain.json'), `${JSON.stringify({ ...report, options: values, curve: result.curve, blocks: { columns: ['contig', 'tokens', 'bases', 'nats', 'top1'], heldOut: blocks(tested, heldOut), validation: blocks(validated, validation) } })}\n`);
  release();
  return report;
}

/** A model to go on with, or a new one by config.json or by a few numbers. */
async function startingModel(context: Context, tokenizer: Tokenizer, device: Device): Promise<AnyModel> {
  const path = context.values['model'];
  const objective = choice(context, 'objective', ['mlm', 'causal'], 'mlm');
  const seed = integer(context, 'seed', 0, { min: 0 });
  if (typeof path === 'string' && existsSync(path) && statSync(path).isDirectory()) return checkModel(await loadPretrained(path, { device }), objective, tokenizer, path);
  const config: ModelConfig = typeof path === 'string' ? readUserFile(path, (contents) => parseConfig(contents.toString('utf8'))) : newConfig(context, objective, tokenizer);
  const model: AnyModel = 'numKvHeads' in config ? createModel(config, { device, seed }) : createModel(config, { device, seed });
  return checkModel(model, objective, tokenizer, String(path ?? 'the new model'));
}

function checkModel(model: AnyModel, objective: 'mlm' | 'causal', tokenizer: Tokenizer, path: string): AnyModel {
  const kind = 'numKvHeads' in model.config ? 'causal' : 'mlm';
  if (kind !== objective) throw new UsageError(`--objective: expected ${kind} for ${path}, got ${objective}`);
  if (model.config.vocabSize !== tokenizer.vocabSize) throw new UsageError(`--tokenizer: expected the ${model.config.vocabSize} tokens of ${path}, got ${tokenizer.vocabSize}; use the tokenizer that the model was made for`);
  checkTokenizer(path, model.config, tokenizer);
  return { ...model, config: { ...model.config, tokenizerFingerprint: tokenizerFingerprint(tokenizer) } } as AnyModel;
}

function newConfig(context: Context, objective: 'mlm' | 'causal', { vocabSize }: Tokenizer): ModelConfig {
  const [hiddenSize, numLayers, numHeads] = [integer(context, 'hidden', 64), integer(context, 'layers', 2), integer(context, 'heads', 4)];
  const longest = windowOf(context)[1] + 2;
  if (objective === 'causal') return { vocabSize, hiddenSize, numLayers, numHeads, numKvHeads: numHeads, headDim: hiddenSize / numHeads, intermediateSize: 3 * hiddenSize, ropeTheta: 10_000, rmsNormEps: 1e-6, initializerRange: 0.02, maxPositions: longest, tiedHead: false, bosTokenId: 1, eosTokenId: 2 };
  return { ...dnabert2Config, vocabSize, hiddenSize, numLayers, numHeads, intermediateSize: 3 * hiddenSize, hiddenDropout: number(context, 'dropout', 0, 1), pooling: 'mean', position: 'learned', maxPositions: longest };
}

function windowOf({ values }: Context): readonly [number, number] {
  const match = /^(\d+)(?:-(\d+))?$/.exec(String(values['window'] ?? '510'));
  const [shortest, longest] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  if (!match || shortest < 16 || longest < shortest) throw new UsageError(`--window: expected a number of bases from 16 on, or two such as 128-2048, got ${String(values['window'])}`);
  return [shortest, longest];
}

function number({ values }: Context, name: string, fallback: number, below: number): number {
  const value = values[name] === undefined ? fallback : Number(values[name]);
  if (!(value >= 0 && value < below) && !(value === 1 && below === 1 && name === 'repeat-weight')) throw new UsageError(`--${name}: expected a number from 0${below < Infinity ? ` to below ${below}` : ' on'}, got ${String(values[name])}`);
  return value;
}

/** Contigs of the files that are trained on, or files of their own, such as the dev shards of `corpus build`. */
async function setAside(context: Context, option: string, genomes: readonly GenomeFile[]): Promise<{ contigs: readonly string[]; files: readonly GenomeFile[] }> {
  const known = new Set(genomes.flatMap(({ contigs }) => contigs.map(({ name }) => name)));
  const names = list(context, option) ?? [];
  const contigs = names.filter((name) => known.has(name));
  const paths = names.filter((name) => !known.has(name));
  const missing = paths.find((path) => !existsSync(path));
  if (missing !== undefined) throw new UsageError(`--${option}: expected contigs of the files, such as ${[...known].slice(0, 4).join(', ')}, or other files, got ${missing}`);
  return { contigs, files: await openGenomes(paths) };
}

/** The run is this one only with the same files, their contents, windows and tokens. */
function identify({ values, positionals }: Context, { sha256, lengths }: TrainingCorpus, validation: readonly HeldOutSequence[]): string {
  const settings = ['tokenizer', 'model', 'window', 'strands', 'hold-out', 'validation', 'repeat-weight'].map((name) => values[name]);
  const hash = createHash('sha256').update(JSON.stringify([positionals, settings, sha256])).update(Int32Array.from(lengths));
  for (const { inputIds } of validation) hash.update(inputIds);
  return hash.digest('hex');
}

function distribution(lengths: ArrayLike<number>): [name: string, tokens: number][] {
  const sorted = Float64Array.from(lengths).sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return [['least', at(0)], ['5 %', at(0.05)], ['25 %', at(0.25)], ['median', at(0.5)], ['75 %', at(0.75)], ['95 %', at(0.95)], ['most', at(1)]];
}

/** What a validation says in one number: minus bits per base for a decoder, the share of right guesses for an encoder. */
const summarize = ({ whole }: Validation, decoder: boolean) => ({ score: decoder ? -bitsPerBase(whole) : whole.top1 / whole.tokens, loss: whole.nats / whole.tokens });

const ratios = (tally: Tally, decoder: boolean) => ({
  tokens: tally.tokens, bases: tally.bases, ...(decoder ? { bitsPerBase: bitsPerBase(tally) } : { loss: tally.nats / tally.tokens }), top1: tally.top1 / tally.tokens, top5: tally.top5 / tally.tokens,
});

function scores({ whole, contigs, classes }: Validation, decoder: boolean) {
  const each = (tallies: Readonly<Record<string, Tally>>) => Object.fromEntries(Object.entries(tallies).filter(([, { tokens }]) => tokens > 0).map(([name, tally]) => [name, ratios(tally, decoder)]));
  return { ...ratios(whole, decoder), contigs: each(contigs), classes: each(classes) };
}

function describe(report: Awaited<ReturnType<typeof run>>, out: string): string {
  const line = (name: string, own: ReturnType<typeof ratios>) => `  ${name}: ${'bitsPerBase' in own ? `${own.bitsPerBase!.toFixed(4)} bits per base` : `loss ${own.loss!.toFixed(4)}`}, right ${(100 * own.top1).toFixed(2)} %, among five ${(100 * own.top5).toFixed(2)} %, ${own.tokens} tokens\n`;
  const part = (title: string, own: ReturnType<typeof scores> | undefined) => (own ? line(title, own) + Object.entries({ ...own.contigs, ...own.classes }).map(([name, each]) => `  ${line(name, each)}`).join('') : '');
  return `${out}: ${report.steps} steps, ${report.tokens} tokens in ${report.seconds.toFixed(0)} s\n${part('validation', report.validation)}${part('held out', report.heldOut)}`;
}

import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { free } from '@genomelm/kernels';
import { checkTokenizer, createSequenceClassifier, dnabert2Config, inspectPretrained, isDecoder, loadPretrained, smallConfig, tokenizerFingerprint } from '@genomelm/model';
import { createKmerTokenizer, parseTokenizerJson, trainBpe, type Tokenizer } from '@genomelm/tokenizer';
import { UsageError } from './command';
import type { Dataset, SequenceClassifier } from '@genomelm/gue';
import { codeHash } from './codeHash';
import { kmersOf, readingLowerCase } from './pretrained';
import { readUserFile } from './userFile';
import type { Device } from '@genomelm/kernels';
import type { ClassifierProtocol, ModelConfig } from '@genomelm/model';
import type { Source } from './data';

/** A tokenizer.json on disk. */
export interface TokenizerFile {
  readonly path: string;
  readonly sha256: string;
  readonly tokenizer: Tokenizer;
}

export interface PreparedModel {
  readonly classifier: SequenceClassifier;
  /** Goes to the fit and into the run record. */
  readonly hyperparameters: Readonly<Record<string, number | string | boolean>>;
  /** Goes into the run record alone. */
  readonly settings: Readonly<Record<string, number | string | boolean>>;
  dispose?(): void;
}

/** What a model needs to know of a task before it is fitted. */
export interface Occasion {
  readonly source: Source;
  readonly dataset: Dataset;
  readonly device: Device;
  readonly tokenizerFile?: TokenizerFile | undefined;
  /** What is trained of a pre-trained model; `full` unless given. */
  readonly protocol?: ClassifierProtocol;
  /** `upstream` trains a pre-trained model with the settings of DNABERT-2's script for the task. */
  readonly preset?: Preset;
}

export const protocols = ['full', 'lora', 'probe', 'zero-shot'] as const satisfies readonly ClassifierProtocol[];
export const presets = ['own', 'upstream'] as const;
export type Preset = (typeof presets)[number];

/** The tokenizer of DNABERT-2 as released; its scripts' token limits hold for it alone. */
const officialTokenizer = '5d178e8ce2ba55df97fff197f4b30f40133b95d7096be398c2df6b526c5d8cd3';

/** A model's settings with others in place of those that it has: there are no epochs where nothing is trained. */
export const overridden = ({ hyperparameters }: PreparedModel, others: PreparedModel['hyperparameters']): PreparedModel['hyperparameters'] =>
  ({ ...hyperparameters, ...Object.fromEntries(Object.entries(others).filter(([name]) => Object.hasOwn(hyperparameters, name))) });

export const builtInModels = ['small', 'dnabert2-shape'] as const;

/** A built-in name, or a directory with a pre-trained model. */
export async function prepareModel(name: string, occasion: Occasion): Promise<PreparedModel> {
  const prepared = await prepare(name, occasion);
  return { ...prepared, settings: { ...prepared.settings, code: codeHash() } };
}

/** All that can be told of a model before anything is trained: no weights are read. @throws for a name that is no model, one without a tokenizer, or what cannot be done with it */
export async function checkModel(name: string, { source, tokenizerFile, protocol = 'full', preset = 'own' }: Omit<Occasion, 'dataset' | 'device'>): Promise<void> {
  if (builtInModels.some((each) => each === name)) {
    if (protocol !== 'full') throw new UsageError(`--protocol: expected full for ${name}, which is trained from scratch, got ${protocol}; name a pre-trained model with --models`);
    return;
  }
  if (!existsSync(name) || !statSync(name).isDirectory()) throw new UsageError(`--models: expected ${builtInModels.join(', ')} or a directory with config.json and model.safetensors, got ${name}`);
  const { config } = await inspectPretrained(name);
  checkTokenizer(name, config, tokenizerOf(name, config, tokenizerFile).tokenizer);
  if (preset === 'upstream' && protocol !== 'zero-shot') upstreamHyperparameters(source);
}

async function prepare(name: string, occasion: Occasion): Promise<PreparedModel> {
  await checkModel(name, occasion);
  if (name === 'small') return small(occasion);
  if (name === 'dnabert2-shape') return dnabert2Shape(occasion);
  return pretrained(name, occasion);
}

/** Overlapping 6-mers with prefix tables and absolute positions: found by experiment to learn GUE's small sets from scratch.
 *  Simulated tasks get five epochs in place of eight: they show that everything works, and this model is half of what that costs. */
function small({ device, dataset: { simulated } }: Occasion): PreparedModel {
  const classifier = createSequenceClassifier(({ vocabSize, maxTokens }) => smallConfig({ vocabSize, maxPositions: maxTokens }), readingLowerCase(createKmerTokenizer({ k: 6 })), { id: 'small', device, ...(simulated ? { hyperparameters: { epochs: 5 } } : {}) });
  return { classifier, hyperparameters: { ...classifier.hyperparameters }, settings: { tokens: '6-mers, stride 1', position: 'learned' } };
}

/** Upstream's architecture at the size of `small`: BPE tokens, ALiBi alone. */
async function dnabert2Shape({ device, dataset, source, tokenizerFile }: Occasion): Promise<PreparedModel> {
  const official = tokenizerFile?.sha256 === officialTokenizer;
  const tokenizer = tokenizerFile?.tokenizer ?? await trainBpe(dataset.train.examples.map(({ sequence }) => sequence), { vocabSize: 4096, initialAlphabet: 'ACGT', otherLetters: 'cut', case: 'upper' });
  const { hiddenSize, numLayers, numHeads, intermediateSize } = smallConfig({ vocabSize: tokenizer.vocabSize, maxPositions: 1 });
  const maxLength = official ? source.upstream?.maxTokens : undefined;
  const classifier = createSequenceClassifier(({ vocabSize }) => ({ ...dnabert2Config, vocabSize, hiddenSize, numLayers, numHeads, intermediateSize, pooling: 'mean' }), readingLowerCase(tokenizer), {
    id: 'dnabert2-shape', device, hyperparameters: { maskProbability: 0, ...(maxLength ? { maxLength } : {}) }, ...(tokenizerFile ? { tokenizerFingerprint: tokenizerFile.sha256 } : {}),
  });
  const tokens = official ? 'BPE of DNABERT-2' : tokenizerFile ? `BPE of ${tokenizer.vocabSize} tokens from a file` : `BPE of ${tokenizer.vocabSize} tokens, trained on the train split`;
  return { classifier, hyperparameters: { ...classifier.hyperparameters }, settings: { tokens, position: 'none' } };
}

/** A model's own tokenizer.json, the k-mers that it was trained with, or the one given. */
function tokenizerOf(directory: string, config: ModelConfig, given: TokenizerFile | undefined): TokenizerFile {
  const own = join(directory, 'tokenizer.json');
  if (existsSync(own)) return readTokenizer(own);
  const kmers = kmersOf(config);
  if (kmers) return { path: `${Math.log2(kmers.vocabSize - 5) / 2}-mers`, sha256: tokenizerFingerprint(kmers), tokenizer: kmers };
  if (!given) throw new UsageError(`--models: expected a tokenizer.json in ${directory}, got none; give --tokenizer`);
  return given;
}

/** A checkpoint with its tokenizer. With another protocol than `full` its name says so, as then it is another model. */
async function pretrained(directory: string, { device, source, tokenizerFile, protocol = 'full', preset = 'own' }: Occasion): Promise<PreparedModel> {
  const model = await loadPretrained(directory, { device });
  const file = tokenizerOf(directory, model.config, tokenizerFile);
  const maxLength = file.sha256 === officialTokenizer ? source.upstream?.maxTokens : undefined;
  const hyperparameters = { ...(preset === 'upstream' && protocol !== 'zero-shot' ? upstreamHyperparameters(source) : {}), ...(maxLength ? { maxLength } : {}) };
  const classifier = createSequenceClassifier(model, readingLowerCase(file.tokenizer), { id: protocol === 'full' ? directory : `${directory}+${protocol}`, tokenizerFingerprint: file.sha256, protocol, hyperparameters });
  return { classifier, hyperparameters: { ...classifier.hyperparameters }, settings: { tokens: file.path, position: isDecoder(model) ? 'rotary' : model.config.position, protocol }, dispose: () => free(model.params) };
}

/** The settings of DNABERT-2's script by the names that a fit knows. One thing stays ours: which parameters are kept is decided by MCC on dev, where the script takes the lowest loss. */
function upstreamHyperparameters({ name, upstream }: Source): Readonly<Record<string, number>> {
  if (!upstream?.epochs) throw new UsageError(`--preset upstream: expected a task with settings of DNABERT-2's script, got ${name}, of which none are published`);
  const { learningRate, epochs, maxSteps = 0, warmupSteps = 0, evalEverySteps = 0, batchSize, maxTokens = 512, weightDecay = 0.01 } = upstream;
  return { learningRate, epochs, maxSteps, warmupSteps, evaluateEvery: evalEverySteps, batchSize, weightDecay, tokensPerBatch: batchSize * maxTokens };
}

function readTokenizer(path: string): TokenizerFile {
  return readUserFile(path, (contents) => ({ path, sha256: createHash('sha256').update(contents).digest('hex'), tokenizer: parseTokenizerJson(contents.toString('utf8')) }));
}

/** `--tokenizer`, else GENOMELM_TOKENIZER, else a tokenizer.json beside the data: in the folder, or in tokenizer/dnabert2 of it or of the two folders above it. */
export function findTokenizer(option: string | undefined, dataDirectory: string | undefined, environment = process.env['GENOMELM_TOKENIZER']): TokenizerFile | undefined {
  const named = option ?? (environment || undefined);
  if (named) return readTokenizer(named);
  if (dataDirectory === undefined) return undefined;
  const places = [join(dataDirectory, 'tokenizer.json'), ...['.', '..', join('..', '..')].map((up) => join(dataDirectory, up, 'tokenizer', 'dnabert2', 'tokenizer.json'))];
  const found = places.find((place) => existsSync(place));
  return found === undefined ? undefined : readTokenizer(found);
}

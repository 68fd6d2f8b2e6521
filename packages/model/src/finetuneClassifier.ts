// Fine-tuning on data of one's own: classes, several labels, numbers, or a class for every base.
import { free, read } from '@genomelm/kernels';
import { checkConfig, type ModelConfig } from './config';
import { checkDecoderConfig, isDecoderConfig } from './decoderConfig';
import type { ClassifierConfig } from './classifierConfig';
import { checkTokenizer, encodeExamples, tokenizerFingerprint, type Encoder, type EncodedExamples } from './examples';
import { classifierLayer } from './heads/sequenceClassifier';
import { ignored } from './heads/weightedCrossEntropy';
import { hashText } from './hash';
import { deviceOf } from './parameters';
import { predictLogits } from './predict';
import { fromPretrained, readHyperparameters, type Hyperparameters } from './train/hyperparameters';
import { classification, multiLabel, regression, type Metric, type Objective } from './train/objective';
import { startingPoint } from './train/startingPoint';
import { trainClassifier, type LabelledTokens, type Protocol } from './train/trainClassifier';
import type { Judgement } from './train/finetune';
import type { Lora, LoraOptions } from './train/lora';
import type { Progress, CurvePoint } from './train/monitor';
import type { Linear } from './layers/linear';
import type { AnyModel } from './model';

export interface LabelledSequence {
  readonly sequence: string;
  readonly pair?: string | undefined;
  /** A class `[c]`; for several labels 0 or 1 for each; numbers for a regression; for tokens a class for each base of `sequence`, -100 where there is none. */
  readonly targets: ArrayLike<number>;
}

/** What token labels need: where each token begins, in bases. */
interface OffsetEncoder extends Encoder {
  encodeWithOffsets(sequence: string): { readonly ids: Uint32Array; readonly offsets: Uint32Array };
}

export interface FinetuneClassifierOptions {
  /** What is learnt, and how config.json names it. */
  readonly classifier: ClassifierConfig;
  /** By which the parameters are chosen on dev; by default mcc, f1 for several labels, pearson for a regression. */
  readonly metric?: Metric | undefined;
  /** What an example of each class counts, for classes; `balanced`: the inverse of how often it comes in train. */
  readonly classWeights?: readonly number[] | 'balanced' | undefined;
  readonly protocol?: Protocol | undefined;
  readonly lora?: Omit<LoraOptions, 'seed'> | undefined;
  /** Instead of the protocol's own. */
  readonly hyperparameters?: Readonly<Record<string, number | string | boolean>> | undefined;
  /** Ends after so many evaluations without a better score. */
  readonly patience?: number | undefined;
  readonly seed: number;
  /** Computes each layer again in the backward pass; default true. */
  readonly checkpoint?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: Progress) => void) | undefined;
}

export interface FinetunedClassifier<M extends AnyModel = AnyModel> {
  /** For `savePretrained` and `predict`; the caller frees its parameters. */
  readonly model: M;
  /** Of protocol `lora`, merged in `model`; the caller frees them. */
  readonly lora?: Lora;
  readonly settings: Hyperparameters;
  readonly curve: readonly CurvePoint[];
  readonly steps: number;
  readonly trainedParameters: number;
  /** Of the parameters that were kept. */
  readonly dev?: Judgement | undefined;
  /** Share of the training examples that were cut. */
  readonly truncatedFraction: number;
  /** Outputs and judgement of other examples. */
  judge(examples: readonly LabelledSequence[]): Promise<Judgement & { readonly logits: Float32Array }>;
}

/**
 * Trains a copy of a model on labelled sequences, choosing parameters by a score on `dev`. The same seed gives the same classifier.
 * Regression targets are standardised for training; the classifier's weights take that in at the end, so that its outputs are in the data's own unit.
 */
export async function finetuneClassifier<M extends AnyModel>(source: M, encoder: Encoder | OffsetEncoder, data: { readonly train: readonly LabelledSequence[]; readonly dev: readonly LabelledSequence[] }, options: FinetuneClassifierOptions): Promise<FinetunedClassifier<M>> {
  const { classifier, protocol = 'full', seed, signal } = options;
  const { level, labels, problemType } = classifier;
  if (!data.train.length) throw new RangeError('finetuneClassifier: expected training examples, got none');
  checkTokenizer('finetuneClassifier', source.config, encoder);
  const settings = readHyperparameters(fromPretrained[protocol], options.hyperparameters ?? {});
  const limit = Math.min(settings.maxLength || Infinity, source.config.maxPositions || Infinity);
  const units = problemType === 'regression' ? unitsOf(data.train, labels.length, !isDecoderConfig(source.config)) : undefined;
  const encode = (examples: readonly LabelledSequence[]): LabelledTokens => {
    checkTargets(examples, classifier);
    if (level === 'token') return encodeTokenLabels(examples, encoder, limit);
    return { ...encodeExamples(examples.map(toExample), encoder, limit), targets: examples.map(({ targets }) => (units ? Array.from(targets, (y, k) => (y - units.mean[k]) / units.deviation[k]) : targets)) };
  };
  const [train, dev] = [encode(data.train), encode(data.dev)];
  const objective = objectiveOf(options, train);
  const config = configFor({ ...source.config, tokenizerFingerprint: tokenizerFingerprint(encoder) }, settings, options);
  const params = startingPoint(source, config, level === 'token' ? { classes: labels.length, pooler: false } : { classes: labels.length }, deviceOf(source.params), seed);
  const fingerprint = hashText(JSON.stringify([source.fingerprint, config, settings, protocol, seed]));
  try {
    const fit = await trainClassifier({ config, params, fingerprint } as M, train, dev, { objective, level, protocol, lora: options.lora, seed, settings, patience: options.patience, specialIds: encoder.specialIds, checkpoint: options.checkpoint ?? true, signal, onProgress: options.onProgress });
    const { model, lora, trainedParameters, result: { curve, steps, best } } = fit;
    const judge = async (examples: readonly LabelledSequence[]) => {
      const encoded = encode(examples);
      const logits = await predictLogits(model, encoded.sequences, { level, signal });
      const standard = units ? logits.map((y, i) => (y - units.mean[i % labels.length]) / units.deviation[i % labels.length]) : logits;
      return { ...objective.judge(standard, encoded.targets.flatMap((own) => Array.from(own))), logits };
    };
    if (units) await restoreUnits(classifierLayer(model)!, units);
    return { model, ...(lora ? { lora } : {}), settings, curve, steps, trainedParameters, dev: best, truncatedFraction: train.truncated.length / train.lengths.length, judge };
  } catch (error) {
    free(params);
    throw error;
  }
}

function configFor(config: ModelConfig, { dropout }: Hyperparameters, { classifier, protocol }: FinetuneClassifierOptions): ModelConfig {
  if (!isDecoderConfig(config)) return checkConfig({ ...config, classifier, pooling: protocol === 'probe' || classifier.level === 'token' ? 'mean' : config.pooling, hiddenDropout: dropout ?? config.hiddenDropout });
  if (dropout) throw new RangeError(`finetuneClassifier: expected dropout 0 for a decoder, which has none, got ${dropout}`);
  return checkDecoderConfig({ ...config, classifier });
}

const toExample = ({ sequence, pair }: LabelledSequence) => ({ sequence, ...(pair === undefined ? {} : { pair }), label: -1 });

function checkTargets(examples: readonly LabelledSequence[], { problemType, level, labels }: ClassifierConfig): void {
  const wanted = level === 'token' || problemType === 'single_label_classification' ? undefined : labels.length;
  const isClass = (target: number) => Number.isInteger(target) && ((target >= 0 && target < labels.length) || (level === 'token' && target === ignored));
  const holds = problemType === 'regression' ? Number.isFinite : problemType === 'multi_label_classification' ? (target: number) => target === 0 || target === 1 : isClass;
  examples.forEach(({ sequence, targets }, i) => {
    const count = wanted ?? (level === 'token' ? sequence.length : 1);
    if (targets.length !== count) throw new RangeError(`finetuneClassifier: expected ${count} targets for example ${i}, got ${targets.length}`);
    const wrong = Array.from(targets).find((target) => !holds(target));
    if (wrong !== undefined) throw new RangeError(`finetuneClassifier: expected ${problemType === 'regression' ? 'numbers' : problemType === 'multi_label_classification' ? '0 or 1' : `classes from 0 to ${labels.length - 1}`}, got ${wrong} in example ${i}`);
  });
  const isEmpty = level === 'token' && examples.length > 0 && examples.every(({ targets }) => Array.from(targets).every((target) => target === ignored));
  if (isEmpty) throw new RangeError(`finetuneClassifier: expected a label for a base at least, got none in ${examples.length} examples`);
}

/** A token has the label of its first base; special tokens have none. */
function encodeTokenLabels(examples: readonly LabelledSequence[], encoder: Encoder | OffsetEncoder, limit: number): LabelledTokens {
  if (!('encodeWithOffsets' in encoder)) throw new TypeError('finetuneClassifier: expected a tokenizer with encodeWithOffsets for labels of tokens, got one without');
  const truncated: number[] = [];
  const rows = examples.map(({ sequence, targets }, example) => {
    const { ids, offsets } = encoder.encodeWithOffsets(sequence);
    if (ids.length > limit) truncated.push(example);
    const inputIds = ids.subarray(0, Math.min(ids.length, limit));
    return { inputIds, targets: Array.from(inputIds, (_, i) => (offsets[2 * i + 1] > offsets[2 * i] ? targets[offsets[2 * i]] : ignored)) };
  });
  const lengths = Int32Array.from(rows, ({ inputIds }) => inputIds.length);
  const encoded: EncodedExamples = { sequences: rows, lengths, tokens: lengths.reduce((a, b) => a + b, 0), bases: examples.reduce((total, { sequence }) => total + sequence.length, 0), truncated };
  return { ...encoded, targets: rows.map(({ targets }) => targets) };
}

function objectiveOf({ classifier: { problemType, labels }, metric, classWeights }: FinetuneClassifierOptions, { targets }: LabelledTokens): Objective {
  const chosen = metric ? { metric } : {};
  if (problemType !== 'single_label_classification' && classWeights) throw new TypeError(`finetuneClassifier: expected class weights for classes only, got some for ${problemType}`);
  if (problemType === 'regression') return regression({ outputs: labels.length, ...chosen });
  if (problemType === 'multi_label_classification') return multiLabel({ labels: labels.length, ...chosen });
  return classification({ classes: labels.length, classWeights: classWeights === 'balanced' ? balanced(targets, labels.length) : classWeights, ...chosen });
}

/** Mean weight 1; a class that never comes counts 1. */
function balanced(targets: LabelledTokens['targets'], classes: number): number[] {
  const counts = new Float64Array(classes);
  for (const own of targets) for (const target of Array.from(own)) if (target >= 0) counts[target]++;
  const total = counts.reduce((a, b) => a + b, 0);
  return Array.from(counts, (count) => (count ? total / (classes * count) : 1));
}

interface Units {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** @param centred - false for a last layer without a bias, which cannot take in a mean: units are then the root of the mean square */
function unitsOf(examples: readonly LabelledSequence[], outputs: number, centred: boolean): Units {
  const columns = Array.from({ length: outputs }, (_, k) => examples.map(({ targets }) => targets[k]));
  const mean = columns.map((column) => (!centred ? 0 : column.reduce((a, b) => a + b, 0) / column.length));
  return { mean, deviation: columns.map((column, k) => Math.sqrt(column.reduce((total, y) => total + (y - mean[k]) ** 2, 0) / column.length) || 1) };
}

/** `deviation (W x + b) + mean` as one layer. */
async function restoreUnits({ weight, bias }: Linear, { mean, deviation }: Units): Promise<void> {
  weight.device.write(weight, Float32Array.from(await read(weight), (x, i) => x * deviation[Math.floor(i / weight.shape[1])]));
  if (bias) bias.device.write(bias, Float32Array.from(await read(bias), (x, k) => x * deviation[k] + mean[k]));
}

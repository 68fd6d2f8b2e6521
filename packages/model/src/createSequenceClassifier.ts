import { flatten, free, leaves, type Device } from '@genomelm/kernels';
import { checkConfig, type EncoderConfig, type ModelConfig } from './config';
import { checkDecoderConfig, isDecoderConfig } from './decoderConfig';
import { checkLabels, checkTokenizer, encodeExamples, type Encoder, type Example } from './examples';
import { hashText } from './hash';
import { isDecoder, type AnyModel, type Model } from './model';
import { deviceOf, elements } from './parameters';
import { predictProbabilities } from './predict';
import { fromPretrained, fromScratch, readHyperparameters, type Hyperparameters } from './train/hyperparameters';
import { writeNearestMean } from './train/nearestMean';
import { startingPoint } from './train/startingPoint';
import { classification } from './train/objective';
import { trainClassifier, type LabelledTokens, type Protocol, type TrainedModel } from './train/trainClassifier';
import type { CurvePoint, Progress } from './train/monitor';
import type { Lora, LoraOptions } from './train/lora';

/** What is known before a model is trained from scratch. */
export interface FitFacts {
  readonly classes: number;
  /** The longest example of train and dev, in tokens: so many positions a table needs. */
  readonly maxTokens: number;
  readonly vocabSize: number;
  readonly seed: number;
}

/** `zero-shot` trains nothing: the class of the nearest class mean among the frozen encoder's mean vectors. It learns the means from train alone and has no hyper-parameter but `maxLength`. */
export type ClassifierProtocol = Protocol | 'zero-shot';

export interface SequenceClassifierOptions {
  /** Where to train from scratch. A model to fine-tune already lives on a device. */
  readonly device?: Device;
  /** Names the classifier in tables. Default `encoder`. */
  readonly id?: string;
  /** Instead of the configuration's; a decoder has its last token alone. */
  readonly pooling?: EncoderConfig['pooling'];
  /** Instead of the default settings; a fit may override them again. */
  readonly hyperparameters?: Partial<Hyperparameters>;
  /** What is trained of a model; by default all of it. `lora` and `probe` have learning rates of their own, `probe` and `zero-shot` pooling `mean`. From scratch only `full` makes sense. */
  readonly protocol?: ClassifierProtocol | undefined;
  /** Rank, alpha and layers for protocol `lora`. */
  readonly lora?: Omit<LoraOptions, 'seed'> | undefined;
  /** Computes each layer again in the backward pass: the same result with much less memory, a third slower. Default: on for a model, off from scratch. */
  readonly checkpoint?: boolean;
  /** Identifies the tokenizer's vocabulary, for example the sha256 of its file. By default the ids of a fixed sequence do. */
  readonly tokenizerFingerprint?: string;
}

export interface ClassifierFitOptions {
  /** Number of classes; labels lie in 0 to classes - 1. */
  classes: number;
  /** See `Hyperparameters`; unknown names are refused. */
  hyperparameters: Readonly<Record<string, number | string | boolean>>;
  seed: number;
  signal?: AbortSignal | undefined;
  onProgress?(event: Progress): void;
}

export interface SequenceClassifier {
  readonly id: string;
  /** Hash of configuration, weights, tokenizer and default settings. */
  readonly fingerprint: string;
  /** The settings of a fit that overrides none; of protocol `zero-shot` `maxLength` alone. */
  readonly hyperparameters: Partial<Hyperparameters>;
  /** False for protocol `zero-shot`: `fit` then takes nothing from dev. */
  readonly usesDev: boolean;
  /** Learns from `train` and keeps the latest parameters whose MCC on `dev` is within one standard error of the best. The same seed gives the same classifier. */
  fit(train: readonly Example[], dev: readonly Example[], options: ClassifierFitOptions): Promise<TrainedClassifier>;
}

export interface TrainedClassifier {
  /** The model with its classifier, for `classify` and `savePretrained`. */
  readonly model: AnyModel;
  readonly curve: readonly CurvePoint[];
  /** Of protocol `lora`: the adapters, which `model` holds merged. `dispose` frees them. */
  readonly lora?: Lora;
  /** Parameters, tokens, truncation and selection in numbers. */
  readonly report: Readonly<Record<string, number>>;
  /** Probabilities `[examples, classes]`, in the order given. What is longer than the model takes is cut; `report.truncatedFraction` tells of it. */
  predict(examples: readonly Example[]): Promise<Float32Array>;
  /** Frees the parameters. */
  dispose(): Promise<void>;
}

/**
 * A classifier of sequences that fine-tunes a model or trains an encoder from scratch.
 * @param source - a model, whose weights are copied for each fit, or a function that says which configuration to train from scratch
 * @throws RangeError where the tokenizer's vocabulary is not the model's
 */
export function createSequenceClassifier(source: AnyModel | ((facts: FitFacts) => EncoderConfig), encoder: Encoder, options: SequenceClassifierOptions = {}): SequenceClassifier {
  const scratch = typeof source === 'function';
  const device = scratch ? options.device : deviceOf(source.params);
  if (!device) throw new TypeError('createSequenceClassifier: expected a device to train on, got none; pass { device: await createDevice() }');
  if (options.device && options.device !== device) throw new TypeError(`createSequenceClassifier: expected the device that the model lives on (${device.kind}), got another ${options.device.kind}; load the model there`);
  const { protocol = 'full' } = options;
  if (scratch && protocol !== 'full') throw new TypeError(`createSequenceClassifier: expected protocol 'full' for training from scratch, got '${protocol}'; give it a model`);
  const zeroShot = protocol === 'zero-shot';
  const settingsOf = (before: Hyperparameters, given: Readonly<Record<string, number | string | boolean>>): Hyperparameters => {
    const vain = zeroShot && Object.keys(given).find((name) => name !== 'maxLength');
    if (vain) throw new TypeError(`hyperparameters: expected maxLength alone for protocol 'zero-shot', which trains nothing, got ${JSON.stringify(vain)}`);
    return readHyperparameters(before, given);
  };
  const defaults = settingsOf(scratch ? fromScratch : fromPretrained[zeroShot ? 'probe' : protocol], { ...options.hyperparameters });
  const shown: Partial<Hyperparameters> = zeroShot ? { maxLength: defaults.maxLength } : defaults;
  const pooling = protocol === 'probe' || zeroShot ? 'mean' : options.pooling;
  const configFor = (facts: FitFacts, { dropout }: Hyperparameters): ModelConfig => {
    const base = withoutOutputs(scratch ? source(facts) : source.config);
    checkTokenizer('createSequenceClassifier', base, encoder);
    if (isDecoderConfig(base)) {
      const vain = zeroShot ? "protocol 'zero-shot'" : options.pooling ? 'pooling' : dropout ? 'dropout' : undefined;
      if (vain) throw new TypeError(`createSequenceClassifier: expected an encoder for ${vain}, got a decoder, which has a classifier without bias on its last token; leave it out`);
      return checkDecoderConfig(base);
    }
    return checkConfig({ ...base, hiddenDropout: dropout ?? base.hiddenDropout, pooling: pooling ?? base.pooling });
  };
  // Before data are seen, a configuration from scratch is that for 2 classes and 512 tokens.
  const sample = configFor({ classes: 2, maxTokens: 512, vocabSize: encoder.vocabSize, seed: 0 }, defaults);
  const fingerprint = hashText(JSON.stringify([sample, scratch ? 'scratch' : fingerprintOf(source), options.tokenizerFingerprint ?? identify(encoder), shown, ...(protocol === 'full' ? [] : [protocol, options.lora])]));

  return {
    id: options.id ?? 'encoder',
    fingerprint,
    hyperparameters: shown,
    usesDev: !zeroShot,
    async fit(train, dev, fitOptions) {
      const { classes, hyperparameters, seed, signal } = fitOptions;
      if (!Number.isInteger(classes) || classes < 2) throw new RangeError(`fit: expected at least 2 classes, got ${classes}`);
      if (!train.length) throw new RangeError('fit: expected training examples, got none');
      checkLabels(train, classes, 'train');
      checkLabels(dev, classes, 'dev');
      const settings = settingsOf(defaults, hyperparameters);
      const [trainTokens, devTokens] = [train, zeroShot ? [] : dev].map((examples) => label(examples, encoder, longest(settings, scratch ? undefined : source.config)));
      const maxTokens = [...trainTokens.lengths, ...devTokens.lengths].reduce((a, b) => Math.max(a, b));
      const config = configFor({ classes, maxTokens, vocabSize: encoder.vocabSize, seed }, settings);
      const params = startingPoint(scratch ? undefined : source, config, { classes }, device, seed);
      const model = { config, params, fingerprint: hashText(JSON.stringify([fingerprint, config, settings, seed])) } as AnyModel;
      try {
        const fit: TrainedModel<AnyModel> = zeroShot && !isDecoder(model) ? await nearestMean(model, train, trainTokens, signal) : await trainClassifier(model, trainTokens, devTokens, {
          objective: classification({ classes }), protocol: zeroShot ? undefined : protocol, lora: options.lora, seed, settings, specialIds: encoder.specialIds, checkpoint: options.checkpoint ?? !scratch, signal, onProgress: (event) => fitOptions.onProgress?.(event),
        });
        return trained(fit, { train: trainTokens, dev: devTokens }, encoder, longest(settings, config));
      } catch (error) {
        free(params);
        throw error;
      }
    },
  };
}

/** A classifier that the model had before is left behind, and the names of its outputs with it. */
function withoutOutputs(config: ModelConfig): ModelConfig {
  const { classifier: former, ...own } = config;
  return former ? own : config;
}

async function nearestMean(model: Model, train: readonly Example[], { sequences }: LabelledTokens, signal: AbortSignal | undefined): Promise<TrainedModel> {
  await writeNearestMean(model, model.params.classifier!, sequences, train.map(({ label: own }) => own), signal);
  return { model, trainedParameters: 0, result: { steps: 0, tokens: 0, curve: [] } };
}

/** The longest input in tokens: as asked for, and no longer than a table of positions. */
const longest = ({ maxLength }: Hyperparameters, config?: ModelConfig): number => Math.min(maxLength || Infinity, config?.maxPositions || Infinity);

const label = (examples: readonly Example[], encoder: Encoder, maxLength: number): LabelledTokens => ({
  ...encodeExamples(examples, encoder, maxLength), targets: examples.map((example) => [example.label]),
});

/** Weights that were trained since they were loaded have been written to: each write counts. */
const fingerprintOf = ({ fingerprint, params }: AnyModel): string => `${fingerprint}+${leaves(params).reduce((writes, { buffer }) => writes + buffer.version, 0)}`;

/** The ids of 2,048 pseudo-random bases tell tokenizers apart. */
function identify(encoder: Encoder): string {
  let state = 1;
  const bases = Array.from({ length: 2048 }, () => 'ACGT'[(state = Math.imul(state, 48271) & 0x7fffffff) >>> 29]);
  return hashText(`${encoder.vocabSize} ${JSON.stringify(encoder.specialIds)} ${encoder.encode(bases.join('')).join(' ')}`);
}

function trained({ model, lora, trainedParameters, result: { steps, tokens, curve, best } }: TrainedModel<AnyModel>, splits: Readonly<Record<'train' | 'dev', LabelledTokens>>, encoder: Encoder, maxLength: number): TrainedClassifier {
  const { train, dev } = splits;
  const weights = flatten(model.params).map(([path, leaf]) => ({ count: elements(leaf), embedding: /_embeddings\.|embed_tokens\./.test(path) }));
  const count = (wanted: typeof weights) => wanted.reduce((total, weight) => total + weight.count, 0);
  const share = ({ truncated, lengths }: Pick<LabelledTokens, 'truncated' | 'lengths'>) => (lengths.length ? truncated.length / lengths.length : 0);
  const predicted = { examples: 0, truncated: 0 };
  return {
    model,
    curve,
    ...(lora ? { lora } : {}),
    get report() {
      return {
        parameters: count(weights),
        trainedParameters,
        nonEmbeddingParameters: count(weights.filter(({ embedding }) => !embedding)),
        tokensPerBase: train.tokens / train.bases,
        truncatedTrainFraction: share(train),
        truncatedDevFraction: share(dev),
        // Of the examples predicted so far; before that, of train.
        truncatedFraction: predicted.examples ? predicted.truncated / predicted.examples : share(train),
        maxTokens: train.lengths.reduce((a, b) => Math.max(a, b), 0),
        steps,
        epochs: curve.at(-1)?.epoch ?? 0,
        tokensSeen: tokens,
        ...(best ? { bestStep: best.step, bestEpoch: best.epoch, devMcc: best.score, devLoss: best.loss ?? NaN, constantPredictions: best.constant ? 1 : 0 } : {}),
      };
    },
    async predict(examples) {
      const encoded = encodeExamples(examples, encoder, maxLength);
      predicted.examples += examples.length;
      predicted.truncated += encoded.truncated.length;
      return predictProbabilities(model, encoded.sequences);
    },
    dispose: async () => free([model.params, lora?.adapters ?? []]),
  };
}

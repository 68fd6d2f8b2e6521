import { free, leaves, scope, type Tensor, type Tree } from '@genomelm/kernels';
import { planBatches, packBatch } from '../batch';
import { classifierOf, type Level } from '../heads/sequenceClassifier';
import { predictLogits } from '../predict';
import { finetune, type FinetuneResult, type FinetuneTask } from './finetune';
import { epochsFor, type Hyperparameters } from './hyperparameters';
import { applyLora, mergeLora, withLora, type Adapters, type Lora, type LoraOptions } from './lora';
import { maskTokens } from './maskTokens';
import { foldStandardization, meanVectors, probeLogits, standardize } from './probe';
import type { EncodedExamples, Encoder } from '../examples';
import type { Linear } from '../layers/linear';
import type { Model, Params } from '../model';
import type { Objective } from './objective';
import type { Progress } from './monitor';

export interface LabelledTokens extends EncodedExamples {
  /** What the objective is told of each example: a class, some labels, numbers, or one class for each token. */
  readonly targets: readonly ArrayLike<number>[];
}

/** `full`: all parameters. `lora`: low-rank adapters of the layers, and the head. `probe`: a linear classifier on the frozen encoder's mean vectors. */
export type Protocol = 'full' | 'lora' | 'probe';

export interface TrainClassifierOptions {
  readonly objective: Objective;
  readonly level?: Level;
  readonly protocol?: Protocol | undefined;
  readonly lora?: Omit<LoraOptions, 'seed'> | undefined;
  readonly seed: number;
  readonly settings: Hyperparameters;
  /** Ends after so many evaluations without a better score. */
  readonly patience?: number | undefined;
  readonly specialIds: Encoder['specialIds'];
  readonly checkpoint: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: Progress) => void) | undefined;
}

export interface TrainedModel {
  readonly result: FinetuneResult;
  /** With the adapters merged; it owns the parameters of the model given. */
  readonly model: Model;
  /** The adapters, as they were merged. */
  readonly lora?: Lora;
  /** Numbers that were trained. */
  readonly trainedParameters: number;
}

/** Trains a model with a classifier, choosing parameters by the objective's score on dev. Without dev examples the last ones stay. What it throws leaves the model's parameters to the caller. */
export async function trainClassifier(model: Model, train: LabelledTokens, dev: LabelledTokens, options: TrainClassifierOptions): Promise<TrainedModel> {
  const { protocol = 'full', seed } = options;
  if (protocol === 'probe') return trainProbe(model, train, dev, options);
  if (protocol === 'full') return { result: await trainParameters<Params>(model, model.params, (params) => params, train, dev, options), model, trainedParameters: countOf(model.params) };
  const { bert: { pooler, ...bert }, classifier, ...others } = model.params;
  const lora = applyLora({ bert }, { ...options.lora, seed });
  const head = { classifier: classifier!, ...(pooler ? { pooler } : {}) };
  const complete = ({ adapters, head: { pooler: ownPooler, ...own } }: LoraTree): Params => withLora({ ...others, ...own, bert: { ...bert, ...(ownPooler ? { pooler: ownPooler } : {}) } }, { ...lora, adapters });
  try {
    const result = await trainParameters<LoraTree>(model, { adapters: lora.adapters, head }, complete, train, dev, options);
    const { params } = mergeLora(model.params, lora);
    const kept = new Set(leaves(params));
    free(leaves(model.params).filter((leaf) => !kept.has(leaf)));
    return { result, model: { ...model, params }, lora, trainedParameters: countOf([lora.adapters, head]) };
  } catch (error) {
    free(lora.adapters);
    throw error;
  }
}

type LoraTree = { readonly adapters: Adapters; readonly head: { readonly classifier: Linear; readonly pooler?: { readonly dense: Linear } } };

const countOf = (tree: Tree): number => leaves(tree).reduce((total, { shape }) => total + shape.reduce((a, b) => a * b, 1), 0);

type Schedule = Pick<FinetuneTask<Tree, number[]>, 'epochs'> & { readonly finetuneOptions: Parameters<typeof finetune>[1] };

function schedule({ lengths, tokens }: LabelledTokens, { settings, seed, patience, signal, onProgress }: TrainClassifierOptions): Schedule {
  const { tokensPerBatch, batchSize, warmupSteps, warmupRatio, maxSteps, evaluateEvery, learningRate, weightDecay, clipNorm } = settings;
  const epochs = Array.from({ length: epochsFor(settings, tokens) }, (_, epoch) => planBatches(lengths, { tokensPerBatch, sequencesPerBatch: batchSize || undefined, seed, epoch }));
  const totalSteps = Math.min(maxSteps || Infinity, epochs.reduce((total, { length }) => total + length, 0));
  return { epochs, finetuneOptions: { learningRate, weightDecay, clipNorm, warmupSteps: warmupSteps || Math.round(warmupRatio * totalSteps), maxSteps: totalSteps, evaluateEvery: evaluateEvery || undefined, patience, seed, signal, onProgress } };
}

const flatTargets = (targets: LabelledTokens['targets']): number[] => targets.flatMap((own) => Array.from(own));

/** Trains a tree of parameters from which `complete` makes those of the model. */
async function trainParameters<T extends Tree>(model: Model, trained: T, complete: (trained: T) => Params, train: LabelledTokens, dev: LabelledTokens, options: TrainClassifierOptions): Promise<FinetuneResult> {
  const { settings: { maskProbability: probability }, specialIds: { mask: maskId, cls, sep, pad }, objective, level = 'sequence', checkpoint, signal } = options;
  if (probability > 0 && maskId === undefined) throw new TypeError('fit: expected a tokenizer with [MASK] for maskProbability above 0, got one without; set maskProbability to 0');
  const keepIds = [cls, sep, pad].filter((id) => id !== undefined);
  const { epochs, finetuneOptions } = schedule(train, options);
  const given = new Set(leaves([model.params, trained]));
  const evaluate = async () => {
    const params = scope<unknown>(() => complete(trained)) as Params;
    try {
      return objective.judge(await predictLogits({ ...model, params }, dev.sequences, { level, signal }), flatTargets(dev.targets));
    } finally {
      free(leaves(params).filter((leaf) => !given.has(leaf)));
    }
  };
  return finetune<T, number[]>({
    params: trained,
    epochs,
    tokens: (batch) => batch.reduce((total, i) => total + train.lengths[i], 0),
    loss: (own, batch, key) => {
      const packed = packBatch(batch.map((i) => train.sequences[i]));
      const hidden = maskId === undefined ? packed : maskTokens(packed, { probability, maskId, keepIds, ...key });
      return scope<Tensor>(() => objective.loss(classifierOf(level)({ ...model, params: complete(own) }, hidden, { train: key, checkpoint }), flatTargets(batch.map((i) => train.targets[i]))));
    },
    evaluate: dev.targets.length ? evaluate : undefined,
  }, finetuneOptions);
}

/** The encoder runs once over the data; then only the classifier is trained, on standardised vectors, which its weights take in at the end. */
async function trainProbe(model: Model, train: LabelledTokens, dev: LabelledTokens, options: TrainClassifierOptions): Promise<TrainedModel> {
  const { objective, signal, level = 'sequence' } = options;
  if (level === 'token' || model.config.pooling !== 'mean') throw new TypeError("fit: expected labels of sequences and pooling 'mean' for protocol 'probe', got others; use protocol 'lora' or 'full'");
  const width = model.config.hiddenSize;
  const own = standardize(await meanVectors(model, train.sequences, signal), width);
  const devRows = (await meanVectors(model, dev.sequences, signal)).map((x, i) => (x - own.mean[i % width]) / own.deviation[i % width]);
  const classifier = model.params.classifier!;
  const everyDev = Array.from(dev.targets.keys());
  const { epochs, finetuneOptions } = schedule(train, options);
  const result = await finetune<Linear, number[]>({
    params: classifier,
    epochs,
    tokens: (batch) => batch.reduce((total, i) => total + train.lengths[i], 0),
    loss: (layer, batch) => scope<Tensor>(() => objective.loss(probeLogits(layer, own.rows, batch), flatTargets(batch.map((i) => train.targets[i])))),
    evaluate: everyDev.length ? async () => {
      const logits = probeLogits(classifier, devRows, everyDev);
      try {
        return objective.judge(Float32Array.from(await logits.device.read(logits)), flatTargets(dev.targets));
      } finally {
        free(logits);
      }
    } : undefined,
  }, finetuneOptions);
  await foldStandardization(classifier, own);
  return { result, model, trainedParameters: countOf(classifier) };
}

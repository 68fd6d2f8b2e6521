import { free, leaves, scope, type Tensor, type Tree } from '@genomelm/kernels';
import { planBatches, packBatch } from '../batch';
import { classifierLayer, classifierOf, type Level } from '../heads/sequenceClassifier';
import { predictLogits } from '../predict';
import { checkTrainable } from './checkTrainable';
import { finetune, type FinetuneResult, type FinetuneTask } from './finetune';
import { epochsFor, type Hyperparameters } from './hyperparameters';
import { applyLora, mergeLora, withLora, type Adapters, type Lora, type LoraOptions } from './lora';
import { maskTokens } from './maskTokens';
import { foldStandardization, frozenVectors, probeLogits, standardize } from './probe';
import type { EncodedExamples, Encoder } from '../examples';
import type { Pooler } from '../heads/sequenceClassifier';
import type { Linear } from '../layers/linear';
import { isDecoder, type AnyModel, type Model } from '../model';
import type { Objective } from './objective';
import type { Progress } from './monitor';

export interface LabelledTokens extends EncodedExamples {
  /** What the objective is told of each example: a class, some labels, numbers, or one class for each token. */
  readonly targets: readonly ArrayLike<number>[];
}

/** `full`: all parameters. `lora`: low-rank adapters of the layers, and the head. `probe`: a linear classifier on frozen vectors: an encoder's means, a decoder's last token. */
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

export interface TrainedModel<M extends AnyModel = Model> {
  readonly result: FinetuneResult;
  /** With the adapters merged; it owns the parameters of the model given. */
  readonly model: M;
  /** The adapters, as they were merged. */
  readonly lora?: Lora;
  /** Numbers that were trained. */
  readonly trainedParameters: number;
}

/** Trains a model with a classifier, choosing parameters by the objective's score on dev. Without dev examples the last ones stay. What it throws leaves the model's parameters to the caller. */
export async function trainClassifier<M extends AnyModel>(model: M, train: LabelledTokens, dev: LabelledTokens, options: TrainClassifierOptions): Promise<TrainedModel<M>> {
  const { protocol = 'full', seed } = options;
  if (protocol === 'probe') return trainProbe(model, train, dev, options);
  checkTrainable(model.config);
  if (protocol === 'full') return { result: await trainParameters<AnyParams>(model, model.params, (params) => params, train, dev, options), model, trainedParameters: countOf(model.params) };
  const lora = applyLora(model.params, { ...options.lora, seed });
  const head = headOf(model);
  const complete = ({ adapters, head: own }: LoraTree): AnyParams => withLora(withHead(model.params, own), { ...lora, adapters });
  try {
    const result = await trainParameters<LoraTree>(model, { adapters: lora.adapters, head }, complete, train, dev, options);
    const { params } = mergeLora(model.params, lora);
    const kept = new Set(leaves(params));
    free(leaves(model.params).filter((leaf) => !kept.has(leaf)));
    return { result, model: { ...model, params } as M, lora, trainedParameters: countOf([lora.adapters, head]) };
  } catch (error) {
    free(lora.adapters);
    throw error;
  }
}

type AnyParams = AnyModel['params'];

/** What is trained whole beside the adapters: the classifier, under its name in the checkpoint, and an encoder's pooler. */
type Head = { readonly classifier?: Linear; readonly score?: Linear; readonly pooler?: Pooler };

type LoraTree = { readonly adapters: Adapters; readonly head: Head };

function headOf(model: AnyModel): Head {
  if (isDecoder(model)) return { score: model.params.score! };
  const { bert: { pooler }, classifier } = model.params;
  return { classifier: classifier!, ...(pooler ? { pooler } : {}) };
}

const withHead = (params: AnyParams, { pooler, ...own }: Head): AnyParams => ({ ...params, ...own, ...('bert' in params && pooler ? { bert: { ...params.bert, pooler } } : {}) });

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
async function trainParameters<T extends Tree>(model: AnyModel, trained: T, complete: (trained: T) => AnyParams, train: LabelledTokens, dev: LabelledTokens, options: TrainClassifierOptions): Promise<FinetuneResult> {
  const { settings: { maskProbability: probability }, specialIds: { mask: maskId, cls, sep, pad }, objective, level = 'sequence', checkpoint, signal } = options;
  if (probability > 0 && maskId === undefined) throw new TypeError('fit: expected a tokenizer with [MASK] for maskProbability above 0, got one without; set maskProbability to 0');
  const keepIds = [cls, sep, pad].filter((id) => id !== undefined);
  const { epochs, finetuneOptions } = schedule(train, options);
  const given = new Set(leaves([model.params, trained]));
  const evaluate = async () => {
    const params = scope<unknown>(() => complete(trained)) as AnyParams;
    try {
      return objective.judge(await predictLogits({ ...model, params } as AnyModel, dev.sequences, { level, signal }), flatTargets(dev.targets));
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
      return scope<Tensor>(() => objective.loss(classifierOf(level)({ ...model, params: complete(own) } as AnyModel, hidden, { train: key, checkpoint }), flatTargets(batch.map((i) => train.targets[i]))));
    },
    evaluate: dev.targets.length ? evaluate : undefined,
  }, finetuneOptions);
}

/** The model runs once over the data; then only the classifier is trained, on standardised vectors, which its weights take in at the end. */
async function trainProbe<M extends AnyModel>(model: M, train: LabelledTokens, dev: LabelledTokens, options: TrainClassifierOptions): Promise<TrainedModel<M>> {
  const { objective, signal, level = 'sequence' } = options;
  if (level === 'token' || ('pooling' in model.config && model.config.pooling !== 'mean')) throw new TypeError("fit: expected labels of sequences and pooling 'mean' for protocol 'probe', got others; use protocol 'lora' or 'full'");
  const width = model.config.hiddenSize;
  const classifier = classifierLayer(model)!;
  const own = standardize(await frozenVectors(model, train.sequences, signal), width, classifier.bias !== undefined);
  const devRows = (await frozenVectors(model, dev.sequences, signal)).map((x, i) => (x - own.mean[i % width]) / own.deviation[i % width]);
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

// Pre-training: masked language modelling for encoders, next-token prediction for decoders, by one loop with a fixed number of tokens at every step.
import { accumulate, leaves, scale, scope, valueAndGrad, type OptimizerOptions, type Tensor, type Tree } from '@genomelm/kernels';
import { cutBatches, packBatch, type Batch } from '../batch';
import { causalLmLoss, nextTokens } from '../heads/causalLm';
import { maskedLmLoss } from '../heads/maskedLm';
import { isDecoder, type AnyModel, type CausalParams, type Params } from '../model';
import { deviceOf } from '../parameters';
import { checkTrainable } from './checkTrainable';
import { createMonitor, type CurvePoint, type Progress } from './monitor';
import { createOptimizer } from './optimizer';
import { maskForPrediction } from './maskTokens';
import { planSteps, type Piece, type SamplerName, type SequenceLengths } from './sampler';
import { cosineSchedule, linearSchedule } from './schedule';
import { storedCopies, type TrainingWeights } from './storedCopies';
import { beginCheckpoint, resumeCheckpoint, type TrainingState } from './trainingCheckpoint';
import type { Encoder } from '../examples';
import type { TrainKey } from '../models/encoder';

export interface CorpusSequence {
  readonly inputIds: Uint32Array;
  /** `[tokens]`, at least 0: how much the loss of predicting each token counts; by default 1. Few distinct values. */
  readonly weights?: ArrayLike<number> | undefined;
}

/** What is trained on. Only lengths are in memory; sequences are read when their step comes. */
export interface Corpus extends SequenceLengths {
  read(sequence: number): Promise<CorpusSequence>;
}

export interface PretrainOptions extends OptimizerOptions {
  readonly specialIds: Encoder['specialIds'];
  readonly steps: number;
  /** The same at every step, whatever the lengths. */
  readonly tokensPerStep: number;
  /** A step is computed in parts of at most so many tokens (but a sequence is never cut for it), whose gradients add up to the step's. Default: tokensPerStep. */
  readonly tokensPerBatch?: number | undefined;
  readonly sampler?: SamplerName | undefined;
  /** The peak, after warm-up. */
  readonly learningRate: number;
  readonly warmupSteps: number;
  readonly decay?: 'linear' | 'cosine' | undefined;
  /** For encoders: share of tokens to be predicted (default 0.15), and how many neighbours are chosen together. */
  readonly maskProbability?: number | undefined;
  readonly spanLength?: number | undefined;
  readonly seed: number;
  /** Computes each layer again in the backward pass: less memory, a third slower. */
  readonly checkpointLayers?: boolean | undefined;
  /** Weights of the transformer's linear layers are read in 16 bits, while AdamW goes on in float32: 2 bytes more for each of them during a step (see `storedCopies`). Default float32. */
  readonly weights?: TrainingWeights | undefined;
  /** Judges the parameters after every `validateEvery` steps and at the end. */
  readonly validate?: (() => Promise<{ readonly score: number; readonly loss?: number }>) | undefined;
  readonly validateEvery?: number | undefined;
  /** Where and how often what is needed to go on is saved. If the directory already holds a step of this run, the run goes on from it. In Node only. */
  readonly save?: { readonly directory: string; readonly every: number; /** Identifies the data; the settings are checked anyway. */ readonly data: string } | undefined;
  readonly reportEvery?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: Progress) => void) | undefined;
}

export interface PretrainResult {
  readonly steps: number;
  /** Of this call: 0 unless it went on from a checkpoint. */
  readonly resumedFrom: number;
  readonly tokens: number;
  readonly curve: readonly CurvePoint[];
}

/** A part of a step: the loss is over `labels`, which count `total` together. */
interface Part {
  readonly batch: Batch;
  readonly labels: ArrayLike<number>;
  readonly weights: ArrayLike<number> | undefined;
  readonly total: number;
  /** Of its dropout and its masks: parts of a step draw different numbers. */
  readonly key: TrainKey;
}

/** More parts a step than there ever are. */
const partsPerStep = 4096;

/**
 * Trains a model in place with AdamW, warm-up and decay. A decoder learns to predict the next token, an encoder (with a masked-LM head) hidden tokens, chosen anew at every step.
 * The same seed, corpus and settings give the same parameters, also when the run is interrupted and goes on from a checkpoint.
 * @throws the signal's reason when it is aborted; the parameters are then as the last step left them
 */
export async function pretrain(model: AnyModel, corpus: Corpus, options: PretrainOptions): Promise<PretrainResult> {
  const { steps, tokensPerStep, sampler = 'random', seed, learningRate, warmupSteps, decay = 'linear', validate, validateEvery, save, signal } = checkOptions(model, options);
  const schedule = decay === 'cosine' ? cosineSchedule : linearSchedule;
  const params = model.params as Tree;
  const optimizer = createOptimizer(params, options);
  const run = runOf(model, options);
  const from = save ? await resumeCheckpoint(save.directory, model, optimizer, run).catch((error: unknown) => { optimizer.dispose(); throw error; }) : undefined;
  const monitor = createMonitor(deviceOf(params), steps, { ...options, name: 'pretrain', from });
  const perPass = Array.from(corpus.lengths).reduce((a, b) => a + b, 0);
  let saving: Promise<void> = Promise.resolve();
  let step = 0;
  try {
    for (const pieces of planSteps(corpus, { sampler, tokensPerStep, steps, seed })) {
      step++;
      if (step <= (from?.step ?? 0)) continue;
      signal?.throwIfAborted();
      const parts = prepare(model, await readPieces(corpus, pieces), { ...options, step });
      const rate = learningRate * schedule(step - 1, { warmupSteps, totalSteps: steps });
      scope<void>(() => {
        const { value, grads } = lossAndGradients(model, params, parts, options);
        optimizer.update(grads, rate);
        monitor.add(value, tokensPerStep);
      });
      const saves = save !== undefined && (step % save.every === 0 || step === steps);
      const passes = (step * tokensPerStep) / perPass;
      await monitor.after(step, passes, rate, saves);
      if (validate && (step === steps || (validateEvery && step % validateEvery === 0))) monitor.evaluated(step, passes, await monitor.outside(validate));
      if (!saves) continue;
      await Promise.all([monitor.finish(), saving]);
      const state: TrainingState = { step, tokens: monitor.tokens(), curve: [...monitor.curve], run };
      saving = (await beginCheckpoint(save.directory, model, optimizer, state)).written;
      saving.catch(() => undefined); // thrown where it is awaited: before the next one, or at the end
    }
    await Promise.all([monitor.finish(), saving]);
    return { steps, resumedFrom: from?.step ?? 0, tokens: monitor.tokens(), curve: monitor.curve };
  } finally {
    await saving.catch(() => undefined);
    optimizer.dispose();
    await monitor.dispose();
  }
}

function checkOptions(model: AnyModel, options: PretrainOptions): PretrainOptions {
  checkTrainable(model.config);
  for (const name of ['steps', 'tokensPerStep'] as const) if (!(Number.isInteger(options[name]) && options[name] > 0)) throw new RangeError(`pretrain: expected ${name} of 1 or more, got ${options[name]}`);
  if (!isDecoder(model) && !model.params.cls) throw new TypeError('pretrain: expected an encoder with a masked-LM head, got one without; create it with createModel(config, { device, seed })');
  if (!isDecoder(model) && options.specialIds.mask === undefined) throw new TypeError('pretrain: expected a tokenizer with [MASK] for an encoder, got one without');
  return options;
}

/** All that the parameters depend on. */
function runOf({ config }: AnyModel, { steps, tokensPerStep, tokensPerBatch, sampler, learningRate, warmupSteps, decay, maskProbability, spanLength, seed, weights, beta1, beta2, epsilon, weightDecay, clipNorm, save }: PretrainOptions): string {
  return JSON.stringify({ config, data: save?.data, steps, tokensPerStep, tokensPerBatch, sampler, learningRate, warmupSteps, decay, maskProbability, spanLength, seed, weights: weights === 'float32' ? undefined : weights, beta1, beta2, epsilon, weightDecay, clipNorm });
}

const readPieces = (corpus: Corpus, pieces: readonly Piece[]): Promise<CorpusSequence[]> => Promise.all(pieces.map(async ({ sequence, start, end }) => {
  const { inputIds, weights } = await corpus.read(sequence);
  return { inputIds: inputIds.subarray(start, end), weights: weights && Array.from({ length: end - start }, (_, i) => weights[start + i]) };
}));

function prepare(model: AnyModel, sequences: readonly CorpusSequence[], { tokensPerStep, tokensPerBatch = tokensPerStep, specialIds, maskProbability: probability = 0.15, spanLength, seed, step }: PretrainOptions & { readonly step: number }): Part[] {
  const lengths = sequences.map(({ inputIds }) => inputIds.length);
  return cutBatches(sequences.keys(), lengths, { tokensPerBatch }).map((members, part) => {
    const own = members.map((i) => sequences[i]);
    const key = { seed, step: partsPerStep * step + part };
    const batch = packBatch(own.map(({ inputIds }) => inputIds));
    const ofTokens = own.some(({ weights }) => weights) ? own.flatMap(({ inputIds, weights }) => (weights ? Array.from(weights) : Array.from(inputIds, () => 1))) : undefined;
    if (isDecoder(model)) {
      const labels = nextTokens(batch);
      const weights = ofTokens && Array.from(labels, (_, i) => ofTokens[i + 1] ?? 0); // a label is the token after
      return { batch, labels, weights, total: sumWhere(labels, weights, (label) => label >= 0), key };
    }
    const { cls, sep, pad, unk, mask } = specialIds;
    const keepIds = [cls, sep, pad, unk].filter((id) => id !== undefined);
    const masked = maskForPrediction(batch, { probability, maskId: mask!, keepIds, ...key, vocabSize: model.config.vocabSize, spanLength });
    return { batch: masked.batch, labels: masked.labels, weights: ofTokens, total: sumWhere(masked.labels, ofTokens, (label) => label > 0), key };
  }).filter(({ total }) => total > 0);
}

const sumWhere = (labels: ArrayLike<number>, weights: ArrayLike<number> | undefined, counts: (label: number) => boolean): number =>
  Array.from(labels).reduce((total, label, i) => total + (counts(label) ? (weights?.[i] ?? 1) : 0), 0);

/** The mean loss over all labels of a step, part by part. */
function lossAndGradients(model: AnyModel, masters: Tree, parts: readonly Part[], { checkpointLayers: checkpoint = false, weights: storage = 'float32' }: PretrainOptions): { value: Tensor; grads: Tree } {
  const whole = parts.reduce((total, part) => total + part.total, 0);
  if (!(whole > 0)) throw new RangeError('pretrain: expected labels that count in every step, got none; raise tokensPerStep, maskProbability or the loss weights');
  const lossOf = ({ batch, labels, weights, total, key: train }: Part) => (own: Tree): Tensor => scope<Tensor>(() => {
    const options = { train, checkpoint, weights };
    const loss = isDecoder(model)
      ? causalLmLoss({ ...model, params: own as CausalParams }, batch, { ...options, labels })
      : maskedLmLoss({ ...model, params: own as Params }, batch, labels, options);
    return scale(loss, total / whole);
  });
  return scope<{ value: Tensor; grads: Tree }>(() => {
    const params = storedCopies(masters, storage);
    const [first, ...others] = parts;
    const { value, grads } = valueAndGrad<Tree>(lossOf(first))(params);
    for (const part of others) {
      scope<void>(() => {
        const next = valueAndGrad<Tree>(lossOf(part))(params);
        const more = leaves(next.grads);
        leaves(grads).forEach((gradient, i) => accumulate(gradient, more[i]));
        accumulate(value, next.value);
      });
    }
    return { value, grads };
  });
}

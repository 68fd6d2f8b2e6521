import { allocate, free, scope, valueAndGrad, type Tree } from '@genomelm/kernels';
import { packBatch, type Batch } from './batch';
import { countingDevice, type CountedKind } from './countingDevice';
import { isDecoderConfig } from './decoderConfig';
import { forward } from './forward';
import { causalLmLoss } from './heads/causalLm';
import { maskedLmLoss } from './heads/maskedLm';
import { causalModelSpecs, countParameters, modelSpecs, type AnyModel, type CausalModel, type CausalParams, type Model, type Params } from './model';
import { flattenSpecs, mapSpecs, type SpecsOf } from './parameters';
import { createOptimizer } from './train/optimizer';
import { storedCopies, type TrainingWeights } from './train/storedCopies';
import type { ModelConfig } from './config';

export interface EstimateOptions {
  /** Whose plans are counted. Default `wasm`. */
  readonly device?: CountedKind | undefined;
  /** Tokens of each sequence; the batch holds `tokens` in all. Default: one sequence. */
  readonly sequenceLength?: number | undefined;
  /** As `pretrain` takes it: copies in 16 bits count in training. */
  readonly weights?: TrainingWeights | undefined;
}

/** All in bytes, parameters in float32, for a batch of `tokens`. Each peak holds the weights too. */
export interface MemoryEstimate {
  readonly parameters: number;
  readonly weights: number;
  /** Two moments of AdamW. */
  readonly optimizer: number;
  readonly gradients: number;
  /** Beside the weights: hidden states of all tokens, for embeddings or one pass of a head. */
  readonly activations: number;
  /** Beside weights, gradients and moments: a training step with the model's own loss, layers kept or computed again (`checkpoint`), and copies of weights in 16 bits if there are any. */
  readonly trainingActivations: number;
  readonly checkpointedActivations: number;
  /** What a device holds at most: `forward`, a training step, and a training step with `checkpoint`. */
  readonly inferencePeak: number;
  readonly trainingPeak: number;
  readonly checkpointedPeak: number;
  /** Floating-point operations of the forward pass, two for a multiply-add; a training step takes three times as many, with `checkpoint` four. Matrix products and attention only. */
  readonly flopsPerToken: number;
}

/**
 * What running and training a model of this configuration takes. Nothing is allocated: the model's own code runs on a device that only counts, so the figures follow the code.
 * Counted is what `device.memory.peak` counts. Take a tenth more for what devices keep beside it: packed weights, buffers for reuse.
 * @param tokens - in the batch
 * @throws RangeError for a configuration that cannot be
 */
export function estimateMemory(config: ModelConfig, tokens: number, { device: kind = 'wasm', sequenceLength = tokens, weights: storage = 'float32' }: EstimateOptions = {}): MemoryEstimate {
  if (!Number.isSafeInteger(tokens) || tokens < 1) throw new RangeError(`estimateMemory: expected tokens to be a positive integer, got ${tokens}`);
  if (!Number.isSafeInteger(sequenceLength) || sequenceLength < 1) throw new RangeError(`estimateMemory: expected sequenceLength to be a positive integer, got ${sequenceLength}`);
  const batch = batchOf(tokens, sequenceLength);
  const parameters = countParameters(config);
  const weights = 4 * parameters;
  const inferencePeak = peakOf(config, kind, (model) => free(forward(model, batch).hiddenStates));
  const step = (checkpoint: boolean) => peakOf(config, kind, (model) => trainingStep(model, batch, checkpoint, storage));
  const [trainingPeak, checkpointedPeak] = [step(false), step(true)];
  return {
    parameters, weights, gradients: weights, optimizer: 2 * weights,
    activations: inferencePeak - weights,
    trainingActivations: trainingPeak - 4 * weights,
    checkpointedActivations: checkpointedPeak - 4 * weights,
    inferencePeak, trainingPeak, checkpointedPeak,
    flopsPerToken: flopsPerToken(config, sequenceLength),
  };
}

function batchOf(tokens: number, sequenceLength: number): Batch {
  const whole = Math.floor(tokens / sequenceLength);
  const lengths = [...Array.from({ length: whole }, () => sequenceLength), ...(tokens % sequenceLength ? [tokens % sequenceLength] : [])];
  return packBatch(lengths.map((length) => new Uint32Array(length)));
}

function peakOf(config: ModelConfig, kind: CountedKind, run: (model: AnyModel) => void): number {
  const device = countingDevice(kind);
  const build = <P>(specs: SpecsOf<P>) => mapSpecs<P>(specs, (spec) => allocate(device, spec));
  const model = (isDecoderConfig(config)
    ? { config, params: build<CausalParams>(causalModelSpecs(config)), fingerprint: '' }
    : { config: config, params: build<Params>(modelSpecs(config, { maskedLm: true })), fingerprint: '' }) as AnyModel;
  run(model);
  return device.memory.peak;
}

/** One step as training takes it: 15 % of the tokens are predicted by an encoder, all but one by a decoder; then the update. */
function trainingStep(model: AnyModel, batch: Batch, checkpoint: boolean, storage: TrainingWeights): void {
  const optimizer = createOptimizer(model.params as Tree);
  const grads = scope<Tree>(() => (isDecoderConfig(model.config)
    ? valueAndGrad<CausalParams>((params) => causalLmLoss({ ...(model as CausalModel), params }, batch, { checkpoint }))(storedCopies((model as CausalModel).params, storage))
    : valueAndGrad<Params>((params) => maskedLmLoss({ ...(model as Model), params }, batch, Array.from(batch.inputIds, (_, i) => (i % 20 < 3 ? 1 : 0)), { checkpoint, train: { seed: 0, step: 1 } }))(storedCopies((model as Model).params, storage))).grads as Tree);
  optimizer.update(grads, 1);
}

/** Two for each weight of a matrix, and for attention two products of every query with the keys it sees. */
function flopsPerToken(config: ModelConfig, length: number): number {
  const specs = isDecoderConfig(config) ? flattenSpecs<CausalParams>(causalModelSpecs(config)) : flattenSpecs<Params>(modelSpecs(config, { maskedLm: true }));
  const matrices = specs.filter(([path, { shape }]) => shape.length === 2 && !/_embeddings?\.|embed_tokens/.test(path)).reduce((total, [, { shape: [rows, columns] }]) => total + rows * columns, 0);
  const tied = isDecoderConfig(config) ? config.tiedHead : config.tiedDecoder;
  const [width, keys] = isDecoderConfig(config) ? [config.numHeads * config.headDim, Math.min((length + 1) / 2, config.slidingWindow ?? Infinity)] : [config.hiddenSize, length];
  return 2 * (matrices + (tied ? config.vocabSize * config.hiddenSize : 0)) + 4 * config.numLayers * width * keys;
}

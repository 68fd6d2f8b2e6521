// What a checkpoint holds, and how it begins.
import { ones, randomNormal, zeros, type Device, type Tensor, type TensorSpec } from '@genomelm/kernels';
import { randomStream } from './batch';
import { checkConfig, type EncoderConfig, type ModelConfig } from './config';
import { checkDecoderConfig, isDecoderConfig, type DecoderConfig } from './decoderConfig';
import { causalLmSpecs } from './heads/causalLm';
import { maskedLmSpecs, type MaskedLmHead } from './heads/maskedLm';
import { classifierSpecs, poolerSpecs, scoreSpecs, type Pooler } from './heads/sequenceClassifier';
import { hashText } from './hash';
import { decoderSpecs, type Decoder } from './models/decoder';
import { encoderSpecs, type Encoder } from './models/encoder';
import { elements, flattenSpecs, mapSpecs, type SpecsOf } from './parameters';
import type { Linear } from './layers/linear';

/** All parameters of an encoder, under the names of the checkpoint. */
export type Params = {
  readonly bert: Encoder & { readonly pooler?: Pooler };
  readonly cls?: MaskedLmHead;
  readonly classifier?: Linear;
};

/** All parameters of a decoder. */
export type CausalParams = {
  readonly model: Decoder;
  readonly lm_head?: Linear;
  readonly score?: Linear;
};

/** An encoder: a configuration and parameters on a device. `free(model.params)` lets go of them. */
export interface Model {
  readonly config: EncoderConfig;
  readonly params: Params;
  /** Identifies the weights as they were loaded or initialised. */
  readonly fingerprint: string;
}

/** A decoder: the same for GenomeOcean. */
export interface CausalModel {
  readonly config: DecoderConfig;
  readonly params: CausalParams;
  /** Identifies the weights as they were loaded or initialised. */
  readonly fingerprint: string;
}

export type AnyModel = Model | CausalModel;

/** Tells decoders from encoders. */
export const isDecoder = <M extends { readonly config: ModelConfig }>(model: M): model is Extract<M, { readonly config: DecoderConfig }> => isDecoderConfig(model.config);

/** Which heads an encoder has beside the backbone. */
export interface Heads {
  readonly maskedLm?: boolean | undefined;
  /** A classifier with so many classes; with [CLS] pooling, a pooler too. */
  readonly classes?: number | undefined;
  readonly pooler?: boolean | undefined;
}

export const modelSpecs = (config: EncoderConfig, { maskedLm = false, classes = 0, pooler = classes > 0 && config.pooling === 'cls' }: Heads): SpecsOf<Params> => ({
  bert: { ...encoderSpecs(config), ...(pooler ? { pooler: poolerSpecs(config) } : {}) },
  ...(maskedLm ? { cls: maskedLmSpecs(config) } : {}),
  ...(classes ? { classifier: classifierSpecs(config, classes) } : {}),
});

/** Which heads a decoder has beside the backbone. */
export interface CausalHeads {
  /** Whether there is an `lm_head`, default true; a tied head has no weights of its own. */
  readonly causalLm?: boolean | undefined;
  /** A classifier with so many classes. */
  readonly classes?: number | undefined;
}

export const causalModelSpecs = (config: DecoderConfig, { causalLm = true, classes = 0 }: CausalHeads = {}): SpecsOf<CausalParams> => ({
  model: decoderSpecs(config),
  ...(causalLm && !config.tiedHead ? { lm_head: causalLmSpecs(config) } : {}),
  ...(classes ? { score: scoreSpecs(config, classes) } : {}),
});

/** Number of weights, without making them. A tied head counts once. @param heads - of an encoder; a decoder has its `lm_head` */
export function countParameters(config: ModelConfig, heads: Heads = { maskedLm: true }): number {
  const specs = isDecoderConfig(config) ? flattenSpecs<CausalParams>(causalModelSpecs(checkDecoderConfig(config))) : flattenSpecs<Params>(modelSpecs(checkConfig(config), heads));
  return specs.reduce((total, [, spec]) => total + elements(spec), 0);
}

export type CreateModelOptions = { readonly device: Device; readonly seed: number };

/**
 * A new model: weights normal with deviation `config.initializerRange`, biases 0, norm weights 1, the row of `padTokenId` 0. The same seed gives the same weights on every device.
 * By default an encoder has a masked-LM head and no classifier; a decoder has its `lm_head`.
 */
export function createModel(config: DecoderConfig, options: CausalHeads & CreateModelOptions): CausalModel;
export function createModel(config: EncoderConfig, options: Heads & CreateModelOptions): Model;
export function createModel(config: ModelConfig, { device, seed, ...heads }: Heads & CausalHeads & CreateModelOptions): AnyModel {
  const fingerprint = hashText(`${JSON.stringify(config)} seed ${seed}`);
  if (isDecoderConfig(config)) return { config, params: mapSpecs<CausalParams>(causalModelSpecs(checkDecoderConfig(config), heads), initializer(config, device, seed)), fingerprint };
  const { maskedLm = true, ...others } = heads;
  const specs = modelSpecs(checkConfig(config), { maskedLm, ...others });
  return { config, params: mapSpecs<Params>(specs, initializer(config, device, seed)), fingerprint };
}

/** Makes a new parameter of a configuration. Its numbers depend on the seed and its name, so that adding a head changes no other. */
export const initializer = ({ initializerRange, padTokenId }: Pick<ModelConfig, 'initializerRange' | 'padTokenId'>, device: Device, seed: number) => ({ shape }: TensorSpec, path: string): Tensor => {
  if (/norm\.weight$/i.test(path)) return ones(device, shape);
  if (path.endsWith('.bias')) return zeros(device, shape);
  const weight = randomNormal(device, shape, { standardDeviation: initializerRange, seed, stream: randomStream.weights + parseInt(hashText(path).slice(0, 7), 16) });
  if (padTokenId !== undefined && /(word_embeddings|embed_tokens)\.weight$/.test(path)) clearRow(weight, padTokenId);
  return weight;
};

function clearRow(table: Tensor, row: number): void {
  const [, width] = table.shape;
  table.device.write({ ...table, shape: [width], offset: table.offset + row * width }, new Float32Array(width));
}

// What a checkpoint holds, and how it begins.
import { ones, randomNormal, zeros, type Device, type Tensor, type TensorSpec } from '@genomelm/kernels';
import { randomStream } from './batch';
import { checkConfig, type EncoderConfig } from './config';
import { maskedLmSpecs, type MaskedLmHead } from './heads/maskedLm';
import { classifierSpecs, poolerSpecs, type Pooler } from './heads/sequenceClassifier';
import { hashText } from './hash';
import { encoderSpecs, type Encoder } from './models/encoder';
import { elements, flattenSpecs, mapSpecs, type SpecsOf } from './parameters';
import type { Linear } from './layers/linear';

/** All parameters, under the names of the checkpoint. */
export type Params = {
  readonly bert: Encoder & { readonly pooler?: Pooler };
  readonly cls?: MaskedLmHead;
  readonly classifier?: Linear;
};

/** A configuration and parameters on a device. `free(model.params)` lets go of them. */
export interface Model {
  readonly config: EncoderConfig;
  readonly params: Params;
  /** Identifies the weights as they were loaded or initialised. */
  readonly fingerprint: string;
}

/** Which heads a model has beside the backbone. */
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

/** Number of weights, without making them. A tied decoder counts once. */
export const countParameters = (config: EncoderConfig, heads: Heads = { maskedLm: true }): number =>
  flattenSpecs<Params>(modelSpecs(checkConfig(config), heads)).reduce((total, [, spec]) => total + elements(spec), 0);

/**
 * A new model: weights normal with deviation `config.initializerRange`, biases 0, LayerNorm weights 1, the row of `padTokenId` 0. The same seed gives the same weights on every device.
 * By default with a masked-LM head and no classifier.
 */
export function createModel(config: EncoderConfig, { device, seed, ...heads }: Heads & { readonly device: Device; readonly seed: number }): Model {
  const { maskedLm = true, ...others } = heads;
  const specs = modelSpecs(checkConfig(config), { maskedLm, ...others });
  const params = mapSpecs<Params>(specs, initializer(config, device, seed));
  return { config, params, fingerprint: hashText(`${JSON.stringify(config)} seed ${seed}`) };
}

/** Makes a new parameter of a configuration. Its numbers depend on the seed and its name, so that adding a head changes no other. */
export const initializer = ({ initializerRange, padTokenId }: EncoderConfig, device: Device, seed: number) => ({ shape }: TensorSpec, path: string): Tensor => {
  if (/layernorm\.weight$/i.test(path)) return ones(device, shape);
  if (path.endsWith('.bias')) return zeros(device, shape);
  const weight = randomNormal(device, shape, { standardDeviation: initializerRange, seed, stream: randomStream.weights + parseInt(hashText(path).slice(0, 7), 16) });
  if (padTokenId !== undefined && path.endsWith('word_embeddings.weight')) clearRow(weight, padTokenId);
  return weight;
};

function clearRow(table: Tensor, row: number): void {
  const [, width] = table.shape;
  table.device.write({ ...table, shape: [width], offset: table.offset + row * width }, new Float32Array(width));
}

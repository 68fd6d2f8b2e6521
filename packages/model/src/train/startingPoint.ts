import { flatten, scale, scope, type Device, type TensorSpec, type Tree } from '@genomelm/kernels';
import { isDecoderConfig } from '../decoderConfig';
import { causalModelSpecs, initializer, modelSpecs, type AnyModel, type CausalParams, type Heads, type Model, type Params } from '../model';
import { mapSpecs } from '../parameters';
import type { EncoderConfig, ModelConfig } from '../config';

/** Copies of the source's backbone and pooler, and new parameters for the rest: each fit trains its own. Heads for other tasks are left behind. */
export function startingPoint(source: Model | undefined, config: EncoderConfig, heads: Pick<Heads, 'classes' | 'pooler'>, device: Device, seed: number): Params;
export function startingPoint(source: AnyModel | undefined, config: ModelConfig, heads: Pick<Heads, 'classes' | 'pooler'>, device: Device, seed: number): AnyModel['params'];
export function startingPoint(source: AnyModel | undefined, config: ModelConfig, heads: Pick<Heads, 'classes' | 'pooler'>, device: Device, seed: number): AnyModel['params'] {
  const known = new Map(source ? flatten(source.params as Tree).filter(([path]) => /^(bert|model)\./.test(path)) : []);
  const initialize = initializer(config, device, seed);
  const make = (spec: TensorSpec, path: string) => {
    const given = known.get(path);
    return given ? scale(given, 1) : initialize(spec, path);
  };
  return scope<unknown>(() => (isDecoderConfig(config) ? mapSpecs<CausalParams>(causalModelSpecs(config, { causalLm: false, classes: heads.classes }), make) : mapSpecs<Params>(modelSpecs(config, heads), make))) as AnyModel['params'];
}

import { flatten, scale, scope, type Device } from '@genomelm/kernels';
import { initializer, modelSpecs, type Heads, type Model, type Params } from '../model';
import { mapSpecs } from '../parameters';
import type { EncoderConfig } from '../config';

/** Copies of the source's backbone and pooler, and new parameters for the rest: each fit trains its own. */
export function startingPoint(source: Model | undefined, config: EncoderConfig, heads: Pick<Heads, 'classes' | 'pooler'>, device: Device, seed: number): Params {
  const known = new Map(source ? flatten({ bert: source.params.bert }) : []);
  const initialize = initializer(config, device, seed);
  return scope<unknown>(() => mapSpecs<Params>(modelSpecs(config, heads), (spec, path) => {
    const given = known.get(path);
    return given ? scale(given, 1) : initialize(spec, path);
  })) as Params;
}

import { cast, free, quantizeRows, scope, type Tensor } from '@genomelm/kernels';
import type { CausalModel } from './model';
import type { Linear } from './layers/linear';

/** What a step of decoding reads of the weights: half of float32, or a quarter of it. */
export type WeightType = 'float16' | 'bfloat16' | 'int8';

/**
 * A decoder whose linear layers are stored in fewer bits, for inference: sums stay in float32. With int8 each row has a scale, and `lm_head` is kept in float16.
 * The model given is used up: each of its weights is freed as soon as it is converted, so that both never exist whole. Embeddings, norms and a classifier go over as they are.
 */
export function storeWeights({ config, params, fingerprint }: CausalModel, dtype: WeightType): CausalModel {
  const store = (layer: Linear, as: WeightType): Linear => {
    if (layer.weight.dtype !== 'float32' || layer.lora_A) throw new TypeError(`storeWeights: expected weights in float32 without adapters, got ${layer.lora_A ? 'adapters' : layer.weight.dtype}; load the model anew, or merge the adapters first`);
    const stored = scope<Linear>(() => convert(layer, as));
    free(layer.weight);
    return stored;
  };
  const all = <T extends Readonly<Record<string, Linear>>>(group: T): T => Object.fromEntries(Object.entries(group).map(([name, layer]) => [name, store(layer, dtype)])) as unknown as T;
  const layers = params.model.layers.map((layer) => ({ ...layer, self_attn: all(layer.self_attn), mlp: all(layer.mlp) }));
  const head = params.lm_head && store(params.lm_head, dtype === 'int8' ? 'float16' : dtype);
  return { config, params: { ...params, model: { ...params.model, layers }, ...(head && { lm_head: head }) }, fingerprint: `${fingerprint} ${dtype}` };
}

function convert({ weight, bias }: Linear, dtype: WeightType): Linear {
  const keep: { readonly bias?: Tensor } = bias ? { bias } : {};
  if (dtype !== 'int8') return { ...keep, weight: cast(weight, dtype) };
  const { values, scales } = quantizeRows(weight);
  return { ...keep, weight: values, scales };
}

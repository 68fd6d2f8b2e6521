import { cast, mapTree, scope, type Tree } from '@genomelm/kernels';
import { linearLayers } from '../parameters';

/** What the forward and backward passes of training read weights as. */
export type TrainingWeights = 'float32' | 'float16' | 'bfloat16';

/**
 * Parameters in which the weights of the transformer's linear layers are rounded copies in 16 bits, and all else is shared: what a step of mixed-precision training computes with (Micikevicius et al. 2018, arXiv 1710.03740).
 * The gradient of a copy is float32, and AdamW gives it to the float32 weight behind: in 16 bits an update below 1/512 of its weight would be rounded away.
 * But: sums and activations are float32, so that no loss is scaled. Copies belong to the caller's scope.
 */
export function storedCopies<P extends Tree>(params: P, dtype: TrainingWeights): P {
  const layers = new Set(linearLayers(params).values());
  return scope<Tree>(() => mapTree<Tree>(params, (leaf) => (layers.has(leaf) ? cast(leaf, dtype) : leaf))) as P;
}

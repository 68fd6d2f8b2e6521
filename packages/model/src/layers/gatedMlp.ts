import { add, geglu, swiglu, type Tensor } from '@genomelm/kernels';
import { layerNorm, layerNormSpecs, type LayerNorm } from './layerNorm';
import { linear, linearSpecs, type Linear } from './linear';
import type { EncoderConfig } from '../config';
import type { SpecsOf } from '../parameters';

/** `gated_layers` makes gate and value, in this order. */
export type GatedMlp = { readonly gated_layers: Linear; readonly wo: Linear; readonly layernorm: LayerNorm };

export const gatedMlpSpecs = ({ hiddenSize, intermediateSize, gatedLayersBias }: EncoderConfig): SpecsOf<GatedMlp> => ({
  gated_layers: linearSpecs(2 * intermediateSize, hiddenSize, { bias: gatedLayersBias }),
  wo: linearSpecs(hiddenSize, intermediateSize),
  layernorm: layerNormSpecs(hiddenSize),
});

/** Added to `x [totalTokens, hiddenSize]` and normalised. Dropout stands before `wo` and nowhere after it, as upstream. */
export function gatedMlp(p: GatedMlp, x: Tensor, { gate, layerNormEps }: EncoderConfig, drop: (x: Tensor) => Tensor): Tensor {
  const gated = linear(x, p.gated_layers);
  const inner = drop(gate === 'gelu' ? geglu(gated) : swiglu(gated));
  return layerNorm(add(linear(inner, p.wo), x), p.layernorm, layerNormEps);
}

import { add, alibiSlopes, attention, reshape, type Tensor } from '@genomelm/kernels';
import { layerNorm, layerNormSpecs, type LayerNorm } from './layerNorm';
import { linear, linearSpecs, type Linear } from './linear';
import type { Batch } from '../batch';
import type { EncoderConfig } from '../config';
import type { SpecsOf } from '../parameters';

/** `Wqkv` makes query, key and value, in this order, each with its heads side by side. */
export type SelfAttention = {
  readonly self: { readonly Wqkv: Linear };
  readonly output: { readonly dense: Linear; readonly LayerNorm: LayerNorm };
};

export const selfAttentionSpecs = ({ hiddenSize }: EncoderConfig): SpecsOf<SelfAttention> => ({
  self: { Wqkv: linearSpecs(3 * hiddenSize, hiddenSize) },
  output: { dense: linearSpecs(hiddenSize, hiddenSize), LayerNorm: layerNormSpecs(hiddenSize) },
});

/** Attention within each sequence with symmetric ALiBi, added to `x [totalTokens, hiddenSize]` and normalised. */
export function selfAttention(p: SelfAttention, x: Tensor, { cuSeqlens }: Batch, { numHeads, layerNormEps }: EncoderConfig, drop: (x: Tensor) => Tensor): Tensor {
  const [tokens, hidden] = x.shape;
  const qkv = reshape(linear(x, p.self.Wqkv), [tokens, 3, numHeads, hidden / numHeads]);
  const { output } = attention({ qkv }, { cuSeqlens, alibiSlopes: alibiSlopes(numHeads) });
  const projected = drop(linear(reshape(output, [tokens, hidden]), p.output.dense));
  return layerNorm(add(projected, x), p.output.LayerNorm, layerNormEps);
}

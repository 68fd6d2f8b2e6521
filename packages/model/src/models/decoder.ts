// The decoder of GenomeOcean, which is Mistral's (Jiang et al. 2023, arXiv 2310.06825): pre-norm blocks with RMSNorm, rotary positions, grouped-query attention that sees what came before, SwiGLU.
// But: batches are packed, so upstream's left padding and attention masks do not exist.
import { attention, checkpoint as recompute, free, mul, reshape, scope, type Tensor } from '@genomelm/kernels';
import { checkIds, positionsOf, type Batch } from '../batch';
import { lookUp } from '../layers/embedding';
import { linear, linearSpecs, type Linear } from '../layers/linear';
import { rmsNorm, rmsNormSpecs, type RmsNorm } from '../layers/rmsNorm';
import { rotaryAngles, rotaryBy, type Rotate } from '../layers/rotary';
import { spec, type SpecsOf } from '../parameters';
import type { DecoderConfig } from '../decoderConfig';
import type { ForwardOptions, ForwardResult } from './encoder';

export type DecoderLayer = {
  readonly input_layernorm: RmsNorm;
  readonly self_attn: { readonly q_proj: Linear; readonly k_proj: Linear; readonly v_proj: Linear; readonly o_proj: Linear };
  readonly post_attention_layernorm: RmsNorm;
  readonly mlp: { readonly gate_proj: Linear; readonly up_proj: Linear; readonly down_proj: Linear };
};

/** The backbone, under `model.` in checkpoints. */
export type Decoder = { readonly embed_tokens: { readonly weight: Tensor }; readonly layers: readonly DecoderLayer[]; readonly norm: RmsNorm };

export function decoderSpecs({ vocabSize, hiddenSize, numLayers, numHeads, numKvHeads, headDim, intermediateSize }: DecoderConfig): SpecsOf<Decoder> {
  const map = (outputs: number, inputs: number) => linearSpecs(outputs, inputs, { bias: false });
  const layer = (): SpecsOf<DecoderLayer> => ({
    input_layernorm: rmsNormSpecs(hiddenSize),
    self_attn: { q_proj: map(numHeads * headDim, hiddenSize), k_proj: map(numKvHeads * headDim, hiddenSize), v_proj: map(numKvHeads * headDim, hiddenSize), o_proj: map(hiddenSize, numHeads * headDim) },
    post_attention_layernorm: rmsNormSpecs(hiddenSize),
    mlp: { gate_proj: map(intermediateSize, hiddenSize), up_proj: map(intermediateSize, hiddenSize), down_proj: map(hiddenSize, intermediateSize) },
  });
  return { embed_tokens: { weight: spec(vocabSize, hiddenSize) }, layers: Array.from({ length: numLayers }, layer), norm: rmsNormSpecs(hiddenSize) };
}

/** What every function on decoders asks for: a configuration and the backbone's parameters. */
export interface DecoderModel {
  readonly config: DecoderConfig;
  readonly params: { readonly model: Decoder };
}

/** Where a layer's queries look: among the tokens of the batch, or in a cache as well. `query [tokens, numHeads, headDim]`, `key` and `value [tokens, numKvHeads, headDim]` → like query. */
export type Attend = (layer: number, query: Tensor, key: Tensor, value: Tensor) => Tensor;

/**
 * Runs the decoder on a packed batch. Each layer frees its inside. Of all hidden states the last is that after the final norm, as in transformers.
 * @throws RangeError for ids outside the vocabulary
 */
export function forward(model: DecoderModel, batch: Batch, options: ForwardOptions = {}): ForwardResult {
  const { slidingWindow } = model.config;
  const { cuSeqlens } = batch;
  const windowSize = [slidingWindow === undefined ? -1 : slidingWindow - 1, -1] as const;
  return runDecoder(model, batch.inputIds, rotaryAngles(positionsOf(batch), model.config), (_layer, query, key, value) => attention({ query, key, value }, { cuSeqlens, causal: true, windowSize }).output, options);
}

/** The layers on tokens at the positions of these angles (see `rotaryAngles`), with attention left to the caller. */
export function runDecoder({ config, params: { model } }: DecoderModel, inputIds: Uint32Array, angles: Float32Array, attend: Attend, { checkpoint = false, allHiddenStates = false }: ForwardOptions = {}): ForwardResult {
  checkIds('an id', inputIds, config.vocabSize, 'use the tokenizer that belongs to the model');
  return scope<ForwardResult>(() => {
    const rotate = rotaryBy(model.norm.weight.device, angles, config);
    let x: Tensor = scope<Tensor>(() => lookUp(model.embed_tokens, inputIds, config.padTokenId));
    const all = [x];
    model.layers.forEach((layer, i) => {
      const run = (input: Tensor) => decoderLayer(layer, input, config, rotate, (query, key, value) => attend(i, query, key, value));
      const output: Tensor = checkpoint ? recompute<Tensor, Tensor>(run, x) : scope<Tensor>(() => run(x));
      if (allHiddenStates) all.push(output);
      else free(x); // what the backward pass needs of it, the tape holds
      x = output;
    });
    const hiddenStates = rmsNorm(x, model.norm, config.rmsNormEps);
    return { hiddenStates, ...(allHiddenStates ? { allHiddenStates: [...all.slice(0, -1), hiddenStates] } : {}) };
  });
}

function decoderLayer(p: DecoderLayer, x: Tensor, { numHeads, numKvHeads, headDim, rmsNormEps }: DecoderConfig, rotate: Rotate, attend: (query: Tensor, key: Tensor, value: Tensor) => Tensor): Tensor {
  const [tokens] = x.shape;
  const { q_proj, k_proj, v_proj, o_proj } = p.self_attn;
  const attended = scope<Tensor>(() => {
    const normed = rmsNorm(x, p.input_layernorm, rmsNormEps);
    const heads = (projection: Linear, count: number) => reshape(linear(normed, projection), [tokens, count, headDim]);
    const output = attend(rotate(heads(q_proj, numHeads)), rotate(heads(k_proj, numKvHeads)), heads(v_proj, numKvHeads));
    return linear(reshape(output, [tokens, numHeads * headDim]), o_proj, { residual: x });
  });
  const normed = rmsNorm(attended, p.post_attention_layernorm, rmsNormEps);
  const inner = mul(linear(normed, p.mlp.gate_proj, { activation: 'silu' }), linear(normed, p.mlp.up_proj));
  return linear(inner, p.mlp.down_proj, { residual: attended });
}

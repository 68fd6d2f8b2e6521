import { embedding, gelu, scope, tensor, type Tensor } from '@genomelm/kernels';
import { layerNorm, layerNormSpecs, type LayerNorm } from '../layers/layerNorm';
import { linear, linearSpecs, type Linear } from '../layers/linear';
import { weightedCrossEntropy } from './weightedCrossEntropy';
import { forward, type EncoderModel, type ForwardOptions } from '../models/encoder';
import { spec, type SpecsOf } from '../parameters';
import type { Batch } from '../batch';
import type { EncoderConfig } from '../config';

/** Under `cls.` in checkpoints. A tied decoder has no weight of its own: it is `bert.embeddings.word_embeddings.weight`. */
export type MaskedLmHead = {
  readonly predictions: {
    readonly transform: { readonly dense: Linear; readonly LayerNorm: LayerNorm };
    readonly decoder: { readonly weight?: Tensor; readonly bias: Tensor };
  };
};

export const maskedLmSpecs = ({ hiddenSize, vocabSize, tiedDecoder }: EncoderConfig): SpecsOf<MaskedLmHead> => ({
  predictions: {
    transform: { dense: linearSpecs(hiddenSize, hiddenSize), LayerNorm: layerNormSpecs(hiddenSize) },
    decoder: tiedDecoder ? { bias: spec(vocabSize) } : { weight: spec(vocabSize, hiddenSize), bias: spec(vocabSize) },
  },
});

export interface MaskedLmModel extends EncoderModel {
  readonly params: EncoderModel['params'] & { readonly cls?: MaskedLmHead };
}

/**
 * Scores of every token of the vocabulary: `[positions, vocabSize]`.
 * @param positions - rows of the packed batch, in any order; by default all of them
 */
export function maskedLmLogits(model: MaskedLmModel, batch: Batch, positions?: ArrayLike<number>, options: ForwardOptions = {}): Tensor {
  const { bert, cls } = model.params;
  if (!cls) throw new TypeError('maskedLmLogits: expected a model with a masked-LM head, got one without; create it with createModel(config, { device, seed, maskedLm: true }) or load weights that have cls.predictions');
  const { transform, decoder } = cls.predictions;
  return scope<Tensor>(() => {
    const { hiddenStates } = forward(model, batch, options);
    const rows = positions ? embedding(hiddenStates, tensor(hiddenStates.device, checkRows(positions, batch.inputIds.length))) : hiddenStates;
    const transformed = layerNorm(gelu(linear(rows, transform.dense)), transform.LayerNorm, model.config.layerNormEps);
    return linear(transformed, { weight: decoder.weight ?? bert.embeddings.word_embeddings.weight, bias: decoder.bias });
  });
}

export interface MaskedLmLossOptions extends ForwardOptions {
  /** `[totalTokens]`, above 0: how much each label counts. Each distinct value is a pass over the scores, so there should be few. */
  readonly weights?: ArrayLike<number> | undefined;
}

/**
 * Mean cross-entropy in nats over the labelled tokens, weighted, `[]`. Only their rows reach the decoder.
 * @param labels - `[totalTokens]`: the token that stood there; 0 or less is no label, as upstream has it (0 is [UNK])
 */
export function maskedLmLoss(model: MaskedLmModel, batch: Batch, labels: ArrayLike<number>, { weights, ...options }: MaskedLmLossOptions = {}): Tensor {
  const { inputIds: { length } } = batch;
  if (labels.length !== length) throw new RangeError(`maskedLmLoss: expected ${length} labels, one for each token, got ${labels.length}`);
  const positions = Array.from({ length }, (_, i) => i).filter((i) => labels[i] > 0);
  if (!positions.length) throw new RangeError('maskedLmLoss: expected at least one labelled token, got none; mask more tokens');
  return scope<Tensor>(() => {
    return weightedCrossEntropy(maskedLmLogits(model, batch, positions, options), positions.map((i) => labels[i]), positions.map((i) => weights?.[i] ?? 1));
  });
}

function checkRows(positions: ArrayLike<number>, totalTokens: number): Uint32Array {
  const rows = Uint32Array.from(positions);
  const wrong = Array.from(positions).find((row) => !(Number.isInteger(row) && row >= 0 && row < totalTokens));
  if (wrong !== undefined) throw new RangeError(`maskedLmLogits: expected positions below totalTokens ${totalTokens}, got ${wrong}`);
  return rows;
}

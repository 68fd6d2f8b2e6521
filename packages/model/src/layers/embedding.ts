import { add, embedding, stopGradient, tensor, type Tensor } from '@genomelm/kernels';
import { firstKmerId, type EncoderConfig } from '../config';
import { spec, type SpecsOf } from '../parameters';
import { layerNorm, layerNormSpecs, type LayerNorm } from './layerNorm';
import { positionsOf, type Batch } from '../batch';

type Table = { readonly weight: Tensor };

/** `position_embeddings` and `prefix_embeddings` (one table for each prefix length) are this package's own; upstream has neither. */
export type Embeddings = {
  readonly word_embeddings: Table;
  readonly token_type_embeddings?: Table;
  readonly position_embeddings?: Table;
  readonly prefix_embeddings?: readonly Table[];
  readonly LayerNorm: LayerNorm;
};

export function embeddingsSpecs({ vocabSize, hiddenSize, typeVocabSize, maxPositions, kmerPrefixes }: EncoderConfig): SpecsOf<Embeddings> {
  const table = (rows: number) => ({ weight: spec(rows, hiddenSize) });
  return {
    word_embeddings: table(vocabSize),
    ...(typeVocabSize ? { token_type_embeddings: table(typeVocabSize) } : {}),
    ...(maxPositions ? { position_embeddings: table(maxPositions) } : {}),
    ...(kmerPrefixes ? { prefix_embeddings: kmerPrefixes.lengths.map((length) => table(firstKmerId + 4 ** length)) } : {}),
    LayerNorm: layerNormSpecs(hiddenSize),
  };
}

/** The id of each k-mer's first `length` bases in the table of that length; special tokens keep theirs. */
export const prefixIds = (inputIds: Uint32Array, k: number, length: number): Uint32Array =>
  inputIds.map((id) => (id < firstKmerId ? id : firstKmerId + ((id - firstKmerId) >>> (2 * (k - length)))));

/** The sum of all tables' rows, normalised: `[totalTokens, hiddenSize]`. A batch without token types is all of type 0. */
export function embed(p: Embeddings, batch: Batch, { padTokenId, kmerPrefixes, layerNormEps }: EncoderConfig): Tensor {
  const { inputIds } = batch;
  let x = lookUp(p.word_embeddings, inputIds, padTokenId);
  const { token_type_embeddings: types, position_embeddings: positions, prefix_embeddings: prefixes } = p;
  if (types) x = add(x, lookUp(types, batch.tokenTypeIds ?? new Uint32Array(inputIds.length)));
  if (positions) x = add(x, lookUp(positions, positionsOf(batch)));
  if (prefixes && kmerPrefixes) prefixes.forEach((table, i) => { x = add(x, lookUp(table, prefixIds(inputIds, kmerPrefixes.k, kmerPrefixes.lengths[i]))); });
  return layerNorm(x, p.LayerNorm, layerNormEps);
}

/** The table's rows by id, `[totalTokens, width]`; no gradient goes to the row of `padTokenId`. */
export const lookUp = ({ weight }: Table, inputIds: Uint32Array, padTokenId?: number): Tensor =>
  padTokenId !== undefined && inputIds.includes(padTokenId) ? embedFrozenRow(weight, inputIds, padTokenId) : embedding(weight, tensor(weight.device, inputIds));

/** torch's padding_idx: the row is looked up, and no gradient goes back to it. An id beyond the table reads as zeros, so each lookup leaves the other's rows alone. */
function embedFrozenRow(weight: Tensor, inputIds: Uint32Array, row: number): Tensor {
  const none = weight.shape[0];
  const others = tensor(weight.device, inputIds.map((id) => (id === row ? none : id)));
  const only = tensor(weight.device, inputIds.map((id) => (id === row ? id : none)));
  return add(embedding(weight, others), embedding(stopGradient(weight), only));
}

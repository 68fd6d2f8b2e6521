// Vectors of sequences, of tokens and of bases.
import { concat, embedding, free, linear, maxPool1d, read, reshape, scope, segmentMean, tanh, tensor, type Tensor } from '@genomelm/kernels';
import { cutBatches, packBatch, type Batch } from './batch';
import { createBreather } from './breathe';
import { checkEncoder, type Encoder } from './examples';
import { forward } from './forward';
import { isDecoder, type AnyModel } from './model';
import type { OffsetEncoder } from './score';

/**
 * One vector for a sequence: the mean or the greatest value over its tokens, the first token ([CLS]), the last, or what upstream calls the pooled output.
 * The mean is what external comparisons found best for DNABERT-2 (doi 10.1038/s41467-025-65823-8).
 */
export type Pooling = 'mean' | 'max' | 'cls' | 'last' | 'pooler';

export interface EmbedOptions {
  /** Default `mean`. */
  readonly pooling?: Pooling | undefined;
  /** Whether [CLS] and [SEP] count in `mean`, `max` and `last`. Default true, as both DNABERT-2 and GenomeOcean have it. */
  readonly specialTokens?: boolean | undefined;
  /** Which hidden states: 0 is the embedding's output, `numLayers` or -1 the last; or all. Default the last. Several give their vectors one behind the other. */
  readonly layers?: number | readonly number[] | 'all' | undefined;
  /** In tokens, special tokens included; longer sequences are cut. Default: no limit. */
  readonly maxLength?: number | undefined;
  /** Tokens of one forward pass. Default 8192. Results do not depend on it. */
  readonly tokensPerBatch?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { readonly sequences: number; readonly totalSequences: number }) => void) | undefined;
}

/** A sequence, or two that belong together: `[CLS] A [SEP] B [SEP]`, all after the first [SEP] of type 1. */
export type SequenceInput = string | { readonly sequence: string; readonly pair?: string | undefined };

/**
 * A vector for each sequence, `[layers · hiddenSize]`, in the order given. Nothing is padded: a sequence gives the same vector alone and in any batch.
 * @throws RangeError for a sequence without a token that counts, or a tokenizer that is not the model's; TypeError for the pooled output of an untrained pooler
 */
export async function embed(model: AnyModel, encoder: Encoder, sequences: readonly SequenceInput[], options: EmbedOptions = {}): Promise<Float32Array[]> {
  const { pooling = 'mean', maxLength, tokensPerBatch = 8192, signal, onProgress } = options;
  checkEncoder('embed', model.config, encoder);
  if (!Array.isArray(sequences)) throw new TypeError(`embed: expected an array of sequences, got ${typeof sequences}; put one into brackets`);
  const pool = poolerOf(model, encoder, pooling, options.specialTokens ?? true);
  const layers = layersOf(model, options.layers);
  const inputs = sequences.map((sequence) => encodeInput(encoder, sequence, maxLength));
  const lengths = inputs.map(({ inputIds }) => inputIds.length);
  const order = [...inputs.keys()].sort((a, b) => lengths[a] - lengths[b]); // attention's grid is as long as the longest of a batch
  const vectors = new Array<Float32Array>(inputs.length);
  const breathe = createBreather();
  let done = 0;
  for (const members of cutBatches(order, lengths, { tokensPerBatch })) {
    signal?.throwIfAborted();
    const batch = packBatch(members.map((i) => inputs[i]));
    const pooled = scope<Tensor[]>(() => hiddenStatesOf(model, batch, layers).map((states) => pool(states, batch)));
    try {
      const parts = await Promise.all(pooled.map(read));
      const width = model.config.hiddenSize;
      members.forEach((i, row) => {
        vectors[i] = new Float32Array(layers.length * width);
        parts.forEach((part, layer) => vectors[i].set(part.subarray(row * width, (row + 1) * width), layer * width));
      });
    } finally {
      free(pooled);
    }
    onProgress?.({ sequences: (done += members.length), totalSequences: inputs.length });
    await breathe();
  }
  return vectors;
}

function encodeInput(encoder: Encoder, input: SequenceInput, maxLength: number | undefined): { inputIds: Uint32Array; tokenTypeIds?: Uint32Array } {
  const { sequence, pair } = typeof input === 'string' ? { sequence: input } : input;
  const limit = maxLength === undefined ? {} : { maxLength };
  if (pair === undefined) return { inputIds: encoder.encode(sequence, limit) };
  const inputIds = encoder.encode(sequence, { pair, ...limit });
  const end = inputIds.indexOf(encoder.specialIds.sep ?? -1);
  if (end < 0) throw new TypeError('embed: expected an encoder with [SEP] for pairs, got one without; use a tokenizer that frames pairs');
  return { inputIds, tokenTypeIds: inputIds.map((_, i) => (i > end ? 1 : 0)) };
}

function layersOf({ config: { numLayers } }: AnyModel, layers: EmbedOptions['layers'] = -1): number[] {
  const asked = layers === 'all' ? Array.from({ length: numLayers + 1 }, (_, i) => i) : typeof layers === 'number' ? [layers] : [...layers];
  return asked.map((layer) => {
    const index = layer < 0 ? numLayers + 1 + layer : layer;
    if (!Number.isInteger(index) || index < 0 || index > numLayers) throw new RangeError(`embed: expected layers from 0, the embedding's output, to ${numLayers}, or negative from the end, got ${layer}`);
    return index;
  });
}

function hiddenStatesOf(model: AnyModel, batch: Batch, layers: readonly number[]): Tensor[] {
  const last = model.config.numLayers;
  const { hiddenStates, allHiddenStates } = forward(model, batch, { allHiddenStates: layers.some((layer) => layer !== last) });
  return layers.map((layer) => allHiddenStates?.[layer] ?? hiddenStates);
}

/** Makes `[sequences, hiddenSize]` of `[totalTokens, hiddenSize]`. */
function poolerOf(model: AnyModel, { specialIds }: Encoder, pooling: Pooling, withSpecials: boolean): (states: Tensor, batch: Batch) => Tensor {
  const rows = (states: Tensor, indices: ArrayLike<number>) => embedding(states, tensor(states.device, Uint32Array.from(indices)));
  const counted = (batch: Batch) => (withSpecials ? undefined : rowsWithoutSpecials(batch, specialIds));
  switch (pooling) {
    case 'mean': return (states, batch) => {
      const kept = counted(batch);
      return kept ? segmentMean(rows(states, kept.rows), kept.cuSeqlens) : segmentMean(states, batch.cuSeqlens);
    };
    case 'max': return (states, batch) => segmentMax(states, counted(batch) ?? { rows: Array.from(batch.inputIds, (_, i) => i), cuSeqlens: batch.cuSeqlens }, rows);
    case 'last': return (states, batch) => {
      const kept = counted(batch);
      const ends = (kept?.cuSeqlens ?? batch.cuSeqlens).subarray(1);
      return rows(states, Array.from(ends, (end) => (kept ? kept.rows[end - 1] : end - 1)));
    };
    case 'cls': case 'pooler': {
      if (isDecoder(model)) throw new TypeError(`embed: expected pooling mean, max or last for a decoder, got ${pooling}; its first token sees nothing of what follows`);
      if (specialIds.cls === undefined) throw new TypeError(`embed: expected a tokenizer with [CLS] for pooling ${pooling}, got one without; use mean`);
      const first = (states: Tensor, { cuSeqlens }: Batch) => rows(states, cuSeqlens.subarray(0, -1));
      if (pooling === 'cls') return first;
      const { bert: { pooler }, classifier } = model.params;
      if (!pooler || !classifier) throw new TypeError(`embed: expected a pooler that was trained with a classifier, got ${pooler ? 'one without a classifier' : 'none'}: the pooled output of a pre-trained model is noise; use pooling mean or cls`);
      return (states, batch) => tanh(linear(first(states, batch), pooler.dense.weight, pooler.dense.bias));
    }
    default: throw new RangeError(`embed: expected pooling mean, max, cls, last or pooler, got ${JSON.stringify(pooling)}`);
  }
}

interface Kept {
  readonly rows: readonly number[];
  readonly cuSeqlens: Int32Array;
}

function rowsWithoutSpecials({ inputIds, cuSeqlens }: Batch, { cls, sep, pad }: Encoder['specialIds']): Kept {
  const rows: number[] = [];
  const kept = new Int32Array(cuSeqlens.length);
  for (let s = 0; s + 1 < cuSeqlens.length; s++) {
    for (let row = cuSeqlens[s]; row < cuSeqlens[s + 1]; row++) if (![cls, sep, pad].includes(inputIds[row])) rows.push(row);
    if (rows.length === kept[s]) throw new RangeError(`embed: expected a token besides special ones in each sequence, got a sequence of ${cuSeqlens[s + 1] - cuSeqlens[s]} special tokens; leave empty sequences out`);
    kept[s + 1] = rows.length;
  }
  return { rows, cuSeqlens: kept };
}

/** Each sequence is one window of a pooling over time. */
function segmentMax(states: Tensor, { rows, cuSeqlens }: Kept, gather: (states: Tensor, indices: ArrayLike<number>) => Tensor): Tensor {
  const [, width] = states.shape;
  return concat(Array.from({ length: cuSeqlens.length - 1 }, (_, s) => {
    const own = gather(states, rows.slice(cuSeqlens[s], cuSeqlens[s + 1]));
    return reshape(maxPool1d(reshape(own, [1, own.shape[0], width]), { size: own.shape[0] }), [1, width]);
  }));
}

export interface TokenEmbedding {
  readonly ids: Uint32Array;
  /** `[2 · tokens]`: the first base of each token and the one after its last; equal for special tokens. */
  readonly offsets: ArrayLike<number>;
  /** `[tokens, hiddenSize]` */
  readonly hiddenStates: Float32Array;
}

/** The hidden states of a sequence's tokens, with the bases that each covers. @param options - `layer` as in `embed`; by default the last */
export async function embedTokens(model: AnyModel, encoder: OffsetEncoder & { readonly vocabSize?: number }, sequence: string, { layer = -1 }: { readonly layer?: number | undefined } = {}): Promise<TokenEmbedding> {
  checkEncoder('embedTokens', model.config, encoder);
  const layers = layersOf(model, layer);
  const { ids, offsets } = encoder.encodeWithOffsets(sequence);
  const states = scope<Tensor>(() => hiddenStatesOf(model, packBatch([ids]), layers)[0]);
  try {
    return { ids, offsets, hiddenStates: Float32Array.from(await read(states)) };
  } finally {
    free(states);
  }
}

/** A vector for each base, `[bases, hiddenSize]`: that of the token that covers it. NaN where none does (white space). */
export async function embedBases(model: AnyModel, encoder: OffsetEncoder & { readonly vocabSize?: number }, sequence: string, options: { readonly layer?: number | undefined } = {}): Promise<Float32Array> {
  const { ids, offsets, hiddenStates } = await embedTokens(model, encoder, sequence, options);
  const width = model.config.hiddenSize;
  const bases = new Float32Array(sequence.length * width).fill(NaN);
  ids.forEach((_, token) => {
    for (let base = offsets[2 * token]; base < offsets[2 * token + 1]; base++) bases.set(hiddenStates.subarray(token * width, (token + 1) * width), base * width);
  });
  return bases;
}

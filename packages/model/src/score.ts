// How likely a decoder finds sequences: log-likelihood, perplexity, bits per base, along a sequence and in total.
// But: upstream's perplexity of a sequence is the mean over its windows; here every token counts once, and a window's overlap only gives context.
import { embedding, free, read, scope, slice, tensor, type Tensor } from '@genomelm/kernels';
import { cutBatches, packBatch, type Batch } from './batch';
import { createBreather } from './breathe';
import { causalLmHead, type CausalLmModel } from './heads/causalLm';
import { linear } from './layers/linear';
import { isDecoder, type AnyModel } from './model';
import { forward } from './models/decoder';
import { reverseComplement } from './reverseComplement';
import { checkTokenizer, type Encoder } from './examples';

/** A tokenizer that can say which bases a token covers. */
export interface OffsetEncoder extends Pick<Encoder, 'specialIds'> {
  /** `offsets [2 · tokens]`: the first base of each token and the one after its last. */
  encodeWithOffsets(sequence: string, options?: { addSpecialTokens?: boolean }): { readonly ids: Uint32Array; readonly offsets: ArrayLike<number> };
}

export interface ScoreOptions {
  /** Most tokens that one forward pass sees of a sequence; by default `config.maxPositions`. A longer sequence is scored in windows. */
  readonly window?: number | undefined;
  /** Tokens that a window shares with the one before: context, not scored again. By default half the window. */
  readonly overlap?: number | undefined;
  /** Which strand is read; `both` scores the reverse complement beside. By default `forward`. */
  readonly strand?: 'forward' | 'reverse' | 'both' | undefined;
  /** Adds `baseLogProbs`. */
  readonly perBase?: boolean | undefined;
  /** Tokens of one forward pass over several windows; by default 4096. Results do not depend on it. */
  readonly tokensPerBatch?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { readonly tokens: number; readonly totalTokens: number }) => void) | undefined;
}

/** Natural logarithms throughout, but for bits. */
export interface Likelihood {
  readonly tokens: number;
  readonly bases: number;
  /** Sum over the tokens. */
  readonly logLikelihood: number;
  /** exp of the mean loss of a token. */
  readonly perplexity: number;
  /** exp of the mean loss of a base. */
  readonly perplexityPerBase: number;
  readonly bitsPerBase: number;
}

export interface SequenceScore extends Likelihood {
  /** What the figures depend on where a sequence is longer than the window. */
  readonly window: number;
  readonly stride: number;
  readonly windows: number;
  /** Tokens that the tokenizer did not know. */
  readonly unknownTokens: number;
  /** `[tokens]` */
  readonly tokenLogProbs: Float64Array;
  /** `[bases]`: a token's log-probability is spread evenly over its bases. Those of the reverse strand are in the order of the forward strand. */
  readonly baseLogProbs?: Float32Array;
}

export interface Score extends SequenceScore {
  /** The other strand, with `strand: 'both'`. */
  readonly reverse?: SequenceScore;
}

/** What is scored: `ids[0]` gives context alone. */
interface Item {
  readonly ids: Uint32Array;
  readonly bases: number;
  /** Of `ids[1 …]`; absent for a prompt of ids. */
  readonly offsets?: ArrayLike<number>;
}

/**
 * Log-likelihood of every sequence under a decoder. A string is encoded without special tokens and stands behind `config.bosTokenId`, as prompts do, so that each of its tokens is scored;
 * of ids the first gives context alone, and nothing is known of bases (0, and NaN for what is counted by them).
 * @throws RangeError for a sequence without a token to score
 */
export async function score(model: AnyModel, encoder: OffsetEncoder, sequences: readonly (string | Uint32Array)[], options: ScoreOptions = {}): Promise<Score[]> {
  if (!isDecoder(model)) throw new TypeError('score: expected a decoder, got an encoder; its masked-LM loss is no likelihood');
  if (sequences.some((sequence) => typeof sequence === 'string')) checkTokenizer('score', model.config, encoder);
  const { strand = 'forward', perBase = false } = options;
  const { window, overlap } = windowing(model, options);
  const strands = sequences.map((sequence, i) => (strand === 'both' ? ['forward', 'reverse'] as const : [strand]).map((side) => prepare(model, encoder, sequence, side, i)));
  const items = strands.flat();
  const logProbs = await tokenLogProbs(model, items.map(({ ids }) => ids), { window, overlap }, options);
  let next = 0;
  return strands.map((own, i) => {
    const [first, second] = own.map((item, side) => summarize(item, logProbs[next++], { window, overlap, perBase, reversed: side === 1 || strand === 'reverse' }, encoder.specialIds.unk));
    if (perBase && typeof sequences[i] !== 'string') throw new TypeError(`score: expected a string for perBase, got ids as sequence ${i}`);
    return second ? { ...first, reverse: second } : first;
  });
}

/** Several sequences as one: every token counts alike. */
export function poolLikelihoods(scores: readonly Pick<Likelihood, 'tokens' | 'bases' | 'logLikelihood'>[]): Likelihood {
  const sum = (of: (one: (typeof scores)[number]) => number) => scores.reduce((total, one) => total + of(one), 0);
  return likelihood(sum((one) => one.tokens), sum((one) => one.bases), sum((one) => one.logLikelihood));
}

const likelihood = (tokens: number, bases: number, logLikelihood: number): Likelihood => ({
  tokens, bases, logLikelihood, perplexity: Math.exp(-logLikelihood / tokens), perplexityPerBase: Math.exp(-logLikelihood / bases), bitsPerBase: -logLikelihood / bases / Math.LN2,
});

function windowing({ config: { maxPositions } }: CausalLmModel, { window = maxPositions, overlap = Math.floor(window / 2) }: ScoreOptions): { window: number; overlap: number } {
  if (!Number.isInteger(window) || window < 2) throw new RangeError(`score: expected a window of at least 2 tokens, got ${window}`);
  if (!Number.isInteger(overlap) || overlap < 1 || overlap >= window) throw new RangeError(`score: expected an overlap from 1 to ${window - 1} tokens, got ${overlap}`);
  return { window, overlap };
}

function prepare({ config: { bosTokenId } }: CausalLmModel, encoder: OffsetEncoder, sequence: string | Uint32Array, strand: 'forward' | 'reverse', i: number): Item {
  if (typeof sequence !== 'string') {
    if (strand === 'reverse') throw new TypeError(`score: expected a string for the reverse strand, got ids as sequence ${i}`);
    if (sequence.length < 2) throw new RangeError(`score: expected at least two tokens, one of context and one to score, got ${sequence.length} in sequence ${i}`);
    return { ids: sequence, bases: 0 };
  }
  const { ids, offsets } = encoder.encodeWithOffsets(strand === 'reverse' ? reverseComplement(sequence) : sequence, { addSpecialTokens: false });
  if (!ids.length) throw new RangeError(`score: expected at least one token, got none in sequence ${i}; leave empty sequences out`);
  return { ids: Uint32Array.of(bosTokenId, ...ids), bases: sequence.length, offsets };
}

function summarize({ ids, bases, offsets }: Item, all: Float64Array, { window, overlap, perBase, reversed }: { window: number; overlap: number; perBase: boolean; reversed: boolean }, unknown: number | undefined): SequenceScore {
  const logProbs = all.subarray(1);
  return {
    ...likelihood(logProbs.length, bases, logProbs.reduce((total, value) => total + value, 0)),
    window, stride: window - overlap, windows: windowsOf(ids.length, window, overlap).length,
    unknownTokens: ids.subarray(1).filter((id) => id === unknown).length,
    tokenLogProbs: logProbs,
    ...(perBase && offsets ? { baseLogProbs: spread(logProbs, offsets, bases, reversed) } : {}),
  };
}

/** A base outside of every token has 0. */
function spread(logProbs: Float64Array, offsets: ArrayLike<number>, bases: number, reversed: boolean): Float32Array {
  const perBase = new Float32Array(bases);
  logProbs.forEach((value, i) => {
    const [start, end] = [offsets[2 * i], offsets[2 * i + 1]];
    perBase.fill(value / (end - start), start, end);
  });
  return reversed ? perBase.reverse() : perBase;
}

interface Window {
  /** Tokens `[start, end)` are seen, `[from, end)` are scored. */
  readonly start: number;
  readonly from: number;
  readonly end: number;
}

/** Windows that score every token but the first once. */
export function windowsOf(length: number, window: number, overlap: number): Window[] {
  const windows: Window[] = [{ start: 0, from: 1, end: Math.min(length, window) }];
  for (let { end } = windows[0]; end < length; { end } = windows.at(-1)!) windows.push({ start: end - overlap, from: end, end: Math.min(length, end - overlap + window) });
  return windows;
}

/** `log p(ids[i] | ids[… i - 1])` of every token; NaN for the first of each sequence. */
async function tokenLogProbs(model: CausalLmModel, sequences: readonly Uint32Array[], { window, overlap }: { window: number; overlap: number }, { tokensPerBatch = 4096, signal, onProgress }: ScoreOptions): Promise<Float64Array[]> {
  const results = sequences.map(({ length }) => new Float64Array(length).fill(NaN));
  const windows = sequences.flatMap((ids, sequence) => windowsOf(ids.length, window, overlap).map((own) => ({ ...own, sequence })));
  const lengths = windows.map(({ start, end }) => end - start - 1); // nothing is asked of what follows the last token
  const totalTokens = windows.reduce((total, { from, end }) => total + end - from, 0);
  const breathe = createBreather();
  let tokens = 0;
  for (const group of cutBatches(windows.keys(), lengths, { tokensPerBatch })) {
    signal?.throwIfAborted();
    const own = group.map((i) => windows[i]);
    const batch = packBatch(own.map(({ sequence, start, end }) => sequences[sequence].subarray(start, end - 1)));
    const rows = own.flatMap(({ start, from, end }, i) => Array.from({ length: end - from }, (_, k) => batch.cuSeqlens[i] + from - 1 - start + k));
    const labels = own.flatMap(({ sequence, from, end }) => Array.from(sequences[sequence].subarray(from, end)));
    const values = await labelLogProbs(model, batch, rows, labels);
    let at = 0;
    for (const { sequence, from, end } of own) for (let i = from; i < end; i++) results[sequence][i] = values[at++];
    onProgress?.({ tokens: (tokens += labels.length), totalTokens });
    await breathe();
  }
  return results;
}

/** Rows whose logits exist at once: 16 MiB at 4096 tokens. */
const rowsPerBlock = 1024;

/** `log softmax(logits[row])[label]`, summed in float64 on the host: the logits leave the device in blocks. */
async function labelLogProbs(model: CausalLmModel, batch: Batch, rows: readonly number[], labels: readonly number[]): Promise<Float64Array> {
  const head = causalLmHead(model, 'score');
  const values = new Float64Array(rows.length);
  const hidden = scope<Tensor>(() => {
    const { hiddenStates } = forward(model, batch);
    return embedding(hiddenStates, tensor(hiddenStates.device, Uint32Array.from(rows)));
  });
  try {
    for (let first = 0; first < rows.length; first += rowsPerBlock) {
      const logits = scope<Tensor>(() => linear(slice(hidden, first, Math.min(rows.length, first + rowsPerBlock)), head));
      try {
        const [count, classes] = logits.shape;
        const data = await read(logits);
        for (let row = 0; row < count; row++) values[first + row] = logSoftmaxAt(data, row * classes, classes, labels[first + row]);
      } finally {
        free(logits);
      }
    }
  } finally {
    free(hidden);
  }
  return values;
}

function logSoftmaxAt(logits: ArrayLike<number>, start: number, classes: number, label: number): number {
  let [max, total] = [-Infinity, 0];
  for (let i = start; i < start + classes; i++) max = Math.max(max, logits[i]);
  for (let i = start; i < start + classes; i++) total += Math.exp(logits[i] - max);
  return logits[start + label] - max - Math.log(total);
}

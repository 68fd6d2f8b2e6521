import { createRandom } from '@genomelm/kernels';
import type { EncoderConfig } from './config';

/** Sequences behind each other. There is no padding and no attention mask: sequence i is tokens cuSeqlens[i] up to cuSeqlens[i + 1]. */
export interface Batch {
  /** `[totalTokens]` */
  inputIds: Uint32Array;
  /** `[sequences + 1]`, from 0 to totalTokens. */
  cuSeqlens: Int32Array;
  maxSeqlen: number;
  /** `[totalTokens]`; by default all 0. */
  tokenTypeIds?: Uint32Array;
  /** `[totalTokens]`: where each token stands in its sequence; by default 0, 1, 2, … */
  positions?: Uint32Array;
}

/** A sequence as a tokenizer made it. */
export interface TokenSequence {
  readonly inputIds: ArrayLike<number>;
  readonly tokenTypeIds?: ArrayLike<number>;
}

/** @throws RangeError for an empty sequence or batch, or token types of another length than the ids */
export function packBatch(sequences: readonly (TokenSequence | Uint32Array)[]): Batch {
  if (!sequences.length) throw new RangeError('packBatch: expected at least one sequence, got none');
  const items = sequences.map((sequence) => ('inputIds' in sequence ? sequence : { inputIds: sequence }) as TokenSequence);
  const cuSeqlens = new Int32Array(items.length + 1);
  let maxSeqlen = 0;
  items.forEach(({ inputIds: { length }, tokenTypeIds }, i) => {
    if (!length) throw new RangeError(`packBatch: expected at least one token in sequence ${i}, got none; leave empty sequences out or add special tokens`);
    if (tokenTypeIds && tokenTypeIds.length !== length) throw new RangeError(`packBatch: expected ${length} token types for sequence ${i}, got ${tokenTypeIds.length}`);
    cuSeqlens[i + 1] = cuSeqlens[i] + length;
    maxSeqlen = Math.max(maxSeqlen, length);
  });
  const inputIds = new Uint32Array(cuSeqlens[items.length]);
  items.forEach((item, i) => inputIds.set(item.inputIds, cuSeqlens[i]));
  if (!items.some((item) => item.tokenTypeIds)) return { inputIds, cuSeqlens, maxSeqlen };
  const tokenTypeIds = new Uint32Array(inputIds.length);
  items.forEach((item, i) => item.tokenTypeIds && tokenTypeIds.set(item.tokenTypeIds, cuSeqlens[i]));
  return { inputIds, cuSeqlens, maxSeqlen, tokenTypeIds };
}

/** Where each token stands in its sequence, `[totalTokens]`. */
export function positionsOf({ inputIds, cuSeqlens, positions }: Batch): Uint32Array {
  if (positions) return positions;
  const made = new Uint32Array(inputIds.length);
  for (let s = 0; s + 1 < cuSeqlens.length; s++) for (let i = cuSeqlens[s]; i < cuSeqlens[s + 1]; i++) made[i] = i - cuSeqlens[s];
  return made;
}

export interface BatchLimits {
  /** A sequence that is longer still gets a batch of its own. */
  readonly tokensPerBatch: number;
  readonly sequencesPerBatch?: number | undefined;
}

/** Cuts a list of sequences, by number and in this order, into batches. */
export function cutBatches(order: Iterable<number>, lengths: ArrayLike<number>, { tokensPerBatch, sequencesPerBatch = Infinity }: BatchLimits): number[][] {
  if (!(tokensPerBatch > 0)) throw new RangeError(`batches: expected tokensPerBatch above 0, got ${tokensPerBatch}; 8192 is usual`);
  const batches: number[][] = [];
  let left = 0;
  for (const i of order) {
    const batch = batches.at(-1);
    if (batch && lengths[i] <= left && batch.length < sequencesPerBatch) batch.push(i);
    else {
      batches.push([i]);
      left = tokensPerBatch;
    }
    left -= lengths[i];
  }
  return batches;
}

/** Random streams of one seed, so that order, masks and weights never share numbers. */
export const randomStream = { weights: 0, order: 0x1000_0000, mask: 0x2000_0000 } as const;

/**
 * The batches of an epoch, as lists of sequence numbers: every sequence once, in an order that depends on (seed, epoch) alone.
 * Within windows of about 128 batches the shuffled sequences are sorted by length, because on a GPU attention's grid is sized by the longest sequence of a batch; the batches are then shuffled. Each window ends with a smaller batch, so windows are large.
 */
export function planBatches(lengths: ArrayLike<number>, { seed, epoch, ...limits }: BatchLimits & { readonly seed: number; readonly epoch: number }): number[][] {
  const random = createRandom(seed, randomStream.order + epoch);
  const shuffled = random.shuffle(Array.from(lengths, (_, i) => i));
  const windows = cutBatches(shuffled, lengths, { tokensPerBatch: 128 * limits.tokensPerBatch });
  return random.shuffle(windows.flatMap((window) => cutBatches(window.sort((a, b) => lengths[a] - lengths[b]), lengths, limits)));
}

/** @throws RangeError that names the id, token type or position that has no row in its table: a device would read zeros there */
export function checkBatch(batch: Batch, { vocabSize, typeVocabSize, position, maxPositions }: EncoderConfig): void {
  const { inputIds, tokenTypeIds, positions, cuSeqlens } = batch;
  for (const [name, ids] of [['tokenTypeIds', tokenTypeIds], ['positions', positions]] as const) {
    if (ids && ids.length !== inputIds.length) throw new RangeError(`forward: expected ${inputIds.length} ${name}, one for each token, got ${ids.length}`);
  }
  checkIds('an id', inputIds, vocabSize, 'use the tokenizer that belongs to the model');
  if (tokenTypeIds && typeVocabSize) checkIds('a token type', tokenTypeIds, typeVocabSize, 'a pair has types 0 and 1');
  if (position !== 'learned') return;
  if (positions) checkIds('a position', positions, maxPositions, 'the position table has no further rows');
  const longest = cuSeqlens.reduce((most, end, i) => Math.max(most, i ? end - cuSeqlens[i - 1] : 0), 0);
  if (!positions && longest > maxPositions) throw new RangeError(`forward: expected at most ${maxPositions} tokens in a sequence, the rows of the position table, got ${longest}; cut it with maxLength, or train with a larger maxPositions`);
}

/** @throws RangeError for the first id without a row */
export function checkIds(what: string, ids: Uint32Array, below: number, remedy: string): void {
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] >= below) throw new RangeError(`forward: expected ${what} below ${below}, got ${ids[i]} at token ${i}; ${remedy}`);
  }
}

// Held-out sequences, token by token: how well each was predicted, in all, by contig and by class of sequence.
import { free, read, scope, type Tensor } from '@genomelm/kernels';
import { cutBatches, packBatch } from '../batch';
import { createBreather } from '../breathe';
import { causalLmLogits } from '../heads/causalLm';
import { maskedLmLogits } from '../heads/maskedLm';
import { isDecoder, type AnyModel } from '../model';
import { maskForPrediction } from './maskTokens';
import type { Encoder } from '../examples';

export interface HeldOutSequence {
  readonly inputIds: Uint32Array;
  readonly contig: string;
  /** Bases of each token, `[tokens]`; 0 for special tokens, which are not scored. */
  readonly bases: ArrayLike<number>;
  /** Tokens before this one are context only; default 0. */
  readonly scoreFrom?: number;
  /** `[tokens]`, numbers into `classNames`. */
  readonly classes?: ArrayLike<number> | undefined;
}

/** Sums over predicted tokens. */
export interface Tally {
  readonly tokens: number;
  readonly bases: number;
  /** Of the true tokens' probabilities. For a decoder, `nats / (ln 2 · bases)` is its code length in bits per base: an upper bound for BPE, as only one segmentation is counted. Of an encoder it is no code length. */
  readonly nats: number;
  /** How often the true token was the most probable, and among the five most probable. */
  readonly top1: number;
  readonly top5: number;
}

export interface Validation {
  readonly whole: Tally;
  readonly contigs: Readonly<Record<string, Tally>>;
  readonly classes: Readonly<Record<string, Tally>>;
  /** One for each sequence, in order: blocks for a bootstrap. */
  readonly sequences: readonly Tally[];
}

export interface ValidateOptions {
  readonly specialIds: Encoder['specialIds'];
  readonly classNames?: readonly string[] | undefined;
  /** Default 8192. */
  readonly tokensPerBatch?: number | undefined;
  /** For encoders: share of tokens to be predicted (default 0.15), chosen by this seed (default 0), the same in every validation. */
  readonly maskProbability?: number | undefined;
  readonly spanLength?: number | undefined;
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const emptyTally: Tally = { tokens: 0, bases: 0, nats: 0, top1: 0, top5: 0 };

/** Code length of a decoder's tally. */
export const bitsPerBase = ({ nats, bases }: Pick<Tally, 'nats' | 'bases'>): number => nats / Math.LN2 / bases;

/** Predicts held-out sequences: each token of a decoder's from those before it, the chosen tokens of an encoder's, all behind [MASK], from the rest. */
export async function validate(model: AnyModel, sequences: readonly HeldOutSequence[], { specialIds, classNames = [], tokensPerBatch = 8192, maskProbability = 0.15, spanLength, seed = 0, signal }: ValidateOptions): Promise<Validation> {
  const book = createBook(sequences, classNames);
  const lengths = sequences.map(({ inputIds }) => inputIds.length);
  const breathe = createBreather();
  const { cls, sep, pad, unk, mask } = specialIds;
  const keepIds = [cls, sep, pad, unk].filter((id) => id !== undefined);
  for (const [step, members] of cutBatches(sequences.keys(), lengths, { tokensPerBatch }).entries()) {
    signal?.throwIfAborted();
    const own = members.map((i) => sequences[i]);
    const batch = packBatch(own.map(({ inputIds }) => inputIds));
    const hidden = isDecoder(model) ? undefined : maskForPrediction(batch, { probability: maskProbability, maskId: mask!, keepIds, seed, step, vocabSize: model.config.vocabSize, spanLength, hideAll: true });
    const predictions: { sequence: number; at: number; row: number; label: number }[] = [];
    own.forEach(({ bases, scoreFrom = 0 }, s) => {
      const first = batch.cuSeqlens[s];
      for (let at = Math.max(scoreFrom, hidden ? 0 : 1); at < own[s].inputIds.length; at++) {
        const row = hidden ? first + at : first + at - 1;
        if (bases[at] > 0 && (!hidden || hidden.labels[row] > 0)) predictions.push({ sequence: members[s], at, row, label: batch.inputIds[first + at] });
      }
    });
    if (!predictions.length) continue;
    const rows = predictions.map(({ row }) => row);
    const logits = isDecoder(model) ? scope<Tensor>(() => causalLmLogits(model, batch, rows)) : scope<Tensor>(() => maskedLmLogits(model, hidden!.batch, rows));
    try {
      const scores = await read(logits);
      const [, width] = logits.shape;
      predictions.forEach(({ sequence, at, label }, i) => book.add(sequence, at, judge(scores, i * width, width, label)));
    } finally {
      free(logits);
    }
    await breathe();
  }
  return book.close();
}

/** Of one row of scores: minus the log-probability of the label, and how many tokens beat it. */
function judge(scores: ArrayLike<number>, start: number, width: number, label: number): { nats: number; beaten: number } {
  const own = scores[start + label];
  let [max, total, beaten] = [-Infinity, 0, 0];
  for (let i = start; i < start + width; i++) {
    if (scores[i] > max) max = scores[i];
    if (scores[i] > own) beaten++;
  }
  for (let i = start; i < start + width; i++) total += Math.exp(scores[i] - max);
  return { nats: max + Math.log(total) - own, beaten };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function createBook(sequences: readonly HeldOutSequence[], classNames: readonly string[]) {
  const empty = (): Mutable<Tally> => ({ ...emptyTally });
  const whole = empty();
  const [contigs, classes] = [new Map<string, Mutable<Tally>>(), new Map<string, Mutable<Tally>>(classNames.map((name) => [name, empty()]))];
  const each = sequences.map(empty);
  return {
    add(sequence: number, at: number, { nats, beaten }: { nats: number; beaten: number }) {
      const { contig, bases, classes: ids } = sequences[sequence];
      if (!contigs.has(contig)) contigs.set(contig, empty());
      const className = ids && classNames[ids[at]];
      for (const tally of [whole, each[sequence], contigs.get(contig)!, ...(className === undefined ? [] : [classes.get(className)!])]) {
        tally.tokens++;
        tally.bases += bases[at];
        tally.nats += nats;
        if (beaten < 1) tally.top1++;
        if (beaten < 5) tally.top5++;
      }
    },
    close: (): Validation => ({ whole, contigs: Object.fromEntries(contigs), classes: Object.fromEntries(classes), sequences: each }),
  };
}

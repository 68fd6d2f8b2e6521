/** The one interface of all tokenizers, and the part they share: options, special tokens, truncation, packing, decoding. */
import type { AsciiEncoder } from './encodeAscii';
import { show } from './errors';
import { checkSequence, checkSequences, toText, type Sequence } from './sequence';
import { createTokenBuffer, push, type TokenBuffer } from './tokenBuffer';
import { createCutter, normalize, upperCaseAscii, type AddedToken, type Normalizer } from './text';

/** Ids of the special tokens that a vocabulary has. */
export type SpecialIds = Readonly<Partial<Record<'unk' | 'cls' | 'sep' | 'pad' | 'mask', number>>>;

/** How a sequence is read and framed. */
export interface EncodeOptions {
  /** Frame the sequence as the model was trained, such as `[CLS] … [SEP]`. Default true. */
  readonly addSpecialTokens?: boolean | undefined;
  /** A second sequence, framed with the first. */
  readonly pair?: Sequence | undefined;
  /** At most this many tokens, special tokens included; of a pair the longer is cut first, as Hugging Face does it. Default: what the file says, usually no limit. */
  readonly maxLength?: number | undefined;
  /** Where `maxLength` cuts: `right` keeps the start of a sequence, `left` its end. Default: what the file says, otherwise `right`. */
  readonly truncationSide?: 'left' | 'right' | undefined;
  /** What a letter without a token becomes: the unknown token (default), or an error that says which letter and where. */
  readonly unknown?: 'token' | 'error' | undefined;
  /** `upper` reads soft-masked `acgt` as `ACGT`; positions stay. Default `preserve`. */
  readonly case?: 'preserve' | 'upper' | undefined;
}

/** Ids, and where each comes from. */
export interface Encoding {
  /** `[tokens]` */
  readonly ids: Uint32Array;
  /** `[tokens, 2]`: start and end of each token in its own sequence, 0-based, half-open, in bases; 0, 0 for added special tokens. */
  readonly offsets: Uint32Array;
}

/** Sequences behind each other, without padding. */
export interface EncodedBatch {
  /** `[totalTokens]` */
  readonly inputIds: Uint32Array;
  /** `[batch + 1]`: sequence i holds the ids from `cuSeqlens[i]` up to `cuSeqlens[i + 1]`. */
  readonly cuSeqlens: Int32Array;
  readonly maxSeqlen: number;
  /** Letters without a token: more than 0 for clean DNA means lower case or another alphabet. */
  readonly unknownCount: number;
  /** Sequences that `maxLength` has cut. */
  readonly truncatedCount: number;
}

/** Sequences to ids and back: BPE, k-mers and characters alike. */
export interface Tokenizer {
  /** Highest id + 1: the number of rows that an embedding needs. */
  readonly vocabSize: number;
  readonly specialIds: SpecialIds;
  /** @returns the ids, `[tokens]`. @throws RangeError for an unknown letter with `unknown: 'error'`, and for bytes that are not ASCII */
  encode(sequence: Sequence, options?: EncodeOptions): Uint32Array;
  encodeWithOffsets(sequence: Sequence, options?: EncodeOptions): Encoding;
  /** Every item is a sequence or a pair of sequences. */
  encodeBatch(sequences: Iterable<Sequence | readonly [Sequence, Sequence]>, options?: Omit<EncodeOptions, 'pair'>): EncodedBatch;
  /** The text of the tokens, without anything between them. @throws RangeError for an id outside the vocabulary */
  decode(ids: ArrayLike<number>, options?: { readonly skipSpecialTokens?: boolean | undefined }): string;
  tokenToId(token: string): number | undefined;
  idToToken(id: number): string | undefined;
}

/** A piece of a frame: special tokens, or one of the sequences. */
export type FramePiece =
  | { readonly special: string; readonly ids: readonly number[]; readonly typeId: number }
  | { readonly sequence: 'A' | 'B'; readonly typeId: number };

/** What stands around a single sequence and around a pair. */
export interface Frame { readonly single: readonly FramePiece[]; readonly pair: readonly FramePiece[] }

/** The limit that a tokenizer.json sets for every encoding. */
export interface Truncation { readonly maxLength: number; readonly side: 'left' | 'right' }

/** What one kind of tokenizer has to bring. */
export interface TokenizerParts {
  readonly vocabSize: number;
  readonly specialIds: SpecialIds;
  readonly frame: Frame;
  readonly truncation?: Truncation | undefined;
  readonly addedTokens: readonly AddedToken[];
  readonly normalizer: Normalizer;
  /** Appends the tokens of a text that holds no added token; positions count from the start of this text. */
  encodeText(text: string, out: TokenBuffer): void;
  /** The short way for plain ASCII, where there is one. */
  readonly encodeAscii?: AsciiEncoder['encodeAscii'] | undefined;
  /** The text of valid ids, special tokens included where they are given. */
  join(ids: readonly number[]): string;
  tokenToId(token: string): number | undefined;
  idToToken(id: number): string | undefined;
}

const KEPT_TOKENS = 2 ** 20; // scratch above this is given back after the call

/** What one framed sequence, or pair, added to a buffer. */
interface Framed { readonly length: number; readonly unknownCount: number; readonly truncated: boolean }

export function createTokenizer(parts: TokenizerParts): Tokenizer {
  const encodeContent = createContentEncoder(parts);
  const special = new Set(parts.addedTokens.filter((token) => token.special).map((token) => token.id));
  const scratch = createTokenBuffer(), scratchWithOffsets = createTokenBuffer(true);

  /** Appends a sequence, or a pair, with its frame. */
  const encodeFramed = (sequence: Sequence, pair: Sequence | undefined, options: EncodeOptions, out: TokenBuffer): Framed => {
    const base = out.length, pieces = framePieces(parts.frame, options.addSpecialTokens ?? true, pair !== undefined);
    out.unknownCount = 0;
    let total = 0;
    const counts = pieces.map((piece) => {
      const from = out.length;
      if ('ids' in piece) for (const id of piece.ids) push(out, id, 0, 0);
      else encodeContent(piece.sequence === 'A' ? sequence : pair!, options, out);
      if (!('ids' in piece)) total += out.length - from;
      return out.length - from;
    });
    const { maxLength = parts.truncation?.maxLength ?? Infinity, truncationSide = parts.truncation?.side ?? 'right' } = options;
    const specials = out.length - base - total, room = maxLength - specials;
    if (room < 0) throw new RangeError(`encode: expected maxLength of at least ${specials} for the special tokens, got ${maxLength}; raise it or pass addSpecialTokens: false`);
    if (total > room) cut(out, base, pieces, counts, room, truncationSide);
    return { length: out.length - base, unknownCount: out.unknownCount, truncated: total > room };
  };
  const encodeAlone = (sequence: Sequence, options: EncodeOptions, out: TokenBuffer): Pick<TokenBuffer, 'ids' | 'offsets'> => {
    checkOptions(options);
    out.length = 0;
    try {
      encodeFramed(sequence, options.pair, options, out);
      return { ids: out.ids.slice(0, out.length), offsets: out.offsets?.slice(0, 2 * out.length) }; // copies: who writes `ids.buffer` to a file means these ids alone
    } finally {
      if (out.ids.length > KEPT_TOKENS) Object.assign(out, createTokenBuffer(out.offsets !== undefined));
    }
  };

  return {
    vocabSize: parts.vocabSize,
    specialIds: parts.specialIds,
    encode: (sequence, options = {}) => encodeAlone(sequence, options, scratch).ids,
    encodeWithOffsets: (sequence, options = {}) => encodeAlone(sequence, options, scratchWithOffsets) as Encoding,
    encodeBatch(sequences, options = {}) {
      checkSequences('encodeBatch', sequences);
      checkOptions(options);
      const out = createTokenBuffer(), cuSeqlens = [0]; // not the scratch: the iterable may encode while it is read
      let maxSeqlen = 0, unknownCount = 0, truncatedCount = 0;
      for (const item of sequences) {
        const isPair = Array.isArray(item), framed = encodeFramed(isPair ? item[0] as Sequence : item as Sequence, isPair ? item[1] as Sequence : undefined, options, out);
        cuSeqlens.push(out.length);
        maxSeqlen = Math.max(maxSeqlen, framed.length);
        unknownCount += framed.unknownCount;
        if (framed.truncated) truncatedCount++;
      }
      return { inputIds: out.ids.slice(0, out.length), cuSeqlens: Int32Array.from(cuSeqlens), maxSeqlen, unknownCount, truncatedCount };
    },
    decode(ids, { skipSpecialTokens = false } = {}) {
      const known: number[] = [];
      for (let i = 0; i < ids.length; i++) {
        if (parts.idToToken(ids[i]) === undefined) throw new RangeError(`decode: expected ids of the vocabulary, 0 to ${parts.vocabSize - 1}, got ${show(ids[i])} at ${i}; use the tokenizer that encoded them`);
        if (!(skipSpecialTokens && special.has(ids[i]))) known.push(ids[i]);
      }
      return parts.join(known);
    },
    tokenToId: parts.tokenToId,
    idToToken: parts.idToToken,
  };
}

/** Appends the tokens of one sequence without its frame: cut, upper case, normalise, encode, and map positions back. */
function createContentEncoder(parts: TokenizerParts) {
  const cutRaw = createCutter(parts.addedTokens.filter((token) => !token.normalized));
  const cutNormalized = createCutter(parts.addedTokens.filter((token) => token.normalized)
    .map((token) => ({ ...token, content: normalize(token.content, parts.normalizer).text })));
  return (sequence: Sequence, options: EncodeOptions, out: TokenBuffer): void => {
    checkSequence(sequence);
    out.firstUnknown = -1;
    if (parts.encodeAscii?.(sequence, options.case === 'upper', out)) {
      if (out.firstUnknown >= 0 && options.unknown === 'error') throw unknownLetter(toText(sequence), out.firstUnknown);
      return;
    }
    const raw = toText(sequence);
    cutRaw(raw, (start, end) => {
      const whole = start === 0 && end === raw.length ? raw : raw.slice(start, end);
      const normalized = normalize(options.case === 'upper' ? upperCaseAscii(whole) : whole, parts.normalizer);
      const text = normalized.text;
      const startOf = (at: number) => start + (normalized.starts ? normalized.starts[at] : at);
      const endOf = (at: number) => start + (normalized.ends ? normalized.ends[at - 1] : at);
      cutNormalized(text, (from, to) => {
        const firstToken = out.length;
        out.firstUnknown = -1;
        parts.encodeText(from === 0 && to === text.length ? text : text.slice(from, to), out);
        if (out.firstUnknown >= 0 && options.unknown === 'error') throw unknownLetter(raw, startOf(from + out.firstUnknown));
        if (!out.offsets || (start === 0 && from === 0 && !normalized.starts)) return;
        for (let i = 2 * firstToken; i < 2 * out.length; i += 2) {
          out.offsets[i] = startOf(from + out.offsets[i]);
          out.offsets[i + 1] = endOf(from + out.offsets[i + 1]);
        }
      }, (id, from, to) => push(out, id, startOf(from), endOf(to)));
    }, (id, start, end) => push(out, id, start, end));
  };
}

/** @param before - letters that came before this text */
export function unknownLetter(text: string, at: number, before = 0): RangeError {
  const letter = String.fromCodePoint(text.codePointAt(at)!);
  const remedy = /[a-z]/.test(letter) ? "pass case: 'upper' to read soft-masked sequence" : "remove it or pass unknown: 'token'";
  return new RangeError(`encode: expected letters of the vocabulary, got ${show(letter)} at ${before + at}; ${remedy}`);
}

export function checkOptions({ maxLength, truncationSide, unknown, case: letterCase }: EncodeOptions): void {
  if (truncationSide !== undefined && truncationSide !== 'left' && truncationSide !== 'right') throw new RangeError(`encode: expected truncationSide to be 'left' or 'right', got ${show(truncationSide)}; leave it out for 'right'`);
  if (maxLength !== undefined && !(Number.isInteger(maxLength) && maxLength >= 0)) throw new RangeError(`encode: expected maxLength to be a whole number of tokens, got ${show(maxLength)}; leave it out for no limit`);
  if (unknown !== undefined && unknown !== 'token' && unknown !== 'error') throw new RangeError(`encode: expected unknown to be 'token' or 'error', got ${show(unknown)}; leave it out for 'token'`);
  if (letterCase !== undefined && letterCase !== 'preserve' && letterCase !== 'upper') throw new RangeError(`encode: expected case to be 'preserve' or 'upper', got ${show(letterCase)}; leave it out for 'preserve'`);
}

/** The sequences behind each other, nothing between. */
export const bareFrame: Frame = { single: [{ sequence: 'A', typeId: 0 }], pair: [{ sequence: 'A', typeId: 0 }, { sequence: 'B', typeId: 0 }] };

/** Without special tokens the sequences stay in the order of the frame. */
function framePieces(frame: Frame, addSpecialTokens: boolean, isPair: boolean): readonly FramePiece[] {
  const pieces = frame[isPair ? 'pair' : 'single'];
  return addSpecialTokens ? pieces : pieces.filter((piece) => 'sequence' in piece);
}

/**
 * Hugging Face's `longest_first` (tokenizers, utils/truncation.rs): the longer of a pair is cut to the length of the shorter, then
 * both to half of the room; the odd token goes to the longer one, to the second where they are equal.
 */
function truncate(first: number, second: number, isPair: boolean, room: number): readonly [number, number] {
  if (first + second <= room) return [first, second];
  if (!isPair) return [room, 0];
  const swapped = first > second, shorter = swapped ? second : first;
  const keepShorter = 2 * shorter <= room ? shorter : Math.floor(room / 2);
  return swapped ? [room - keepShorter, keepShorter] : [keepShorter, room - keepShorter];
}

/** Keeps `room` tokens of the sequences that stand between the special tokens of `pieces`, `counts` tokens a piece from `base` on. */
function cut(out: TokenBuffer, base: number, pieces: readonly FramePiece[], counts: readonly number[], room: number, side: 'left' | 'right'): void {
  const countOf = (name: 'A' | 'B') => counts.reduce((sum, count, i) => { const piece = pieces[i]; return 'sequence' in piece && piece.sequence === name ? count : sum; }, 0);
  const isPair = pieces.some((piece) => 'sequence' in piece && piece.sequence === 'B');
  const [first, second] = truncate(countOf('A'), countOf('B'), isPair, room);
  let from = base, to = base;
  counts.forEach((count, i) => {
    const piece = pieces[i], kept = 'ids' in piece ? count : piece.sequence === 'A' ? first : second;
    const start = side === 'left' ? from + count - kept : from;
    out.ids.copyWithin(to, start, start + kept);
    out.offsets?.copyWithin(2 * to, 2 * start, 2 * (start + kept));
    from += count;
    to += kept;
  });
  out.length = to;
}

/** `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`, the frame of BERT. */
export function bertFrame(cls: { readonly token: string; readonly id: number }, sep: { readonly token: string; readonly id: number }): Frame {
  const end: FramePiece = { special: sep.token, ids: [sep.id], typeId: 0 };
  const single: readonly FramePiece[] = [{ special: cls.token, ids: [cls.id], typeId: 0 }, { sequence: 'A', typeId: 0 }, end];
  return { single, pair: [...single, { sequence: 'B', typeId: 1 }, { ...end, typeId: 1 }] };
}

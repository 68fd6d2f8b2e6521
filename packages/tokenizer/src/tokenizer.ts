/** The one interface of all tokenizers, and the part they share: options, special tokens, truncation, packing, decoding. */
import { show } from './errors';
import { createTokenBuffer, push, reserve, type TokenBuffer } from './tokenBuffer';
import { createCutter, normalize, upperCaseAscii, type AddedToken, type Normalizer } from './text';

/** DNA as a string, or as ASCII bytes. */
export type Sequence = string | Uint8Array;

/** Ids of the special tokens that a vocabulary has. */
export type SpecialIds = Readonly<Partial<Record<'unk' | 'cls' | 'sep' | 'pad' | 'mask', number>>>;

/** How a sequence is read and framed. */
export interface EncodeOptions {
  /** Frame the sequence as the model was trained, such as `[CLS] … [SEP]`. Default true. */
  readonly addSpecialTokens?: boolean | undefined;
  /** A second sequence, framed with the first. */
  readonly pair?: Sequence | undefined;
  /** At most this many tokens, special tokens included. The end is cut; of a pair, the longer first, as Hugging Face does it. */
  readonly maxLength?: number | undefined;
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

/** What one kind of tokenizer has to bring. */
export interface TokenizerParts {
  readonly vocabSize: number;
  readonly specialIds: SpecialIds;
  readonly frame: Frame;
  readonly addedTokens: readonly AddedToken[];
  readonly normalizer: Normalizer;
  /** Appends the tokens of a text that holds no added token; positions count from the start of this text. */
  encodeText(text: string, out: TokenBuffer): void;
  /** The text of valid ids, special tokens included where they are given. */
  join(ids: readonly number[]): string;
  tokenToId(token: string): number | undefined;
  idToToken(id: number): string | undefined;
}

const KEPT_TOKENS = 2 ** 20; // scratch above this is given back after the call

export function createTokenizer(parts: TokenizerParts): Tokenizer {
  const encodeContent = createContentEncoder(parts);
  const special = new Set(parts.addedTokens.filter((token) => token.special).map((token) => token.id));
  let scratch = createTokenBuffer();

  const encodeFramed = (sequence: Sequence, options: EncodeOptions, withOffsets: boolean) => {
    checkOptions(options);
    const pieces = framePieces(parts.frame, options);
    const buffer = withOffsets ? createTokenBuffer(true) : scratch;
    buffer.length = buffer.unknownCount = 0;
    encodeContent(sequence, options, buffer);
    const first = buffer.length;
    if (options.pair !== undefined) encodeContent(options.pair, options, buffer);
    const room = options.maxLength === undefined ? Infinity : options.maxLength - specialCount(pieces);
    if (room < 0) throw new RangeError(`encode: expected maxLength of at least ${specialCount(pieces)} for the special tokens, got ${options.maxLength}; raise it or pass addSpecialTokens: false`);
    const kept = truncate(first, buffer.length - first, options.pair !== undefined, room);
    const contents = { A: { from: 0, count: kept[0] }, B: { from: first, count: kept[1] } };
    return {
      length: specialCount(pieces) + kept[0] + kept[1],
      unknownCount: buffer.unknownCount,
      truncated: kept[0] + kept[1] < buffer.length,
      writeTo: (ids: Uint32Array, at: number, offsets?: Uint32Array) => writeFramed(pieces, contents, buffer, ids, at, offsets),
    };
  };
  const done = <T>(result: T): T => {
    if (scratch.ids.length > KEPT_TOKENS) scratch = createTokenBuffer();
    return result;
  };

  return {
    vocabSize: parts.vocabSize,
    specialIds: parts.specialIds,
    encode(sequence, options = {}) {
      const framed = encodeFramed(sequence, options, false);
      const ids = new Uint32Array(framed.length);
      framed.writeTo(ids, 0);
      return done(ids);
    },
    encodeWithOffsets(sequence, options = {}) {
      const framed = encodeFramed(sequence, options, true);
      const ids = new Uint32Array(framed.length), offsets = new Uint32Array(2 * framed.length);
      framed.writeTo(ids, 0, offsets);
      return { ids, offsets };
    },
    encodeBatch(sequences, options = {}) {
      if (typeof sequences === 'string' || sequences instanceof Uint8Array) throw new TypeError('encodeBatch: expected an iterable of sequences, got one sequence; put it into an array');
      const packed = createTokenBuffer(), cuSeqlens = [0];
      let maxSeqlen = 0, unknownCount = 0, truncatedCount = 0;
      for (const item of sequences) {
        const [sequence, pair] = Array.isArray(item) ? (item as readonly [Sequence, Sequence]) : [item as Sequence];
        const framed = encodeFramed(sequence, { ...options, pair }, false);
        reserve(packed, packed.length + framed.length);
        framed.writeTo(packed.ids, packed.length);
        cuSeqlens.push(packed.length += framed.length);
        maxSeqlen = Math.max(maxSeqlen, framed.length);
        unknownCount += framed.unknownCount;
        if (framed.truncated) truncatedCount++;
      }
      return done({ inputIds: packed.ids.slice(0, packed.length), cuSeqlens: Int32Array.from(cuSeqlens), maxSeqlen, unknownCount, truncatedCount });
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

/** The letters of a sequence. @throws TypeError for anything else, RangeError for bytes that are not ASCII */
export function toText(sequence: Sequence): string {
  if (typeof sequence === 'string') return sequence;
  if (!(sequence instanceof Uint8Array)) throw new TypeError(`encode: expected a string or a Uint8Array of ASCII, got ${show(sequence)}; pass the letters of one sequence`);
  for (let i = 0; i < sequence.length; i++) {
    if (sequence[i] > 127) throw new RangeError(`encode: expected ASCII bytes, got 0x${sequence[i].toString(16)} at ${i}; pass a string for other text`);
  }
  return new TextDecoder().decode(sequence);
}

function unknownLetter(text: string, at: number): RangeError {
  const letter = String.fromCodePoint(text.codePointAt(at)!);
  const remedy = /[a-z]/.test(letter) ? "pass case: 'upper' to read soft-masked sequence" : "remove it or pass unknown: 'token'";
  return new RangeError(`encode: expected letters of the vocabulary, got ${show(letter)} at ${at}; ${remedy}`);
}

function checkOptions({ maxLength, unknown, case: letterCase }: EncodeOptions): void {
  if (maxLength !== undefined && !(Number.isInteger(maxLength) && maxLength >= 0)) throw new RangeError(`encode: expected maxLength to be a whole number of tokens, got ${show(maxLength)}; leave it out for no limit`);
  if (unknown !== undefined && unknown !== 'token' && unknown !== 'error') throw new RangeError(`encode: expected unknown to be 'token' or 'error', got ${show(unknown)}; leave it out for 'token'`);
  if (letterCase !== undefined && letterCase !== 'preserve' && letterCase !== 'upper') throw new RangeError(`encode: expected case to be 'preserve' or 'upper', got ${show(letterCase)}; leave it out for 'preserve'`);
}

/** The sequences behind each other, nothing between. */
export const bareFrame: Frame = { single: [{ sequence: 'A', typeId: 0 }], pair: [{ sequence: 'A', typeId: 0 }, { sequence: 'B', typeId: 0 }] };

const framePieces = (frame: Frame, { addSpecialTokens = true, pair }: EncodeOptions): readonly FramePiece[] =>
  (addSpecialTokens ? frame : bareFrame)[pair === undefined ? 'single' : 'pair'];

const specialCount = (pieces: readonly FramePiece[]): number => pieces.reduce((sum, piece) => sum + ('ids' in piece ? piece.ids.length : 0), 0);

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

function writeFramed(pieces: readonly FramePiece[], contents: Record<'A' | 'B', { from: number; count: number }>, buffer: TokenBuffer, ids: Uint32Array, at: number, offsets?: Uint32Array): void {
  for (const piece of pieces) {
    if ('ids' in piece) {
      for (const id of piece.ids) ids[at++] = id; // their offsets stay 0, 0
      continue;
    }
    const { from, count } = contents[piece.sequence];
    ids.set(buffer.ids.subarray(from, from + count), at);
    if (offsets && buffer.offsets) offsets.set(buffer.offsets.subarray(2 * from, 2 * (from + count)), 2 * at);
    at += count;
  }
}

/** `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`, the frame of BERT. */
export function bertFrame(cls: { readonly token: string; readonly id: number }, sep: { readonly token: string; readonly id: number }): Frame {
  const end: FramePiece = { special: sep.token, ids: [sep.id], typeId: 0 };
  const single: readonly FramePiece[] = [{ special: cls.token, ids: [cls.id], typeId: 0 }, { sequence: 'A', typeId: 0 }, end];
  return { single, pair: [...single, { sequence: 'B', typeId: 1 }, { ...end, typeId: 1 }] };
}

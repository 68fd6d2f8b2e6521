/** Windows of k bases as tokens: overlapping as in DNABERT, or side by side with `stride: k`. */
import { FormatError, show } from './errors';
import { asAddedTokens, bertSpecialTokens } from './specialTokens';
import { countUnknown, push, type TokenBuffer } from './tokenBuffer';
import { bertFrame, createTokenizer, type Tokenizer } from './tokenizer';

const MAX_K = 12; // 4^12 = 16.8 million tokens
const digit = new Int8Array(128).fill(-1);
[...'ACGT'].forEach((letter, i) => { digit[letter.charCodeAt(0)] = i; });

/** Which ids the tokens have. */
interface KmerVocabulary {
  readonly size: number;
  readonly specialIds: Readonly<Record<'unk' | 'cls' | 'sep' | 'pad' | 'mask', number>>;
  /** The id of a k-mer, by its number in base 4 (A 0, C 1, G 2, T 3), and the other way round; -1 for special tokens. */
  idOf(number: number): number;
  numberOf(id: number): number;
}

export interface KmerTokenizerOptions {
  /** 1 to 12. */
  readonly k: number;
  /** Bases from one window to the next, 1 to k. Default 1. */
  readonly stride?: number | undefined;
  /** The text of a vocabulary file, one token a line, such as DNABERT's `vocab_6mer.txt`: the id of a token is its line, from 0. */
  readonly vocabulary?: string | undefined;
}

/**
 * Without a vocabulary file the ids are [UNK] 0, [CLS] 1, [SEP] 2, [PAD] 3, [MASK] 4, then the 4^k k-mers in the order A < C < G < T, so that the id of a k-mer is
 * 5 + its number in base 4. Windows start at 0, stride, 2 · stride and so on, as long as they fit: a sequence shorter than k has none,
 * and with a stride above 1 the last (length - k) mod stride bases belong to no token. A window with any other letter is one [UNK].
 * Decoding overlays the windows; bases that only unknown or masked windows cover are `N`.
 * @throws RangeError for a k or stride outside these bounds, FormatError for a vocabulary that lacks a token or holds others
 */
export function createKmerTokenizer({ k, stride = 1, vocabulary: file }: KmerTokenizerOptions): Tokenizer {
  if (!Number.isInteger(k) || k < 1 || k > MAX_K) throw new RangeError(`createKmerTokenizer: expected k from 1 to ${MAX_K}, got ${show(k)}; 3 to 6 are usual`);
  if (!Number.isInteger(stride) || stride < 1 || stride > k) throw new RangeError(`createKmerTokenizer: expected stride from 1 to k = ${k}, got ${show(stride)}; a larger one would skip bases`);
  const vocabulary = file === undefined ? standardVocabulary(k) : readVocabulary(file, k), { specialIds } = vocabulary;
  const specials = [specialIds.unk, specialIds.cls, specialIds.sep, specialIds.pad, specialIds.mask]; // in the order of bertSpecialTokens
  const isId = (id: number) => Number.isInteger(id) && id >= 0 && id < vocabulary.size;
  const idToToken = (id: number) => (!isId(id) ? undefined : specials.includes(id) ? bertSpecialTokens[specials.indexOf(id)] : kmerText(vocabulary.numberOf(id), k));
  return createTokenizer({
    vocabSize: vocabulary.size,
    specialIds,
    frame: bertFrame({ token: '[CLS]', id: specialIds.cls }, { token: '[SEP]', id: specialIds.sep }),
    addedTokens: asAddedTokens(bertSpecialTokens).map((token, i) => ({ ...token, id: specials[i] })),
    normalizer: null,
    encodeText: (text, out) => encodeWindows(text, k, stride, vocabulary, out),
    join: (ids) => joinWindows(ids, k, stride, vocabulary, idToToken),
    tokenToId: (token) => (token.length === k && /^[ACGT]+$/.test(token) ? vocabulary.idOf(kmerNumber(token)) : specials[(bertSpecialTokens as readonly string[]).indexOf(token)]),
    idToToken,
  });
}

const standardVocabulary = (k: number): KmerVocabulary => ({
  size: bertSpecialTokens.length + 4 ** k,
  specialIds: { unk: 0, cls: 1, sep: 2, pad: 3, mask: 4 },
  idOf: (number) => bertSpecialTokens.length + number,
  numberOf: (id) => id - bertSpecialTokens.length,
});

function readVocabulary(file: string, k: number): KmerVocabulary {
  const lines = file.replace(/\r?\n$/, '').split(/\r?\n/), specials = new Map<string, number>();
  const ids = new Int32Array(4 ** k).fill(-1), numbers = new Int32Array(lines.length).fill(-1);
  lines.forEach((token, id) => {
    const isKmer = token.length === k && /^[ACGT]+$/.test(token), number = isKmer ? kmerNumber(token) : -1;
    if (isKmer ? ids[number] >= 0 : specials.has(token) || !(bertSpecialTokens as readonly string[]).includes(token)) throw wrongVocabulary(`a ${k}-mer or one of ${bertSpecialTokens.join(' ')}, each once`, token, id + 1);
    if (isKmer) ids[number] = id;
    else specials.set(token, id);
    numbers[id] = number;
  });
  const missing = bertSpecialTokens.find((token) => !specials.has(token)) ?? (ids.includes(-1) ? kmerText(ids.indexOf(-1), k) : undefined);
  if (missing !== undefined) throw wrongVocabulary(`all ${4 ** k} ${k}-mers and ${bertSpecialTokens.length} special tokens`, `none for ${missing}`, lines.length);
  const [unk, cls, sep, pad, mask] = bertSpecialTokens.map((token) => specials.get(token)!);
  return { size: lines.length, specialIds: { unk, cls, sep, pad, mask }, idOf: (number) => ids[number], numberOf: (id) => numbers[id] };
}

const wrongVocabulary = (expected: string, got: string, line: number) =>
  new FormatError('vocab.txt', `createKmerTokenizer: expected ${expected}, got ${show(got)} at line ${line}; is k right?`, line);

const kmerNumber = (kmer: string): number => [...kmer].reduce((number, letter) => 4 * number + digit[letter.charCodeAt(0)], 0);

function kmerText(number: number, k: number): string {
  let text = '';
  for (let i = k - 1; i >= 0; i--) text += 'ACGT'[(number >>> (2 * i)) & 3];
  return text;
}

function encodeWindows(text: string, k: number, stride: number, { idOf, specialIds }: KmerVocabulary, out: TokenBuffer): void {
  const mask = 4 ** k - 1;
  let number = 0, known = 0, untilWindow = k; // known: letters of ACGT in a row up to here
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i), value = unit < 128 ? digit[unit] : -1;
    if (value < 0) {
      known = 0;
      countUnknown(out, i, 1);
    } else {
      number = ((number << 2) | value) & mask;
      known++;
    }
    if (--untilWindow > 0) continue;
    untilWindow = stride;
    push(out, known >= k ? idOf(number) : specialIds.unk, i + 1 - k, i + 1);
  }
}

/** [CLS], [SEP] and [PAD] stand between texts; all other ids are windows, each `stride` bases after the one before. */
function joinWindows(ids: readonly number[], k: number, stride: number, { specialIds: { cls, sep, pad }, numberOf }: KmerVocabulary, idToToken: (id: number) => string | undefined): string {
  const isWindow = (id: number) => id !== cls && id !== sep && id !== pad;
  let result = '';
  for (let i = 0; i < ids.length;) {
    const from = i;
    while (i < ids.length && isWindow(ids[i])) i++;
    if (i > from) result += overlay(ids.slice(from, i).map((id) => (numberOf(id) >= 0 ? idToToken(id)! : 'N'.repeat(k))), stride);
    else result += idToToken(ids[i++]);
  }
  return result;
}

function overlay(windows: readonly string[], stride: number): string {
  const k = windows[0].length, letters: string[] = new Array<string>((windows.length - 1) * stride + k).fill('N');
  windows.forEach((window, w) => {
    for (let i = 0; i < k; i++) {
      if (window[i] === 'N') continue;
      const before = letters[w * stride + i];
      if (before !== 'N' && before !== window[i]) throw new RangeError(`decode: expected windows that agree where they overlap, got ${before} and ${window[i]} at base ${w * stride + i}; decode windows of one sequence, without others between`);
      letters[w * stride + i] = window[i];
    }
  });
  return letters.join('');
}

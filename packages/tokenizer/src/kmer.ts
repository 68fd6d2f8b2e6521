/** Windows of k bases as tokens: overlapping as in DNABERT, or side by side with `stride: k`. */
import { show } from './errors';
import { asAddedTokens, bertSpecialTokens } from './specialTokens';
import { countUnknown, push, type TokenBuffer } from './tokenBuffer';
import { bertFrame, createTokenizer, type Tokenizer } from './tokenizer';

const UNK = 0, MASK = 4, FIRST = bertSpecialTokens.length;
const MAX_K = 12; // 4^12 = 16.8 million tokens
const digit = new Int8Array(128).fill(-1);
[...'ACGT'].forEach((letter, i) => { digit[letter.charCodeAt(0)] = i; });

/**
 * Ids: [UNK] 0, [CLS] 1, [SEP] 2, [PAD] 3, [MASK] 4, then the 4^k k-mers in the order A < C < G < T, so that the id of a k-mer is
 * 5 + its number in base 4. Windows start at 0, stride, 2 · stride and so on, as long as they fit: a sequence shorter than k has none,
 * and with a stride above 1 the last (length - k) mod stride bases belong to no token. A window with any other letter is one [UNK].
 * Decoding overlays the windows; bases that only unknown or masked windows cover are `N`.
 * @param options.k - 1 to 12 @param options.stride - 1 to k, default 1
 * @throws RangeError for a k or stride outside these bounds
 */
export function createKmerTokenizer({ k, stride = 1 }: { readonly k: number; readonly stride?: number | undefined }): Tokenizer {
  if (!Number.isInteger(k) || k < 1 || k > MAX_K) throw new RangeError(`createKmerTokenizer: expected k from 1 to ${MAX_K}, got ${show(k)}; 3 to 6 are usual`);
  if (!Number.isInteger(stride) || stride < 1 || stride > k) throw new RangeError(`createKmerTokenizer: expected stride from 1 to k = ${k}, got ${show(stride)}; a larger one would skip bases`);
  const vocabSize = FIRST + 4 ** k;
  const idToToken = (id: number) => (id < FIRST ? bertSpecialTokens[id] : id < vocabSize && Number.isInteger(id) ? kmerText(id - FIRST, k) : undefined);
  return createTokenizer({
    vocabSize,
    specialIds: { unk: UNK, cls: 1, sep: 2, pad: 3, mask: MASK },
    frame: bertFrame({ token: '[CLS]', id: 1 }, { token: '[SEP]', id: 2 }),
    addedTokens: asAddedTokens(bertSpecialTokens),
    normalizer: null,
    encodeText: (text, out) => encodeWindows(text, k, stride, out),
    join: (ids) => joinWindows(ids, k, stride, idToToken),
    tokenToId: (token) => (token.length === k && /^[ACGT]+$/.test(token) ? FIRST + kmerNumber(token) : indexOf(bertSpecialTokens, token)),
    idToToken,
  });
}

const indexOf = (tokens: readonly string[], token: string) => (tokens.includes(token) ? tokens.indexOf(token) : undefined);

const kmerNumber = (kmer: string): number => [...kmer].reduce((number, letter) => 4 * number + digit[letter.charCodeAt(0)], 0);

function kmerText(number: number, k: number): string {
  let text = '';
  for (let i = k - 1; i >= 0; i--) text += 'ACGT'[(number >>> (2 * i)) & 3];
  return text;
}

function encodeWindows(text: string, k: number, stride: number, out: TokenBuffer): void {
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
    push(out, known >= k ? FIRST + number : UNK, i + 1 - k, i + 1);
  }
}

/** [CLS], [SEP] and [PAD] stand between texts; all other ids are windows, each `stride` bases after the one before. */
function joinWindows(ids: readonly number[], k: number, stride: number, idToToken: (id: number) => string | undefined): string {
  let result = '';
  for (let i = 0; i < ids.length;) {
    const from = i;
    while (i < ids.length && (ids[i] >= FIRST || ids[i] === UNK || ids[i] === MASK)) i++;
    if (i > from) result += overlay(ids.slice(from, i).map((id) => (id >= FIRST ? idToToken(id)! : 'N'.repeat(k))), stride);
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

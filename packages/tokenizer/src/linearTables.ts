/**
 * What linear byte pair encoding looks up, worked out once for a vocabulary.
 *
 * A text has exactly one encoding, and a sequence of tokens is that encoding as soon as every two neighbours are a valid pair
 * (github/rust-gems, crates/bpe/README.md, Corollaries I to IIIa). So any search finds the right path that finds one: take the
 * longest token that fits; on a dead end mark the position as failed (each at most once, hence linear), drop the last token and
 * try its next shorter prefix. On yeast: 3.2 candidates a token, 0.6 steps back. `linearWindow.ts` and `linear.wasm.ts` search.
 */
import { createRankEncoder } from './encodeByRank';
import type { Letters, MergeRules } from './mergeRules';
import { buildPairValidity, type PairValidity } from './pairValidity';
import { createTokenBuffer } from './tokenBuffer';

const MAX_TRIE_CELLS = 2 ** 24; // 64 MiB
const MAX_LENGTH = 2 ** 12;     // letters of a token: its prefixes are looked up one by one, and hostile files have tokens of megabytes

/** In `letterTables`: a byte that is no letter. */
export const NO_LETTER_BYTE = 255;

/** Letter tables by what stands in a window: text, text to be read as upper case, letter numbers. */
export const AS_TEXT = 0, AS_UPPER = 1, AS_NUMBERS = 2;

/** Longest token at a position: a direct table over the next `width` letters, and a trie behind it for longer tokens. */
export interface LinearTables {
  /** Bits a letter, and letters in an index of `best`. */
  readonly bits: number;
  readonly width: number;
  /** Stands for "no token": the number of ids. */
  readonly none: number;
  /** By the packed letters: low 16 bits the longest token within them, high 16 bits the trie node that continues, 0 for none. */
  readonly best: Uint32Array;
  /** Trie: child by `node << bits | letter`, and the token that ends at a node, `none` for none. */
  readonly child: Uint32Array;
  readonly tokenAt: Uint32Array;
  /**
   * Four numbers a token: in the low 16 bits its length, in the high 16 what may follow it (see `ahead`); the longest token that is a proper
   * prefix of it (`none` for none); the column and the first word of the row of `forbidden` that say which neighbours it may have.
   */
  readonly tokens: Uint32Array;
  /**
   * Letters that the search looks ahead, 2 for DNA: bit w of what may follow a token is 0 where no token that begins the letters packed as w may
   * stand behind it. On yeast that leaves 2.2 candidates and 0.23 steps back a token, of 3.1 and 0.60; a third letter would leave 2.1 and 0.20.
   */
  readonly ahead: number;
  /** Bit `column & 31` of word `row + (column >>> 5)`: 1 where the left token of the row may not stand before the right one of the column. */
  readonly forbidden: Uint32Array;
  /** Three tables of 256: the letter number of a byte, `NO_LETTER_BYTE` for none. */
  readonly letterTables: Uint8Array;
}

/**
 * @returns undefined where the conditions of the theorem do not hold (a product of two rules, a rule that uses a token of higher
 * rank) or the tables would be unreasonably large; then use {@link createRankEncoder}.
 */
export function createLinearTables(letters: Letters, letterTables: Uint8Array, rules: MergeRules, tokenText: (id: number) => string, vocabSize: number): LinearTables | undefined {
  if (vocabSize >= 2 ** 16 || letters.tokenId.length >= NO_LETTER_BYTE || !everyTokenIsBuiltOnce(letters, rules, vocabSize)) return undefined;
  if (Array.prototype.some.call(rules.product, (id: number) => tokenText(id).length > MAX_LENGTH)) return undefined;
  const validity = buildPairValidity(rules, letters.tokenId, vocabSize);
  const prefixes = validity && buildPrefixes(letters, reachableTokens(letters, rules, tokenText, vocabSize), tokenText, vocabSize);
  if (!prefixes) return undefined;
  const { length, shorter, reachable, ...rest } = prefixes, tokens = new Uint32Array(4 * (vocabSize + 1));
  const ahead = Math.floor(4 / rest.bits), follows = findFollowers(letters, reachable, tokenText, validity, rest.bits, ahead);
  for (let id = 0; id <= vocabSize; id++) tokens.set([(length[id] | (follows(id) << 16)) >>> 0, shorter[id], validity.columnOf[id], validity.rowOf[id]], 4 * id);
  return { ...rest, none: vocabSize, tokens, ahead, forbidden: validity.bits, letterTables };
}

/** By token, one bit for each way in which the text may go on: whether a token that begins so may follow. */
function findFollowers(letters: Letters, reachable: readonly number[], tokenText: (id: number) => string, { bits, words, rowOf, columnOf }: PairValidity, letterBits: number, ahead: number): (id: number) => number {
  const ways = 2 ** (letterBits * ahead), columns = Array.from({ length: ways }, () => new Uint32Array(words)); // by way, the columns of the tokens that begin so
  for (const id of reachable) {
    const begin = tokenText(id).slice(0, ahead), free = letterBits * (ahead - begin.length);
    let way = 0;
    for (let i = 0; i < begin.length; i++) way = (way << letterBits) | letters.ofUnit[begin.charCodeAt(i)];
    for (let i = way << free; i < (way + 1) << free; i++) columns[i][columnOf[id] >>> 5] |= 1 << (columnOf[id] & 31);
  }
  const ofRow = new Map<number, number>();
  return (id) => {
    const row = rowOf[id];
    let mask = ofRow.get(row);
    if (mask !== undefined) return mask;
    mask = 0;
    for (let way = 0; way < ways; way++) {
      let word = 0;
      while (word < words && (columns[way][word] & ~bits[row + word]) === 0) word++;
      if (word < words) mask |= 1 << way;
    }
    ofRow.set(row, mask);
    return mask;
  };
}

/** Every product is made by one rule, from letters and products of earlier rules. */
function everyTokenIsBuiltOnce(letters: Letters, { left, right, product }: MergeRules, vocabSize: number): boolean {
  const built = new Uint8Array(vocabSize);
  for (const id of letters.tokenId) built[id] = 1;
  for (let m = 0; m < product.length; m++) {
    if (!built[left[m]] || !built[right[m]] || built[product[m]]) return false;
    built[product[m]] = 1;
  }
  return true;
}

/** Letters, and products that encode to themselves: in "AB, BC, A BC" the text ABC is AB C, so the token ABC never appears. Shortest first. */
function reachableTokens(letters: Letters, rules: MergeRules, tokenText: (id: number) => string, vocabSize: number): number[] {
  const encode = createRankEncoder(letters, rules, vocabSize);
  const out = createTokenBuffer();
  const reachable = [...rules.product].filter((id) => {
    out.length = 0;
    encode(tokenText(id), 0, tokenText(id).length, out);
    return out.length === 1;
  });
  return [...letters.tokenId, ...reachable].sort((a, b) => tokenText(a).length - tokenText(b).length);
}

/** The tables of prefixes, and for every token its length and the longest token that is a proper prefix of it. */
function buildPrefixes(letters: Letters, shortestFirst: readonly number[], tokenText: (id: number) => string, none: number) {
  const bits = Math.max(1, Math.ceil(Math.log2(letters.tokenId.length)));
  const width = Math.floor(16 / bits);
  const best = new Uint32Array(2 ** (bits * width)).fill(none);
  const length = new Uint32Array(none + 1), shorter = new Uint32Array(none + 1).fill(none);
  const deep = shortestFirst.filter((id) => tokenText(id).length > width);
  const maxNodes = 1 + deep.reduce((sum, id) => sum + tokenText(id).length - width + 1, 0);
  if (maxNodes * 2 ** bits > MAX_TRIE_CELLS) return undefined;
  const child = new Uint32Array(maxNodes << bits), tokenAt = new Uint32Array(maxNodes).fill(none);
  const idOf = new Map<string, number>();
  const pack = (text: string, count: number) => {
    let code = 0;
    for (let i = 0; i < count; i++) code |= letters.ofUnit[text.charCodeAt(i)] << (bits * (width - 1 - i));
    return code;
  };
  for (const id of shortestFirst) {
    const text = tokenText(id);
    length[id] = text.length;
    for (let end = text.length - 1; end > 0 && shorter[id] === none; end--) shorter[id] = idOf.get(text.slice(0, end)) ?? none;
    idOf.set(text, id);
    if (text.length > width) continue;
    const from = pack(text, text.length);
    best.fill(id, from, from + 2 ** (bits * (width - text.length)));
  }
  // Nodes at depth `width` come first, so that their numbers fit into 16 bits: there are at most as many as tokens.
  let nodes = 1;
  for (const id of deep) {
    const code = pack(tokenText(id), width);
    if (best[code] >>> 16 === 0) best[code] = (best[code] | (nodes++ << 16)) >>> 0;
  }
  for (const id of deep) {
    const text = tokenText(id);
    let node = best[pack(text, width)] >>> 16; // node numbers above 32,767 need the unsigned shift
    for (let i = width; i < text.length; i++) {
      const cell = (node << bits) | letters.ofUnit[text.charCodeAt(i)];
      node = child[cell] || (child[cell] = nodes++);
    }
    tokenAt[node] = id;
  }
  return { bits, width, best, child, tokenAt, length, shorter, reachable: shortestFirst };
}

/**
 * Linear byte pair encoding: longest match with backtracking.
 *
 * A text has exactly one encoding, and a sequence of tokens is that encoding as soon as every two neighbours are a valid pair
 * (github/rust-gems, crates/bpe/README.md, Corollaries I to IIIa). So any search finds the right path that finds one: take the
 * longest token that fits; on a dead end mark the position as failed (each at most once, hence linear), drop the last token and
 * try its next shorter prefix. On yeast: 3.2 candidates a token, 0.6 steps back.
 */
import { buildPairValidity, type PairValidity } from './pairValidity';
import { createRankEncoder } from './encodeByRank';
import { createTokenBuffer, reserve, type TokenBuffer } from './tokenBuffer';
import type { Letters, MergeRules, RunEncoder } from './mergeRules';

const MAX_TRIE_CELLS = 2 ** 24; // 64 MiB
const KEPT_LETTERS = 2 ** 20;   // scratch of longer runs is given back

/**
 * @returns undefined where the conditions of the theorem do not hold (a product of two rules, a rule that uses a token of higher
 * rank) or the tables would be unreasonably large; then use {@link createRankEncoder}.
 */
export function createBacktrackingEncoder(letters: Letters, rules: MergeRules, tokenText: (id: number) => string, vocabSize: number): RunEncoder | undefined {
  if (vocabSize >= 2 ** 16 || !everyTokenIsBuiltOnce(letters, rules, vocabSize)) return undefined;
  const validity = buildPairValidity(rules, letters.tokenId, vocabSize);
  const prefixes = validity && buildPrefixes(letters, reachableTokens(letters, rules, tokenText, vocabSize), tokenText, vocabSize);
  return prefixes && search(letters, prefixes, validity);
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

/** Longest token at a position: a direct table over the next `width` letters, and a trie behind it for longer tokens. */
interface Prefixes {
  readonly bits: number;
  readonly width: number;
  /** By the packed letters: low 16 bits the longest token within them, high 16 bits the trie node that continues, 0 for none. */
  readonly best: Uint32Array;
  /** Trie: child by `node << bits | letter`, and the token that ends at a node, `vocabSize` for none. */
  readonly child: Uint32Array;
  readonly tokenAt: Uint32Array;
  readonly length: Uint32Array;
  /** The longest token that is a proper prefix of this one, `vocabSize` for none. */
  readonly shorter: Uint32Array;
  readonly none: number;
}

function buildPrefixes(letters: Letters, shortestFirst: readonly number[], tokenText: (id: number) => string, none: number): Prefixes | undefined {
  const bits = Math.max(1, Math.ceil(Math.log2(letters.tokenId.length)));
  const width = Math.floor(16 / bits);
  const best = new Uint32Array(2 ** (bits * width)).fill(none);
  const length = new Uint32Array(none + 1), shorter = new Uint32Array(none + 1).fill(none);
  const deep = shortestFirst.filter((id) => tokenText(id).length > width);
  const maxNodes = 1 + deep.reduce((sum, id) => sum + tokenText(id).length - width + 1, 0);
  if (bits > 8 || (maxNodes << bits) > MAX_TRIE_CELLS) return undefined;
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
  return { bits, width, best, child, tokenAt, length, shorter, none };
}

function search(letters: Letters, prefixes: Prefixes, validity: PairValidity): RunEncoder {
  const { bits, width, best, child, tokenAt, length, shorter, none } = prefixes;
  const { bits: invalid, rowOf, columnOf } = validity;
  const letterOf = letters.ofUnit, top = bits * (width - 1);
  let codes = new Uint16Array(0), failed = new Uint8Array(0);

  const longestAt = (position: number, n: number): number => {
    const entry = best[codes[position]];
    let node = entry >>> 16, token = entry & 0xffff;
    for (let i = position + width; node !== 0 && i < n; i++) {
      node = child[(node << bits) | (codes[i] >>> top)];
      if (tokenAt[node] !== none) token = tokenAt[node];
    }
    return token;
  };

  return (text, start, end, out) => {
    const n = end - start;
    if (codes.length < n) {
      codes = new Uint16Array(Math.max(n, 1024));
      failed = new Uint8Array(codes.length + 1);
    }
    failed.fill(0, 0, n + 1);
    // Every position's next `width` letters, packed; beyond the end they read as letter 0, and such candidates are too long.
    for (let i = n - 1, code = 0; i >= 0; i--) codes[i] = code = (code >>> bits) | (letterOf[text.charCodeAt(start + i)] << top);

    const base = out.length;
    let ids = out.ids, count = base, position = 0, last = none, candidate = longestAt(0, n);
    while (position < n) {
      const row = rowOf[last];
      let next = position + length[candidate];
      while (candidate !== none) {
        const column = columnOf[candidate];
        if (next <= n && failed[next] === 0 && ((invalid[row + (column >>> 5)] >>> (column & 31)) & 1) === 0) break;
        candidate = shorter[candidate];
        next = position + length[candidate];
      }
      if (candidate !== none) {
        if (count === ids.length) {
          out.length = count;
          reserve(out, count + 1);
          ids = out.ids;
        }
        ids[count++] = last = candidate;
        position = next;
        if (position < n) candidate = longestAt(position, n);
      } else {
        if (count === base) throw new Error('encode: expected a path of tokens through the text, got none; the merge table is inconsistent');
        failed[position] = 1;
        position -= length[last];
        candidate = shorter[last];
        last = --count > base ? ids[count - 1] : none;
      }
    }
    out.length = count;
    if (out.offsets) writeOffsets(out, out.offsets, base, start, length);
    if (n > KEPT_LETTERS) {
      codes = new Uint16Array(0);
      failed = new Uint8Array(0);
    }
  };
}

function writeOffsets(out: TokenBuffer, offsets: Uint32Array, base: number, start: number, length: Uint32Array): void {
  for (let i = base, at = start; i < out.length; i++) {
    offsets[2 * i] = at;
    offsets[2 * i + 1] = at += length[out.ids[i]];
  }
}

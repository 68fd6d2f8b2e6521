/** BPE by its definition, quadratic and plain: the oracle of the fast code. */
import type { Letters, MergeRules } from '../src/mergeRules';
import { NO_LETTER } from '../src/mergeRules';

type Merge = readonly [left: string, right: string];

/** Joins the pair of lowest rank, the leftmost of these, until none is left. */
export function createDefinition(merges: readonly Merge[]): (word: string) => string[] {
  const none = merges.length, rank = new Map(merges.map(([left, right], i) => [`${left} ${right}`, i]));
  return (word) => {
    const tokens = [...word];
    for (;;) {
      let best = -1, lowest = none;
      for (let i = 0; i + 1 < tokens.length; i++) {
        const found = rank.get(`${tokens[i]} ${tokens[i + 1]}`) ?? none;
        if (found < lowest) [best, lowest] = [i, found];
      }
      if (best < 0) return tokens;
      tokens.splice(best, 2, tokens[best] + tokens[best + 1]);
    }
  };
}

export const encodeByDefinition = (word: string, merges: readonly Merge[]): string[] => createDefinition(merges)(word);

/** Counts all neighbours again for every merge; ids give the order of ties. */
export function trainByDefinition(words: readonly string[], options: { vocabSize: number; specialTokens?: readonly string[]; minFrequency?: number; maxTokenLength?: number }): Merge[] {
  const { vocabSize, specialTokens = [], minFrequency = 0, maxTokenLength = Infinity } = options;
  let texts = words.map((word) => [...word]);
  const vocab = [...specialTokens, ...[...new Set(texts.flat())].sort()];
  const merges: Merge[] = [];
  while (vocab.length < vocabSize) {
    const counts = new Map<string, number>();
    for (const tokens of texts) for (let i = 0; i + 1 < tokens.length; i++) {
      const pair = `${vocab.indexOf(tokens[i])} ${vocab.indexOf(tokens[i + 1])}`;
      if (tokens[i].length + tokens[i + 1].length <= maxTokenLength) counts.set(pair, (counts.get(pair) ?? 0) + 1);
    }
    const ranked = [...counts].map(([pair, count]) => ({ ids: pair.split(' ').map(Number), count }))
      .sort((a, b) => b.count - a.count || a.ids[0] - b.ids[0] || a.ids[1] - b.ids[1]);
    if (ranked.length === 0 || ranked[0].count < minFrequency) break;
    const [left, right] = ranked[0].ids.map((id) => vocab[id]);
    merges.push([left, right]);
    if (!vocab.includes(left + right)) vocab.push(left + right);
    texts = texts.map((tokens) => joinLeftToRight(tokens, left, right));
  }
  return merges;
}

function joinLeftToRight(tokens: readonly string[], left: string, right: string): string[] {
  const result: string[] = [];
  for (let i = 0; i < tokens.length; i++) {
    if (tokens[i] === left && tokens[i + 1] === right) result.push(left + tokens[++i]);
    else result.push(tokens[i]);
  }
  return result;
}

/** Letters and merges as the encoders take them, ids in the order given. */
export function compileForTest(alphabet: string, merges: readonly Merge[]) {
  const texts = [...new Set([...alphabet, ...merges.map(([left, right]) => left + right)])];
  const idOf = new Map(texts.map((text, id) => [text, id]));
  const ofUnit = new Uint16Array(2 ** 16).fill(NO_LETTER);
  [...alphabet].forEach((letter, i) => { ofUnit[letter.charCodeAt(0)] = i; });
  const letters: Letters = { ofUnit, tokenId: Uint32Array.from(alphabet, (_, i) => i) };
  const rules: MergeRules = {
    left: Uint32Array.from(merges, ([left]) => idOf.get(left)!),
    right: Uint32Array.from(merges, ([, right]) => idOf.get(right)!),
    product: Uint32Array.from(merges, ([left, right]) => idOf.get(left + right)!),
  };
  return { texts, letters, rules };
}

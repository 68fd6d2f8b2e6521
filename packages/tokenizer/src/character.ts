/** One token a base: BPE without merges. */
import { createBpeTokenizer, type BpeTokenizer } from './bpe';
import { show } from './errors';
import { asAddedTokens, bertSpecialTokens } from './specialTokens';
import { bertFrame } from './tokenizer';

/**
 * Ids: [UNK] 0, [CLS] 1, [SEP] 2, [PAD] 3, [MASK] 4, then the letters in the order given. Everything else, white space and
 * lower case included, is [UNK].
 * @param options.alphabet - letters with a token of their own; default `ACGT`
 * @throws RangeError for an empty alphabet or a letter that is given twice
 */
export function createCharacterTokenizer({ alphabet = 'ACGT' }: { readonly alphabet?: string | undefined } = {}): BpeTokenizer {
  const letters = [...alphabet];
  if (letters.length === 0 || new Set(letters).size < letters.length || letters.some((letter) => letter.length > 1)) {
    throw new RangeError(`createCharacterTokenizer: expected different letters up to U+FFFF, got ${show(alphabet)}; give each letter once`);
  }
  return createBpeTokenizer({
    vocab: new Map([...bertSpecialTokens, ...letters].map((token, id) => [token, id])),
    merges: [], unkToken: '[UNK]', fuseUnk: false, normalizer: null, preTokenizer: null,
    addedTokens: asAddedTokens(bertSpecialTokens),
    frame: bertFrame({ token: '[CLS]', id: 1 }, { token: '[SEP]', id: 2 }),
  });
}

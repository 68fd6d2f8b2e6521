import type { AddedToken } from './text';

/** The special tokens of DNABERT-2, in the order of its ids 0 to 4. */
export const bertSpecialTokens = ['[UNK]', '[CLS]', '[SEP]', '[PAD]', '[MASK]'] as const;

/** Added tokens with ids from 0, cut out of the raw text. */
export const asAddedTokens = (contents: readonly string[]): AddedToken[] =>
  contents.map((content, id) => ({ id, content, special: true, normalized: false, lstrip: false, rstrip: false }));

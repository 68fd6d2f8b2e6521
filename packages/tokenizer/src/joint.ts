/**
 * Where two encodings of overlapping pieces of one sequence become one. The tokens of the left one up to a token that both hold at
 * the same place, and those of the right one from it on, are the encoding of both pieces together (github/rust-gems,
 * crates/bpe/README.md, Corollary III). It holds for plain sequences of linear tokenizers: see `BpeTokenizer.isPlain`.
 */
import type { BpeTokenizer } from './bpe';
import type { Sequence } from './sequence';
import type { EncodeOptions, Encoding } from './tokenizer';

/** What the functions over pieces of sequence need: any BPE tokenizer has it. */
export type PieceEncoder = Pick<BpeTokenizer, 'encodeWithOffsets' | 'isPlain' | 'definition'>;

/** The tokens of a piece alone: no frame, and not cut where the file sets a limit for whole sequences. */
export const encodePiece = (tokenizer: Pick<PieceEncoder, 'encodeWithOffsets'>, piece: Sequence, letterCase: EncodeOptions['case']): Encoding =>
  tokenizer.encodeWithOffsets(piece, { case: letterCase, addSpecialTokens: false, maxLength: Number.MAX_SAFE_INTEGER });

/** Bases that two pieces share at first. In yeast the first common token comes after 4 bases in the median, 107 at most. */
export const OVERLAP = 256;

/** @returns the first common token at or after `leftFrom` and `rightFrom`, as its indices; `shift` is where the right piece starts in the left one's coordinates */
export function findJoint(left: Encoding, leftFrom: number, right: Encoding, rightFrom: number, shift: number): { readonly left: number; readonly right: number } | undefined {
  for (let l = leftFrom, r = rightFrom; l < left.ids.length && r < right.ids.length;) {
    const ahead = right.offsets[2 * r] + shift - left.offsets[2 * l];
    if (ahead === 0 && left.ids[l] === right.ids[r] && left.offsets[2 * l + 1] === right.offsets[2 * r + 1] + shift) return { left: l, right: r };
    if (ahead >= 0) l++;
    if (ahead <= 0) r++;
  }
  return undefined;
}

/** The first token that starts at `base` or later: its index, the number of tokens where there is none. */
export function firstTokenFrom({ ids, offsets }: Encoding, base: number): number {
  let low = 0, high = ids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (offsets[2 * middle] < base) low = middle + 1;
    else high = middle;
  }
  return low;
}

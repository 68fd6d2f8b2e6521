import type { TokenBuffer } from './tokenBuffer';

/** Merge rules over token ids, in the order of their ranks: rule m joins `left[m]` and `right[m]` into `product[m]`. */
export interface MergeRules {
  readonly left: Uint32Array;
  readonly right: Uint32Array;
  readonly product: Uint32Array;
}

/** Letters: which token a single UTF-16 unit is. */
export interface Letters {
  /** Letter number by UTF-16 unit, `NO_LETTER` where the unit is no token. */
  readonly ofUnit: Uint16Array;
  /** Token id by letter number. */
  readonly tokenId: Uint32Array;
}

export const NO_LETTER = 0xffff;

/** Encodes `text[start, end)`, all of it letters, and appends the tokens. */
export type RunEncoder = (text: string, start: number, end: number, out: TokenBuffer) => void;


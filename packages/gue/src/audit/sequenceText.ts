import { baseCode } from '../baseCode';

/** Stands before, between and behind rows: no extension crosses it. */
export const separator = 5;

/** Many sequences as one array of base codes. */
export interface SequenceText {
  /** 0 to 3 for bases, 4 for other letters, 5 between rows. */
  readonly codes: Uint8Array;
  /** `[rows + 1]`: row r is `codes[starts[r] .. starts[r + 1] - 1)`, the separator behind it left out. */
  readonly starts: Uint32Array;
}

export function createSequenceText(rows: readonly string[]): SequenceText {
  const starts = new Uint32Array(rows.length + 1).fill(1);
  rows.forEach((row, r) => (starts[r + 1] = starts[r] + row.length + 1));
  const codes = new Uint8Array(starts[rows.length]).fill(separator);
  rows.forEach((row, r) => writeCodes(row, codes, starts[r]));
  return { codes, starts };
}

/** Base codes of one sequence. */
export function encode(sequence: string): Uint8Array {
  const codes = new Uint8Array(sequence.length);
  writeCodes(sequence, codes, 0);
  return codes;
}

function writeCodes(sequence: string, codes: Uint8Array, at: number): void {
  for (let i = 0; i < sequence.length; i++) codes[at + i] = baseCode(sequence, i);
}

/** The other strand. */
export const reverseComplementCodes = (codes: Uint8Array): Uint8Array => codes.map((_, i) => complement(codes[codes.length - 1 - i]));

const complement = (code: number): number => (code < 4 ? 3 - code : code);

import { aminoAcidAt, geneticCode, isStop } from './geneticCode';

export interface TranslateOptions {
  /** NCBI's number of the genetic code; default 1, the standard code. */
  readonly table?: number;
  /** Bases left out in front: 0, 1 or 2; default 0. For the other strand, pass `reverseComplement(sequence)`. */
  readonly frame?: 0 | 1 | 2;
  /** End before the first stop codon instead of writing `*` for each. */
  readonly toStop?: boolean;
  /** Write M for the first codon when the table lists it as a start, as in a complete coding sequence. */
  readonly startIsMethionine?: boolean;
}

/**
 * The protein that `sequence` codes for, one letter a codon: `*` stop, `X` where ambiguous letters leave it open, `-` for `---`. Case does not matter, U is T; one or two bases left over at the end are no codon.
 * @param sequence - a string or ASCII bytes; the result is of the same type.
 * @throws RangeError for a letter that is no nucleotide code, naming it and its 0-based position, and for an unknown table.
 */
export function translate(sequence: string, options?: TranslateOptions): string;
export function translate(sequence: Uint8Array, options?: TranslateOptions): Uint8Array;
export function translate(sequence: string | Uint8Array, options?: TranslateOptions): string | Uint8Array;
export function translate(sequence: string | Uint8Array, options: TranslateOptions = {}): string | Uint8Array {
  const { table = 1, frame = 0, toStop = false, startIsMethionine = false } = options;
  if (frame !== 0 && frame !== 1 && frame !== 2) throw new RangeError(`translate: expected frame 0, 1 or 2, got ${String(frame)}; complement the sequence for the other strand`);
  const { aminoAcids, startCodons } = geneticCode(table);
  const dna = typeof sequence === 'string' ? asciiBytes(sequence) : sequence;
  const protein = new Uint8Array(Math.max(0, Math.floor((dna.length - frame) / 3)));
  let length = protein.length;
  for (let i = 0, at: number = frame; i < length; i++, at += 3) {
    const aminoAcid = aminoAcidAt(aminoAcids, dna, at) || gapOrFail(dna, at);
    if (toStop && isStop(aminoAcid)) length = i;
    else protein[i] = aminoAcid;
  }
  if (startIsMethionine && length > 0 && startCodons.includes(String.fromCharCode(...dna.subarray(frame, frame + 3)).toUpperCase().replaceAll('U', 'T'))) protein[0] = 77;
  return typeof sequence === 'string' ? new TextDecoder('latin1').decode(protein.subarray(0, length)) : protein.subarray(0, length);
}

function gapOrFail(dna: Uint8Array, at: number): number {
  const codon = String.fromCharCode(...dna.subarray(at, at + 3));
  if (codon === '---') return 45;
  const place = [...codon].findIndex((letter) => !/[ACGTURYSWKMBDHVN]/i.test(letter));
  throw new RangeError(`translate: expected IUPAC nucleotide codes, got ${JSON.stringify(codon[place])} at position ${at + place}; remove it`);
}

/** The bytes of a string of ASCII; other letters become 0, which is no nucleotide. */
export function asciiBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i) < 128 ? text.charCodeAt(i) : 0;
  return bytes;
}

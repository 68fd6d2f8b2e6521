import { baseIndex } from './geneticCode';
import { asciiBytes } from './translate';

/** A base's number in the order A, C, G, T; 4 for everything else. */
const digit = Uint8Array.from(baseIndex, (index) => [3, 1, 0, 2, 4][index]);
const longestK = 12;

export interface KmerOptions {
  /** Count a k-mer and its reverse complement together, under the smaller of the two numbers. */
  readonly canonical?: boolean;
}

export interface KmerSpectrum {
  readonly k: number;
  /** 4^k counts; a k-mer's place is its letters as digits in base 4, A 0, C 1, G 2, T 3, the first letter the highest. */
  readonly counts: Uint32Array;
  /** K-mers counted. */
  readonly total: number;
  /** Windows left out because of a letter other than A, C, G, T, U. */
  readonly skipped: number;
}

/**
 * Counts all overlapping k-mers of `sequence`, k from 1 to 12 (64 MiB of counts).
 * @throws RangeError for another k.
 */
export function kmerSpectrum(sequence: string | Uint8Array, k: number, { canonical = false }: KmerOptions = {}): KmerSpectrum {
  if (!(Number.isInteger(k) && k >= 1 && k <= longestK)) throw new RangeError(`kmerSpectrum: expected k from 1 to ${longestK}, got ${k}; longer words need another kind of table`);
  const dna = typeof sequence === 'string' ? asciiBytes(sequence) : sequence;
  const counts = new Uint32Array(4 ** k);
  const mask = 4 ** k - 1;
  let forward = 0;
  let backward = 0;
  let known = 0;
  let total = 0;
  for (let i = 0; i < dna.length; i++) {
    const base = digit[dna[i]];
    if (base === 4) {
      known = 0;
      continue;
    }
    forward = ((forward << 2) | base) & mask;
    backward = (backward >> 2) | ((3 - base) << (2 * k - 2));
    if (++known < k) continue;
    counts[canonical && backward < forward ? backward : forward]++;
    total++;
  }
  return { k, counts, total, skipped: Math.max(0, dna.length - k + 1) - total };
}

/** The letters of place `index` in a {@link KmerSpectrum}. */
export const kmerAt = (index: number, k: number): string => Array.from({ length: k }, (_, i) => 'ACGT'[(index >>> (2 * (k - 1 - i))) & 3]).join('');

// What a stretch of DNA is made of.
import { kmerSpectrum } from './kmerSpectrum';
import { baseIndex } from './geneticCode';
import { asciiBytes } from './translate';

/** Share of G and C among the letters A, C, G, T and U, 0 to 1; NaN where there are none. */
export function gcContent(sequence: string | Uint8Array): number {
  const [t, c, a, g] = countBases(toBytes(sequence));
  return (g + c) / (a + c + g + t);
}

export interface SkewOptions {
  /** Bases a window; default the whole sequence. */
  readonly window?: number;
  /** Bases from one window to the next; default `window`. */
  readonly step?: number;
}

/** GC skew (G - C) / (G + C) of each whole window (Lobry 1996), -1 to 1; 0 where it has neither. */
export function gcSkew(sequence: string | Uint8Array, options: SkewOptions = {}): Float64Array {
  const dna = toBytes(sequence);
  const { window = Math.max(1, dna.length), step = window } = options;
  if (!(Number.isInteger(window) && window > 0 && Number.isInteger(step) && step > 0)) throw new RangeError(`gcSkew: expected window and step of 1 base or more, got ${window} and ${step}; round them`);
  return Float64Array.from({ length: dna.length < window ? 0 : Math.floor((dna.length - window) / step) + 1 }, (_, i) => {
    const [, c, , g] = countBases(dna.subarray(i * step, i * step + window));
    return g + c === 0 ? 0 : (g - c) / (g + c);
  });
}

/** Linguistic complexity (Trifonov 1990, summed as Troyanskaya et al. 2002): different words of 1 to `longest` letters over the most there could be, 0 to 1; NaN for a sequence without bases. */
export function linguisticComplexity(sequence: string | Uint8Array, longest = 8): number {
  const dna = toBytes(sequence);
  let found = 0;
  let possible = 0;
  for (let k = 1; k <= Math.min(longest, dna.length); k++) {
    const { counts, total } = kmerSpectrum(dna, k);
    for (const count of counts) if (count > 0) found++;
    possible += Math.min(counts.length, total);
  }
  return found / possible;
}

const toBytes = (sequence: string | Uint8Array) => (typeof sequence === 'string' ? asciiBytes(sequence) : sequence);

/** T, C, A, G, others. */
function countBases(dna: Uint8Array): Float64Array {
  const counts = new Float64Array(5);
  for (let i = 0; i < dna.length; i++) counts[baseIndex[dna[i]]]++;
  return counts;
}

import { createRandom } from './simulate/random';

export interface AmbiguityOptions {
  /** `error`, `N` for each, or `random`: one of the bases that the letter stands for, N too. */
  readonly policy: 'error' | 'N' | 'random';
  /** Needed for `random`. */
  readonly seed?: number;
  /** Of the sequence: streams of random numbers differ by it. */
  readonly name?: string;
}

const choices: Readonly<Record<string, string>> = { R: 'AG', Y: 'CT', S: 'CG', W: 'AT', K: 'GT', M: 'AC', B: 'CGT', D: 'AGT', H: 'ACT', V: 'ACG', N: 'ACGT' };

/**
 * A copy of `sequence` whose ambiguity codes (NC-IUB 1984) are resolved; case is kept, U becomes T. N stays N except under `random`.
 * @throws RangeError for letters that are no nucleotide codes, and under `error` for any code but N, with its place.
 */
export function resolveAmbiguity(sequence: Uint8Array, { policy, seed, name = '' }: AmbiguityOptions): Uint8Array {
  if (policy !== 'error' && policy !== 'N' && policy !== 'random') throw new TypeError(`resolveAmbiguity: expected the policy error, N or random, got ${String(policy)}; choose one`);
  if (policy === 'random' && seed === undefined) throw new RangeError('resolveAmbiguity: expected a seed for random bases, got none; pass one, so that they can be drawn again');
  const random = createRandom(seed ?? 0, `ambiguity ${name}`);
  const resolved = sequence.slice();
  for (let i = 0; i < resolved.length; i++) {
    const upper = resolved[i] & 0xdf;
    if (upper === 65 || upper === 67 || upper === 71 || upper === 84) continue;
    const lower = resolved[i] & 32;
    const letter = String.fromCharCode(upper);
    if (letter === 'U' && resolved[i] > 64) resolved[i] = 84 | lower;
    else if (resolved[i] < 65 || !(letter in choices)) throw new RangeError(`resolveAmbiguity: expected IUPAC nucleotide codes, got ${JSON.stringify(String.fromCharCode(resolved[i]))} at position ${i}; remove it`);
    else if (policy === 'random') resolved[i] = choices[letter].charCodeAt(random.below(choices[letter].length)) | lower;
    else if (letter !== 'N') {
      if (policy === 'error') throw new RangeError(`resolveAmbiguity: expected A, C, G, T and N, got ${JSON.stringify(letter)} at position ${i}; choose the policy N or random`);
      resolved[i] = 78 | lower;
    }
  }
  return resolved;
}

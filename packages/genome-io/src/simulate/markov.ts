// Background DNA: a Markov chain over A, C, G, T (0 to 3), so that neighbouring letters depend on each other as in a genome.
import type { Random } from './random';
import { yeastTetramers } from './yeastTetramers';

/** `cumulative[4 * context + letter]` is the chance of a letter up to this one after the context, whose last letter is the lowest two bits. */
export interface MarkovChain {
  readonly order: number;
  readonly cumulative: Float64Array;
}

/** @param weights - `[4^order, 4]`, not negative, in alphabetical order of context and letter; each context's weights may have any sum above zero */
export function markovChain(weights: ArrayLike<number>): MarkovChain {
  const order = Math.log2(weights.length) / 2 - 1;
  const cumulative = new Float64Array(weights.length);
  for (let row = 0; row < weights.length; row += 4) {
    let total = 0;
    for (let i = row; i < row + 4; i++) cumulative[i] = total += weights[i];
    for (let i = row; i < row + 4; i++) cumulative[i] /= total;
  }
  return { order, cumulative };
}

/** Order 3, estimated from the yeast genome. */
export const yeastChain = markovChain(yeastTetramers);

/** Another "genome": every transition of `chain` multiplied by a factor between 1 - strength and 1 + strength (no Math.exp: its last bit may differ between engines). */
export function perturbedChain({ cumulative }: MarkovChain, strength: number, random: Random): MarkovChain {
  const probability = (i: number) => cumulative[i] - (i % 4 === 0 ? 0 : cumulative[i - 1]);
  return markovChain(cumulative.map((_, i) => probability(i) * (1 + strength * (2 * random.uniform() - 1))));
}

const burnIn = 64; // letters thrown away, so that the first ones kept follow the chain's own frequencies

/** `length` letters, each 0 to 3. */
export function sampleChain(chain: MarkovChain, length: number, random: Random): Uint8Array {
  const letters = new Uint8Array(length);
  const contexts = 4 ** chain.order;
  let context = random.below(contexts);
  for (let i = -burnIn; i < length; i++) {
    const u = random.uniform();
    let letter = 0;
    while (letter < 3 && u >= chain.cumulative[4 * context + letter]) letter++;
    if (i >= 0) letters[i] = letter;
    context = (4 * context + letter) % contexts;
  }
  return letters;
}

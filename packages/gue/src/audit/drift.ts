import type { Example } from '../classifier';
import { countKmers } from '../baselines/kmerFeatures';
import { createResampleRandom } from '../statistics/random';
import { splits, type Split } from '../task';

/** How two splits of a data set differ. Drawn alike, they would differ by chance only. */
export interface Drift {
  readonly between: readonly [Split, Split];
  /** Half of the sum over classes of the difference of their shares, 0 to 1. */
  readonly classShares: number;
  /** Jensen-Shannon divergence of the 4-mer frequencies within each class, in bits, averaged over the classes by their items; 0 to 1. */
  readonly kmerDivergence: number;
  /** The same for items shuffled between the two splits: its mean, and how often it is as large, (as large + 1) / (shuffles + 1). */
  readonly byChance: number;
  readonly pValue: number;
  /** Items of each split that were looked at: all, or 1,000 evenly spread ones. */
  readonly items: readonly [number, number];
}

const k = 4;
const words = 4 ** k;
const mostItems = 1000;
const shuffles = 199;

/** Compares train with dev, train with test and dev with test. A model chosen on a dev set that is not drawn like the test set is chosen for something else. */
export function auditDrift(data: Readonly<Record<Split, readonly Example[]>>, classes: number): Drift[] {
  const sampled = Object.fromEntries(splits.map((split) => [split, sample(data[split])])) as Record<Split, readonly Example[]>;
  const pairs: readonly (readonly [Split, Split])[] = [['train', 'dev'], ['train', 'test'], ['dev', 'test']];
  return pairs.map(([a, b]) => {
    const both = [...sampled[a], ...sampled[b]];
    const spectra = spectraOf(both);
    const inFirst = both.map((_, i) => i < sampled[a].length);
    const labels = both.map(({ label }) => label);
    const kmerDivergence = divergence(spectra, inFirst, labels, classes);
    const random = createResampleRandom(0, 0);
    let [asLarge, sum] = [0, 0];
    for (let round = 0; round < shuffles; round++) {
      const value = divergence(spectra, shuffledWithin(inFirst, labels, classes, random), labels, classes);
      if (value >= kmerDivergence) asLarge++;
      sum += value;
    }
    return { between: [a, b], classShares: shareDistance(data[a], data[b], classes), kmerDivergence, byChance: sum / shuffles, pValue: (asLarge + 1) / (shuffles + 1), items: [sampled[a].length, sampled[b].length] };
  });
}

const sample = (examples: readonly Example[]): readonly Example[] =>
  examples.length <= mostItems ? examples : Array.from({ length: mostItems }, (_, i) => examples[Math.floor((i * examples.length) / mostItems)]);

/** 4-mer frequencies, `[items, 256]`. */
function spectraOf(examples: readonly Example[]): Float64Array {
  const spectra = new Float64Array(examples.length * words);
  const { rowStarts, columnIndices, counts, rowScales } = countKmers(examples.map(({ sequence, pair = '', label }) => ({ sequence: `${sequence}N${pair}`, label })), 1, k, k);
  for (let row = 0; row < examples.length; row++) for (let entry = rowStarts[row]; entry < rowStarts[row + 1]; entry++) spectra[row * words + columnIndices[entry]] = counts[entry] * rowScales[row];
  return spectra;
}

function divergence(spectra: Float64Array, inFirst: readonly boolean[], labels: readonly number[], classes: number): number {
  let weighted = 0;
  for (let label = 0; label < classes; label++) {
    const sums = [new Float64Array(words), new Float64Array(words)];
    const items = [0, 0];
    for (let i = 0; i < labels.length; i++) {
      if (labels[i] !== label) continue;
      const side = inFirst[i] ? 0 : 1;
      const target = sums[side];
      items[side]++;
      for (let word = 0, at = i * words; word < words; word++, at++) target[word] += spectra[at];
    }
    if (items[0] && items[1]) weighted += ((items[0] + items[1]) / labels.length) * jensenShannon(sums[0], sums[1]);
  }
  return weighted;
}

/** In bits, of two lists of weights. */
function jensenShannon(a: Float64Array, b: Float64Array): number {
  const [sumA, sumB] = [a, b].map((values) => values.reduce((x, y) => x + y, 0));
  if (sumA === 0 || sumB === 0) return 0;
  let result = 0;
  for (let i = 0; i < a.length; i++) {
    const [p, q] = [a[i] / sumA, b[i] / sumB];
    const middle = (p + q) / 2;
    if (p > 0) result += (p * Math.log2(p / middle)) / 2;
    if (q > 0) result += (q * Math.log2(q / middle)) / 2;
  }
  return result;
}

/** Items change places between the splits within their class only, so that a difference of class shares is not taken for one of sequences. */
function shuffledWithin(inFirst: readonly boolean[], labels: readonly number[], classes: number, random: () => number): boolean[] {
  const result = [...inFirst];
  for (let label = 0; label < classes; label++) {
    const own = labels.flatMap((each, i) => (each === label ? [i] : []));
    for (let i = own.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [result[own[i]], result[own[j]]] = [result[own[j]], result[own[i]]];
    }
  }
  return result;
}

function shareDistance(a: readonly Example[], b: readonly Example[], classes: number): number {
  const shares = (examples: readonly Example[]) => {
    const counts = new Array<number>(classes).fill(0);
    for (const { label } of examples) counts[label] += 1 / examples.length;
    return counts;
  };
  const [first, second] = [shares(a), shares(b)];
  return first.reduce((sum, share, label) => sum + Math.abs(share - second[label]), 0) / 2;
}

import type { SequenceClassifier } from '../classifier';
import { boostedTrees } from './boostedTrees';
import { compositionFeatures } from './compositionFeatures';
import { beside } from './designMatrix';
import { markovChains, positionWeights } from './generative';
import { kmerFeatures } from './kmerFeatures';
import { linearBaseline, type Features } from './linearBaseline';
import { nearestNeighbour } from './nearestNeighbour';
import { oneHotFeatures } from './oneHotFeatures';

/** Always the most frequent class of the training set. */
export function majority(): SequenceClassifier {
  return {
    id: 'majority',
    fingerprint: 'majority/1',
    async fit(train, _dev, { classes }) {
      const counts = new Float32Array(classes);
      for (const { label } of train) counts[label]++;
      const shares = counts.map((count) => count / train.length);
      return {
        async predict(examples) {
          const probabilities = new Float32Array(examples.length * classes);
          for (let row = 0; row < examples.length; row++) probabilities.set(shares, row * classes);
          return probabilities;
        },
        report: { parameters: classes, devScore: 0 },
      };
    },
  };
}

/** Logistic regression on GC content, CpG rate and GC skew. */
export function composition(): SequenceClassifier {
  return linearBaseline({ id: 'composition', settings: 'GC,CpG,skew', features: compositionFeatures(), C: [1] });
}

export interface KmerOptions {
  /** Shortest k-mer; 3 unless given. */
  readonly minK?: number;
  /** Longest k-mer, at most 7; 6 unless given. */
  readonly maxK?: number;
  /** Inverse regularisation strengths to choose from, ascending. */
  readonly C?: readonly number[];
}

/**
 * Logistic regression on k-mer frequencies divided by their standard deviation: knows which words a sequence holds and nothing of where.
 * On transcription factor sets it stands level with published foundation models.
 */
export function kmerLogisticRegression({ minK = 3, maxK = 6, C = [3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2] }: KmerOptions = {}): SequenceClassifier {
  if (!(Number.isInteger(minK) && Number.isInteger(maxK) && minK >= 1 && minK <= maxK && maxK <= 7))
    throw new RangeError(`kmerLogisticRegression: expected whole numbers 1 <= minK <= maxK <= 7, got ${minK} and ${maxK}; 3 to 6 is usual`);
  return linearBaseline({ id: 'kmer', settings: `${minK}-${maxK}-mers`, features: kmerFeatures(minK, maxK), C });
}

/** Logistic regression on which base stands at which position: knows where, and nothing of words. Strong on promoters that are aligned to their start. */
export function oneHotLogisticRegression(): SequenceClassifier {
  return linearBaseline({ id: 'onehot', settings: 'position x base', features: oneHotFeatures(), C: [1e-3, 1e-2, 1e-1, 1] });
}

/** The columns of `kmerFeatures` for 3- to 6-mers, then those of `oneHotFeatures`. */
export const kmerOneHotFeatures = (): Features => together(kmerFeatures(3, 6), oneHotFeatures());

/** Logistic regression on both at once: words anywhere and bases at their positions. */
export function kmerOneHotLogisticRegression(): SequenceClassifier {
  return linearBaseline({ id: 'kmer-onehot', settings: '3-6-mers, position x base', features: kmerOneHotFeatures(), C: [3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2] });
}

const together = (a: Features, b: Features): Features => ({
  learn(train) {
    const [left, right] = [a.learn(train), b.learn(train)];
    return { trainMatrix: beside(left.trainMatrix, right.trainMatrix), matrixOf: (examples) => beside(left.matrixOf(examples), right.matrixOf(examples)) };
  },
});

/** The baselines by id, the simplest first. */
export const baselines = Object.freeze({
  majority, composition, markov: markovChains, pwm: positionWeights, nearest: nearestNeighbour,
  kmer: kmerLogisticRegression, onehot: oneHotLogisticRegression, 'kmer-onehot': kmerOneHotLogisticRegression, trees: boostedTrees,
}) satisfies Readonly<Record<string, () => SequenceClassifier>>;

export type BaselineName = keyof typeof baselines;

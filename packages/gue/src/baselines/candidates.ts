import type { Example, FitOptions } from '../classifier';
import { mcc } from '../metrics/classification';
import { mostProbable } from '../predictions';

/** One setting of a baseline, fitted. */
export interface Candidate {
  /** For the log, for example `order 3`. */
  readonly name: string;
  /** Facts for the run record. */
  readonly report: Readonly<Record<string, number>>;
  /** Probabilities `[examples, classes]`. */
  predict(examples: readonly Example[]): Float32Array;
}

/** The candidate with the highest MCC on the development set, the first one among equals. */
export function chooseOnDev<T extends Candidate>(id: string, candidates: Iterable<T>, dev: readonly Example[], { classes, signal, onProgress }: FitOptions): { readonly chosen: T; readonly devScore: number } {
  if (dev.length === 0) throw new RangeError(`${id}: expected development items, got none; the settings are chosen on them`);
  const labels = dev.map(({ label }) => label);
  let best: { chosen: T; devScore: number } | undefined;
  for (const candidate of candidates) {
    signal?.throwIfAborted();
    const devScore = mcc(labels, mostProbable(candidate.predict(dev), classes));
    onProgress?.({ kind: 'note', text: `${id}: ${candidate.name}, dev MCC ${devScore.toFixed(4)}` });
    if (!best || devScore > best.devScore) best = { chosen: candidate, devScore };
  }
  return best!;
}

/** Turns log-likelihoods of the classes `[examples, classes]` into probabilities, in place. */
export function normalize(logLikelihoods: Float64Array, classes: number): Float32Array {
  for (let first = 0; first < logLikelihoods.length; first += classes) {
    const row = logLikelihoods.subarray(first, first + classes);
    const largest = row.reduce((a, b) => Math.max(a, b), -Infinity);
    const sum = row.reduce((total, value) => total + Math.exp(value - largest), 0);
    row.forEach((value, k) => (row[k] = Math.exp(value - largest) / sum));
  }
  return Float32Array.from(logLikelihoods);
}

/** Logarithms of the classes' shares, one item added to each so that none is impossible. */
export function logPriors(examples: readonly Example[], classes: number): Float64Array {
  const counts = new Float64Array(classes).fill(1);
  for (const { label } of examples) counts[label]++;
  return counts.map((count) => Math.log(count / (examples.length + classes)));
}

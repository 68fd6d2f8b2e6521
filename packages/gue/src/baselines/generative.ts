import { baseCode } from '../baseCode';
import type { Example, SequenceClassifier } from '../classifier';
import { chooseOnDev, logPriors, normalize, type Candidate } from './candidates';

/** Adds the log-likelihood of a sequence under each class. @param scores - `[classes]` @param block - 1 for the second sequence of a pair */
type AddLikelihood = (sequence: string, block: number, scores: Float64Array) => void;

/** Bayes' rule on a density of sequences for each class; the setting (0, 1, …) is chosen on dev. */
function generative(id: string, settings: string, names: readonly string[], learn: (train: readonly Example[], classes: number, setting: number) => { add: AddLikelihood; parameters: number }): SequenceClassifier {
  return {
    id,
    fingerprint: `${id}/1 ${settings}`,
    async fit(train, dev, options) {
      const { classes } = options;
      const priors = logPriors(train, classes);
      function* candidates(): Generator<Candidate> {
        for (const [setting, name] of names.entries()) {
          const { add, parameters } = learn(train, classes, setting);
          const predict = (examples: readonly Example[]): Float32Array => {
            const scores = new Float64Array(examples.length * classes);
            examples.forEach(({ sequence, pair }, row) => {
              const own = scores.subarray(row * classes, (row + 1) * classes);
              own.set(priors);
              add(sequence, 0, own);
              if (pair !== undefined) add(pair, 1, own);
            });
            return normalize(scores, classes);
          };
          yield { name, report: { order: setting, parameters }, predict };
        }
      }
      const { chosen, devScore } = chooseOnDev(id, candidates(), dev, options);
      return { predict: async (examples) => chosen.predict(examples), report: { ...chosen.report, devScore } };
    },
  };
}

/**
 * A Markov chain of order 0 to 6 for each class, smoothed by Witten and Bell (1991): each order leans on the one below as far as its context has shown few different successors.
 * With order 0 it is naive Bayes on bases. The order is chosen on dev.
 */
export function markovChains(): SequenceClassifier {
  const orders = [0, 1, 2, 3, 4, 5, 6];
  return generative('markov', 'orders 0-6, Witten-Bell', orders.map((order) => `order ${order}`), (train, classes, order) => {
    const tables = [0, 1].map((block) => Array.from({ length: classes }, (_, k) => logTransitions(sequencesOf(train, block, k), order)));
    return {
      parameters: (train.some(({ pair }) => pair !== undefined) ? 2 : 1) * classes * 3 * 4 ** order,
      add: (sequence, block, scores) => forEachContext(sequence, order, (context, base) => {
        for (let k = 0; k < classes; k++) scores[k] += tables[block][k][4 * context + base];
      }),
    };
  });
}

const sequencesOf = (examples: readonly Example[], block: number, label: number): string[] =>
  examples.flatMap((example) => (example.label !== label ? [] : block === 0 ? [example.sequence] : example.pair === undefined ? [] : [example.pair]));

/** log P(base | the `order` bases before it), `[4^order, 4]`. */
function logTransitions(sequences: readonly string[], order: number): Float64Array {
  let lower = new Float64Array(4).fill(1 / 4);
  for (let k = 0; k <= order; k++) {
    const counts = new Float64Array(4 ** (k + 1));
    for (const sequence of sequences) forEachContext(sequence, k, (context, base) => counts[4 * context + base]++);
    const table = new Float64Array(counts.length);
    for (let context = 0; context < counts.length; context += 4) {
      const successors = counts.subarray(context, context + 4);
      const total = successors.reduce((a, b) => a + b);
      const different = successors.reduce((n, count) => n + (count > 0 ? 1 : 0), 0);
      // A context never seen says what the one below it says. The lower context drops the oldest base.
      for (let base = 0; base < 4; base++) {
        const below = lower[k === 0 ? base : (context + base) % lower.length];
        table[context + base] = total === 0 ? below : (successors[base] + different * below) / (total + different);
      }
    }
    lower = table;
  }
  return lower.map(Math.log);
}

/** Visits each unambiguous base that follows `order` unambiguous ones. */
function forEachContext(sequence: string, order: number, visit: (context: number, base: number) => void): void {
  let context = 0;
  let known = 0;
  const mask = 4 ** order - 1;
  for (let i = 0; i < sequence.length; i++) {
    const base = baseCode(sequence, i);
    if (base === 4) {
      known = 0;
      continue;
    }
    if (known >= order) visit(context, base);
    known++;
    context = ((context << 2) | base) & mask;
  }
}

/**
 * A position weight matrix for each class (Stormo 1982), or a weight array, in which each base depends on the one before it (Zhang and Marr 1993); which of the two is chosen on dev.
 * For sequences that are aligned to something, such as promoters to their start. One half is added to every count.
 */
export function positionWeights(): SequenceClassifier {
  return generative('pwm', 'orders 0-1, 0.5 added', ['matrix', 'array'], (train, classes, order) => {
    const lengths = [train.reduce((longest, { sequence }) => Math.max(longest, sequence.length), 0), train.reduce((longest, { pair = '' }) => Math.max(longest, pair.length), 0)];
    const tables = lengths.map((length, block) => Array.from({ length: classes }, (_, k) => logPositions(sequencesOf(train, block, k), length, order)));
    return {
      parameters: classes * 3 * 4 ** order * (lengths[0] + lengths[1]),
      add: (sequence, block, scores) => forEachPosition(sequence, order, lengths[block], (cell) => {
        for (let k = 0; k < classes; k++) scores[k] += tables[block][k][cell];
      }),
    };
  });
}

/** log P(base | position, the base before it where order is 1), `[length, 4^order, 4]`. */
function logPositions(sequences: readonly string[], length: number, order: number): Float64Array {
  const counts = new Float64Array(length * 4 ** (order + 1)).fill(0.5);
  for (const sequence of sequences) forEachPosition(sequence, order, length, (cell) => counts[cell]++);
  return counts.map((count, cell) => {
    const first = cell - (cell % 4);
    return Math.log(count / (counts[first] + counts[first + 1] + counts[first + 2] + counts[first + 3]));
  });
}

/** Visits the cell `[position, base before, base]` of each position; at the first one, and behind an ambiguous letter, A stands for the base before. */
function forEachPosition(sequence: string, order: number, length: number, visit: (cell: number) => void): void {
  for (let position = 0; position < Math.min(length, sequence.length); position++) {
    const base = baseCode(sequence, position);
    if (base === 4) continue;
    const before = order === 0 || position === 0 ? 0 : baseCode(sequence, position - 1) & 3;
    visit((position * 4 ** order + before) * 4 + base);
  }
}

import type { Example, SequenceClassifier } from '../classifier';
import { mcc } from '../metrics/classification';
import { createPause } from '../pause';
import { mostProbable } from '../predictions';
import { normalize } from './candidates';
import { countKmers } from './kmerFeatures';
import { markBases } from './oneHotFeatures';
import { createBinnedMatrix, growTree, treeValue, type BinnedMatrix, type Tree } from './regressionTree';

/** As in scikit-learn's HistGradientBoostingClassifier. */
const learningRate = 0.1;
const longestForPositions = 120;

export interface TreeOptions {
  /** Most rounds of boosting, of which dev chooses how many are kept; 100 unless given. */
  readonly rounds?: number;
}

/**
 * Gradient-boosted trees on counts of 2- to 4-mers, and on which base stands where for items of at most 120 bases (Friedman 2001; second-order leaves as in XGBoost, leaf-wise growth over histograms as in LightGBM).
 * How many rounds are kept is chosen on dev. Combines words and positions: the strongest simple model on core promoters.
 */
export function boostedTrees({ rounds = 100 }: TreeOptions = {}): SequenceClassifier {
  if (!(Number.isInteger(rounds) && rounds >= 1)) throw new RangeError(`boostedTrees: expected rounds as a whole number >= 1, got ${rounds}; 100 is usual`);
  return {
    id: 'trees',
    fingerprint: `trees/1 2-4-mers, positions to ${longestForPositions}, rate ${learningRate}, at most ${rounds} rounds`,
    async fit(train, dev, { classes, signal, onProgress }) {
      if (train.length === 0 || dev.length === 0) throw new RangeError(`trees: expected training and development items, got ${train.length} and ${dev.length}; the number of rounds is chosen on dev`);
      const shape = shapeOf(train);
      const matrix = binnedFeatures(train, shape);
      const devMatrix = binnedFeatures(dev, shape);
      const labels = train.map(({ label }) => label);
      const devLabels = dev.map(({ label }) => label);
      const outputs = classes === 2 ? 1 : classes;
      const start = startingValues(labels, classes);
      const values = fillRows(train.length, start);
      const devValues = fillRows(dev.length, start);
      const trees: Tree[] = [];
      let best = { rounds: 0, devScore: -Infinity };
      const pause = createPause(signal);
      for (let round = 1; round <= rounds; round++) {
        const grown: Tree[] = [];
        for (let output = 0; output < outputs; output++) {
          await pause();
          grown.push(growTree(matrix, gradients(values, labels, output, outputs), learningRate));
        }
        grown.forEach((tree, output) => {
          addTree(tree, matrix, values, output, outputs);
          addTree(tree, devMatrix, devValues, output, outputs);
        });
        trees.push(...grown);
        const devScore = mcc(devLabels, mostProbable(probabilitiesOf(devValues, classes), classes));
        if (devScore > best.devScore) best = { rounds: round, devScore };
        onProgress?.({ kind: 'note', text: `trees: round ${round}, dev MCC ${devScore.toFixed(4)}`, fraction: round / rounds });
      }
      const kept = trees.slice(0, best.rounds * outputs);
      return {
        async predict(examples) {
          const features = binnedFeatures(examples, shape);
          const result = fillRows(examples.length, start);
          kept.forEach((tree, i) => addTree(tree, features, result, i % outputs, outputs));
          return probabilitiesOf(result, classes);
        },
        report: { rounds: best.rounds, devScore: best.devScore, parameters: kept.reduce((sum, tree) => sum + tree.feature.length, 0) },
      };
    },
  };
}

interface Shape {
  readonly blocks: number;
  /** Positions of the first and second sequence that have columns; 0 for long items. */
  readonly first: number;
  readonly second: number;
}

function shapeOf(train: readonly Example[]): Shape {
  const first = train.reduce((longest, { sequence }) => Math.max(longest, sequence.length), 0);
  const second = train.reduce((longest, { pair = '' }) => Math.max(longest, pair.length), 0);
  const short = first + second <= longestForPositions;
  return { blocks: train.some(({ pair }) => pair !== undefined) ? 2 : 1, first: short ? first : 0, second: short ? second : 0 };
}

/** Counts are their own bins: they are small whole numbers, so that no quantile is lost. */
function binnedFeatures(examples: readonly Example[], { blocks, first, second }: Shape): BinnedMatrix {
  const parts = [countKmers(examples, blocks, 2, 4), markBases(examples, first, second)];
  const rows = examples.length;
  const columns = parts[0].columns + parts[1].columns;
  const bins = new Uint8Array(rows * columns);
  let offset = 0;
  for (const { rowStarts, columnIndices, counts, columns: own } of parts) {
    for (let row = 0; row < rows; row++)
      for (let entry = rowStarts[row]; entry < rowStarts[row + 1]; entry++) bins[(offset + columnIndices[entry]) * rows + row] = Math.min(255, counts[entry]);
    offset += own;
  }
  return createBinnedMatrix(rows, columns, bins);
}

/** Log-odds of class 1, or the logarithms of the classes' shares. */
function startingValues(labels: readonly number[], classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label]++;
  for (let k = 0; k < classes; k++) counts[k] = Math.max(counts[k], 1e-3); // a class without rows is improbable, not impossible
  return classes === 2 ? [Math.log(counts[1] / counts[0])] : counts.map((count) => Math.log(count / labels.length));
}

const fillRows = (rows: number, start: readonly number[]): Float64Array => Float64Array.from({ length: rows * start.length }, (_, i) => start[i % start.length]);

/** First and second derivatives of the log-loss by one output, `[rows, 2]`. */
function gradients(values: Float64Array, labels: readonly number[], output: number, outputs: number): Float64Array {
  const result = new Float64Array(2 * labels.length);
  labels.forEach((label, row) => {
    let probability: number;
    if (outputs === 1) probability = 1 / (1 + Math.exp(-values[row]));
    else {
      let sum = 0;
      for (let k = 0; k < outputs; k++) sum += Math.exp(values[row * outputs + k] - values[row * outputs + output]);
      probability = 1 / sum;
    }
    result[2 * row] = probability - (label === (outputs === 1 ? 1 : output) ? 1 : 0);
    result[2 * row + 1] = probability * (1 - probability);
  });
  return result;
}

function addTree(tree: Tree, matrix: BinnedMatrix, values: Float64Array, output: number, outputs: number): void {
  for (let row = 0; row < matrix.rows; row++) values[row * outputs + output] += treeValue(tree, matrix, row);
}

function probabilitiesOf(values: Float64Array, classes: number): Float32Array {
  if (classes > 2) return normalize(values.slice(), classes);
  return normalize(Float64Array.from({ length: 2 * values.length }, (_, i) => (i % 2 ? values[i >> 1] : 0)), 2);
}

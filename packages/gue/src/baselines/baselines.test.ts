import fc from 'fast-check';
import golden from '../../test/golden/baselines/sklearn.json';
import trees from '../../test/golden/baselines/trees.json';
import { plantedMotif } from '../../test/synthetic';
import type { FitOptions } from '../classifier';
import { createResampleRandom } from '../statistics/random';
import { accuracy, mcc } from '../metrics/classification';
import { mostProbable } from '../predictions';
import { baselines, kmerLogisticRegression, type BaselineName } from './baselines';
import { boostedTrees } from './boostedTrees';
import { beside, denseMatrix, inverseDeviations, sparseMatrix } from './designMatrix';
import { countKmers, kmerFeatures } from './kmerFeatures';
import { fitLogisticRegression, outputsOf, penalizedLoss, predictProbabilities } from './logisticRegression';
import { minimize } from './minimize';
import { createBinnedMatrix, growTree, treeValue } from './regressionTree';

const options: FitOptions = { classes: 2, hyperparameters: {}, seed: 0 };
const finish = <T>(generator: Generator<unknown, T>): T => {
  for (;;) {
    const { done, value } = generator.next();
    if (done) return value;
  }
};

describe.each(golden.cases.map((c) => [c.classes, c.C, c] as const))('scikit-learn 1.2.1: %i classes, C = %f', (classes, C, { train, labels, test: held, ...expected }) => {
  const examples = (sequences: readonly string[]) => sequences.map((sequence) => ({ sequence, label: -1 }));
  const { trainMatrix, matrixOf } = kmerFeatures(1, 2).learn(examples(train));
  const model = finish(fitLogisticRegression({ matrix: trainMatrix, labels, classes, C, tolerance: 1e-11 }));
  const closest = (got: ArrayLike<number>, wanted: readonly number[]) => Math.max(...wanted.map((value, i) => Math.abs(got[i] - value)));
  test('coefficients of the scaled k-mer frequencies', () => {
    const weights = expected.coefficients.flat();
    expect(closest(model.coefficients, weights)).toBeLessThan(1e-6);
    const intercepts = model.coefficients.subarray(weights.length);
    // The softmax does not see what is added to all intercepts alike: compare them from their mean.
    const centred = (values: ArrayLike<number>) => Array.from(values, (value) => value - (classes > 2 ? Array.from(values).reduce((a, b) => a + b) / classes : 0));
    expect(closest(centred(intercepts), centred(expected.intercepts))).toBeLessThan(1e-6);
  });
  test('probabilities of unseen sequences', () =>
    expect(closest(predictProbabilities(model, matrixOf(examples(held))), expected.probabilities.flat())).toBeLessThan(1e-6));
  test('a warm start ends in the same place', () => {
    const warm = finish(fitLogisticRegression({ matrix: trainMatrix, labels, classes, C, start: model.coefficients.map((w) => w + 0.3), tolerance: 1e-11 }));
    expect(closest(predictProbabilities(warm, trainMatrix), Array.from(predictProbabilities(model, trainMatrix)))).toBeLessThan(1e-6);
  });
});

test('boosted regression trees equal scikit-learn 1.2.1 where no splits tie', () => {
  const { features, targets, staged } = trees.regression;
  const [rows, columns] = [features.length, features[0].length];
  const matrix = createBinnedMatrix(rows, columns, Uint8Array.from({ length: rows * columns }, (_, i) => features[i % rows][Math.floor(i / rows)]));
  const values = new Array<number>(rows).fill(targets.reduce((a, b) => a + b) / rows);
  for (const expected of staged) {
    const tree = growTree(matrix, Float64Array.from({ length: 2 * rows }, (_, i) => (i % 2 ? 1 : values[i >> 1] - targets[i >> 1])), 0.1);
    for (let row = 0; row < rows; row++) values[row] += treeValue(tree, matrix, row);
    expect(Math.max(...expected.map((value, row) => Math.abs(value - values[row])))).toBeLessThan(1e-6); // its derivatives have 32 bits
  }
});

test.each(trees.cases.map((c) => [c.classes, c] as const))('boosted trees of scikit-learn 1.2.1, %i classes, but for splits that tie', async (classes, { sequences, labels, staged }) => {
  const examples = sequences.map((sequence, i) => ({ sequence, label: labels[i] }));
  const fitted = await boostedTrees({ rounds: staged.length }).fit(examples, examples, { ...options, classes });
  const expected = staged[fitted.report!.rounds - 1].flat();
  const differences = Array.from(await fitted.predict(examples), (probability, i) => Math.abs(probability - expected[i]));
  expect(differences.reduce((a, b) => a + b) / differences.length).toBeLessThan(0.005);
});

test.each([2, 3, 5])('the gradient equals finite differences with %i classes', (classes) => {
  const [rows, columns] = [9, 4];
  const values = Float64Array.from({ length: rows * columns }, (_, i) => Math.sin(7 * i));
  const problem = { matrix: denseMatrix(values, columns, new Float64Array(columns).fill(1)), labels: Array.from({ length: rows }, (_, i) => i % classes), classes, C: 0.7 };
  const point = Float64Array.from({ length: (columns + 1) * outputsOf(classes) }, (_, i) => Math.cos(3 * i));
  const gradient = new Float64Array(point.length);
  penalizedLoss(problem, point, gradient);
  const at = (i: number, shift: number) => penalizedLoss(problem, point.map((w, j) => (i === j ? w + shift : w)), new Float64Array(point.length));
  gradient.forEach((slope, i) => expect(slope).toBeCloseTo((at(i, 1e-5) - at(i, -1e-5)) / 2e-5, 8));
});

test('L-BFGS finds the minimum of a badly scaled quadratic', () => {
  const scales = Float64Array.from({ length: 30 }, (_, i) => 10 ** (i / 10));
  const minimum = finish(minimize((x, gradient) => {
    let value = 0;
    x.forEach((component, i) => {
      gradient[i] = scales[i] * (component - i);
      value += (scales[i] * (component - i) ** 2) / 2;
    });
    return value;
  }, new Float64Array(30), { tolerance: 1e-9, scale: 1, maxIterations: 1000 }));
  minimum.point.forEach((component, i) => expect(component).toBeCloseTo(i, 8));
});

describe('k-mer counts', () => {
  const naive = (sequence: string, k: number) => {
    const counts = new Map<string, number>();
    for (let i = 0; i + k <= sequence.length; i++) {
      const kmer = sequence.slice(i, i + k).toUpperCase().replaceAll('U', 'T');
      if (/^[ACGT]+$/.test(kmer)) counts.set(kmer, (counts.get(kmer) ?? 0) + 1);
    }
    return counts;
  };
  const sequences = fc.array(fc.string({ unit: fc.constantFrom('A', 'C', 'G', 'T', 'N', 'a', 'u'), maxLength: 40 }), { minLength: 1, maxLength: 5 });
  test('equal a naive count of substrings; ambiguous letters break a k-mer', () =>
    fc.assert(fc.property(sequences, (list) => {
      const counted = countKmers(list.map((sequence) => ({ sequence, label: 0 })), 1, 2, 3);
      list.forEach((sequence, row) => {
        const expected = new Map([...naive(sequence, 2), ...naive(sequence, 3)]);
        const got = new Map<string, number>();
        for (let entry = counted.rowStarts[row]; entry < counted.rowStarts[row + 1]; entry++) {
          const column = counted.columnIndices[entry];
          const [k, code] = column < 16 ? [2, column] : [3, column - 16];
          got.set(Array.from({ length: k }, (_, i) => 'ACGT'[(code >> (2 * (k - 1 - i))) & 3]).join(''), counted.counts[entry]);
        }
        expect(new Map([...got].sort())).toEqual(new Map([...expected].sort()));
      });
    })));
  test('the matrix that keeps the longest k-mers alone multiplies as that of all counts, divided by their deviations', () =>
    fc.assert(fc.property(fc.array(fc.tuple(...[0, 1].map(() => fc.string({ unit: fc.constantFrom(...'AACGTN'), maxLength: 12 }))), { minLength: 2, maxLength: 5 }), (pairs) => {
      const list = pairs.map(([sequence, pair]) => ({ sequence, pair, label: 0 }));
      const { rows, columns, rowStarts, columnIndices, counts, rowScales } = countKmers(list, 2, 2, 4);
      const dense = Array.from({ length: columns }, () => new Float64Array(rows));
      for (let row = 0; row < rows; row++) for (let entry = rowStarts[row]; entry < rowStarts[row + 1]; entry++) dense[columnIndices[entry]][row] = counts[entry] * rowScales[row];
      const mean = (values: Float64Array) => values.reduce((a, b) => a + b) / rows;
      const divided = dense.map((column) => {
        const deviation = Math.sqrt(mean(column.map((value) => (value - mean(column)) ** 2)));
        return deviation < 1e-12 ? column : column.map((value) => value / deviation);
      });
      const { trainMatrix } = kmerFeatures(2, 4).learn(list);
      const [weights, values] = [columns, rows].map((length) => Float64Array.from({ length: 2 * length }, (_, i) => Math.sin(i)));
      const product = new Float64Array(2 * rows);
      trainMatrix.multiply(weights, 2, product);
      product.forEach((value, i) => expect(value).toBeCloseTo(divided.reduce((sum, column, c) => sum + column[i >> 1] * weights[2 * c + (i & 1)], 0), 8));
      const transposed = new Float64Array(2 * columns);
      trainMatrix.multiplyTransposed(values, 2, transposed);
      transposed.forEach((value, i) => expect(value).toBeCloseTo(divided[i >> 1].reduce((sum, entry, row) => sum + entry * values[2 * row + (i & 1)], 0), 8));
    }), { numRuns: 20 }));
  test('the sequences of a pair have columns of their own', () =>
    expect(Array.from(countKmers([{ sequence: 'A', pair: 'C', label: 0 }], 2, 1, 1).columnIndices)).toEqual([0, 5]));
});

test('sparse and dense matrices multiply alike', () => {
  const sparse = countKmers(['ACGTAC', 'GGGN', 'TTACCA'].map((sequence) => ({ sequence, label: 0 })), 1, 1, 2);
  const scales = Float64Array.from({ length: sparse.columns }, (_, i) => 1 + i / 7);
  const values = new Float64Array(sparse.rows * sparse.columns);
  for (let row = 0; row < sparse.rows; row++)
    for (let entry = sparse.rowStarts[row]; entry < sparse.rowStarts[row + 1]; entry++) values[row * sparse.columns + sparse.columnIndices[entry]] = sparse.counts[entry] * sparse.rowScales[row];
  const pair = [sparseMatrix(sparse, scales), denseMatrix(values, sparse.columns, scales)];
  for (const outputs of [1, 3]) {
    const run = (columnsIn: boolean) => pair.map((matrix) => {
      const input = Float64Array.from({ length: (columnsIn ? matrix.columns : matrix.rows) * outputs }, (_, i) => Math.sin(i));
      const result = new Float64Array((columnsIn ? matrix.rows : matrix.columns) * outputs);
      if (columnsIn) matrix.multiply(input, outputs, result);
      else matrix.multiplyTransposed(input, outputs, result);
      return Array.from(result);
    });
    for (const [first, second] of [run(true), run(false)]) first.forEach((value, i) => expect(value).toBeCloseTo(second[i], 13));
  }
});

test('constant columns keep their scale', () => {
  const scales = inverseDeviations(3, 2, (visit) => [0.1, 0.1, 0.1].forEach((value, row) => (visit(0, value), visit(1, row))));
  expect(scales[0]).toBe(1);
  expect(scales[1]).toBeCloseTo(1 / Math.sqrt(2 / 3), 14);
});

describe('baselines', () => {
  const data = plantedMotif({ train: 400, dev: 120, test: 120, seed: 4 });
  test('the k-mer model finds a planted motif, composition does not', async () => {
    const score = async (id: BaselineName) => {
      const fitted = await baselines[id]().fit(data.train, data.dev, options);
      return mcc(data.test.map((example) => example.label), mostProbable(await fitted.predict(data.test), 2));
    };
    expect(await score('kmer')).toBeGreaterThan(0.9);
    expect(Math.abs(await score('composition'))).toBeLessThan(0.5);
    expect(await score('majority')).toBe(0);
  });
  test.each([10, 49, 600])('a class that holds all of %i training rows has the probability 1, not a little more', async (rows) => {
    const examples = Array.from({ length: rows }, (_, i) => ({ ...data.train[i % 400], label: 0 }));
    expect([...await (await baselines.majority().fit(examples, [], options)).predict(examples.slice(0, 1))]).toEqual([1, 0]);
  });
  test('one-hot sees a position, k-mers do not', async () => {
    const place = (label: number, i: number) => ({ sequence: `${'ACGT'[i % 4]}${label ? 'AC' : 'CA'}${'ACGT'[(i * 7) % 4]}CA`.repeat(1), label });
    const examples = Array.from({ length: 80 }, (_, i) => place(i % 2, i >> 1));
    const fitted = await baselines.onehot().fit(examples, examples, options);
    expect(accuracy(examples.map((example) => example.label), mostProbable(await fitted.predict(examples), 2))).toBe(1);
  });
  const scoreOf = async (id: BaselineName, { train, dev, test }: typeof data) => {
    const fitted = await baselines[id]().fit(train, dev, options);
    return { mcc: mcc(test.map(({ label }) => label), mostProbable(await fitted.predict(test), 2)), report: fitted.report! };
  };
  test('Markov chains see which base follows which; position weights do not', async () => {
    const random = createResampleRandom(9, 0);
    const chain = (_: unknown, i: number) => {
      let sequence = 'A';
      // In class 1 a base is followed by the next one of ACGT, in class 0 by the one before it, more often than not: all positions look alike.
      while (sequence.length < 60) sequence += random() < 0.3 ? 'ACGT'[('ACGT'.indexOf(sequence.at(-1)!) + (i % 2 ? 1 : 3)) % 4] : 'ACGT'[Math.floor(random() * 4)];
      return { sequence, label: i % 2 };
    };
    const [train, dev, test] = [300, 100, 200].map((length) => Array.from({ length }, chain));
    const found = await scoreOf('markov', { train, dev, test });
    expect(found.mcc).toBeGreaterThan(0.7);
    expect(found.report.order).toBeGreaterThanOrEqual(1);
    expect((await scoreOf('pwm', { train, dev, test })).mcc).toBeLessThan(found.mcc);
  });
  test('the probabilities of position weights are those of Bayes and counts', async () => {
    const examples = ['AC', 'AG', 'CC', 'TT'].map((sequence, i) => ({ sequence, label: i >> 1 }));
    const fitted = await baselines.pwm().fit(examples, examples, options);
    // Class 0: A at 0 in 2 of 2, C at 1 in 1 of 2; class 1: never A, C at 1 in 1 of 2; one half added to each count.
    expect((await fitted.predict([{ sequence: 'AC', label: -1 }]))[0]).toBeCloseTo((2.5 * 1.5) / (2.5 * 1.5 + 0.5 * 1.5), 6);
    expect(fitted.report!.order).toBe(0);
  });
  test('the nearest neighbour remembers, and says the classes\' shares where nothing is alike', async () => {
    const random = createResampleRandom(10, 0);
    const train = Array.from({ length: 90 }, (_, i) => ({ sequence: Array.from({ length: 80 }, () => 'ACGT'[Math.floor(random() * 4)]).join(''), label: i % 3 ? 0 : 1 }));
    const copies = train.map(({ sequence, label }) => ({ sequence: `${sequence.slice(10)}GATTACAGAT`, label }));
    const fitted = await baselines.nearest().fit(train, copies, options);
    expect(mcc(copies.map(({ label }) => label), mostProbable(await fitted.predict(copies), 2))).toBe(1);
    expect((await fitted.predict([{ sequence: 'ACGT'.repeat(20), label: -1 }]))[1]).toBeCloseTo(31 / 92, 6);
  });
  test('words and positions together stand beside each other', () => {
    const [a, b] = [denseMatrix(Float64Array.of(1, 2, 3, 4), 2, Float64Array.of(1, 1)), denseMatrix(Float64Array.of(5, 6), 1, Float64Array.of(1))];
    const result = new Float64Array(2);
    beside(a, b).multiply(Float64Array.of(1, 10, 100), 1, result);
    expect([...result]).toEqual([521, 643]);
    const back = new Float64Array(3);
    beside(a, b).multiplyTransposed(Float64Array.of(1, 10), 1, back);
    expect([...back]).toEqual([31, 42, 65]);
  });
  test('predictions are probabilities, also for pairs, empty and ambiguous sequences', async () => {
    const examples = Array.from({ length: 30 }, (_, i) => ({ sequence: i % 3 ? 'ACGTACGTTT' : 'NNNN', pair: i % 2 ? 'GGGGCCCA' : '', label: i % 3 }));
    for (const create of Object.values(baselines)) {
      const fitted = await create().fit(examples, examples, { ...options, classes: 3 });
      const probabilities = await fitted.predict([...examples, { sequence: 'A', pair: 'ACGTACGTACGTACGT', label: -1 }]);
      expect(probabilities).toHaveLength(31 * 3);
      for (let row = 0; row < 31; row++) expect(probabilities[3 * row] + probabilities[3 * row + 1] + probabilities[3 * row + 2]).toBeCloseTo(1, 5);
    }
  });
  test('an abort ends the fit', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(kmerLogisticRegression().fit(data.train, data.dev, { ...options, signal })).rejects.toThrow('enough');
  });
  test('bad input is one clear line', async () => {
    expect(() => kmerLogisticRegression({ maxK: 9 })).toThrow('expected whole numbers 1 <= minK <= maxK <= 7, got 3 and 9');
    await expect(kmerLogisticRegression().fit([], [], options)).rejects.toThrow('kmer: expected training and development items, got 0 and 0');
  });
});

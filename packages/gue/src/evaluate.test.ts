import { createHash } from 'node:crypto';
import { plantedMotif, shuffle, toCsv } from '../test/synthetic';
import { baselines, kmerLogisticRegression } from './baselines/baselines';
import type { Example, SequenceClassifier } from './classifier';
import { createCurve } from './curve';
import { parseDataset } from './dataset';
import { evaluate } from './evaluate';
import { accuracy, mcc } from './metrics/classification';
import { createResampleRandom } from './statistics/random';
import { bootstrapInterval } from './statistics/bootstrap';

const task = { name: 'motif', version: '1', benchmark: 'GUE', classes: 2, pair: false, metric: 'mcc' } as const;
const data = plantedMotif({ train: 500, dev: 120, test: 200, seed: 9 });
const dataset = (train: readonly { sequence: string; label: number }[] = data.train) =>
  parseDataset(task, { train: toCsv(train), dev: toCsv(data.dev), test: toCsv(data.test) }, { simulated: true });

/** Answers with the same probabilities for every item. */
const constant = (row: readonly number[]): SequenceClassifier => ({
  id: 'constant', fingerprint: row.join(),
  fit: async () => ({ predict: async (examples) => Float32Array.from(examples.flatMap(() => row)) }),
});

test('with a planted motif the k-mer baseline scores above 90', async () => {
  const record = await evaluate({ task, dataset: await dataset(), classifier: kmerLogisticRegression(), kind: 'baseline', resamples: 2000 });
  const labels = data.test.map((item) => item.label);
  expect(record.scores[0]).toMatchObject({ metric: 'mcc', value: mcc(labels, record.predictions.predicted), items: 200 });
  expect(100 * record.scores[0].value).toBeGreaterThan(90);
  expect(record.scores.map((score) => score.metric)).toEqual(['mcc', 'f1Macro', 'accuracy']);
  expect(record.scores[2].value).toBe(accuracy(labels, record.predictions.predicted));
  expect(record.scores[0].interval).toEqual(bootstrapInterval({ labels, predicted: record.predictions.predicted, metric: 'mcc', resamples: 2000 }));
  expect(record).toMatchObject({
    schema: 'genomelm-run/1', task: 'motif', simulated: true, kind: 'baseline', model: 'kmer', seed: 0, collapsed: false, curve: [],
    data: { sizes: { train: 500, dev: 120, test: 200 }, testClassCounts: [100, 100] }, report: { parameters: 5441 }, predictions: { labels },
  });
  expect(record.predictions.probabilities.map((row) => Math.fround(row[0] + row[1]))).toEqual(labels.map(() => expect.closeTo(1, 5)));
  expect(record.cost.fitSeconds).toBeGreaterThan(0);
  expect(record.cost.peakMemoryBytes).toBeGreaterThan(2 ** 20);
});

test.each([1, 2, 3])('with shuffled training labels the interval holds zero (shuffle %i)', async (seed) => {
  const labels = shuffle(data.train.map((item) => item.label), createResampleRandom(seed, 1));
  const record = await evaluate({ task, dataset: await dataset(data.train.map((item, i) => ({ ...item, label: labels[i] }))), classifier: kmerLogisticRegression(), resamples: 2000 });
  const { low, high } = record.scores[0].interval!;
  expect(low).toBeLessThan(0);
  expect(high).toBeGreaterThan(0);
});

test('everything but the cost is the same twice', async () => {
  const run = async () => ({ ...(await evaluate({ task, dataset: await dataset(), classifier: baselines.composition(), seed: 5, resamples: 500 })), cost: undefined });
  expect(await run()).toEqual(await run());
});

test('the record survives JSON', async () => {
  const record = await evaluate({ task, dataset: await dataset(), classifier: baselines.composition(), resamples: 100 });
  expect(JSON.parse(JSON.stringify(record))).toEqual(record);
});

test('a collapsed model is called so', async () => {
  const record = await evaluate({ task, dataset: await dataset(), classifier: constant([0.2, 0.8]), resamples: 100 });
  expect(record).toMatchObject({ collapsed: true, scores: [{ metric: 'mcc', value: 0, interval: { low: 0, high: 0, method: 'percentile' } }, {}, {}] });
});

test('test labels are withheld, and the test split is seen once, after the fit', async () => {
  const seen: Example[][] = [];
  const spy: SequenceClassifier = {
    id: 'spy', fingerprint: '1',
    async fit(train, dev) {
      seen.push([...train], [...dev]);
      return { async predict(examples) { seen.push([...examples]); return Float32Array.from(examples.flatMap(() => [1, 0])); } };
    },
  };
  const { access, calibration } = await evaluate({ task, dataset: await dataset(), classifier: spy, resamples: 10 });
  const sha256 = (rows: readonly { sequence: string; label: number | string }[]) => createHash('sha256').update(rows.map(({ sequence, label }) => `${sequence}\t${label}\n`).join('')).digest('hex');
  expect(access).toEqual([
    { split: 'train', use: 'fit', items: 500, labels: true, sha256: sha256(data.train) }, { split: 'dev', use: 'selection', items: 120, labels: true, sha256: sha256(data.dev) },
    { split: 'test', use: 'prediction', items: 200, labels: false, sha256: sha256(data.test.map(({ sequence }) => ({ sequence, label: '' }))) }, { split: 'test', use: 'scoring', items: 200, labels: true, sha256: sha256(data.test) },
  ]);
  expect(calibration).toMatchObject({ expectedCalibrationError: 0.5, brier: 0.5, auroc: 0.5, auprc: 0.5, bins: [{ items: 200, confidence: 1, accuracy: 0.5 }] });
  expect(seen.map((examples) => examples.length)).toEqual([500, 120, 200]);
  expect(seen[1]).toEqual(data.dev);
  expect(seen[2]).toEqual(data.test.map(({ sequence }) => ({ sequence, label: -1 })));
});

test('a classifier that uses no development rows is handed none, and the record shows it', async () => {
  let given = -1;
  const classifier: SequenceClassifier = {
    id: 'no dev', fingerprint: '1', usesDev: false,
    async fit(_train, dev) { given = dev.length; return { predict: async (examples) => Float32Array.from(examples.flatMap(() => [1, 0])) }; },
  };
  const { access } = await evaluate({ task, dataset: await dataset(), classifier, resamples: 10 });
  expect([given, access!.map(({ split, use }) => `${split} ${use}`)]).toEqual([0, ['train fit', 'test prediction', 'test scoring']]);
});

test('the curve, the facts after predicting, and disposal', async () => {
  const steps: string[] = [];
  let predicted = 0;
  const classifier: SequenceClassifier = {
    id: 'm', fingerprint: '1',
    async fit(_train, _dev, { onProgress }) {
      onProgress?.({ kind: 'step', step: 10, epoch: 0.5, loss: 0.7, secondsLeft: 3 });
      onProgress?.({ kind: 'evaluation', step: 10, epoch: 0.5, devScore: 0.2 });
      return {
        async predict(examples) { predicted = examples.length; return Float32Array.from(examples.flatMap(() => [0, 1])); },
        get report() { return { truncatedFraction: 1 / predicted, devLoss: NaN }; },
        async dispose() { steps.push('disposed'); },
      };
    },
  };
  const record = await evaluate({ task, dataset: await dataset(), classifier, resamples: 10, onProgress: (event) => steps.push(event.kind) });
  expect(steps).toEqual(['step', 'evaluation', 'disposed']);
  expect(record.report).toEqual({ truncatedFraction: 1 / 200 });
  expect(record.curve).toEqual([{ step: 10, epoch: 0.5, trainLoss: 0.7 }, { step: 10, epoch: 0.5, devScore: 0.2 }]);
});

test('a long curve is thinned evenly', () => {
  const curve = createCurve();
  for (let step = 1; step <= 10_000; step++) curve.add({ kind: 'step', step, epoch: 0, loss: 1 });
  const steps = curve.points().map((point) => point.step);
  expect(steps.length).toBeGreaterThan(128);
  expect(steps.length).toBeLessThanOrEqual(256);
  expect(new Set(steps.slice(1).map((step, i) => step - steps[i])).size).toBe(1);
});

test.each([
  [[0.5], 'expected 200 x 2 probabilities from constant, got 200 numbers'],
  [[NaN, 1], 'expected probabilities from 0 to 1 from constant, got NaN for test item 0'],
  [[3, -2], 'got 3 for test item 0'],
  [[0.9, 0.9], 'expected probabilities that add up to 1'],
])('an answer of %j is refused', async (row, message) =>
  expect(evaluate({ task, dataset: await dataset(), classifier: constant(row) })).rejects.toThrow(message));

test('an abort ends it, before and during the fit', async () => {
  const reason = new Error('enough');
  await expect(evaluate({ task, dataset: await dataset(), classifier: constant([1, 0]), signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  const controller = new AbortController();
  const onProgress = () => controller.abort(reason);
  await expect(evaluate({ task, dataset: await dataset(), classifier: kmerLogisticRegression(), signal: controller.signal, onProgress })).rejects.toBe(reason);
});

test('a dataset of another task is refused', async () =>
  expect(evaluate({ task: { ...task, name: 'tf_0' }, dataset: await dataset(), classifier: constant([1, 0]) })).rejects.toThrow('expected the dataset of tf_0, got that of motif'));

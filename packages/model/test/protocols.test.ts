// What is trained of a model, and how labels of each kind are: against what must stay the same, and problems with a known answer.
import { createReferenceDevice, createWasmDevice, flatten, free, read, tensor, valueAndGrad, type Device, type Tensor } from '@genomelm/kernels';
import { allClose, gradientCheck } from '@genomelm/kernels/testing';
import { createModel, createSequenceClassifier, smallConfig, type AnyModel, type Model } from '../src';
import { ignored, weightedCrossEntropy } from '../src/heads/weightedCrossEntropy';
import { classification, multiLabel, regression } from '../src/train/objective';
import { meanVectors } from '../src/train/probe';
import { kmerEncoder, plantedMotif } from './motif';

const encoder = kmerEncoder(3);
const config = { ...smallConfig({ vocabSize: 69, maxPositions: 45 }), hiddenSize: 16, intermediateSize: 32, numLayers: 1, numHeads: 2, initializerRange: 0.2 };
let device: Device;
beforeAll(async () => { device = await createWasmDevice({ threads: 1 }); });
afterAll(async () => {
  expect(device.memory.live).toBe(0);
  await device.destroy();
});

describe('protocols', () => {
  const [train, dev] = [plantedMotif(60, 1), plantedMotif(20, 2)];
  const fit = (model: Model, protocol: 'full' | 'lora' | 'probe', hyperparameters = {}) =>
    createSequenceClassifier(model, encoder, { protocol, hyperparameters: { epochs: 1, learningRate: 1e-2, ...hyperparameters } }).fit(train, dev, { classes: 2, hyperparameters: {}, seed: 3 });
  const changed = async (before: Model, after: Pick<AnyModel, 'params'>) => {
    const old = new Map(flatten(before.params));
    const differing = await Promise.all(flatten(after.params).map(async ([path, leaf]) => (old.has(path) && String(await read(leaf)) !== String(await read(old.get(path)!)) ? path : undefined)));
    return differing.filter((path) => path !== undefined);
  };

  test("lora changes the layers' weights alone, and its adapters are there to be saved", async () => {
    const model = createModel({ ...config, pooling: 'cls' }, { device, seed: 1 });
    const fitted = await fit(model, 'lora');
    expect(await changed(model, fitted.model)).toEqual(['attention.self.Wqkv', 'attention.output.dense', 'mlp.gated_layers', 'mlp.wo'].map((name) => `bert.encoder.layer.0.${name}.weight`));
    expect(Object.keys(fitted.lora!.adapters)).toHaveLength(4);
    expect(fitted.report.trainedParameters).toBe(8 * (48 + 16 + 16 + 16 + 64 + 16 + 32 + 16) + 34 + 16 * 17);
    expect(fitted.report.constantPredictions).toBeGreaterThanOrEqual(0);
    await fitted.dispose();
    free(model.params);
  });

  test('a probe changes nothing of the encoder, and its predictions are those it was chosen by', async () => {
    const model = createModel({ ...config, classifier: { problemType: 'single_label_classification', level: 'sequence', labels: ['a', 'b', 'c'] } }, { device, seed: 1 });
    const fitted = await fit(model, 'probe', { epochs: 20 });
    expect(fitted.model.config.classifier).toBeUndefined(); // those were names of other outputs
    expect(await changed(model, fitted.model)).toEqual([]);
    expect(fitted.report.trainedParameters).toBe(34);
    const probabilities = await fitted.predict(dev);
    const loss = dev.reduce((total, { label }, i) => total - Math.log(probabilities[2 * i + label]), 0) / dev.length;
    expect(loss).toBeCloseTo(fitted.report.devLoss, 4); // standardisation went into the weights
    await fitted.dispose();
    free(model.params);
  });

  test('zero-shot takes the nearest class mean by its definition, trains nothing, and reads nothing of dev', async () => {
    const model = createModel(config, { device, seed: 1 });
    const classifier = createSequenceClassifier(model, encoder, { protocol: 'zero-shot' });
    expect([classifier.usesDev, classifier.hyperparameters]).toEqual([false, { maxLength: 0 }]);
    const fitted = await classifier.fit(train, [], { classes: 2, hyperparameters: {}, seed: 3 });
    expect(await changed(model, fitted.model)).toEqual([]);
    expect(fitted.report).toMatchObject({ trainedParameters: 0, steps: 0 });
    const vectors = async (examples: typeof train) => {
      const flat = await meanVectors(model, examples.map(({ sequence }) => ({ inputIds: encoder.encode(sequence) })));
      return examples.map((_, i) => Array.from(flat.subarray(16 * i, 16 * i + 16)));
    };
    const [known, asked] = [await vectors(train), await vectors(dev)];
    const mean = (rows: number[][]) => rows[0].map((_, j) => rows.reduce((total, row) => total + row[j], 0) / rows.length);
    const centre = mean(known);
    const variance = centre.map((c, j) => known.reduce((total, row) => total + (row[j] - c) ** 2, 0) / known.length);
    const prototypes = [0, 1].map((label) => mean(known.filter((_, i) => train[i].label === label)));
    const wanted = asked.flatMap((x) => {
      const [a, b] = prototypes.map((m) => x.reduce((total, value, j) => total + (value - m[j]) ** 2 / variance[j], 0) / Math.sqrt(16));
      return [1 / (1 + Math.exp(a - b)), 1 / (1 + Math.exp(b - a))];
    });
    allClose(await fitted.predict(dev), wanted, 1e-4);
    await fitted.dispose();
    await expect(classifier.fit(train.filter(({ label }) => label === 0), [], { classes: 2, hyperparameters: {}, seed: 3 })).rejects.toThrow("expected training examples of every class for protocol 'zero-shot', got none of class 1");
    await expect(classifier.fit(train, [], { classes: 2, hyperparameters: { epochs: 2 }, seed: 3 })).rejects.toThrow("expected maxLength alone for protocol 'zero-shot'");
    free(model.params);
  });

  test('the same seed gives the same adapters; from scratch there is nothing to adapt', async () => {
    const model = createModel(config, { device, seed: 1 });
    const run = async () => {
      const fitted = await fit(model, 'lora');
      const predicted = await fitted.predict(dev);
      await fitted.dispose();
      return predicted;
    };
    expect(await run()).toEqual(await run());
    expect(createSequenceClassifier(model, encoder, { protocol: 'lora' }).fingerprint).not.toBe(createSequenceClassifier(model, encoder).fingerprint);
    expect(() => createSequenceClassifier(() => config, encoder, { device, protocol: 'probe' })).toThrow("expected protocol 'full' for training from scratch, got 'probe'");
    free(model.params);
  });
});

describe('objectives', () => {
  const reference = createReferenceDevice();
  const logits = [0.3, -1.2, 2, 0.1, 0.4, -0.7];
  const valueOf = async (loss: (x: Tensor) => Tensor, shape: number[]) => (await read(loss(tensor(reference, logits, shape))))[0];

  test('losses are what their definitions say', async () => {
    const row = (z: number[], label: number) => Math.log(z.reduce((total, x) => total + Math.exp(x), 0)) - z[label];
    expect(await valueOf((x) => classification({ classes: 3, classWeights: [1, 2, 3] }).loss(x, [2, 0]), [2, 3])).toBeCloseTo((3 * row(logits.slice(0, 3), 2) + row(logits.slice(3), 0)) / 4, 10);
    expect(await valueOf((x) => classification({ classes: 3 }).loss(x, [ignored, 1]), [2, 3])).toBeCloseTo(row(logits.slice(3), 1), 10);
    expect(await valueOf((x) => classification({ classes: 3 }).loss(x, [ignored, ignored]), [2, 3])).toBeCloseTo(0, 12);
    const binary = (z: number, y: number) => -(y * Math.log(1 / (1 + Math.exp(-z))) + (1 - y) * Math.log(1 - 1 / (1 + Math.exp(-z))));
    const marks = [1, 0, 1, 0, 0, 1];
    const expected = logits.reduce((total, z, i) => total + binary(z, marks[i]), 0) / 6;
    expect(await valueOf((x) => multiLabel({ labels: 3 }).loss(x, marks), [2, 3])).toBeCloseTo(expected, 10);
    expect(multiLabel({ labels: 3 }).judge(Float32Array.from(logits), marks).loss).toBeCloseTo(expected, 6);
    expect(await valueOf((x) => regression().loss(x, marks), [6, 1])).toBeCloseTo(logits.reduce((total, z, i) => total + (z - marks[i]) ** 2, 0) / 6, 10);
  });

  test.each([
    ['classification with class weights', [2, 3], (x: Tensor) => classification({ classes: 3, classWeights: [1, 2, 0.5] }).loss(x, [2, 0])],
    ['rows with weights of their own', [2, 3], (x: Tensor) => weightedCrossEntropy(x, [1, 2], [0.1, 1])],
    ['no label at all', [2, 3], (x: Tensor) => classification({ classes: 3 }).loss(x, [ignored, ignored])],
    ['several labels', [2, 3], (x: Tensor) => multiLabel({ labels: 3 }).loss(x, [1, 0, 1, 0, 0, 1])],
    ['regression', [3, 2], (x: Tensor) => regression({ outputs: 2 }).loss(x, [1, 0, 1, 0, 0, 1])],
  ])('gradients equal finite differences: %s', async (_name, shape, loss) => {
    expect(await gradientCheck((on: Device) => ({ x: tensor(on, logits, shape) }), ({ x }) => loss(x))).toBeLessThan(1e-6);
    expect(valueAndGrad<{ x: Tensor }>(({ x }) => loss(x))({ x: tensor(reference, logits, shape) }).grads.x.shape).toEqual(shape);
  });

  test('judgements: scores by hand, and constant predictions are seen', () => {
    const sure = (labels: number[]) => Float32Array.from(labels.flatMap((label) => [0, 1, 2].map((k) => (k === label ? 9 : 0))));
    const judge = (metric: 'mcc' | 'f1' | 'accuracy', predicted: number[]) => classification({ classes: 3, metric }).judge(sure(predicted), [0, 1, 2, 2]);
    expect(judge('f1', [0, 1, 1, 2])).toMatchObject({ score: (1 + 2 / 3 + 2 / 3) / 3, constant: false });
    expect(classification({ classes: 5, metric: 'f1' }).judge(Float32Array.from([9, 0, 0, 0, 0, 0, 9, 0, 0, 0]), [0, 0]).score).toBeCloseTo(1 / 3, 12); // f1_score([0, 0], [0, 1], average='macro')
    expect(judge('accuracy', [0, 1, 1, 2]).score).toBe(0.75);
    expect(judge('mcc', [1, 1, 1, 1])).toMatchObject({ score: 0, constant: true });
    expect(regression().judge(Float32Array.of(1, 2, 3), [2, 4, 6])).toMatchObject({ score: 1, constant: false });
    expect(regression({ metric: 'r2' }).judge(Float32Array.of(4, 4, 4), [2, 4, 6])).toMatchObject({ score: 0, constant: true });
    expect(multiLabel({ labels: 2 }).judge(Float32Array.of(1, -1, 1, -1), [1, 0, 0, 1])).toMatchObject({ score: 1 / 3, constant: true });
    allClose(Float64Array.of(multiLabel({ labels: 2, metric: 'accuracy' }).judge(Float32Array.of(1, -1, 1, 1), [1, 0, 0, 1]).score), [0.75], 1e-12);
    expect(() => regression({ metric: 'mcc' })).toThrow('objective: expected a metric among pearson, r2, loss, got mcc');
    expect(() => classification({ classes: 2, classWeights: [1] })).toThrow('objective: expected 2 class weights above 0, got [1]');
  });
});

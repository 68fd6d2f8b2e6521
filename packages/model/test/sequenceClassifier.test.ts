import { createWasmDevice, free, type Device } from '@genomelm/kernels';
import { createModel, createSequenceClassifier, type Example, type FitFacts, type Progress } from '../src';
import { kmerEncoder, plantedMotif, scoreOf, tiny } from './motif';

const encoder = kmerEncoder(3);
let device: Device;
beforeAll(async () => { device = await createWasmDevice({ threads: 1 }); });
afterAll(async () => {
  expect(device.memory.live).toBe(0);
  await device.destroy();
});

test('a planted motif is found: MCC above 0.9', async () => {
  const [train, dev, test_] = [plantedMotif(1200, 1), plantedMotif(200, 2), plantedMotif(400, 3)];
  expect(await scoreOf(train, dev, test_, device)).toBeGreaterThan(0.9);
});

describe('fit', () => {
  const [train, dev] = [plantedMotif(60, 1), plantedMotif(20, 2)];
  const classifier = () => createSequenceClassifier(tiny, encoder, { device });
  const fit = (hyperparameters: Record<string, number>, seed = 1, more: object = {}) => classifier().fit(train, dev, { classes: 2, hyperparameters: { epochs: 2, tokensPerBatch: 512, ...hyperparameters }, seed, ...more });

  test('the same seed gives the same curve and the same predictions, another seed others', async () => {
    const run = async (seed: number) => {
      const fitted = await fit({}, seed);
      const outcome = { curve: fitted.curve, probabilities: await fitted.predict(dev) };
      await fitted.dispose();
      return outcome;
    };
    const [first, again, other] = [await run(1), await run(1), await run(2)];
    expect(again).toEqual(first);
    expect(other.curve).not.toEqual(first.curve);
  });

  test('one thread and two give the same to the bit', async () => {
    const run = async (threads: number) => {
      const own = await createWasmDevice({ threads });
      const fitted = await createSequenceClassifier(tiny, encoder, { device: own }).fit(train, dev, { classes: 2, hyperparameters: { epochs: 2, tokensPerBatch: 512 }, seed: 1 });
      const outcome = { curve: fitted.curve, probabilities: await fitted.predict(dev) };
      await own.destroy();
      return outcome;
    };
    expect(await run(2)).toEqual(await run(1));
  });

  test('computing layers again changes nothing but the memory', async () => {
    const run = async (checkpoint: boolean) => {
      const own = await createWasmDevice({ threads: 1 });
      const deep = (facts: FitFacts) => ({ ...tiny(facts), numLayers: 6 });
      const fitted = await createSequenceClassifier(deep, encoder, { device: own, checkpoint }).fit(train, dev, { classes: 2, hyperparameters: { epochs: 1, tokensPerBatch: 2048 }, seed: 1 });
      const outcome = { curve: fitted.curve, probabilities: await fitted.predict(dev) };
      await own.destroy();
      return { outcome, peak: own.memory.peak };
    };
    const [kept, again] = [await run(false), await run(true)];
    expect(again.outcome).toEqual(kept.outcome);
    expect(again.peak).toBeLessThan(kept.peak / 2);
  });

  test('probabilities are rows that sum to 1, in the order of the examples', async () => {
    const fitted = await fit({ epochs: 1 });
    const all = await fitted.predict(dev);
    expect(all).toHaveLength(2 * dev.length);
    for (let i = 0; i < dev.length; i++) {
      expect(all[2 * i] + all[2 * i + 1]).toBeCloseTo(1, 6);
      expect([...await fitted.predict([dev[i]])].map((p, c) => Math.abs(p - all[2 * i + c]) < 1e-6)).toEqual([true, true]);
    }
    expect(await fitted.predict([])).toEqual(new Float32Array(0));
    await fitted.dispose();
  });

  test('tells what it did', async () => {
    const events: Progress[] = [];
    const fitted = await fit({ maxLength: 30 }, 1, { onProgress: (event: Progress) => events.push(event) });
    const layer = 3 * 16 * 16 + 3 * 16 + 16 * 16 + 16 + 32 + 64 * 16 + 16 * 32 + 16 + 32;
    expect(fitted.report).toMatchObject({ nonEmbeddingParameters: layer + 32 + 34, parameters: layer + 32 + 34 + 16 * (69 + 2 + 30 + 9 + 21), tokensPerBase: 30 / 40, truncatedTrainFraction: 1, truncatedDevFraction: 1, maxTokens: 30, epochs: 2, steps: fitted.curve.at(-1)!.step, tokensSeen: 2 * 60 * 30 });
    await fitted.predict([{ sequence: 'ACGTACGT', label: -1 }, { sequence: 'A'.repeat(100), label: -1 }, { sequence: 'ACG', label: -1 }, { sequence: 'A', label: -1 }]);
    expect(fitted.report.truncatedFraction).toBe(0.25);
    const evaluations = events.filter(({ kind }) => kind === 'evaluation').map(({ epoch }) => epoch);
    expect(evaluations).toEqual([1, 2]);
    expect(evaluations).toContain(fitted.report.bestEpoch);
    await fitted.dispose();
  });

  test('pairs: the second sequence is of type 1, and both count', async () => {
    const pairs = train.map((example, i) => ({ ...example, pair: train[(i * 7) % train.length].sequence }));
    const fitted = await classifier().fit(pairs, pairs.slice(0, 10), { classes: 2, hyperparameters: { epochs: 1 }, seed: 1 });
    const swapped = pairs.slice(0, 5).map(({ sequence, pair, label }) => ({ sequence: pair, pair: sequence, label }));
    expect(await fitted.predict(swapped)).not.toEqual(await fitted.predict(pairs.slice(0, 5)));
    expect(fitted.report.tokensPerBase).toBeCloseTo((2 * 38 + 3) / 80, 12);
    await fitted.dispose();
  });

  test('without dev examples the last parameters stay', async () => {
    const fitted = await classifier().fit(train, [], { classes: 2, hyperparameters: { epochs: 1 }, seed: 1 });
    expect(fitted.report.bestEpoch).toBeUndefined();
    await fitted.dispose();
  });

  test('an abort ends it and frees all', async () => {
    const before = device.memory.live;
    await expect(fit({ epochs: 2000 }, 1, { signal: AbortSignal.timeout(200) })).rejects.toThrow(/timeout/);
    await expect(fit({}, 1, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/);
    expect(device.memory.live).toBe(before);
  });

  test.each<[string, object, string]>([
    ['an unknown hyper-parameter', { hyperparameters: { learningrate: 1 } }, 'hyperparameters: expected one of learningRate, epochs'],
    ['a text where a number belongs', { hyperparameters: { epochs: '3' } }, 'expected epochs to be an integer from 0 on, got "3"'],
    ['a share above 1', { hyperparameters: { maskProbability: 1.5 } }, 'expected maskProbability to be a number from 0 to below 1, got 1.5'],
    ['one class', { classes: 1 }, 'fit: expected at least 2 classes, got 1'],
    ['a label beyond the classes', { classes: 3, train: [{ sequence: 'ACGT', label: 3 }] }, 'fit: expected a label from 0 to 2, got 3 in train example 0'],
    ['a label that is a fraction', { dev: [{ sequence: 'ACGT', label: 0.5 }] }, 'got 0.5 in dev example 0'],
    ['no training examples', { train: [] }, 'fit: expected training examples, got none'],
  ])('%s is refused', async (_name, { train: ownTrain = train, dev: ownDev = dev, ...change }: { train?: Example[]; dev?: Example[] }, message) => {
    const before = device.memory.live;
    await expect(classifier().fit(ownTrain, ownDev, { classes: 2, hyperparameters: {}, seed: 1, ...change })).rejects.toThrow(message);
    expect(device.memory.live).toBe(before);
  });
});

describe('createSequenceClassifier', () => {
  test('refuses a tokenizer of another vocabulary, another device, unknown settings, and no device', async () => {
    const model = createModel(tiny({ vocabSize: 69, maxTokens: 50, classes: 2, seed: 1 }), { device, seed: 1 });
    expect(() => createSequenceClassifier(model, kmerEncoder(4))).toThrow("expected a tokenizer with the model's vocabulary of 69, got one of 261");
    const other = await createWasmDevice({ threads: 1 });
    expect(() => createSequenceClassifier(model, encoder, { device: other })).toThrow('expected the device that the model lives on');
    expect(() => createSequenceClassifier(tiny, encoder)).toThrow('expected a device to train on, got none');
    expect(() => createSequenceClassifier(tiny, encoder, { device, hyperparameters: { rate: 1 } as object })).toThrow('expected one of learningRate');
    await other.destroy();
    free(model.params);
  });

  test('copies the weights of a model for each fit, and leaves the model alone', async () => {
    const model = createModel({ ...tiny({ vocabSize: 69, maxTokens: 45, classes: 2, seed: 1 }), pooling: 'cls' }, { device, seed: 1 });
    const classifier = createSequenceClassifier(model, encoder, { hyperparameters: { epochs: 1 } });
    const run = async () => {
      const fitted = await classifier.fit(plantedMotif(40, 1), plantedMotif(10, 2), { classes: 2, hyperparameters: {}, seed: 3 });
      const { curve } = fitted;
      await fitted.dispose();
      return curve;
    };
    const before = device.memory.live;
    expect(await run()).toEqual(await run());
    expect(device.memory.live).toBe(before);
    free(model.params);
  });

  test('the fingerprint tells weights, configurations, tokenizers and settings apart', () => {
    const config = tiny({ vocabSize: 69, maxTokens: 45, classes: 2, seed: 1 });
    const [a, b] = [1, 2].map((seed) => createModel(config, { device, seed }));
    const shifted = { ...encoder, encode: (sequence: string) => encoder.encode(sequence).map((id) => (id > 4 ? 5 + ((id - 4) % 64) : id)) };
    const prints = [
      createSequenceClassifier(a, encoder), createSequenceClassifier(b, encoder), createSequenceClassifier(tiny, encoder, { device }), createSequenceClassifier(a, shifted),
      createSequenceClassifier(a, encoder, { pooling: 'cls' }), createSequenceClassifier(a, encoder, { hyperparameters: { epochs: 9 } }), createSequenceClassifier(a, encoder, { tokenizerFingerprint: 'x' }),
    ].map(({ fingerprint }) => fingerprint);
    expect(new Set(prints).size).toBe(prints.length);
    expect(createSequenceClassifier(a, encoder).fingerprint).toBe(prints[0]);
    device.write(a.params.bert.embeddings.LayerNorm.bias, new Float32Array(16).fill(1));
    expect(createSequenceClassifier(a, encoder).fingerprint).not.toBe(prints[0]);
    free([a.params, b.params]);
  });
});

// Each kind of label on a problem whose answer can be read off the sequence.
import { createRandom, createWasmDevice, flatten, free, read, type Device } from '@genomelm/kernels';
import { allClose } from '@genomelm/kernels/testing';
import { createModel, createSequenceClassifier, finetuneClassifier, forward, loadPretrained, packBatch, predict, predictBases, serializePretrained, smallConfig, type ClassifierConfig, type FinetuneClassifierOptions, type LabelledSequence, type Model } from '../src';
import { predictLogits } from '../src/predict';
import { tinyDecoder } from './tinyDecoder';

const specialIds = { unk: 0, cls: 1, sep: 2, pad: 3, mask: 4 };
const ids = (sequence: string) => Uint32Array.from([1, ...[...sequence].map((base) => 5 + 'ACGT'.indexOf(base)), 2]);
const encoder = {
  vocabSize: 9, specialIds, encode: (sequence: string, { maxLength = Infinity } = {}) => ids(sequence).subarray(0, maxLength),
  encodeWithOffsets: (sequence: string) => ({ ids: ids(sequence), offsets: Uint32Array.from([0, 0, ...[...sequence].flatMap((_, i) => [i, i + 1]), 0, 0]) }),
};
const config = { ...smallConfig({ vocabSize: 9, maxPositions: 32 }), hiddenSize: 16, intermediateSize: 32, numLayers: 1, numHeads: 2, initializerRange: 0.2 };
const random = createRandom(4);
const sequences = Array.from({ length: 120 }, () => Array.from({ length: 20 }, () => 'ACGT'[random.integer(4)]).join(''));
const count = (sequence: string, base: string) => [...sequence].filter((own) => own === base).length;
const dataOf = (targets: (sequence: string) => number[]) => {
  const all: LabelledSequence[] = sequences.map((sequence) => ({ sequence, targets: targets(sequence) }));
  return { train: all.slice(0, 80), dev: all.slice(80) };
};

let device: Device, model: Model;
beforeAll(async () => {
  device = await createWasmDevice({ threads: 1 });
  model = createModel(config, { device, seed: 1 });
});
afterAll(async () => {
  free(model.params);
  expect(device.memory.live).toBe(0);
  await device.destroy();
});

const settings = { seed: 1, checkpoint: false, hyperparameters: { epochs: 12, learningRate: 1e-2, batchSize: 16, dropout: 0 } } as const;

test.each<[string, Partial<FinetuneClassifierOptions> & Pick<FinetuneClassifierOptions, 'classifier'>, (sequence: string) => number[], number]>([
  ['classes, with balanced weights and F1', { classifier: { problemType: 'single_label_classification', level: 'sequence', labels: ['few', 'many'] }, classWeights: 'balanced', metric: 'f1' }, (sequence) => [count(sequence, 'A') > 4 ? 1 : 0], 0.8],
  ['several labels', { classifier: { problemType: 'multi_label_classification', level: 'sequence', labels: ['A', 'C'] } }, (sequence) => [count(sequence, 'A') > 4 ? 1 : 0, count(sequence, 'C') > 4 ? 1 : 0], 0.7],
  ['numbers, in their own unit', { classifier: { problemType: 'regression', level: 'sequence', labels: ['A', 'C'] } }, (sequence) => [1000 + 50 * count(sequence, 'A'), -count(sequence, 'C')], 0.8],
  ['a class for each base', { classifier: { problemType: 'single_label_classification', level: 'token', labels: ['not G', 'G'] } }, (sequence) => [...sequence].map((base, i) => (i === 3 ? -100 : base === 'G' ? 1 : 0)), 0.95],
])('%s', async (_name, own, targets, least) => {
  const data = dataOf(targets);
  const fitted = await finetuneClassifier(model, encoder, data, { ...settings, ...own });
  expect(fitted.dev!.score).toBeGreaterThan(least);
  const judged = await fitted.judge(data.dev);
  expect(judged.score).toBeCloseTo(fitted.dev!.score, 4);
  if (own.classifier.problemType === 'regression') expect(judged.logits[0]).toBeGreaterThan(900);
  // What is saved is the same classifier, with the names of its outputs.
  const again = await loadPretrained(await serializePretrained(fitted.model), { device }) as Model;
  expect(again.config.classifier).toEqual(own.classifier);
  if (own.classifier.level === 'token') {
    const [whole, cut] = await Promise.all([undefined, 6].map((maxLength) => predictBases(again, encoder, sequences.slice(0, 9), { maxLength })));
    const alone = await predictBases(again, encoder, sequences.slice(8, 9));
    expect(whole[8].labels).toEqual(alone[0].labels);
    expect(alone[0].labels).toEqual([...sequences[8]].map((base) => (base === 'G' ? 'G' : 'not G')));
    expect(Array.from(alone[0].outputs['G'], (p, i) => p + alone[0].outputs['not G'][i]).every((total) => Math.abs(total - 1) < 1e-5)).toBe(true);
    expect(cut[0].labels.map((label) => label === null)).toEqual([...sequences[0]].map((_, i) => i > 4));
    await expect(predict(again, encoder, [{ sequence: 'ACGT' }])).rejects.toThrow('use predictBases');
  } else await expect(predictBases(again, encoder, ['ACGT'])).rejects.toThrow('predictBases: expected a classifier of tokens');
  free([fitted.model.params, again.params]);
});

describe('a decoder', () => {
  const own = { ...tinyDecoder, vocabSize: 9, numLayers: 1, initializerRange: 0.2 };
  const classes: ClassifierConfig = { problemType: 'single_label_classification', level: 'sequence', labels: ['few', 'many'] };
  const numbers: ClassifierConfig = { problemType: 'regression', level: 'sequence', labels: ['A'] };

  test('scores sequences by the last token after the final norm, without a bias', async () => {
    const decoder = createModel({ ...own, classifier: classes }, { device, seed: 1, classes: 2, causalLm: false });
    expect(flatten(decoder.params).map(([name]) => name)).toContain('score.weight');
    const [short, long] = [ids('ACG'), ids('TTGACA')];
    const [together, alone] = [await predictLogits(decoder, [{ inputIds: short }, { inputIds: long }]), await predictLogits(decoder, [{ inputIds: long }])];
    const hidden = forward(decoder, packBatch([long])).hiddenStates;
    const [states, weight] = [await read(hidden), await read(decoder.params.score!.weight)];
    const last = Array.from(states).slice(-own.hiddenSize);
    const expected = [0, 1].map((row) => last.reduce((total, x, i) => total + x * weight[row * own.hiddenSize + i], 0));
    allClose(alone, expected, 1e-5);
    allClose(together.subarray(2), expected, 1e-5);
    free([hidden, decoder.params]);
  });

  test.each<[string, ClassifierConfig, 'full' | 'lora' | 'probe', number]>([
    ['classes, all of it', classes, 'full', 0.7], ['classes, adapters', classes, 'lora', 0.5], ['classes, a probe', classes, 'probe', 0.1], ['numbers, in their own unit', numbers, 'full', 0.7],
  ])('%s', async (_name, classifier, protocol, least) => {
    const decoder = createModel(own, { device, seed: 1 });
    const data = dataOf((sequence) => (classifier === numbers ? [50 * count(sequence, 'A')] : [count(sequence, 'A') > 4 ? 1 : 0]));
    const fitted = await finetuneClassifier(decoder, encoder, data, { ...settings, classifier, protocol, lora: { rank: 4 } });
    expect(fitted.dev!.score).toBeGreaterThan(least);
    const judged = await fitted.judge(data.dev);
    expect(judged.score).toBeCloseTo(fitted.dev!.score, 4);
    const asked = data.dev.map(({ sequence }) => ({ sequence }));
    const files = await serializePretrained(fitted.model);
    expect(JSON.parse(files.config)).toMatchObject({ architectures: ['MistralForSequenceClassification'], id2label: { ...classifier.labels } });
    const again = await loadPretrained(files, { device, architecture: 'decoder' });
    expect(again.config).toEqual(fitted.model.config);
    expect(again.missingKeys).toEqual(['lm_head.weight']);
    expect(await predict(again, encoder, asked)).toEqual(await predict(fitted.model, encoder, asked));
    free([decoder.params, fitted.model.params, fitted.lora?.adapters ?? [], again.params]);
  });

  test('one output of which nothing is said is a number, as in transformers', async () => {
    const unnamed = createModel(own, { device, seed: 1, classes: 1 });
    const logits = await predictLogits(unnamed, [{ inputIds: ids('ACGT') }]);
    const [{ labels, outputs }] = await predict(unnamed, encoder, [{ sequence: 'ACGT' }]);
    expect([labels, outputs]).toEqual([[], { LABEL_0: logits[0] }]);
    expect(logits[0]).not.toBe(1);
    free(unnamed.params);
  });

  test('is fine-tuned for the benchmark too', async () => {
    const decoder = createModel(own, { device, seed: 1 });
    const examples = sequences.map((sequence) => ({ sequence, label: count(sequence, 'A') > 4 ? 1 : 0 }));
    const fitted = await createSequenceClassifier(decoder, encoder).fit(examples.slice(0, 80), examples.slice(80), { classes: 2, seed: 1, hyperparameters: { epochs: 12, learningRate: 1e-2, batchSize: 16 } });
    expect(fitted.report['devMcc']).toBeGreaterThan(0.7);
    expect(() => createSequenceClassifier(decoder, encoder, { protocol: 'zero-shot' })).toThrow("expected an encoder for protocol 'zero-shot', got a decoder");
    await fitted.dispose();
    free(decoder.params);
  });

  test('has no classes of tokens and no dropout', async () => {
    const decoder = createModel(own, { device, seed: 1 });
    const data = dataOf((sequence) => [...sequence].map(() => 0));
    await expect(finetuneClassifier(decoder, encoder, data, { ...settings, classifier: { ...classes, level: 'token' } })).rejects.toThrow("expected classifier.level 'sequence' for a decoder");
    await expect(finetuneClassifier(decoder, encoder, dataOf(() => [0]), { ...settings, hyperparameters: { dropout: 0.1 }, classifier: classes })).rejects.toThrow('expected dropout 0 for a decoder');
    free(decoder.params);
  });
});

test('early stopping ends before the epochs do, and keeps the best', async () => {
  const data = dataOf((sequence) => [Number(sequence > 'G')]);
  const fitted = await finetuneClassifier(model, encoder, data, { ...settings, hyperparameters: { ...settings.hyperparameters, epochs: 60 }, patience: 2, classifier: { problemType: 'single_label_classification', level: 'sequence', labels: ['a', 'b'] }, metric: 'accuracy' });
  expect(fitted.curve.filter(({ devScore }) => devScore !== undefined).length).toBeLessThan(60);
  expect(fitted.steps).toBe(fitted.curve.at(-1)!.step);
  free(fitted.model.params);
});

test('what cannot be is said', async () => {
  const classifier = { problemType: 'single_label_classification', level: 'sequence', labels: ['a', 'b'] } as const;
  const fit = (targets: number[], more: Partial<FinetuneClassifierOptions> = {}) => finetuneClassifier(model, encoder, { train: [{ sequence: 'ACGT', targets }], dev: [] }, { ...settings, classifier, ...more });
  await expect(fit([2])).rejects.toThrow('expected classes from 0 to 1, got 2 in example 0');
  await expect(fit([0, 1])).rejects.toThrow('expected 1 targets for example 0, got 2');
  await expect(fit([0.5], { classifier: { ...classifier, problemType: 'multi_label_classification' } })).rejects.toThrow('expected 2 targets for example 0, got 1');
  await expect(fit([NaN], { classifier: { ...classifier, problemType: 'regression', labels: ['y'] } })).rejects.toThrow('expected numbers, got NaN in example 0');
  await expect(fit([-100, -100, -100, -100], { classifier: { ...classifier, level: 'token' } })).rejects.toThrow('expected a label for a base at least, got none in 1 examples');
  await expect(fit([0], { metric: 'r2' })).rejects.toThrow('expected a metric among mcc, f1, accuracy, loss, got r2');
  await expect(fit([0], { protocol: 'lora', lora: { targetModules: ['query'] } })).rejects.toThrow('applyLora: expected targetModules');
});

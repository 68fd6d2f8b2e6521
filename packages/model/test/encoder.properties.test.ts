import { createReferenceDevice, free, read, scope, type Device, type Tensor } from '@genomelm/kernels';
import { allClose, gradientCheck } from '@genomelm/kernels/testing';
import { classificationLoss, classify, createModel, forward, maskedLmLogits, maskedLmLoss, packBatch, type Params } from '../src';
import { prefixIds } from '../src/layers/embedding';
import { devices } from './devices';
import { sequences, tiny, variants } from './tinyEncoder';

describe.each(Object.entries(devices))('on %s', (_kind, create) => {
  test.each(Object.entries(variants))('a packed batch equals each sequence alone: %s', async (_name, config) => {
    const device = await create();
    const model = createModel(config, { device, seed: 5, classes: 3 });
    const together = scope<Tensor>(() => classify(model, packBatch(sequences)));
    const alone = sequences.map((sequence) => scope<Tensor>(() => classify(model, packBatch([sequence]))));
    for (const [i, one] of alone.entries()) allClose(Array.from(await read(together)).slice(3 * i, 3 * i + 3), await read(one), 2e-6, `sequence ${i}`);
    free([together, alone, model.params]);
    expect(device.memory.live).toBe(0);
    await device.destroy();
  });

  test('dropout depends on seed and step alone, and recomputing layers changes nothing', async () => {
    const device = await create();
    const model = createModel({ ...tiny, hiddenDropout: 0.3 }, { device, seed: 5 });
    const run = async (train: { seed: number; step: number } | undefined, checkpoint = false) => {
      const { hiddenStates } = forward(model, packBatch(sequences), { train, checkpoint });
      const values = Array.from(await read(hiddenStates));
      free(hiddenStates);
      return values;
    };
    const first = await run({ seed: 1, step: 1 });
    expect(await run({ seed: 1, step: 1 })).toEqual(first);
    expect(await run({ seed: 1, step: 1 }, true)).toEqual(first);
    for (const other of [{ seed: 2, step: 1 }, { seed: 1, step: 2 }, undefined]) expect(await run(other)).not.toEqual(first);
    await device.destroy();
  });
});

test('gradients equal finite differences: one layer with learned positions, factored k-mers and mean pooling', async () => {
  const config = { ...tiny, numLayers: 1 };
  const batch = packBatch(sequences.slice(0, 3).map((sequence) => sequence.slice(0, 7)));
  const make = (device: Device): Params => createModel({ ...config, initializerRange: 0.5 }, { device, seed: 3, maskedLm: false, classes: 3 }).params;
  expect(await gradientCheck(make, (params) => classificationLoss({ config, params }, batch, [0, 2, 1]), { samples: 6 })).toBeLessThan(1e-6);
});

test('the prefix of a k-mer is the number of its first bases', () => {
  const number = (kmer: string) => [...kmer].reduce((value, base) => 4 * value + 'ACGT'.indexOf(base), 5 - 0) - (5 * 4 ** kmer.length - 5);
  const kmers = ['AAAAAA', 'ACGTAC', 'TTTTTT', 'GATTAC'];
  const inputIds = Uint32Array.from([0, 1, 4, ...kmers.map(number)]);
  for (const length of [1, 2, 3, 4]) expect([...prefixIds(inputIds, 6, length)]).toEqual([0, 1, 4, ...kmers.map((kmer) => number(kmer.slice(0, length)))]);
});

describe('createModel', () => {
  const read32 = async (tensor: Tensor) => Float32Array.from(await read(tensor));

  test('the same seed gives the same weights on every device, and a head changes no other weight', async () => {
    const made = await Promise.all(Object.values(devices).map(async (create) => {
      const device = await create();
      const model = createModel(tiny, { device, seed: 9, classes: 2 });
      const values = await read32(model.params.bert.encoder.layer[1].mlp.wo.weight);
      await device.destroy();
      return values;
    }));
    for (const other of made) expect(other).toEqual(made[0]);
    const device = createReferenceDevice();
    expect(await read32(createModel(tiny, { device, seed: 9, maskedLm: false }).params.bert.encoder.layer[1].mlp.wo.weight)).toEqual(made[0]);
    expect(await read32(createModel(tiny, { device, seed: 10 }).params.bert.encoder.layer[1].mlp.wo.weight)).not.toEqual(made[0]);
  });

  test('weights are normal with the deviation asked for, biases 0, LayerNorm 1, the padding row 0', async () => {
    const device = createReferenceDevice();
    const { params } = createModel({ ...tiny, hiddenSize: 64, padTokenId: 3 }, { device, seed: 1 });
    const words = await read32(params.bert.embeddings.word_embeddings.weight);
    expect(words.slice(3 * 64, 4 * 64).every((x) => x === 0)).toBe(true);
    const deviation = Math.sqrt(words.reduce((total, x) => total + x * x, 0) / (words.length - 64));
    expect(Math.abs(deviation / 0.02 - 1)).toBeLessThan(4 / Math.sqrt(2 * words.length));
    expect((await read32(params.bert.encoder.layer[0].mlp.wo.bias!)).every((x) => x === 0)).toBe(true);
    expect((await read32(params.bert.embeddings.LayerNorm.weight)).every((x) => x === 1)).toBe(true);
  });
});

test('what a model lacks is said', () => {
  const model = createModel(tiny, { device: createReferenceDevice(), seed: 1, maskedLm: false });
  const batch = packBatch(sequences);
  expect(() => maskedLmLogits(model, batch)).toThrow('maskedLmLogits: expected a model with a masked-LM head, got one without');
  expect(() => classify(model, batch)).toThrow('classify: expected a model with a classifier, got one without');
  const whole = createModel(tiny, { device: createReferenceDevice(), seed: 1 });
  expect(() => maskedLmLogits(whole, batch, [0, 45])).toThrow('expected positions below totalTokens 45, got 45');
  expect(() => maskedLmLoss(whole, batch, [1])).toThrow('expected 45 labels, one for each token, got 1');
  expect(() => maskedLmLoss(whole, batch, new Int32Array(45))).toThrow('expected at least one labelled token');
  expect(() => forward(model, packBatch([new Uint32Array(25)]))).toThrow('expected at most 24 tokens in a sequence');
});

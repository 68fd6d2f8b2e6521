// Pre-training: what must not change the result, and problems with a known answer.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createRandom, createWasmDevice, flatten, free, read, type Device } from '@genomelm/kernels';
import { allClose } from '@genomelm/kernels/testing';
import { bitsPerBase, cosineSchedule, createModel, packBatch, pretrain, smallConfig, validate, type AnyModel, type Corpus, type PretrainOptions } from '../src';
import { maskForPrediction } from '../src/train/maskTokens';
import { readJson } from './golden';

const specialIds = { unk: 0, cls: 1, sep: 2, pad: 3, mask: 4 };
const vocabSize = 9;
const encoderConfig = { ...smallConfig({ vocabSize, maxPositions: 64 }), hiddenSize: 16, intermediateSize: 32, numHeads: 2, numLayers: 1, hiddenDropout: 0.1, initializerRange: 0.2 };
const decoderConfig = { vocabSize, hiddenSize: 16, numLayers: 1, numHeads: 2, numKvHeads: 1, headDim: 8, intermediateSize: 32, ropeTheta: 10_000, rmsNormEps: 1e-6, initializerRange: 0.1, maxPositions: 64, tiedHead: false, bosTokenId: 1, eosTokenId: 2 };

/** Bases of a chain in which each follows the last but for one time in ten: A C G T A C … */
function chain(length: number, seed: number): Uint32Array {
  const random = createRandom(seed, 5);
  let base = 0;
  return Uint32Array.from({ length }, (_, i) => (i === 0 ? 1 : 5 + (base = random.uniform() < 0.9 ? (base + 1) % 4 : random.integer(4))));
}
const sequences = Array.from({ length: 40 }, (_, i) => chain(20 + ((i * 13) % 40), i));
const corpus: Corpus = { lengths: sequences.map(({ length }) => length), read: async (i) => ({ inputIds: sequences[i] }) };
const settings: PretrainOptions = { specialIds, steps: 6, tokensPerStep: 200, learningRate: 1e-2, warmupSteps: 2, seed: 1 };
const make = (device: Device, kind: 'encoder' | 'decoder'): AnyModel => (kind === 'encoder' ? createModel(encoderConfig, { device, seed: 1 }) : createModel(decoderConfig, { device, seed: 1 }));

let device: Device;
beforeAll(async () => { device = await createWasmDevice({ threads: 1 }); });
afterAll(async () => {
  expect(device.memory.live).toBe(0);
  await device.destroy();
});

async function run(kind: 'encoder' | 'decoder', options: Partial<PretrainOptions> = {}, own: Corpus = corpus) {
  const model = make(device, kind);
  try {
    const result = await pretrain(model, own, { ...settings, ...options });
    return { result, params: (await Promise.all(flatten(model.params).map(([, leaf]) => read(leaf)))).map(String) };
  } finally {
    free(model.params);
  }
}

describe.each(['encoder', 'decoder'] as const)('%s', (kind) => {
  test('the same seed gives the same bits, another others; layers computed again change nothing', async () => {
    const first = await run(kind);
    expect(await run(kind)).toEqual(first);
    expect((await run(kind, { checkpointLayers: true })).params).toEqual(first.params);
    expect((await run(kind, { seed: 2 })).params).not.toEqual(first.params);
    expect(first.result).toMatchObject({ steps: 6, tokens: 1200, resumedFrom: 0 });
  });

  test('aborted at any step and taken up again it ends with the same bits and the same curve', async () => {
    const whole = await run(kind, { reportEvery: 2, save: { directory: mkdtempSync(path.join(tmpdir(), 'genomelm-')), every: 2, data: 'd' } });
    for (const stop of [1, 3, 4]) {
      const directory = mkdtempSync(path.join(tmpdir(), 'genomelm-'));
      const save = { directory, every: 2, data: 'd' };
      const abort = new AbortController();
      let reads = 0;
      const stopping: Corpus = { ...corpus, read: (i) => { if (++reads > stop * 6) abort.abort(new Error('cut')); return corpus.read(i); } };
      await expect(run(kind, { reportEvery: 2, save, signal: abort.signal }, stopping)).rejects.toThrow('cut');
      const again = await run(kind, { reportEvery: 2, save });
      expect(again.params).toEqual(whole.params);
      expect(again.result.curve).toEqual(whole.result.curve);
      expect(readdirSync(directory)).toEqual(['step-00000004', 'step-00000006']);
      await expect(run(kind, { save, learningRate: 1e-3 })).rejects.toThrow('expected a checkpoint of this run');
      rmSync(directory, { recursive: true });
    }
  });

  test('a step in parts has the loss of the step as a whole', async () => {
    const dry = { steps: 1, warmupSteps: 0 };
    const losses = await Promise.all([200, 60].map(async (tokensPerBatch) => {
      const model = kind === 'encoder' ? createModel({ ...encoderConfig, hiddenDropout: 0 }, { device, seed: 1 }) : make(device, kind);
      // Nothing is masked differently: every token is chosen.
      const { curve } = await pretrain(model, corpus, { ...settings, ...dry, tokensPerBatch, maskProbability: 0.999 });
      free(model.params);
      return curve[0].trainLoss!;
    }));
    expect(Math.abs(losses[0] - losses[1])).toBeLessThan(kind === 'encoder' ? 0.05 : 1e-5);
  });

  test('learns the chain: loss, accuracy, by contig and class', async () => {
    const model = make(device, kind);
    const heldOut = Array.from({ length: 20 }, (_, i) => 1000 + i).map((seed, i) => {
      const inputIds = chain(60, seed);
      return { inputIds, contig: `c${i % 2}`, bases: Array.from(inputIds, (id) => (id >= 5 ? 1 : 0)), classes: Array.from(inputIds, (_, at) => at % 2), scoreFrom: 1 };
    });
    const judge = () => validate(model, heldOut, { specialIds, classNames: ['even', 'odd'] });
    const before = await judge();
    await pretrain(model, corpus, { ...settings, steps: kind === 'encoder' ? 120 : 60, learningRate: 2e-2 });
    const after = await judge();
    // 0.925 for the next base and 0.025 for each other: 0.50 bits; without learning about 2.
    if (kind === 'decoder') expect(bitsPerBase(after.whole)).toBeLessThan(1);
    expect(after.whole.nats).toBeLessThan(before.whole.nats);
    // Symmetric ALiBi cannot tell A_G from G_A, so half is what an encoder gets before it has learnt positions; chance is a quarter.
    expect(after.whole.top1 / after.whole.tokens).toBeGreaterThan(kind === 'decoder' ? 0.7 : 0.33);
    for (const name of ['tokens', 'bases', 'top1', 'top5'] as const) {
      expect(after.contigs.c0[name] + after.contigs.c1[name]).toBe(after.whole[name]);
      expect(after.classes.even[name] + after.classes.odd[name]).toBe(after.whole[name]);
      expect(after.sequences.reduce((total, own) => total + own[name], 0)).toBe(after.whole[name]);
    }
    if (kind === 'decoder') expect(after.whole.tokens).toBe(20 * 59);
    free(model.params);
  });

  test('tokens of weight 0 teach nothing', async () => {
    const weighted = (spoil: boolean): Corpus => ({ ...corpus, read: async (i) => {
      const inputIds = sequences[i].slice();
      // What follows the middle has no weight; for a decoder it is no context of what is before.
      const weights = Float32Array.from(inputIds, (_, at) => (at > inputIds.length / 2 ? 0 : 1));
      if (spoil) weights.forEach((weight, at) => { if (!weight) inputIds[at] = 5; });
      return { inputIds, weights };
    } });
    const [a, b] = [await run(kind, { steps: 2 }, weighted(false)), await run(kind, { steps: 2 }, weighted(true))];
    if (kind === 'decoder') a.params.forEach((values, i) => allClose(values.split(',').map(Number), b.params[i].split(',').map(Number), 1e-5));
    expect(a.params).not.toEqual((await run(kind, { steps: 2 })).params);
  });
});

test('what cannot be is said', async () => {
  await expect(run('decoder', { steps: 0 })).rejects.toThrow('pretrain: expected steps of 1 or more, got 0');
  await expect(run('encoder', { specialIds: {} })).rejects.toThrow('expected a tokenizer with [MASK]');
  const model = createModel(encoderConfig, { device, seed: 1, maskedLm: false });
  await expect(pretrain(model, corpus, settings)).rejects.toThrow('expected an encoder with a masked-LM head');
  free(model.params);
});

describe('masks for prediction', () => {
  const batch = packBatch([Uint32Array.from({ length: 16_000 }, (_, i) => (i % 20 ? 5 + (i % 1000) : 1))]);
  const options = { probability: 0.15, maskId: 4, keepIds: [0, 1, 2, 3], seed: 7, step: 3, vocabSize: 1005 };
  const share = (count: number, of: number) => count / of;

  test.each([1, 4])('15 %% are chosen, of them 80 %% hidden, 10 %% changed, 10 %% kept (spans of %i)', (spanLength) => {
    const { batch: hidden, labels } = maskForPrediction(batch, { ...options, spanLength });
    const chosen = Array.from(labels.keys()).filter((i) => labels[i] > 0);
    expect(Math.abs(share(chosen.length, 15_200) - 0.15)).toBeLessThan(spanLength * 4 * Math.sqrt((0.15 * 0.85) / 15_200));
    expect(chosen.every((i) => labels[i] === batch.inputIds[i] && labels[i] >= 5)).toBe(true);
    expect(Math.abs(share(chosen.filter((i) => hidden.inputIds[i] === 4).length, chosen.length) - 0.8)).toBeLessThan(0.04);
    expect(Math.abs(share(chosen.filter((i) => hidden.inputIds[i] === batch.inputIds[i]).length, chosen.length) - 0.1)).toBeLessThan(0.03);
    expect(hidden.inputIds.every((id, i) => labels[i] > 0 || id === batch.inputIds[i])).toBe(true);
    if (spanLength > 1) expect(chosen.filter((i) => labels[i + 1] > 0).length).toBeGreaterThan(0.6 * chosen.length);
  });

  test('in a test all that are chosen are hidden', () => {
    const { batch: hidden, labels } = maskForPrediction(batch, { ...options, hideAll: true });
    expect(labels.some((label) => label > 0)).toBe(true);
    expect(labels.every((label, i) => (label > 0) === (hidden.inputIds[i] === 4))).toBe(true);
  });

  test('another step chooses others', () => {
    const [first, again, other] = [options, options, { ...options, step: 4 }].map((own) => maskForPrediction(batch, own).labels.join());
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });
});

test('cosine decay is that of transformers', () => {
  const { schedules } = readJson<{ schedules: Record<string, number[]> }>(__dirname, '../../kernels/test/golden/optim/index.json');
  const name = Object.keys(schedules).find((own) => /^cosine_w30_t200/.test(own))!;
  schedules[name].slice(0, 201).forEach((expected, step) => expect(Math.abs(cosineSchedule(step, { warmupSteps: 30, totalSteps: 200 }) - expected)).toBeLessThanOrEqual(1e-12));
});

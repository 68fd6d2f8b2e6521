// Pre-training that reads its weights in 16 bits: near float32, to the same bits when it goes on, and on a software GPU too.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createRandom, createWasmDevice, flatten, free, read, type Device } from '@genomelm/kernels';
import { loadPretrained, pretrain, savePretrained, validate, type AnyModel, type Corpus, type HeldOutSequence, type PretrainOptions } from '../src';
import { webgpu } from './devices';
import { describeStoredCopies, kinds, modelOf } from './storedCopies';

describeStoredCopies(webgpu);

/** Each id follows the last but for one time in ten, over 16 ids. */
function chain(length: number, seed: number): Uint32Array {
  const random = createRandom(seed, 5);
  let at = 0;
  return Uint32Array.from({ length }, (_, i) => (i === 0 ? 1 : 5 + (at = random.uniform() < 0.9 ? (at + 1) % 16 : random.integer(16))));
}
const sequences = Array.from({ length: 60 }, (_, i) => chain(20 + ((i * 13) % 40), i));
const corpus: Corpus = { lengths: sequences.map(({ length }) => length), read: async (i) => ({ inputIds: sequences[i] }) };
const settings: PretrainOptions = { specialIds: { unk: 0, cls: 1, sep: 2, pad: 3, mask: 4 }, steps: 150, tokensPerStep: 400, learningRate: 5e-3, warmupSteps: 10, seed: 1, reportEvery: 10 };

const heldOut: HeldOutSequence[] = Array.from({ length: 20 }, (_, i) => {
  const inputIds = chain(50, 900 + i);
  return { inputIds, contig: 'c', bases: Array.from(inputIds, (id) => (id >= 5 ? 1 : 0)) };
});
const lossOn = async (model: AnyModel): Promise<number> => {
  const { whole: { nats, tokens } } = await validate(model, heldOut, { specialIds: settings.specialIds });
  return nats / tokens;
};

let device: Device;
beforeAll(async () => { device = await createWasmDevice({ threads: 1 }); });
afterAll(() => device.destroy());

const train = async (kind: (typeof kinds)[number], options: Partial<PretrainOptions> = {}, own: Corpus = corpus) => {
  const model = modelOf(kind, device);
  try {
    const { curve } = await pretrain(model, own, { ...settings, ...options });
    return { losses: curve.map(({ trainLoss }) => trainLoss!), heldOut: await lossOn(model), params: (await Promise.all(flatten(model.params).map(([, leaf]) => read(leaf)))).map((values) => Float32Array.from(values)) };
  } finally {
    free(model.params);
  }
};

test.each(kinds)('%s: every point of the curve and the held-out loss are within 0.5 %% of float32, and far from where they began', async (kind) => {
  const exact = await train(kind);
  for (const weights of ['float16', 'bfloat16'] as const) {
    const stored = await train(kind, { weights });
    expect(stored.params).not.toEqual(exact.params);
    const apart = [...stored.losses.map((loss, i) => Math.abs(loss / exact.losses[i] - 1)), Math.abs(stored.heldOut / exact.heldOut - 1)];
    process.stderr.write(`${kind}, ${weights}: at most ${(100 * Math.max(...apart)).toFixed(3)} % apart; loss ${exact.losses[0].toFixed(3)} to ${exact.losses.at(-1)!.toFixed(3)}\n`);
    expect(Math.max(...apart)).toBeLessThan(0.005);
  }
  expect(exact.losses.at(-1)!).toBeLessThan(0.8 * exact.losses[0]);
});

test.each(kinds)('%s: cut off and taken up again, it ends with the same bits; with other weights it is another run', async (kind) => {
  const options = { weights: 'bfloat16', steps: 12, tokensPerBatch: 150 } as const;
  const whole = await train(kind, options);
  const directory = mkdtempSync(path.join(tmpdir(), 'genomelm-'));
  const save = { directory, every: 5, data: 'd' };
  const abort = new AbortController();
  let reads = 0;
  await expect(train(kind, { ...options, save, signal: abort.signal }, { ...corpus, read: (i) => { if (++reads > 90) abort.abort(new Error('cut')); return corpus.read(i); } })).rejects.toThrow('cut');
  await expect(train(kind, { ...options, save, weights: 'float32' })).rejects.toThrow('expected a checkpoint of this run');
  expect((await train(kind, { ...options, save })).params).toEqual(whole.params);
  rmSync(directory, { recursive: true });
});

test('what was trained over bfloat16 computes the same after it was saved as bfloat16, but for what is no linear layer', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'genomelm-'));
  const model = modelOf('decoder', device);
  await pretrain(model, corpus, { ...settings, weights: 'bfloat16' });
  await savePretrained(model, directory, { dtype: 'bfloat16' });
  const loaded = await loadPretrained(directory, { device, architecture: 'decoder' });
  expect(Math.abs((await lossOn(loaded)) / (await lossOn(model)) - 1)).toBeLessThan(0.01);
  for (const { params } of [model, loaded]) free(params);
  rmSync(directory, { recursive: true });
});

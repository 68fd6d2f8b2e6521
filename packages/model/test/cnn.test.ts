import { createReferenceDevice, createWasmDevice, type Device } from '@genomelm/kernels';
import { createCnnClassifier } from '../src';
import { plantedMotif, shuffleLabels } from './motif';

let device: Device;
beforeAll(async () => { device = await createWasmDevice({ threads: 1 }); });
afterAll(async () => {
  expect(device.memory.live).toBe(0);
  await device.destroy();
});

const [train, dev, heldOut] = [300, 60, 100].map((count, seed) => plantedMotif(count, seed, { motif: 'GATTACAGATTACA', length: 32 }));
const accuracy = async (examples: typeof train, epochs: number, on: Device = device, chosenOn = dev) => {
  const fitted = await createCnnClassifier({ device: on }).fit(examples, chosenOn, { classes: 2, hyperparameters: { epochs, learningRate: 2e-3 }, seed: 1 });
  const probabilities = await fitted.predict(chosenOn === dev ? heldOut : chosenOn);
  await fitted.dispose();
  return { probabilities, report: fitted.report, right: heldOut.filter(({ label }, i) => (probabilities[2 * i + 1] > 0.5 ? 1 : 0) === label).length / heldOut.length };
};

test('it finds a planted motif, and nothing where labels are shuffled', async () => {
  const { right, report } = await accuracy(train, 5);
  expect(right).toBeGreaterThan(0.85);
  expect(report).toMatchObject({ receptiveField: 50, truncatedFraction: 0, parameters: 32 * 45 + 64 * (7 * 32 + 1) + 64 * (128 + 1) + 64 * 65 + 2 * 65 });
  expect((await accuracy(shuffleLabels(train, 4), 3)).right).toBeLessThan(0.7);
});

test('the same seed gives the same predictions; the reference device comes close', async () => {
  const small = train.slice(0, 8);
  const few = dev.slice(0, 4);
  const [one, two] = [await accuracy(small, 1, device, few), await accuracy(small, 1, device, few)];
  expect(two.probabilities).toEqual(one.probabilities);
  const reference = createReferenceDevice();
  const { probabilities } = await accuracy(small, 1, reference, few);
  one.probabilities.forEach((p, i) => expect(Math.abs(p - probabilities[i])).toBeLessThan(1e-3));
  await reference.destroy();
});

test('pairs, short and foreign letters are taken, bad settings refused', async () => {
  const rows = [{ sequence: 'ACGTN', pair: 'ACGTACGTACGTACGTA', label: 0 }, { sequence: 'acgu', pair: 'TTTT', label: 1 }];
  const fitted = await createCnnClassifier({ device }).fit(rows, rows, { classes: 2, hyperparameters: { epochs: 1 }, seed: 1 });
  const probabilities = await fitted.predict([{ sequence: 'ACGT'.repeat(20), label: -1 }]);
  expect(probabilities[0] + probabilities[1]).toBeCloseTo(1, 6);
  expect(fitted.report.truncatedFraction).toBe(1);
  await fitted.dispose();
  await expect(createCnnClassifier({ device }).fit(rows, rows, { classes: 2, hyperparameters: { heads: 2 }, seed: 1 })).rejects.toThrow('got heads 2');
});

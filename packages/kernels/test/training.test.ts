// A whole training step of a small encoder: recorded, submitted, and only its loss read.
import { createReferenceDevice, leaves, type Device } from '../src';
import { gradientCheck, relativeError } from '../src/testing';
import { devices } from './devices';
import { classifierLoss, createTrainer, initialise } from './encoder';
import { batches, config, train, type Run } from './trainingRun';

let expected: Run;
beforeAll(async () => { expected = await train(createReferenceDevice(), 'scope'); });

test('the loss falls: each batch is better the second time', () => {
  for (let i = 0; i < 5; i++) expect(expected.losses[i + 5]).toBeLessThan(expected.losses[i]);
});

test('gradients of a whole model of one layer equal finite differences', async () => {
  const small = { ...config, hiddenSize: 6, intermediateSize: 5, numLayers: 1 };
  const worst = await gradientCheck((device) => initialise(device, small), (p) => classifierLoss(p, small, batches[0], 'scope').loss, { samples: 2 });
  expect(worst).toBeLessThan(1e-8);
});

test.each(['all', 'checkpoint'] as const)('on reference, keeping %s changes no bit of losses and parameters', async (keep) => {
  const other = await train(createReferenceDevice(), keep);
  expect(other.losses).toEqual(expected.losses);
  expect(other.parameters).toEqual(expected.parameters);
  expect(Math.max(...other.left)).toBe(0);
});

describe.each(Object.entries(devices).filter(([kind]) => kind !== 'reference'))('on %s', (kind, create) => {
  let device: Device;
  beforeAll(async () => { device = await create(); });
  afterAll(() => device.destroy());

  // On a GPU in software they take 7 s: training.long.test.ts.
  if (kind !== 'webgpu') test.each(['scope', 'checkpoint'] as const)('ten steps have the losses of the reference, one read each, and leave no memory behind (%s)', async (keep) => {
    const run = await train(device, keep);
    run.losses.forEach((loss, i) => expect(Math.abs(loss - expected.losses[i])).toBeLessThan(5e-6));
    expect(run.reads).toBe(batches.length);
    expect(Math.max(...run.left)).toBe(0);
    expect(run.reserved.at(-1)).toBeLessThanOrEqual(1.25 * run.reserved[4]);
  });

  test('every gradient of the model is that of the reference', async () => {
    const [mine, theirs] = await Promise.all([device, createReferenceDevice()].map(async (on) => {
      const { value, grads } = createTrainer(on, config, 'scope').gradients(batches[0]);
      return Promise.all([value, ...leaves(grads)].map((t) => on.read(t)));
    }));
    const largest = Math.max(...theirs.flatMap((data) => [...data].map(Math.abs)));
    for (const [i, data] of theirs.entries()) {
      // Gradients that are zero by mathematics (the bias of keys under softmax) are noise: measured against the largest of all.
      const size = Math.max(...[...data].map(Math.abs));
      if (size > 1e-4 * largest) expect(relativeError(mine[i], data)).toBeLessThan(1e-5);
      else data.forEach((x: number, j: number) => expect(Math.abs(mine[i][j] - x)).toBeLessThan(1e-6 * largest));
    }
  });
});

// Training at length: finite differences of the whole model, and two thousand steps on batches of changing size.
import { createReferenceDevice, free, type Device } from '../src';
import { gradientCheck } from '../src/testing';
import { describeWithGpu, devices } from './devices';
import { classifierLoss, createTrainer, initialise, randomBatch } from './encoder';
import { batches as ten, config, train } from './trainingRun';

const steps = 2000;

test('gradients of the whole model equal finite differences', async () => {
  const worst = await gradientCheck((device) => initialise(device, config), (p) => classifierLoss(p, config, ten[0], 'scope').loss, { samples: 2 });
  expect(worst).toBeLessThan(1e-8);
});

describeWithGpu('on webgpu', () => {
  test.each(['scope', 'checkpoint'] as const)('ten steps have the losses of the reference, one read each, and leave no memory behind (%s)', async (keep) => {
    const [device, expected] = [await devices.webgpu(), await train(createReferenceDevice(), 'scope')];
    const run = await train(device, keep);
    run.losses.forEach((loss, i) => expect(Math.abs(loss - expected.losses[i])).toBeLessThan(5e-6));
    expect(run.reads).toBe(ten.length);
    expect(Math.max(...run.left)).toBe(0);
    expect(run.reserved.at(-1)).toBeLessThanOrEqual(1.25 * run.reserved[4]);
    await device.destroy();
  });
});

/** All ops of the larger one, on short batches: a step on a GPU in software takes 50 ms in place of 130. */
const small = { ...config, numLayers: 1 };

// What is alive after each step is what was alive before, and the device asks the machine for nothing more.
test.each(Object.entries(devices).filter(([kind]) => kind !== 'reference'))('memory is flat over 2,000 steps on %s', async (_kind, create) => {
  const device: Device = await create();
  const batches = Array.from({ length: 40 }, (_, i) => randomBatch(1 + ((i * 7) % 5), small, 6, 6));
  const { step } = createTrainer(device, small, 'scope');
  const { live } = device.memory;
  let [reserved, first, last] = [0, 0, 0];
  for (let i = 0; i < steps; i++) {
    const loss = step(batches[i % batches.length], i + 1);
    if (i % 50 === 49) {
      const [value] = await device.read(loss);
      expect(value).toBeLessThan(Infinity);
      if (i < 50) first = value;
      last = value;
    }
    free(loss);
    expect(device.memory.live).toBe(live);
    if (i === 200) ({ reserved } = device.memory);
  }
  expect(device.memory.reserved).toBeLessThanOrEqual(reserved);
  expect(last).toBeLessThan(first);
  await device.destroy();
});

// Two thousand training steps, on batches of changing size: what is alive after each is what was alive before, and the device asks the machine for nothing more.
import { free, type Device } from '../src';
import { devices } from './devices';
import { createTrainer, randomBatch, type Config } from './encoder';

const config: Config = { vocabSize: 41, hiddenSize: 24, numHeads: 3, intermediateSize: 20, numLayers: 2, classes: 3 };
const steps = 2000;

test.each(Object.entries(devices).filter(([kind]) => kind !== 'reference'))('memory is flat over 2,000 steps on %s', async (_kind, create) => {
  const device: Device = await create();
  const batches = Array.from({ length: 40 }, (_, i) => randomBatch(1 + ((i * 7) % 5), config));
  const { step } = createTrainer(device, config, 'scope');
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

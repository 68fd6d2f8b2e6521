import { devices } from '../../../test/devices';
import { adamW, createReferenceDevice, squaredNorm, tensor, type Device } from '../../index';
import { allClose, testNumbers } from '../../testing';

async function threeSteps(device: Device, maxNorm?: number) {
  const [p, g, m, v] = [1, 2, 3, 4].map((seed) => tensor(device, testNumbers(seed, 71).map(seed === 4 ? Math.abs : (x) => x)));
  for (let step = 1; step <= 3; step++) adamW(p, g, m, v, { learningRate: 0.01 * step, beta2: 0.98, epsilon: 1e-6, weightDecay: 0.1, step, ...(maxNorm ? { clip: { squaredNorm: squaredNorm([g]), maxNorm } } : {}) });
  return Promise.all([p, m, v].map((t) => device.read(t)));
}

describe.each(Object.entries(devices))('adamW on %s', (_kind, create) => {
  test.each([undefined, 0.5, 1e9])('agrees with the reference, clipping at %p', async (maxNorm) => {
    const device = await create();
    const expected = await threeSteps(createReferenceDevice(), maxNorm);
    (await threeSteps(device, maxNorm)).forEach((values, i) => allClose(values, expected[i], 1e-6, ['parameter', 'first moment', 'second moment'][i]));
    await device.destroy();
  });
});

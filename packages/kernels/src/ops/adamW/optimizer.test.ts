import { AdamW, adamW, createReferenceDevice, createWasmDevice, squaredNorm, tensor, zeros, type Data, type Device } from '../../index';
import { testNumbers } from '../../testing';

const tree = (device: Device, seed: number) => ({ weight: tensor(device, testNumbers(seed, 12), [3, 4]), bias: tensor(device, testNumbers(seed + 1, 3)) });
const values = async ({ weight, bias }: ReturnType<typeof tree>): Promise<Data[]> => Promise.all([weight, bias].map((leaf) => leaf.device.read(leaf)));

test('updates every tensor as adamW does, decays what it is told to, clips by the norm of all', async () => {
  const device = createReferenceDevice();
  const [one, other, gradients] = [tree(device, 1), tree(device, 1), tree(device, 5)];
  const optimizer = AdamW(one, { weightDecay: 0.1, clipNorm: 0.5, decays: (path) => path !== 'bias' });
  const moments = [one.weight, one.bias].map(({ shape }) => [zeros(device, shape), zeros(device, shape)] as const);
  for (let step = 1; step <= 3; step++) {
    optimizer.update(gradients, 0.01 * step);
    const options = { learningRate: 0.01 * step, step, clip: { squaredNorm: squaredNorm(gradients), maxNorm: 0.5 } };
    adamW(other.weight, gradients.weight, ...moments[0], { ...options, weightDecay: 0.1 });
    adamW(other.bias, gradients.bias, ...moments[1], { ...options, weightDecay: 0 });
  }
  expect(await values(one)).toEqual(await values(other));
  await device.destroy();
});

test('goes on from a state to the same bits', async () => {
  const device = await createWasmDevice({ threads: 1 });
  const [through, resumed, gradients] = [tree(device, 1), tree(device, 1), tree(device, 5)];
  const [first, before] = [AdamW(through), AdamW(resumed)];
  for (let i = 0; i < 4; i++) first.update(gradients, 0.01);
  for (let i = 0; i < 2; i++) before.update(gradients, 0.01);
  const state = before.state();
  const saved = { step: state.step, moments: new Map(await Promise.all([...state.moments].map(async ([name, moment]) => [name, await device.read(moment)] as const))) };
  before.dispose();
  const after = AdamW(resumed);
  after.restore(saved);
  for (let i = 0; i < 2; i++) after.update(gradients, 0.01);
  expect(await values(resumed)).toEqual(await values(through));
  await device.destroy();
});

test('refuses gradients and moments of another tree, and changes nothing', async () => {
  const device = createReferenceDevice();
  const parameters = tree(device, 1);
  const optimizer = AdamW(parameters);
  expect(() => optimizer.update({ weight: parameters.weight }, 0.1)).toThrow('AdamW: expected gradients of 2 parameters, got 1 without bias; give it what valueAndGrad returned for the same tree');
  expect(() => optimizer.restore({ step: 3, moments: new Map() })).toThrow('AdamW: expected 12 numbers of first.weight, got none; the checkpoint is of another model');
  expect(optimizer.state().step).toBe(0);
  const { live } = device.memory;
  optimizer.dispose();
  expect(live - device.memory.live).toBe(2 * 15 * 4);
  await device.destroy();
});

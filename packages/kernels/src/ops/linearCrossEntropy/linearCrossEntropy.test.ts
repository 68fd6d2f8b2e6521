import { devices } from '../../../test/devices';
import { add, checkpoint, crossEntropy, free, linear, linearCrossEntropy, read, scale, scope, tensor, valueAndGrad, zeros, type Device, type Tensor } from '../../index';
import { allClose, describeOp, testNumbers } from '../../testing';

const labelsOf = (rows: number, classes: number) => Int32Array.from({ length: rows }, (_, i) => (i % 4 ? (i * 7) % classes : -100));
const loss = (device: Device, p: Record<string, Tensor>, rows: number, classes: number) => scope<Tensor>(() => linearCrossEntropy(p.x, p.weight, tensor(device, labelsOf(rows, classes)), { ...(p.bias && { bias: p.bias }), rowsPerBlock: 64 }).sum);

describeOp('linearCrossEntropy', [
  { name: 'three blocks, the last of them short', inputs: { x: [135, 6], weight: [11, 6], bias: [11] }, run: (p, device) => loss(device, p, 135, 11) },
  { name: 'one block, without bias', inputs: { x: [5, 6], weight: [3, 6] }, run: (p, device) => loss(device, p, 5, 3) },
  { name: 'no rows', inputs: { x: [0, 6], weight: [3, 6] }, run: (p, device) => loss(device, p, 0, 3) },
  { name: 'count', inputs: { x: [135, 6], weight: [11, 6] }, run: ({ x, weight }, device) => scope<Tensor>(() => linearCrossEntropy(x, weight, tensor(device, labelsOf(135, 11))).count), differentiable: false },
], devices);

test('it is crossEntropy of linear, also scaled and inside a checkpoint', async () => {
  const device = await devices.wasm();
  const p = { x: tensor(device, testNumbers(1, 200 * 16), [200, 16]), weight: tensor(device, testNumbers(2, 50 * 16), [50, 16]) };
  const labels = tensor(device, labelsOf(200, 50));
  const [whole, blocks] = [
    valueAndGrad((q: typeof p) => scale(crossEntropy(linear(q.x, q.weight), labels).sum, 0.1))(p),
    valueAndGrad((q: typeof p) => checkpoint((x: Tensor) => scale(linearCrossEntropy(x, q.weight, labels, { rowsPerBlock: 64 }).sum, 0.1), q.x))(p),
  ];
  allClose(await read(blocks.value), await read(whole.value), 1e-6);
  allClose(await read(blocks.grads.x), await read(whole.grads.x), 1e-6);
  allClose(await read(blocks.grads.weight), await read(whole.grads.weight), 2e-6);
  await device.destroy();
});

test('memory does not grow by rows times classes, forward or backward', async () => {
  const device = await devices.wasm();
  const extra = (rows: number) => {
    const [p, labels] = [{ x: zeros(device, [rows, 4]), weight: zeros(device, [1000, 4]) }, tensor(device, labelsOf(rows, 1000))];
    const before = device.memory.live;
    device.memory.peak = before;
    scope(() => void valueAndGrad((q: typeof p) => add(linearCrossEntropy(q.x, q.weight, labels, { rowsPerBlock: 64 }).sum, zeros(device, [])))(p));
    const peak = device.memory.peak - before;
    free([p, labels]);
    return peak;
  };
  // Two logits-sized tensors of a block, and the gradient of x once in pieces and once whole.
  expect(extra(1024) - extra(256)).toBeLessThan(2 * (1024 - 256) * 4 * 4 + 65_536);
  expect(extra(1024)).toBeLessThan(4 * 1024 * 1000);
  await device.destroy();
});

test('shapes are checked before anything runs', async () => {
  const device = await devices.reference();
  const [x, weight] = [zeros(device, [2, 3]), zeros(device, [5, 3])];
  expect(() => linearCrossEntropy(x, weight, tensor(device, Int32Array.of(0)))).toThrow('linearCrossEntropy: expected labels of shape [rows 2], got [1]');
  expect(() => linearCrossEntropy(x, weight, tensor(device, Int32Array.of(0, 1)), { rowsPerBlock: 65 })).toThrow('linearCrossEntropy: expected rowsPerBlock as a positive multiple of 64, got 65');
});

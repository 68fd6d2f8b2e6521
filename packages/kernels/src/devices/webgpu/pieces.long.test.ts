// Tensors larger than one binding, for every op that can part them.
import { describeWithGpu, gpu } from '../../../test/devices';
import { add, addRmsNorm, averagePool1d, cast, conv1d, createWebGpuDevice, dropout, embedding, filterLogits, linear, maxPool1d, mul, ones, quantizeRows, read, sampleTokens, sum, tensor, valueAndGrad, type Device, type Tensor } from '../../index';
import { allClose, testNumbers } from '../../testing';

describeWithGpu('tensors larger than one binding', () => {
  test('every op that has rows or elements of its own, some at a time: the same to the bit; what adds over rows, within rounding', async () => {
    const ops: Record<string, (on: Device) => Tensor> = {
      dropout: (on) => dropout(numbers(on, 3000), 0.3, { seed: 1, step: 2, layer: 3 }),
      'cast to 16 bits and back': (on) => cast(cast(numbers(on, 5001), 'bfloat16'), 'float32'),
      addRmsNorm: (on) => addRmsNorm(numbers(on, 200, 12), numbers(on, 200, 12), ones(on, [12])).sum,
      'linear with its epilogue': (on) => linear(numbers(on, 300, 12), numbers(on, 9, 12), numbers(on, 9), { activation: 'gelu', residual: numbers(on, 300, 9) }),
      quantizeRows: (on) => quantizeRows(numbers(on, 200, 16)).scales,
      maxPool1d: (on) => maxPool1d(numbers(on, 64, 32, 3), { size: 3, stride: 2, padding: 1 }),
      averagePool1d: (on) => averagePool1d(numbers(on, 64, 32, 3), { size: 3, stride: 2, padding: 1 }),
      conv1d: (on) => conv1d(numbers(on, 64, 16, 4), numbers(on, 5, 3, 4), undefined, { padding: 1 }),
      'the gradients of pools and conv1d': (on) => valueAndGrad((x: Tensor) => sum(conv1d(add(maxPool1d(x, { size: 2 }), averagePool1d(x, { size: 2 })), numbers(on, 5, 3, 4))))(numbers(on, 64, 32, 4)).grads,
      filterLogits: (on) => filterLogits(numbers(on, 90, 40), { topK: Array.from({ length: 90 }, (_, row) => row % 7), topP: 0.9 }),
      sampleTokens: (on) => sampleTokens(numbers(on, 200, 20), { seed: 5, sample: Array.from({ length: 200 }, (_, row) => row) }).ids,
      'the gradient of embedding': (on) => valueAndGrad((table: Tensor) => sum(mul(embedding(table, tensor(on, Uint32Array.from({ length: 300 }, (_, i) => (7 * i) % 50))), numbers(on, 300, 12))))(numbers(on, 50, 12)).grads,
    };
    const numbers = (on: Device, ...shape: number[]) => tensor(on, testNumbers(shape.length, shape.reduce((a, b) => a * b)), shape);
    const [whole, parted] = [await createWebGpuDevice(gpu!), await createWebGpuDevice(gpu!, { limits: { maxBindingBytes: 8192 } })];
    for (const [name, op] of Object.entries(ops)) {
      const before = [whole, parted].map((device) => device.statistics().dispatches);
      const [expected, actual] = [await read(op(whole)), await read(op(parted))];
      expect(parted.statistics().dispatches - before[1]).toBeGreaterThan(whole.statistics().dispatches - before[0]);
      if (name.startsWith('the gradient')) allClose(actual, expected, 1e-6, name);
      else expect([name, ...actual]).toEqual([name, ...expected]);
    }
    await Promise.all([whole.destroy(), parted.destroy()]);
  });
});

// A job goes on while the caller does: nobody may see it unfinished, nor take its memory.
import { createWasmDevice, free, linear, matmul, pagedAttention, read, scale, tensor, zeros, type Device } from '../../index';
import { testNumbers } from '../../testing';

const size = 500;
let device: Device;
beforeAll(async () => { device = await createWasmDevice({ threads: 2 }); });
afterAll(() => device.destroy());

const square = (seed: number) => tensor(device, testNumbers(seed, size * size), [size, size]);

test('what is freed while other threads work on it keeps its numbers until they are done', async () => {
  const weight = square(1), [query, cache] = [zeros(device, [1, 1, 4]), zeros(device, [16, 1, 4])];
  const product = (disturb: boolean) => {
    const x = square(2), y = matmul(x, weight);
    free(x);
    if (disturb) free(pagedAttention({ query, keyCache: cache, valueCache: cache }, { cuSeqlens: [0, 1], contextLengths: [1], blockTable })); // its arrays would lie where x was
    return read(y);
  };
  const blockTable = new Int32Array(size * size - 1000), alone = await product(false);
  for (let i = 0; i < 10; i++) expect(Buffer.compare(Buffer.from((await product(true)).buffer), Buffer.from(alone.buffer))).toBe(0);
});

test('what is written goes behind the ops before it and ahead of those after it', async () => {
  const x = square(3), weight = square(4), bias = tensor(device, testNumbers(5, size));
  const before = linear(x, weight, bias);
  device.write(x, new Float32Array(size * size));
  const after = scale(linear(x, weight, bias), 1);
  const [[first], values] = [await read(before), await read(after)];
  expect(first).not.toBeCloseTo(values[0], 3);
  expect([...values.subarray(0, size)]).toEqual([...(await read(bias))]);
});

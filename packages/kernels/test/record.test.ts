// What is recorded computes what its function computes, with the numbers of now.
import { add, cacheAppend, createWasmDevice, debugDevice, fill, free, linear, pagedAttention, read, record, reshape, scale, scope, tensor, zeros, type Device, type Tensor } from '../src';
import { testNumbers } from '../src/testing';
import { devices } from './devices';

describe.each(Object.entries({ ...devices, 'a wasm device that is looked at': async () => debugDevice(await createWasmDevice({ threads: 2 })), 'wasm without packed weights': () => createWasmDevice({ threads: 2, preparedBytes: 0 }) }))('on %s', (_kind, create) => {
  let device: Device;
  beforeAll(async () => { device = await create(); });
  afterAll(() => device.destroy());

  /** A token of attention over a cache: host arrays as tensors and as attributes, a mutated tensor from outside, weights that are packed. */
  async function decode(again: boolean, lengths: readonly number[]): Promise<number[][]> {
    const weight = tensor(device, testNumbers(1, 64 * 8), [64, 8]), caches = [0, 1].map((i) => tensor(device, testNumbers(5 + i, 64 * 2 * 32), [64, 2, 32]));
    const x = new Float32Array(8), slots = new Int32Array(1), contextLengths = new Int32Array(1), blockTable = Int32Array.of(2, 0, 1), results: number[][] = [];
    const compute = (): Tensor => {
      const rows = linear(tensor(device, x, [1, 8]), weight), query = reshape(rows, [1, 2, 32]);
      for (const cache of caches) cacheAppend(cache, query, slots);
      return scale(add(pagedAttention({ query, keyCache: caches[0], valueCache: caches[1] }, { cuSeqlens: [0, 1], contextLengths, blockTable }), query), 2);
    };
    let step = record(device, compute);
    for (const length of lengths) {
      x.set(testNumbers(length, 8));
      [slots[0], contextLengths[0]] = [16 * blockTable[(length - 1) >> 4] + ((length - 1) % 16), length];
      if (!again) {
        step.free();
        step = record(device, compute);
      }
      results.push([...(await read(step.run()))]);
    }
    step.free();
    free([weight, caches]);
    return results;
  }

  test('equals a function that is called each time, to the bit, as arrays and caches change', async () => {
    const lengths = [3, 4, 5, 20, 21, 40, 6, 7], live = device.memory.live;
    expect(await decode(true, lengths)).toEqual(await decode(false, lengths));
    expect(device.memory.live).toBe(live);
  });

  test('scratch that is planned later takes no memory of tensors', async () => {
    const weights = [1, 2, 3].map((seed) => tensor(device, testNumbers(seed, 64 * 64), [64, 64])), x = new Float32Array(8 * 64);
    const compute = (): Tensor => weights.reduce((sum, weight) => add(sum, linear(add(sum, linear(sum, weight)), weight)), tensor(device, x, [8, 64]));
    const step = record(device, compute);
    for (let run = 0; run < 6; run++) {
      x.set(testNumbers(run, 8 * 64));
      const expected = scope<Tensor>(compute);
      expect([...(await read(step.run()))]).toEqual([...(await read(expected))]);
      free(expected);
    }
    step.free();
    free(weights);
  });

  test('sees a weight that was written or replaced by its device, and the tensors that others allocate keep what they hold', async () => {
    const [x, weight] = [tensor(device, testNumbers(1, 6 * 8), [6, 8]), tensor(device, testNumbers(2, 3 * 8), [3, 8])];
    const step = record(device, () => linear(scale(x, 2), weight));
    const others: Tensor[] = [];
    for (let run = 0; run < 6; run++) {
      if (run === 4) device.write(weight, testNumbers(3, 3 * 8));
      const values = [...(await read(step.run()))], expected = linear(scale(x, 2), weight);
      expect(values).toEqual([...(await read(expected))]);
      others.push(fill(zeros(device, [6, 8]), run));
      free(expected);
    }
    expect((await Promise.all(others.map(read))).map((data) => new Set(data))).toEqual(others.map((_, run) => new Set([run])));
    free([weight, others]);
    expect(() => step.run()).toThrow(/freed/);
    step.free();
    free(x);
  });
});

test('on wasm the function is called once, its arrays are checked each time, and its memory is given back', async () => {
  const device = await createWasmDevice({ threads: 2 }), slots = Int32Array.of(0), cache = zeros(device, [16, 1, 4]);
  let calls = 0;
  const step = record(device, () => {
    calls++;
    const rows = scale(tensor(device, [1, 2, 3, 4], [1, 1, 4]), 2);
    cacheAppend(cache, rows, slots);
    return rows;
  });
  for (slots[0] = 0; slots[0] < 3; slots[0]++) step.run();
  expect(calls).toBe(1);
  expect([...(await read(cache))].slice(0, 16)).toEqual([2, 4, 6, 8, 2, 4, 6, 8, 2, 4, 6, 8, 0, 0, 0, 0]);
  slots[0] = 16;
  expect(() => step.run()).toThrow('cacheAppend: expected slots in [0, 16), got 16');
  expect(() => record(device, () => record(device, () => zeros(device, [1])).run()).run()).toThrow('record: expected no other recording to be under way, got one within another');
  step.free();
  free(cache);
  expect(device.memory.live).toBe(0);
  await device.destroy();
});

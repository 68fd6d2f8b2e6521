// Jobs wait in line while the caller goes on: nobody may see them unfinished, nor write into their memory.
import { once } from 'node:events';
import { add, concat, createWasmDevice, free, linear, matmul, pagedAttention, read, scale, scope, segmentMean, slice, tensor, zeros, type Device } from '../../index';
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

test('the first arrays of the host do not lie where a kernel in line still writes', async () => {
  const fresh = await createWasmDevice({ threads: 2 });
  const x = tensor(fresh, testNumbers(6, 8), [8, 1]), weight = tensor(fresh, testNumbers(1, size * size), [size, size]);
  for (let i = 0; i < 4; i++) free(matmul(weight, weight));
  const means = segmentMean(x, Int32Array.from({ length: 9 }, (_, s) => s));
  expect([...(await read(means))]).toEqual([...(await read(x))]);
  await fresh.destroy();
});

test('arrays of the host stay as they were given while their ops wait in line', async () => {
  const single = await createWasmDevice({ threads: 1 });
  const meansOn = (on: Device) => {
    const x = tensor(on, testNumbers(6, 5000), [5000, 1]), weight = tensor(on, testNumbers(1, size * size), [size, size]);
    matmul(weight, weight);
    return Array.from({ length: 60 }, (_, i) => segmentMean(x, Int32Array.from({ length: 5001 }, (__, s) => Math.min(5000, s + ((s * i) % 7))).sort())); // 20 kB each
  };
  const [ours, theirs] = [device, single].map(meansOn);
  for (const [i, y] of ours.entries()) expect(Buffer.compare(Buffer.from((await read(y)).buffer), Buffer.from((await read(theirs[i])).buffer))).toBe(0);
  await single.destroy();
});

test('small and large ops in line give the same bits whatever the threads, and memory that is freed on the way is used again', async () => {
  const run = async (threads: number) => {
    const on = await createWasmDevice({ threads });
    let x = tensor(on, testNumbers(6, 40_000));
    for (let i = 0; i < 150; i++) {
      const length = [1, 40_000, 300, 9000][(i * 7) % 4], before = x;
      x = i % 50 === 49 ? tensor(on, testNumbers(i, 40_000)) : scope(() => concat([add(slice(before, 0, length), slice(before, 40_000 - length, 40_000)), slice(before, length, 40_000)]));
      free(before);
    }
    const bits = new Uint32Array((await read(x)).buffer), { reserved } = on.memory;
    scope(() => { for (let i = 0; i < 3; i++) scale(x, 2); });
    await on.destroy(); // while jobs wait
    return { bits, reserved };
  };
  const [one, two, three] = [await run(1), await run(2), await run(3)];
  for (const { bits, reserved } of [two, three]) {
    expect(bits.findIndex((word, i) => word !== one.bits[i])).toBe(-1);
    expect(reserved).toBe(one.reserved);
  }
});

test('when a thread does not begin, those that did return by themselves: Bun waits for ever for one that sleeps', async () => {
  const threads = process.getBuiltinModule('node:worker_threads'), { Worker } = threads, exits: number[] = [];
  let begun = 0;
  threads.Worker = class extends Worker {
    constructor(...given: ConstructorParameters<typeof Worker>) {
      if (begun === 2) throw new Error('no third thread');
      super(...given);
      begun++;
    }
    override async terminate() {
      const [code] = await once(this, 'exit', { signal: AbortSignal.timeout(2000) }).catch(() => [super.terminate()]);
      exits.push(await code);
      return code;
    }
  };
  try {
    await expect(createWasmDevice({ threads: 4 })).rejects.toThrow('no third thread');
  } finally {
    threads.Worker = Worker;
  }
  expect(exits).toEqual([0, 0]);
});

import { accumulate, createWasmDevice, free, linear, read, tensor, type Device, type Tensor } from '../../index';
import { testNumbers } from '../../testing';
import { createHeap } from './memory';
import { createPreparedCache } from './preparedCache';

describe('packed weights', () => {
  let [device, plain]: Device[] = [];
  beforeAll(async () => { [device, plain] = await Promise.all([createWasmDevice({ threads: 1 }), createWasmDevice({ threads: 1, preparedBytes: 0 })]); });
  afterAll(() => Promise.all([device.destroy(), plain.destroy()]));
  const make = (on: Device) => ({ x: tensor(on, testNumbers(1, 9 * 33), [9, 33]), weight: tensor(on, testNumbers(2, 20 * 33), [20, 33]), bias: tensor(on, testNumbers(3, 20)) });
  const product = async ({ x, weight, bias }: ReturnType<typeof make>) => {
    const y = linear(x, weight, bias);
    const values = [...(await read(y))];
    free(y);
    return values;
  };

  test('are used again with the same bits, and packed anew after any change of the weight or the bias', async () => {
    const [ours, theirs] = [make(device), make(plain)];
    const both = async () => {
      const expected = await product(theirs);
      for (let call = 0; call < 3; call++) expect(await product(ours)).toEqual(expected);
    };
    await both();
    for (const p of [ours, theirs]) p.weight.device.write(p.weight, testNumbers(4, 20 * 33));
    await both();
    for (const p of [ours, theirs]) accumulate(p.bias, p.bias);
    await both();
    free([ours.weight, theirs.weight]);
    ours.weight = tensor(device, testNumbers(5, 20 * 33), [20, 33]);
    theirs.weight = tensor(plain, testNumbers(5, 20 * 33), [20, 33]);
    await both();
    free([ours, theirs]);
    expect([device.memory.live, plain.memory.live]).toEqual([0, 0]);
  });
});

describe('the cache', () => {
  const fake = (version = 0): Tensor => ({ dtype: 'float32', shape: [4], offset: 0, device: undefined!, buffer: { byteLength: 16, version } });
  const prepared = { inputs: [0], scratch: 1, steps: 1, layout: 'a' };
  const scratch = (floats: number) => [{ dtype: 'float32' as const, shape: [floats] }];

  test('keeps from the second time on, within its budget, the least recently used making way', () => {
    const cache = createPreparedCache(createHeap(false), 4 * 300);
    const [a, b, c] = [fake(), fake(), fake()];
    const claim = (x: Tensor, floats = 100) => {
      const kept = cache.claim('op', prepared, [x], scratch(floats));
      cache.release();
      return kept;
    };
    expect([claim(a), claim(b), claim(c)]).toEqual([undefined, undefined, undefined]);
    const kept = [a, b, c].map((x) => claim(x));
    expect(new Set(kept.flatMap((entry) => entry!.addresses)).size).toBe(3);
    expect(claim(a)).toBe(kept[0]);
    const d = fake();
    claim(d);
    expect(claim(d)).toBeDefined(); // in the place of b
    expect([claim(a), claim(c)]).toEqual([kept[0], kept[2]]);
    const e = fake();
    claim(e, 400);
    expect(claim(e, 400)).toBeUndefined();
    a.buffer.version++;
    expect(claim(a)).toBeUndefined();
  });

  test('weights beyond the budget, used in turn: those that are kept stay', () => {
    const cache = createPreparedCache(createHeap(false), 4 * 250);
    const all = [fake(), fake(), fake(), fake()];
    const round = () => all.map((x) => {
      const kept = cache.claim('op', prepared, [x], scratch(100));
      cache.release();
      return kept;
    });
    expect(round()).toEqual([undefined, undefined, undefined, undefined]);
    const [a, b] = round();
    for (let again = 0; again < 3; again++) expect(round()).toEqual([a, b, undefined, undefined]);
  });

  test('gives everything back when tensors need the room, but not what the running op holds', () => {
    const heap = createHeap(false);
    let full = false;
    const cache = createPreparedCache({ ...heap, allocate: (bytes) => { if (full) { full = false; throw new RangeError('full'); } return heap.allocate(bytes); } }, 2 ** 20);
    const [a, b] = [fake(), fake()];
    for (const x of [a, b]) cache.claim('op', prepared, [x], scratch(100));
    const first = cache.claim('op', prepared, [a], scratch(100))!;
    const second = cache.claim('op', prepared, [b], scratch(100))!;
    full = true;
    expect(cache.allocate(400)).toBe(first.addresses[0]);
    expect(cache.claim('op', prepared, [b], scratch(100))).toBe(second);
    full = true;
    expect(() => cache.allocate(400)).toThrow('full');
    full = true;
    cache.release();
    cache.drop(b.buffer);
    expect(() => cache.allocate(400)).toThrow('full');
  });
});

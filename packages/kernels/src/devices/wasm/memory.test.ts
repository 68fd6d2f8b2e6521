import fc from 'fast-check';
import { createWasmDevice } from './device';
import { createHeap } from './memory';
import { accumulate, allocate, matmul, scale, tensor } from '../../index';

const sizes = fc.array(fc.oneof(fc.record({ take: fc.integer({ min: 0, max: 300_000 }) }), fc.record({ give: fc.nat() })), { maxLength: 120 });

test('blocks never overlap, are aligned to 64 bytes, and a heap that is given everything back takes the same again without growing', () => {
  fc.assert(fc.property(sizes, (actions) => {
    const heap = createHeap(false);
    const held: { at: number; size: number }[] = [];
    for (const action of actions) {
      if ('take' in action) held.push({ at: heap.allocate(action.take), size: action.take });
      else if (held.length) {
        const [{ at, size }] = held.splice(action.give % held.length, 1);
        heap.free(at, size);
      }
      const sorted = [...held].sort((a, b) => a.at - b.at);
      sorted.forEach(({ at, size }, i) => {
        if (at % 64 || at < 65536 || at + size > (sorted[i + 1]?.at ?? heap.memory.buffer.byteLength)) throw new Error(`expected a block of its own, got ${size} bytes at ${at}`);
      });
    }
    const total = held.reduce((sum, { size }) => sum + Math.max(64, Math.ceil(size / 64) * 64), 0);
    for (const { at, size } of held) heap.free(at, size);
    const before = heap.memory.buffer.byteLength;
    heap.allocate(total);
    return heap.memory.buffer.byteLength === before;
  }), { numRuns: 60 });
});

test('what does not fit says how much was asked for, how much there is, and what helps; the device goes on', async () => {
  const device = await createWasmDevice({ threads: 1 });
  expect(() => device.allocate(5 * 2 ** 30)).toThrow(/^wasm: expected room for 5368709120 bytes, got \d+ free of \d+, of at most \d+; free tensors/);
  // A column times a row: 200,000² numbers come out, and infer must not be what stops it.
  const [column, row] = [allocate(device, { dtype: 'float32', shape: [200_000, 1] }), allocate(device, { dtype: 'float32', shape: [1, 200_000] })];
  expect(() => matmul(column, row)).toThrow('matmul: expected room for 160000000000 bytes');
  expect([...(await device.read(matmul(tensor(device, [2], [1, 1]), tensor(device, [3], [1, 1]))))]).toEqual([6]);
  await device.destroy();
});

test('use after free and after destroy are errors', async () => {
  const device = await createWasmDevice({ threads: 1 });
  const [x, kept] = [tensor(device, [1]), tensor(device, [2])];
  device.free(x.buffer);
  expect(() => device.write(x, Float32Array.of(1))).toThrow('write: expected a live tensor, got one that was freed (float32 [1])');
  await expect(device.read(x)).rejects.toThrow('read: expected a live tensor');
  await device.destroy();
  const destroyed = 'wasm: expected a device in use, got one that was destroyed; read what is wanted before destroy(), or create a new device';
  for (const use of [() => tensor(device, [1]), () => device.write(kept, Float32Array.of(1)), () => accumulate(kept, kept), () => scale(kept, 2)]) expect(use).toThrow(destroyed);
  await expect(device.read(kept)).rejects.toThrow(destroyed);
});

test('zero threads, and no number of bytes to keep, are refused', async () => {
  await expect(createWasmDevice({ threads: 0 })).rejects.toThrow('createWasmDevice: expected a positive number of threads, got 0');
  for (const preparedBytes of [-1, NaN]) await expect(createWasmDevice({ preparedBytes })).rejects.toThrow(`createWasmDevice: expected preparedBytes from 0 on, got ${preparedBytes}; 0 keeps none`);
});

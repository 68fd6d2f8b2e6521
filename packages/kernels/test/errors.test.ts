// Bad input is normal input: every op says what it expected and what it got, before anything runs.
import {
  accumulate, adamW, add, addRmsNorm, addRow, attention, averagePool1d, broadcastTo, cacheAppend, cast, concat, conv1d, createReferenceDevice, createWebGpuDevice, crossEntropy, div, dropout, embedding, fill, filterLogits, free, geglu, gelu, layerNorm, linear, linearCrossEntropy,
  matmul, max, maxPool1d, mean, mul, mulRow, pagedAttention, penalizeLogits, quantizeRows, reshape, rmsNorm, rotary, rotaryTable, sampleTokens, scale, segmentMean, silu, slice, softmax, squaredNorm, sub, sum, sumRows, sumSquares, swiglu, tanh, tensor, zeros, type Device, type Tensor,
} from '../src';
import { devices } from './devices';

/** Calls that are right for x [6, 8] in float32. */
const calls: Record<string, (x: Tensor, device: Device) => unknown> = {
  accumulate: (x, device) => accumulate(x, zeros(device, [6, 8])),
  adamW: (x, device) => adamW(x, zeros(device, [6, 8]), zeros(device, [6, 8]), zeros(device, [6, 8]), { learningRate: 0.1, step: 1 }),
  add: (x, device) => add(x, zeros(device, [6, 8])),
  'add, repeated': (x, device) => add(x, zeros(device, [8])),
  addRmsNorm: (x, device) => addRmsNorm(x, zeros(device, [6, 8]), zeros(device, [8])),
  addRow: (x, device) => addRow(x, zeros(device, [8])),
  attention: (x, device) => attention({ query: reshape(x, [6, 2, 4]), key: zeros(device, [6, 2, 4]), value: zeros(device, [6, 2, 4]) }, { cuSeqlens: [0, 2, 6] }),
  cacheAppend: (x, device) => cacheAppend(zeros(device, [16, 2, 4]), reshape(x, [6, 2, 4]), [0, 1, 2, 3, 4, 5]),
  concat: (x, device) => concat([x, zeros(device, [1, 8])]),
  conv1d: (x, device) => conv1d(reshape(x, [1, 12, 4]), zeros(device, [2, 3, 4])),
  crossEntropy: (x, device) => crossEntropy(x, tensor(device, new Int32Array(6))),
  div: (x, device) => div(x, zeros(device, [6, 8])),
  embedding: (x, device) => embedding(x, tensor(device, new Uint32Array(2))),
  layerNorm: (x, device) => layerNorm(x, zeros(device, [8]), zeros(device, [8])),
  linear: (x, device) => linear(x, zeros(device, [3, 8])),
  'linear, 8 bits': (x, device) => linear(x, quantizeRows(zeros(device, [3, 8]))),
  linearCrossEntropy: (x, device) => linearCrossEntropy(x, zeros(device, [3, 8]), tensor(device, new Int32Array(6))),
  matmul: (x, device) => matmul(x, zeros(device, [8, 2])),
  mul: (x, device) => mul(x, zeros(device, [6, 8])),
  mulRow: (x, device) => mulRow(x, zeros(device, [8])),
  pagedAttention: (x, device) => pagedAttention({ query: reshape(x, [6, 2, 4]), keyCache: zeros(device, [16, 1, 4]), valueCache: zeros(device, [16, 1, 4]) }, { cuSeqlens: [0, 6], contextLengths: [9], blockTable: [0] }),
  rmsNorm: (x, device) => rmsNorm(x, zeros(device, [8])),
  rotary: (x, device) => rotary(reshape(x, [6, 2, 4]), rotaryTable(device, { positions: 6, rotaryDim: 4 }), tensor(device, new Uint32Array(6))),
  sub: (x, device) => sub(x, zeros(device, [6, 8])),
};
const alone: Record<string, (x: Tensor) => unknown> = {
  averagePool1d: (x) => averagePool1d(reshape(x, [2, 6, 4]), { size: 2 }), broadcastTo: (x) => broadcastTo(x, [2, 6, 8]), cast: (x) => cast(x, 'float16'), dropout: (x) => dropout(x, 0.5, { seed: 1, step: 1, layer: 1 }),
  filterLogits: (x) => filterLogits(x), geglu: (x) => geglu(x), gelu: (x) => gelu(x), max: (x) => max(x, { axes: [0] }), maxPool1d: (x) => maxPool1d(reshape(x, [2, 6, 4]), { size: 2 }), penalizeLogits: (x) => penalizeLogits(x, {}),
  quantizeRows: (x) => quantizeRows(x), sampleTokens: (x) => sampleTokens(x), segmentMean: (x) => segmentMean(x, [0, 6]), slice: (x) => slice(x, 1, 2), softmax: (x) => softmax(x), squaredNorm: (x) => squaredNorm(x),
  fill: (x) => fill(x, 0), mean: (x) => mean(x), scale: (x) => scale(x, 2), silu: (x) => silu(x), sumSquares: (x) => sumSquares(x), swiglu: (x) => swiglu(x), tanh: (x) => tanh(x),
  sum: (x) => sum(x), 'sum over an axis': (x) => sum(x, { axes: [1] }), sumRows: (x) => sumRows(x),
};
const all = { ...calls, ...alone };
const form = /^\w+: expected .+, got,? .+; .+/;

describe('every op', () => {
  const device = createReferenceDevice();
  const x = zeros(device, [6, 8]);

  test.each(Object.entries(all))('%s: takes what is right, and refuses a tensor that was freed, naming the op and the input', (name, f) => {
    expect(() => f(x, device)).not.toThrow();
    const freed = zeros(device, [6, 8]);
    free(freed);
    expect(() => f(freed, device)).toThrow(/^\w+: expected a live tensor as input \d, got one that was freed \(float32 \[.*\]\); return it from its scope to keep it$/);
    expect(() => f(freed, device)).toThrow(new RegExp(`^${name.split(/[, ]/)[0]}: `));
  });

  test.each(Object.entries(calls).filter(([name]) => name !== 'embedding'))('%s: refuses a shape that does not fit', (_name, f) => {
    expect(() => f(zeros(device, [5, 9]), device)).toThrow(form);
  });

  test.each(Object.entries(all).filter(([name]) => name !== 'cast' && name !== 'slice'))('%s: refuses integers', (_name, f) => {
    expect(() => f(tensor(device, new Int32Array(48), [6, 8]), device)).toThrow(form);
  });

  test('what is refused leaves nothing behind', () => {
    const b = zeros(device, [5, 9]), { live } = device.memory;
    for (const f of [() => matmul(x, b), () => add(x, b), () => layerNorm(x, b, b), () => geglu(b), () => sum(x, { axes: [7] })]) expect(f).toThrow(form);
    expect(device.memory.live).toBe(live);
  });

  test.each(Object.entries(calls))('%s: refuses tensors of two devices', (_name, f) => {
    expect(() => f(zeros(createReferenceDevice(), [6, 8]), device)).toThrow(/^\w+: expected all inputs on one device, got reference and, as input \d, another reference; copy it with tensor\(device, await read\(t\), t\.shape\)$/);
  });

  test('a type that an op does not take is named with the shape', () => {
    const half = cast(x, 'float16');
    for (const [name, f] of Object.entries(all)) {
      if (['cast', 'embedding'].includes(name)) continue;
      expect(() => f(half, device)).toThrow(form);
      expect(() => f(half, device)).toThrow(/float16 \[/);
    }
  });

  test.each([[[0, 3], 'end at totalTokens 6, got 3'], [[1, 6], 'begin with 0, got [1, 6]'], [[0, 4, 2, 6], 'never to fall, got 2 after 4 at 2'], [[], 'begin with 0, got []']])('cuSeqlens %j', (cuSeqlens, message) => {
    expect(() => attention({ qkv: reshape(zeros(device, [6, 48]), [6, 3, 4, 4]) }, { cuSeqlens })).toThrow(`attention: expected cuSeqlens to ${message}`.replace('to never', 'never'));
    expect(() => segmentMean(x, cuSeqlens)).toThrow(/^segmentMean: expected cuSeqlens /);
  });
});

test('what is no tensor, no shape, no list of whole numbers, or a view of more than there is, is named before anything runs', () => {
  const device = createReferenceDevice();
  const [x, qkv] = [zeros(device, [4]), zeros(device, [4, 3, 2, 8])];
  const cases: readonly (readonly [() => unknown, string])[] = [
    [() => add(x, 3 as never), 'add: expected two tensors, got object and number; a number becomes one with tensor(device, [number]), and scale() multiplies by one'],
    [() => layerNorm(x, x, undefined as never), 'layerNorm: expected a tensor as input 2, got nothing; make one with tensor(device, [...])'],
    [() => linear(zeros(device, [2, 3]), undefined as never), 'linear: expected a tensor as input 1, got nothing; make one with tensor(device, [...])'],
    [() => zeros(device, [1.5, 2]), 'allocate: expected a shape of whole numbers from 0 on, got [1.5, 2]'],
    [() => zeros(device, [-1, 2]), 'allocate: expected a shape of whole numbers from 0 on, got [-1, 2]'],
    [() => zeros(device, [2 ** 20, 2 ** 20]), 'allocate: expected at most 4294967296 bytes in one tensor, got 4398046511104; split it by rows'],
    [() => softmax({ ...x, shape: [2, 4] }), 'softmax: expected a view within its buffer of 16 bytes as input 0, got float32 [2, 4] from element 0 on; keep the shape within what was allocated'],
    [() => attention({ qkv }, { cuSeqlens: [0, 2.5, 4] }), 'attention: expected cuSeqlens of whole numbers, got 2.5 at 1'],
    [() => attention({ qkv }, {} as never), 'attention: expected cuSeqlens as a list of whole numbers, got undefined'],
    [() => attention({ qkv }, { cuSeqlens: [0, 4], alibiSlopes: [1, NaN] }), 'attention: expected alibiSlopes of finite numbers, got NaN at 1'],
    [() => attention({ qkv }, { cuSeqlens: [0, 4], windowSize: [-5, 1] }), 'attention: expected windowSize of whole numbers of keys, or -1 for no limit, got -5'],
    [() => attention({ query: zeros(device, [4, 2, 8]) } as never, { cuSeqlens: [0, 4] }), 'attention: expected a tensor as input 1, got nothing; make one with tensor(device, [...])'],
    [() => cacheAppend(zeros(device, [16, 2, 4]), zeros(device, [1, 2, 4]), [0.5]), 'cacheAppend: expected slots of whole numbers, got 0.5 at 0'],
    [() => cast(x, 'int8' as never), 'cast: expected a cast to float32, or from float32 to float16 or bfloat16, got float32 [4] to int8; quantizeRows() makes int8'],
  ];
  for (const [f, message] of cases) expect(f).toThrow(message);
});

test('a device is made of a GPU, with a precision that there is', async () => {
  await expect(createWebGpuDevice(undefined as never)).rejects.toThrow('createWebGpuDevice: expected a GPU object, got none; pass navigator.gpu in a browser, or create([]) of the npm package webgpu in Node');
  await expect(createWebGpuDevice({ requestAdapter: () => undefined } as never, { reducedPrecision: 'fp8' as never })).rejects.toThrow('createWebGpuDevice: expected reducedPrecision float16 or subgroupMatrix, got fp8');
});

test.each(Object.entries(devices).filter(([kind]) => kind === 'webgpu'))('a view that %s cannot bind is refused with the remedy', async (_kind, create) => {
  const device = await create();
  const slab = zeros(device, [128]);
  const { live } = device.memory;
  expect(() => gelu({ ...slab, shape: [8], offset: 8 })).toThrow('gelu: expected input 0 to begin at a multiple of 64 elements, as WebGPU binds no other, got a view at element 8 (float32 [8]); copy it with tensor(device, await read(t), t.shape)');
  expect(device.memory.live).toBe(live);
  // Ops made of others speak for themselves.
  const [x, weight, labels] = [{ ...slab, shape: [1, 4, 2], offset: 8 }, zeros(device, [3, 2]), tensor(device, Int32Array.of(0))];
  expect(() => conv1d(x, zeros(device, [3, 2, 2]))).toThrow('conv1d: expected input 0 to begin at a multiple of 64 elements');
  expect(() => linearCrossEntropy(zeros(device, [1, 2]), { ...slab, shape: [3, 2], offset: 8 }, labels)).toThrow('linearCrossEntropy: expected input 1 to begin at a multiple of 64 elements');
  expect(() => linearCrossEntropy({ ...slab, shape: [1, 2], offset: 8 }, weight, labels)).toThrow('linearCrossEntropy: expected input 0 to begin');
  await device.destroy();
});

test.each(Object.entries(devices).filter(([kind]) => kind.startsWith('wasm')))('a view may begin anywhere on %s', async (_kind, create) => {
  const device = await create();
  const slab = tensor(device, Float32Array.from({ length: 20 }, (_, i) => i));
  expect([...(await device.read(add({ ...slab, shape: [4], offset: 3 }, { ...slab, shape: [4], offset: 7 })))]).toEqual([10, 12, 14, 16]);
  await device.destroy();
});

import { devices } from '../../../test/devices';
import { cast, createReferenceDevice, createWasmDevice, linear, matmul, quantizeRows, read, scope, tensor, toFloat16, zeros, type Device, type Tensor } from '../../index';
import { describeOp, testNumbers, type OpCase } from '../../testing';

const types = ['float16', 'bfloat16'] as const;
const weightOf = (device: Device, rows: number, width: number, dtype: 'float16' | 'bfloat16') => tensor(device, testNumbers(7, rows * width), [rows, width], { dtype });
const sizes = [[1, 19, 10], [5, 40, 9]] as const;
const cases = types.flatMap((dtype) => sizes.flatMap(([m, k, n]): OpCase[] => [
  { name: `linear, ${dtype}, ${m} x ${k} x ${n}`, inputs: { x: [m, k], bias: [n] }, run: ({ x, bias }, device) => linear(x, weightOf(device, n, k, dtype), bias) },
  { name: `matmul, ${dtype}, ${m} x ${k} x ${n}`, inputs: { x: [m, k] }, run: ({ x }, device) => matmul(x, weightOf(device, k, n, dtype)) },
]));

describeOp('products with weights in 16 bits', cases, devices);

describeOp('linear with weights of 8 bits', sizes.flatMap(([m, k, n]): OpCase[] => [true, false].map((biased) => ({
  name: `${m} x ${k} x ${n}${biased ? ', bias' : ''}`,
  inputs: { x: [m, k] },
  run: ({ x }, device) => scope<Tensor>(() => linear(x, { values: tensor(device, Int8Array.from(testNumbers(7, n * k, 127)), [n, k]), scales: tensor(device, testNumbers(9, n, 0.01)) }, biased ? tensor(device, testNumbers(8, n)) : undefined)),
}))), devices);

describe.each(Object.entries(devices))('on %s', (_kind, create) => {
  let device: Device;
  beforeAll(async () => { device = await create(); });
  afterAll(() => device.destroy());

  test('a cast to 16 bits and back is the nearest number of the type', async () => {
    const values = [0, -0, 1, 1 / 3, -65504, 65519, 65520, 1e-7, 6e-8, 2 ** -25, -(2 ** -14), NaN, -Infinity, 3e38, 0.1];
    for (const dtype of types) {
      const there = cast(tensor(device, values), dtype);
      const expected = tensor(createReferenceDevice(), Float32Array.from(values), [values.length], { dtype });
      const nan = (bits: number) => ((bits & 0x7fff) > (dtype === 'float16' ? 0x7c00 : 0x7f80) ? 'NaN' : bits);
      expect([...(await read(there))].map(nan)).toEqual([...(await read(expected))].map(nan));
      expect([...(await read(cast(there, 'float32')))]).toEqual([...(await read(cast(expected, 'float32')))]);
    }
  });

  test('every float16 widens to its number', async () => {
    const bits = Uint16Array.from({ length: 65535 }, (_, i) => i + 1);
    const [actual, expected] = await Promise.all([device, createReferenceDevice()].map((on) => read(cast(tensor(on, bits, [bits.length], { dtype: 'float16' }), 'float32'))));
    expect(expected.findIndex((value: number, i: number) => !Object.is(actual[i], value))).toBe(-1);
  });

  test('integers become floats', async () => {
    expect([...(await read(cast(tensor(device, Int8Array.of(-128, 0, 127, 5, -1)), 'float32')))]).toEqual([-128, 0, 127, 5, -1]);
    expect([...(await read(cast(tensor(device, Int32Array.of(-7, 2 ** 24)), 'float32')))]).toEqual([-7, 2 ** 24]);
    expect([...(await read(cast(tensor(device, Uint32Array.of(2 ** 31)), 'float32')))]).toEqual([2 ** 31]);
  });

  test('no element of a quantised row is off by more than half a step, a row of zeros stays one, and a NaN shows', async () => {
    const [rows, width] = [6, 37];
    const weight = testNumbers(3, rows * width).map((x, i) => (i < width ? 0 : i === width ? NaN : x));
    const { values, scales } = quantizeRows(tensor(device, weight, [rows, width]));
    const [q, s] = [await read(values), await read(scales)];
    expect([s[0], s[1]]).toEqual([0, NaN]);
    for (let i = 2 * width; i < rows * width; i++) expect(Math.abs(q[i] * s[Math.floor(i / width)] - weight[i])).toBeLessThan(0.501 * s[Math.floor(i / width)]);
    expect([...(await read(linear(tensor(device, new Float32Array(width).fill(1), [1, width]), { values, scales })))].map(Number.isNaN)).toEqual([false, true, false, false, false, false]);
  });
});

test('a row has the same bits alone and among others, whatever holds the weights, on wasm', async () => {
  const device = await createWasmDevice({ threads: 2 });
  const [k, n] = [513, 269];
  const x = testNumbers(1, 70 * k), exact = cast(cast(tensor(device, testNumbers(2, n * k), [n, k]), 'bfloat16'), 'float32');
  const weights = { bfloat16: cast(exact, 'bfloat16'), float32: exact, int8: quantizeRows(exact) };
  const run = async (rows: number, weight: Parameters<typeof linear>[1]) => [...(await read(linear(tensor(device, x.slice(0, rows * k), [rows, k]), weight, tensor(device, testNumbers(3, n)))))];
  for (const weight of Object.values(weights)) {
    const whole = await run(70, weight);
    for (const rows of [1, 2, 5, 65]) expect(await run(rows, weight)).toEqual(whole.slice(0, rows * n));
  }
  expect(await run(3, weights.bfloat16)).toEqual(await run(3, weights.float32));
  await device.destroy();
});

test('infinities and NaN of float16 are kept, on wasm', async () => {
  const device = await createWasmDevice({ threads: 1 });
  const row = toFloat16(Float32Array.from({ length: 16 }, (_, i) => (i === 3 ? Infinity : 1)));
  const weight = tensor(device, Uint16Array.from({ length: 8 * 16 }, (_, i) => (i === 16 ? 0x7e01 : row[i % 16])), [8, 16], { dtype: 'float16' });
  expect([...(await read(linear(tensor(device, new Float32Array(16).fill(1), [1, 16]), weight)))]).toEqual([Infinity, NaN, ...new Array(6).fill(Infinity)]);
  await device.destroy();
});

test('types and shapes are checked before anything runs', () => {
  const device = createReferenceDevice();
  const half = tensor(device, new Float32Array(6), [2, 3], { dtype: 'float16' });
  expect(() => linear(half, zeros(device, [4, 3]))).toThrow('linear: expected x as float32, got float16 [2, 3]');
  expect(() => matmul(zeros(device, [2, 4]), half, { transposeA: true })).toThrow('matmul: expected b as float32 where a is transposed, got float16 [2, 3]; cast b first');
  expect(() => linear(zeros(device, [1, 4]), quantizeRows(zeros(device, [2, 3])))).toThrow('linear: expected values of shape [outputs 2, inputs 4], got [2, 3]');
  expect(() => quantizeRows(half)).toThrow('quantizeRows: expected weight as float32, got float16 [2, 3]');
  expect(() => cast(half, 'bfloat16')).toThrow('cast: expected a cast to float32, or from float32 to float16 or bfloat16, got float16 [2, 3] to bfloat16; cast to float32 first');
});

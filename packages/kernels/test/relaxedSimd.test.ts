// The wasm device with relaxed SIMD: refused where the engine has none, within the same tolerance, and as independent of neighbours and threads as the plain one.
// Every op, and thread counts in every op: random.long.test.ts and relaxedSimd.long.test.ts.
import { attention, cast, createDevice, createReferenceDevice, linear, matmul, quantizeRows, read, tensor, type Device } from '../src';
import { allClose, testNumbers } from '../src/testing';
import { allowRelaxedSimd, createRelaxedDevice } from './devices';

test('an engine without relaxed SIMD is refused', async () => {
  allowRelaxedSimd(false);
  if (!process.version.startsWith('v20.')) return void console.warn('not tried: only Node 20 can be without relaxed SIMD');
  await expect(createDevice('wasm', { relaxedSimd: true })).rejects.toThrow(/^createWasmDevice: expected an engine with relaxed SIMD, got Node v20.*; use Node 22/);
});

describe('where the engine has it', () => {
  let device: Device;
  beforeAll(async () => { device = await createRelaxedDevice({ threads: 2, wideTiles: false }); });
  afterAll(() => device.destroy());

  test('the description says so', () => expect(device.description).toMatch(/^wasm: SIMD with relaxed multiply-adds, 2 threads/));

  test('attention is that of the definition', async () => {
    const run = async (on: Device) => read(attention({ qkv: tensor(on, testNumbers(1, 70 * 3 * 20), [70, 3, 1, 20]) }, { cuSeqlens: [0, 33, 70], alibiSlopes: [0.1] }).output);
    allClose(await run(device), await run(createReferenceDevice()), 2e-6);
  });

  // Few rows, a packed weight as one stream, tiles of four and of five rows, edges, a second inner block; turned weights and weights of 16 and 8 bits.
  test('a row has the same bits however many come with it, and whatever holds the weights', async () => {
    const [k, n] = [803, 45], x = testNumbers(1, 134 * k), numbers = testNumbers(2, n * k);
    const exact = cast(cast(tensor(device, numbers, [n, k]), 'bfloat16'), 'float32'), half = cast(exact, 'bfloat16'), eighth = quantizeRows(exact), turned = tensor(device, numbers, [k, n]);
    const products = [(rows: number) => linear(input(rows), exact), (rows: number) => linear(input(rows), half), (rows: number) => linear(input(rows), eighth), (rows: number) => matmul(input(rows), turned)];
    const input = (rows: number) => tensor(device, x.subarray(0, rows * k), [rows, k]);
    const wholes = await Promise.all(products.map(async (product) => [...await read(product(134))]));
    for (const rows of [1, 3, 4, 9, 14, 64, 69, 71]) for (const [i, product] of products.entries()) expect([...await read(product(rows))]).toEqual(wholes[i].slice(0, rows * n));
    expect(wholes[1]).toEqual(wholes[0]);
  });
});

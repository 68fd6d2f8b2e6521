// Tiles of 16 columns, for engines that join pairs of registers: the same bits as tiles of 8, in an engine that joins them and in one that does not.
import { attention, cast, createWasmDevice, linear, matmul, quantizeRows, read, sum, mul, tensor, valueAndGrad, type Device, type Tensor } from '../src';
import { testNumbers } from '../src/testing';
import { allowRelaxedSimd } from './devices';

const bits = async (x: Tensor): Promise<Buffer> => Buffer.from((await read(x)).slice().buffer);

/** Inner blocks, blocks of rows and parts of columns; whole pairs of panels, a panel alone, a panel cut short; tiles of 4 and 5 rows, whole and not. */
const products = [[131, 390, 680], [258, 129, 1040], [20, 40, 13], [64, 803, 45], [33, 385, 24], [17, 20, 9], [16, 40, 32], [5, 30, 100], [3, 19, 40], [1, 300, 21]] as const;

describe.each([false, true])('relaxed SIMD: %s', (relaxedSimd) => {
  let narrow: Device, wide: Device;
  beforeAll(async () => {
    allowRelaxedSimd(relaxedSimd);
    [narrow, wide] = [await createWasmDevice({ threads: 1, relaxedSimd, wideTiles: false }), await createWasmDevice({ threads: 2, relaxedSimd, wideTiles: true })];
  });
  afterAll(() => Promise.all([narrow, wide].map((device) => device.destroy())));
  const expectSame = async (run: (on: Device) => Tensor) => expect((await bits(run(wide))).equals(await bits(run(narrow)))).toBe(true);

  test('the description says so', () => expect([narrow, wide].map(({ description }) => description.includes(' in wide tiles, '))).toEqual([false, true]));

  test.each(products)('[%i x %i] times [%i columns], of 32, 16 and 8 bits', async (m, k, n) => {
    const [x, w] = [testNumbers(1, m * k), testNumbers(2, n * k)];
    for (const transposeA of [false, true]) await expectSame((on) => matmul(tensor(on, x, transposeA ? [k, m] : [m, k]), tensor(on, w, [k, n]), { transposeA }));
    await expectSame((on) => linear(tensor(on, x, [m, k]), tensor(on, w, [n, k]), tensor(on, testNumbers(3, n)), { activation: 'gelu' }));
    for (const stored of [(weight: Tensor) => cast(weight, 'float16'), quantizeRows]) await expectSame((on) => linear(tensor(on, x, [m, k]), stored(tensor(on, w, [n, k])), tensor(on, testNumbers(3, n))));
  });

  test.each([[20, 2, 300, 70], [64, 1, 41, 17], [4, 1, 9, 1]])('attention of heads of %i, and its gradient', async (headDim, heads, first, second) => {
    const total = first + second, options = { cuSeqlens: [0, first, total], alibiSlopes: testNumbers(5, heads).map(Math.abs) };
    const run = (on: Device) => valueAndGrad(({ qkv }: { qkv: Tensor }) => { const { output } = attention({ qkv }, options); return sum(mul(output, output)); })({ qkv: tensor(on, testNumbers(4, total * 3 * heads * headDim), [total, 3, heads, headDim]) });
    await expectSame((on) => run(on).value);
    await expectSame((on) => run(on).grads.qkv);
  });
});

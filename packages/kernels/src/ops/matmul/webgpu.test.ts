// Every tile, at ragged edges, whole and in slices of k: products that would choose the large ones by themselves are too large for a software GPU.
import { describeWithGpu, gpu } from '../../../test/devices';
import { apply, createReferenceDevice, createWebGpuDevice, linear, matmul, read, tensor, type Op, type WebGpuDevice } from '../../index';
import { allClose, testNumbers } from '../../testing';
import { addUp } from '../sum/columnSums';
import { isWide } from '../../devices/webgpu/quads';
import { float32 } from '../../tensor';
import { wholeProduct } from './operands';
import { tiles, tileShader, type Tile } from './tile.wgsl';

interface Shape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly slice: number;
}

/** A product by one tile, with k in slices. */
const tileOp = (tile: Tile, { m, n, k, transposeA, transposeB, slice }: Shape): Op => ({
  name: 'tile', infer: () => [float32(m, n)], reference() {},
  webgpu() {
    const slices = Math.ceil(k / slice);
    const shader = tileShader({ tile, transposeA, transposeB, wideA: isWide(transposeA ? m : k), wideB: isWide(transposeB ? k : n), wideY: isWide(n), hasBias: true });
    return {
      scratch: [float32(slices, m, n)],
      steps: [
        { shader, params: { ...wholeProduct({ m, n, k }), slice }, bind: [{ input: 0 }, { input: 1 }, { input: 2 }, { scratch: 0 }], workgroups: [Math.ceil(n / tile.blockN), Math.ceil(m / tile.blockM), slices] },
        ...addUp({ scratch: 0 }, { output: 0 }, slices, m * n),
      ],
    };
  },
});

describeWithGpu('matmul on webgpu', () => {
  let device: WebGpuDevice;
  const reference = createReferenceDevice();
  beforeAll(async () => { device = await createWebGpuDevice(gpu!); });
  afterAll(() => device.destroy());

  const shapes = (tile: Tile): Shape[] => [
    { m: tile.blockM + 3, n: tile.blockN + 1, k: 37, transposeA: false, transposeB: true, slice: 48 },
    { m: tile.blockM - 3, n: tile.blockN - 2, k: 33, transposeA: true, transposeB: false, slice: 16 },
    { m: tile.blockM + 4, n: tile.blockN + 8, k: 40, transposeA: false, transposeB: false, slice: 48 },
    { m: 4, n: 2 * tile.blockN, k: 52, transposeA: true, transposeB: true, slice: 32 },
  ];
  test.each(tiles.flatMap((tile) => shapes(tile).map((shape) => [tile.blockM, tile.blockN, shape, tile] as const)))('tile %i x %i: %j', async (_m, _n, shape, tile) => {
    const { m, n, k, transposeA, transposeB } = shape;
    const [a, b, bias] = [testNumbers(1, m * k), testNumbers(2, n * k), testNumbers(3, n)];
    const on = [a, transposeA ? [k, m] : [m, k]] as const;
    const by = [b, transposeB ? [n, k] : [k, n]] as const;
    const actual = await read(apply(tileOp(tile, shape), [tensor(device, ...on), tensor(device, ...by), tensor(device, bias)], {})[0]);
    const product = await read(matmul(tensor(reference, ...on), tensor(reference, ...by), { transposeA, transposeB }));
    allClose(actual, product.map((value, i) => value + bias[i % n]), 2e-6);
  });

  test('a row alone has the bits that it has among others', async () => {
    const [k, n] = [515, 40];
    const all = testNumbers(1, 8 * k);
    const [weight, turned, bias] = [tensor(device, testNumbers(2, n * k), [n, k]), tensor(device, testNumbers(2, n * k), [k, n]), tensor(device, testNumbers(3, n))];
    for (const run of [(x: Parameters<typeof matmul>[0]) => linear(x, weight, bias), (x: Parameters<typeof matmul>[0]) => matmul(x, turned)]) {
      const whole = await read(run(tensor(device, all, [8, k])));
      expect([...(await read(run(tensor(device, all.slice(0, 3 * k), [3, k]))))]).toEqual([...whole.slice(0, 3 * n)]);
    }
  });

  test('an empty inner size leaves the bias', async () => {
    for (const rows of [2, 9]) expect([...(await read(linear(tensor(device, [], [rows, 0]), tensor(device, [], [3, 0]), tensor(device, [1, 2, 3]))))]).toEqual(Array.from({ length: rows }, () => [1, 2, 3]).flat());
  });

  test('k is split where few tiles would leave the GPU idle', async () => {
    const [m, n, k] = [33, 20, 1537];
    const [a, b] = [testNumbers(1, m * k), testNumbers(2, n * k)];
    const before = device.statistics().dispatches;
    const actual = await read(linear(tensor(device, a, [m, k]), tensor(device, b, [n, k])));
    expect(device.statistics().dispatches - before).toBe(2);
    allClose(actual, await read(linear(tensor(reference, a, [m, k]), tensor(reference, b, [n, k]))), 2e-6);
  });
});

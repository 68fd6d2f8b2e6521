// The products of reduced precision, on a GPU that offers none of what they need: see withoutMatrices.ts.
import { describeWithGpu, gpu } from '../../../test/devices';
import { inSinglePrecision, withoutMatrices } from '../../../test/withoutMatrices';
import { apply, createReferenceDevice, createWebGpuDevice, matmul, read, tensor, type Dispatch, type Op, type WebGpuDevice } from '../../index';
import { allClose, testNumbers } from '../../testing';
import { isWide } from '../../devices/webgpu/quads';
import { float32 } from '../../tensor';
import { wholeProduct } from './operands';
import { matrixBlock, matrixShader } from './subgroupMatrix.wgsl';
import { tiles, tileShader } from './tile.wgsl';

describeWithGpu('products of reduced precision, in single precision', () => {
  let device: WebGpuDevice;
  const reference = createReferenceDevice();
  beforeAll(async () => { device = await createWebGpuDevice(gpu!); });
  afterAll(() => device.destroy());

  const both = [false, true];
  const shapes = both.flatMap((transposeA) => both.flatMap((transposeB) => [[131, 130, 41], [132, 256, 48]].map(([m, n, k]) => ({ m, n, k, transposeA, transposeB }))));
  test.each(shapes.flatMap((shape) => ['matrices', 'half'].map((kind) => [kind, shape] as const)))('%s: %j', async (kind, { m, n, k, transposeA, transposeB }) => {
    const variant = { transposeA, transposeB, wideA: isWide(transposeA ? m : k), wideB: isWide(transposeB ? k : n), wideY: isWide(n), hasBias: true };
    const [tile] = tiles;
    const [shader, blockM, blockN] = kind === 'matrices' ? [withoutMatrices(matrixShader(variant, 16)), matrixBlock, matrixBlock] : [inSinglePrecision(tileShader({ ...variant, tile, arithmetic: 'f16' })), tile.blockM, tile.blockN];
    const params = { ...wholeProduct({ m, n, k }), slice: 48 };
    const op: Op = {
      name: kind, infer: () => [float32(m, n)], reference() {},
      webgpu: () => ({ steps: [{ shader, params, bind: [{ input: 0 }, { input: 1 }, { input: 2 }, { output: 0 }], workgroups: [Math.ceil(n / blockN), Math.ceil(m / blockM), 1] }] }),
    };
    const [a, b, bias] = [testNumbers(1, m * k), testNumbers(2, n * k), testNumbers(3, n)];
    const [shapeA, shapeB] = [transposeA ? [k, m] : [m, k], transposeB ? [n, k] : [k, n]];
    const actual = await read(apply(op, [tensor(device, a, shapeA), tensor(device, b, shapeB), tensor(device, bias)], {})[0]);
    const expected = await read(matmul(tensor(reference, a, shapeA), tensor(reference, b, shapeB), { transposeA, transposeB }));
    allClose(actual, expected.map((value, i) => value + bias[i % n]), 2e-6, kind);
  });

  test.each(both)('matrices in boxes, of which only parts of b are shown (transposed: %s)', async (transposeB) => {
    const [m, n, k] = [40, 260, 72];
    const text = (adds: boolean) => withoutMatrices(matrixShader({ transposeA: false, transposeB, wideA: true, wideB: true, wideY: true, hasBias: !adds, adds }, 16));
    const boxes = transposeB ? [[0, 128], [128, n]].map(([firstColumn, endColumn]) => ({ firstColumn, endColumn })) : [[0, 32], [32, k]].map(([firstInner, endInner]) => ({ firstInner, endInner }));
    const op: Op = {
      name: 'boxes', infer: () => [float32(m, n)], reference() {},
      webgpu: () => ({ steps: boxes.map((box, i): Dispatch => {
        const length = transposeB ? k : n, [first, end] = Object.values(box);
        const params = { ...wholeProduct({ m, n, k }), ...box, bStart: (-first * length) >>> 0 };
        return { shader: text(!transposeB && i > 0), params, bind: [{ input: 0 }, { input: 1, window: { first: first * length, count: (end - first) * length } }, { input: 2 }, { output: 0 }], workgroups: [Math.ceil(n / matrixBlock), 1, 1] };
      }) }),
    };
    const [a, b, bias] = [testNumbers(1, m * k), testNumbers(2, n * k), testNumbers(3, n)], shapeB = transposeB ? [n, k] : [k, n];
    const actual = await read(apply(op, [tensor(device, a, [m, k]), tensor(device, b, shapeB), tensor(device, bias)], {})[0]);
    const expected = await read(matmul(tensor(reference, a, [m, k]), tensor(reference, b, shapeB), { transposeB }));
    allClose(actual, expected.map((value, i) => value + bias[i % n]), 2e-6);
  });

  test('a GPU without them refuses', async () => {
    await expect(createWebGpuDevice(gpu!, { reducedPrecision: 'subgroupMatrix' })).rejects.toThrow(/^createWebGpuDevice: expected a GPU with .*chromium-experimental-subgroup-matrix for reducedPrecision subgroupMatrix, got .* without; leave the option out$/);
  });
});

// The products of reduced precision, on a GPU that offers none of what they need: see withoutMatrices.ts.
import { describeWithGpu, gpu } from '../../../test/devices';
import { inSinglePrecision, withoutMatrices } from '../../../test/withoutMatrices';
import { apply, createReferenceDevice, createWebGpuDevice, matmul, read, tensor, type Op, type WebGpuDevice } from '../../index';
import { allClose, testNumbers } from '../../testing';
import { isWide } from '../../devices/webgpu/quads';
import { float32 } from '../../tensor';
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
    const params = { m, n, k, firstRow: 0, ...(kind === 'half' && { slice: 48 }) };
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

  test('a GPU without them refuses', async () => {
    await expect(createWebGpuDevice(gpu!, { reducedPrecision: 'subgroupMatrix' })).rejects.toThrow(/^createWebGpuDevice: expected a GPU with .*chromium-experimental-subgroup-matrix for reducedPrecision subgroupMatrix, got .* without; leave the option out$/);
  });
});

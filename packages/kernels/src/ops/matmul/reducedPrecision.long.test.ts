// The kernels of reduced precision on a GPU that offers none of what they need: their text with f32 in place of f16, and with matrices that every lane computes its eighth of a row of.
// That shows panels, tiles, edges and orders to be right. What it cannot show is what a driver makes of the real ones.
import { describeWithGpu, gpu } from '../../../test/devices';
import { apply, createReferenceDevice, createWebGpuDevice, matmul, read, tensor, type Op, type WebGpuDevice } from '../../index';
import { allClose, testNumbers } from '../../testing';
import { isWide } from '../../devices/webgpu/quads';
import { float32 } from '../../tensor';
import { matrixBlock, matrixShader } from './subgroupMatrix.wgsl';
import { tiles, tileShader } from './tile.wgsl';

const inSinglePrecision = (shader: string) => shader.replace(/^enable .*;\n/gm, '').replace(/\bf16\b/g, 'f32');

/** A matrix of 16 x 16 is a place in workgroup memory to be read, or eight sums of each of 32 lanes. */
const withoutMatrices = (shader: string) => `${inSinglePrecision(shader)
  .replace(/alias (Left|Right) = .*;/g, 'alias $1 = vec3<u32>;').replace(/alias Sum = .*;/, 'alias Sum = array<f32, 8>;').replace(/Sum\(0\.0\)/g, 'Sum()')
  .replace(/subgroupMatrixLoad<\w+, (row|col)_major>\(&\w+, (.*), (\d+u)\)/g, (_all, major: string, at: string, stride: string) => `vec3<u32>(${at}, ${stride}, ${major === 'col' ? 1 : 0}u)`)
  .replace(/subgroupMatrixMultiplyAccumulate\((.*)\)/g, 'product($1, own)').replace(/subgroupMatrixStore<row_major>\(&out, mine, (\w+), 16u\)/g, 'put(mine, $1, own)')
  .replace(/, @builtin\(subgroup_id\) subgroup: u32, @builtin\(subgroup_invocation_id\) own: u32\) \{/, ') {\n  let subgroup = lane / 32u;\n  let own = lane % 32u;')}
fn product(left: Left, right: Right, before: Sum, own: u32) -> Sum {
  var sum = before;
  for (var j = 0u; j < 8u; j++) {
    let column = own % 2u * 8u + j;
    for (var k = 0u; k < 16u; k++) {
      let a = aPanel[left.x + select(own / 2u * left.y + k, k * left.y + own / 2u, left.z == 1u)];
      sum[j] += a * bPanel[right.x + select(k * right.y + column, column * right.y + k, right.z == 1u)];
    }
  }
  return sum;
}
fn put(at: u32, value: Sum, own: u32) {
  var sum = value;
  for (var j = 0u; j < 8u; j++) { out[at + own * 8u + j] = sum[j]; }
}
`;

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

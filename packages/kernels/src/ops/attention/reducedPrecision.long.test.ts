// Attention on matrix units, on a GPU that has none: see withoutMatrices.ts.
import { describeWithGpu, gpu } from '../../../test/devices';
import { withoutMatrices } from '../../../test/withoutMatrices';
import { alibiSlopes, apply, attention, createReferenceDevice, createWebGpuDevice, read, tensor, type AttentionOptions, type Op, type Plan, type Dispatch, type WebGpuDevice } from '../../index';
import { allClose, testNumbers } from '../../testing';
import { float32 } from '../../tensor';
import { matrixForwardShader } from './subgroupMatrix.wgsl';
import { matrixSteps } from './webgpu';
import type { AttentionAttributes } from './layout';

describeWithGpu('attention on matrices, in single precision', () => {
  let device: WebGpuDevice;
  const reference = createReferenceDevice();
  beforeAll(async () => { device = await createWebGpuDevice(gpu!); });
  afterAll(() => device.destroy());

  const cases: readonly (readonly [string, number, number, AttentionOptions & { cuSeqlensKey: number[] }])[] = [
    ['one chunk, symmetric ALiBi', 2, 32, { cuSeqlens: [0, 70, 71], cuSeqlensKey: [0, 70, 71], alibiSlopes: alibiSlopes(2) }],
    ['two chunks, causal, more keys than queries', 1, 64, { cuSeqlens: [0, 40], cuSeqlensKey: [0, 97], causal: true }],
    ['a window, a sequence without keys', 2, 16, { cuSeqlens: [0, 33, 40], cuSeqlensKey: [0, 50, 50], windowSize: [20, 4] }],
  ];
  test.each(cases)('%s', async (_name, heads, headDim, options) => {
    const { cuSeqlens, cuSeqlensKey, causal = false, windowSize: [left, right] = [-1, -1], alibiSlopes: slopes = [] } = options;
    const [queries, keys] = [Array.from(cuSeqlens).at(-1)!, cuSeqlensKey.at(-1)!];
    const attributes: AttentionAttributes = { cuSeqlens: Int32Array.from(cuSeqlens), cuSeqlensKey: Int32Array.from(cuSeqlensKey), alibiSlopes: Float32Array.from(slopes), softmaxScale: headDim ** -0.5, windowLeft: left, windowRight: causal ? 0 : right };
    const variant = { headDim, subgroups: 2, chunk: Math.min(32, headDim) };
    const op: Op = {
      name: 'matrices', infer: () => [float32(queries, heads, headDim), float32(queries, heads)], reference() {},
      webgpu: (inputs, _outputs, _attributes, limits): Plan<Dispatch> => ({ steps: matrixSteps(inputs, attributes, limits, variant, withoutMatrices(matrixForwardShader(variant))) }),
    };
    const numbers = [[queries, heads, headDim], [keys, heads, headDim], [keys, heads, headDim]].map((shape, i) => [testNumbers(i + 1, shape[0] * heads * headDim, 2), shape] as const);
    const actual = apply(op, numbers.map(([values, shape]) => tensor(device, values, shape)), {});
    const [query, key, value] = numbers.map(([values, shape]) => tensor(reference, values, shape));
    const expected = attention({ query, key, value }, options);
    allClose(await read(actual[0]), await read(expected.output), 3e-6, 'output');
    allClose(await read(actual[1]), await read(expected.logSumExp), 3e-6, 'logSumExp');
  });
});

// Few queries over many keys take other kernels than blocks of queries; and nothing of queries by keys is ever allocated.
import { describeWithGpu, gpu } from '../../../test/devices';
import { alibiSlopes, attention, createReferenceDevice, createWebGpuDevice, free, read, scope, sum, tensor, valueAndGrad, type AttentionOptions, type Tensor, type WebGpuDevice } from '../../index';
import { allClose, evaluateCase, testNumbers, type OpCase } from '../../testing';

describeWithGpu('attention on webgpu', () => {
  let device: WebGpuDevice;
  beforeAll(async () => { device = await createWebGpuDevice(gpu!); });
  afterAll(() => device.destroy());

  const decode = (name: string, [heads, kvHeads, headDim]: readonly number[], options: AttentionOptions & { cuSeqlensKey: readonly number[] }) => (which: 'output' | 'logSumExp'): OpCase => ({
    name, inputs: { query: [Array.from(options.cuSeqlens).at(-1)!, heads, headDim], key: [options.cuSeqlensKey.at(-1)!, kvHeads, headDim], value: [options.cuSeqlensKey.at(-1)!, kvHeads, headDim] }, differentiable: false,
    run: ({ query, key, value }) => attention({ query, key, value }, options)[which],
  });
  const cases = [
    decode('one query each, chunks at their edges, an empty sequence', [2, 2, 8], { cuSeqlens: [0, 1, 2, 3, 3, 4], cuSeqlensKey: [0, 255, 511, 768, 768, 769], alibiSlopes: [0.01, 0.002] }),
    decode('grouped heads, causal', [6, 2, 12], { cuSeqlens: [0, 3, 4], cuSeqlensKey: [0, 300, 320], causal: true, alibiSlopes: alibiSlopes(6) }),
    decode('a window, a head of odd size', [1, 1, 5], { cuSeqlens: [0, 2], cuSeqlensKey: [0, 400], windowSize: [270, 0] }),
  ];
  test.each(cases.map((caseOf) => [caseOf('output').name, caseOf] as const))('few queries: %s', async (_name, caseOf) => {
    for (const which of ['output', 'logSumExp'] as const) {
      const before = device.statistics().dispatches;
      const actual = await evaluateCase(caseOf(which), device);
      expect(device.statistics().dispatches - before).toBe(2);
      allClose(actual.value, (await evaluateCase(caseOf(which), createReferenceDevice())).value, 2e-6);
    }
  });

  test('memory grows with the tokens, not with their square', async () => {
    const [heads, headDim] = [2, 4];
    const extra = async (tokens: number) => {
      const qkv = tensor(device, testNumbers(1, tokens * 3 * heads * headDim), [tokens, 3, heads, headDim]);
      const from = device.memory.peak = device.memory.live;
      const result = scope(() => valueAndGrad((p: { qkv: Tensor }) => sum(attention({ qkv: p.qkv }, { cuSeqlens: [0, tokens], windowSize: [8, 8] }).output))({ qkv }));
      await read(result.value);
      free([qkv, result.value, result.grads]);
      return device.memory.peak - from;
    };
    const [small, large] = [await extra(256), await extra(1024)];
    expect(large).toBeLessThan(4.1 * small);
    expect(large).toBeLessThan(4 * 1024 * heads * (8 * headDim + 4)); // a few tensors of the size of the output and the gradient, and three numbers a row
  });
});

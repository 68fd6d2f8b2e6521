// Every block of the WebGPU kernels, forward and backward, at ragged edges: a hundred pipelines, minutes on a software GPU.
import { describeWithGpu, gpu } from '../../../test/devices';
import { alibiSlopes, attention, createReferenceDevice, createWebGpuDevice, type AttentionOptions } from '../../index';
import { allClose, evaluateCase, type OpCase } from '../../testing';

/** Enough heads for the largest block that fits; the memory decides which that is, and how deep its tiles are. */
const heads = 272;

const check = async (workgroupBytes: number, opCase: OpCase) => {
  const device = await createWebGpuDevice(gpu!, { limits: { workgroupBytes } });
  const [expected, actual] = [await evaluateCase(opCase, createReferenceDevice()), await evaluateCase(opCase, device)];
  allClose(actual.value, expected.value, 2e-6, opCase.name);
  for (const [input, gradient] of Object.entries(expected.gradients)) allClose(actual.gradients[input], gradient, 1e-5, `the gradient of ${input}`);
  await device.destroy();
};

describeWithGpu('attention on webgpu', () => {
  const options: AttentionOptions = { cuSeqlens: [0, 67, 70], alibiSlopes: alibiSlopes(heads), windowSize: [6, 3] };
  test.each([16384, 32768].flatMap((bytes) => [6, 64].map((headDim) => [bytes, headDim] as const)))('%i bytes of workgroup memory, many heads of %i', (bytes, headDim) =>
    check(bytes, { name: 'many heads', inputs: { qkv: [70, 3, heads, headDim] }, run: ({ qkv }) => attention({ qkv }, options).output }));

  test.each([8192, 12288, 16384, 24576, 32768].flatMap((bytes) => [32, 64, 80, 96, 128].map((headDim) => [bytes, headDim] as const)).filter(([bytes, headDim]) => bytes >= 128 * headDim))('%i bytes of workgroup memory, grouped heads of %i', (bytes, headDim) =>
    check(bytes, {
      name: 'grouped heads', inputs: { query: [40, 4, headDim], key: [75, 2, headDim], value: [75, 2, headDim] },
      run: ({ query, key, value }) => attention({ query, key, value }, { cuSeqlens: [0, 37, 40], cuSeqlensKey: [0, 70, 75], causal: true, alibiSlopes: alibiSlopes(4) }).output,
    }));

  test('headDim 200', () => check(32768, { name: 'headDim 200', inputs: { qkv: [20, 3, 1, 200] }, run: ({ qkv }) => attention({ qkv }, { cuSeqlens: [0, 20] }).output }));
});

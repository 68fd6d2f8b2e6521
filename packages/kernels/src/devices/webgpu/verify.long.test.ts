// What a device is asked to use beyond WebGPU's core is tried out when it is made. The software GPU has subgroups; for half precision it pretends, see withoutMatrices.ts. (In single precision the panels of matrix units do not fit into its workgroup memory.)
import { describeWithGpu, devices, gpu } from '../../../test/devices';
import { inSinglePrecision } from '../../../test/withoutMatrices';
import { addRmsNorm, createWebGpuDevice, crossEntropy, layerNorm, matmul, read, rmsNorm, softmax, sum, sumSquares, tensor, type WebGpuOptions } from '../../index';
import { describeOp, testNumbers } from '../../testing';

/** A GPU that claims to have everything, and runs what `rewrite` makes of each shader. */
async function pretending(rewrite: (code: string) => string): Promise<GPU> {
  const adapter = (await gpu!.requestAdapter())!;
  const requestDevice = async (descriptor: GPUDeviceDescriptor) => {
    const inner = await adapter.requestDevice({ ...descriptor, requiredFeatures: ['subgroups' as GPUFeatureName] });
    return new Proxy(inner, { get(target, name) {
      if (name === 'createShaderModule') return ({ code, ...rest }: GPUShaderModuleDescriptor) => target.createShaderModule({ ...rest, code: rewrite(code) });
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === 'function' ? (value as () => void).bind(target) : value;
    } });
  };
  return { requestAdapter: async () => ({ info: adapter.info, limits: adapter.limits, features: { has: () => true }, requestDevice }) } as unknown as GPU;
}

const emulated = (code: string): string => (/^enable f16;/m.test(code) ? inSinglePrecision(code) : code);
const spoilt = (pattern: RegExp, by: string) => (code: string): string => (/^enable (?:f16|subgroups);/m.test(code) ? emulated(code).replace(pattern, by) : code);

describeWithGpu('a device that is asked for', () => {
  const bySubgroups = { 'webgpu, rows by subgroups': () => createWebGpuDevice(gpu!, { subgroups: true }) };
  describeOp('subgroups', [
    { name: 'layerNorm', inputs: { x: [11, 77], weight: [77], bias: [77] }, tolerance: 1e-5, run: ({ x, weight, bias }) => layerNorm(x, weight, bias) },
    { name: 'rmsNorm', inputs: { x: [5, 300], weight: [300] }, run: ({ x, weight }) => rmsNorm(x, weight) },
    { name: 'addRmsNorm', inputs: { x: [5, 30], y: [5, 30], weight: [30] }, run: ({ x, y, weight }) => addRmsNorm(x, y, weight).output },
    { name: 'softmax', inputs: { x: [9, 130] }, spread: 8, run: ({ x }) => softmax(x) },
    { name: 'crossEntropy', inputs: { logits: [7, 33] }, spread: 5, run: ({ logits }, on) => crossEntropy(logits, tensor(on, Int32Array.from({ length: 7 }, (_, i) => 4 * i))).sum },
    { name: 'sum', inputs: { x: [9000] }, tolerance: 1e-5, run: ({ x }) => sum(x) },
    { name: 'sumSquares', inputs: { x: [700] }, run: ({ x }) => sumSquares(x), differentiable: false },
  ], bySubgroups);

  test.each<[string, WebGpuOptions]>([['subgroups', { subgroups: true }], ['half precision', { reducedPrecision: 'float16' }]])('%s computes as others do, and says so', async (_name, options) => {
    const [device, plain] = [await createWebGpuDevice(await pretending(emulated), options), await devices.webgpu()];
    expect(device.description).toMatch(/; (?:products in float16|rows by subgroups)$/);
    expect([device.memory.live, device.memory.peak]).toEqual([0, 0]);
    const [a, b] = await Promise.all([device, plain].map((on) => read(softmax(matmul(tensor(on, testNumbers(1, 600), [20, 30]), tensor(on, testNumbers(2, 600), [30, 20]))))));
    a.forEach((value: number, i: number) => expect(Math.abs(value - b[i])).toBeLessThan(1e-6));
    await Promise.all([device, plain].map((on) => on.destroy()));
  });

  test.each<[string, WebGpuOptions, RegExp, string, RegExp]>([
    ['subgroups', { subgroups: true }, /lane \/ size\]/g, 'lane % size]', /^createWebGpuDevice: expected subgroups that add up 64 lanes to 2080, 64, 2080, 89440, got .* in lane \d+; leave the option out$/],
    ['half precision', { reducedPrecision: 'float16' }, /\* params\.softmaxScale/g, '* 1.2 * params.softmaxScale', /^createWebGpuDevice: expected attention of reducedPrecision float16 within 0\.01 of single precision on this GPU, got a relative error of .*; leave the option out$/],
  ])('%s that compute something else is refused', async (_name, options, pattern, by, message) => {
    await expect(createWebGpuDevice(await pretending(spoilt(pattern, by)), options)).rejects.toThrow(message);
  });

  test('what the GPU does not offer is refused', async () => {
    const adapter = (await gpu!.requestAdapter())!;
    const bare = { requestAdapter: async () => ({ info: adapter.info, limits: adapter.limits, features: new Set() }) } as unknown as GPU;
    await expect(createWebGpuDevice(bare, { subgroups: true })).rejects.toThrow(/^createWebGpuDevice: expected a GPU with subgroups for rows by subgroups, got .* without; leave the option out$/);
  });
});

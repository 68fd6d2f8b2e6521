// Attention in half precision and on matrix units, on a GPU that has neither: see withoutMatrices.ts.
import { describeWithGpu, gpu } from '../../../test/devices';
import { inSinglePrecision, withoutMatrices } from '../../../test/withoutMatrices';
import { alibiSlopes, apply, attention, createReferenceDevice, createWebGpuDevice, mul, read, sum, tensor, valueAndGrad, type AttentionOptions, type Op, type Plan, type Dispatch, type Tensor, type WebGpuDevice } from '../../index';
import { allClose, testNumbers } from '../../testing';
import { float32 } from '../../tensor';
import { matrixForwardShader } from './subgroupMatrix.wgsl';
import { attentionBackwardPlan, attentionPlan, matrixSteps } from './webgpu';
import type { AttentionAttributes } from './layout';

describeWithGpu('attention of reduced precision, in single precision', () => {
  let device: WebGpuDevice;
  const reference = createReferenceDevice();
  beforeAll(async () => { device = await createWebGpuDevice(gpu!); });
  afterAll(() => device.destroy());

  const cases: readonly (readonly [string, number, number, AttentionOptions & { cuSeqlensKey: number[] }])[] = [
    ['one chunk, symmetric ALiBi', 2, 32, { cuSeqlens: [0, 70, 71], cuSeqlensKey: [0, 70, 71], alibiSlopes: alibiSlopes(2) }],
    ['two chunks, causal, more keys than queries', 1, 64, { cuSeqlens: [0, 40], cuSeqlensKey: [0, 97], causal: true }],
    ['a window, a sequence without keys', 2, 16, { cuSeqlens: [0, 33, 40], cuSeqlensKey: [0, 50, 50], windowSize: [20, 4] }],
  ];
  const attributesOf = (headDim: number, { cuSeqlens, cuSeqlensKey, causal = false, windowSize: [left, right] = [-1, -1], alibiSlopes: slopes = [] }: (typeof cases)[number][3]): AttentionAttributes => (
    { cuSeqlens: Int32Array.from(cuSeqlens), cuSeqlensKey: Int32Array.from(cuSeqlensKey), alibiSlopes: Float32Array.from(slopes), softmaxScale: headDim ** -0.5, windowLeft: left, windowRight: causal ? 0 : right });
  const numbersOf = (heads: number, headDim: number, { cuSeqlens, cuSeqlensKey }: (typeof cases)[number][3]) => {
    const [queries, keys] = [Array.from(cuSeqlens).at(-1)!, cuSeqlensKey.at(-1)!];
    return [queries, keys, keys, queries].map((rows, i) => [testNumbers(i + 1, rows * heads * headDim, 2), [rows, heads, headDim]] as const);
  };

  const oddHead: (typeof cases)[number] = ['a head of odd size', 2, 6, { cuSeqlens: [0, 9], cuSeqlensKey: [0, 9], causal: true }];
  test.each([...cases, oddHead])('half precision, both passes: %s', async (_name, heads, headDim, options) => {
    const attributes = attributesOf(headDim, options);
    const half = ({ steps, ...plan }: Plan<Dispatch>): Plan<Dispatch> => {
      expect(steps.some(({ shader }) => shader.startsWith('enable f16;'))).toBe(true);
      return { ...plan, steps: steps.map((step) => ({ ...step, shader: inSinglePrecision(step.shader) })) };
    };
    const numbers = numbersOf(heads, headDim, options);
    const [query, key, value, d] = numbers.map(([values, shape]) => tensor(device, values, shape));
    const forward: Op = { name: 'half', infer: ([q]) => [q, float32(...q.shape.slice(0, 2))], reference() {}, webgpu: (inputs, outputs, _attributes, limits) => half(attentionPlan(inputs, outputs, attributes, { ...limits, reducedPrecision: 'float16' })) };
    const backward: Op = { name: 'halfBackward', infer: ([q, k, v]) => [q, k, v], reference() {}, webgpu: (inputs, outputs, _attributes, limits) => half(attentionBackwardPlan(inputs, outputs, attributes, { ...limits, reducedPrecision: 'float16' })) };
    const [output, logSumExp] = apply(forward, [query, key, value], {});
    const gradients = apply(backward, [query, key, value, output, logSumExp, d], {});
    const [q, k, v, weights] = numbers.map(([values, shape]) => tensor(reference, values, shape));
    const expected = attention({ query: q, key: k, value: v }, options);
    allClose(await read(output), await read(expected.output), 3e-6, 'output');
    allClose(await read(logSumExp), await read(expected.logSumExp), 3e-6, 'logSumExp');
    const { grads } = valueAndGrad((p: { q: Tensor; k: Tensor; v: Tensor }) => sum(mul(attention({ query: p.q, key: p.k, value: p.v }, options).output, weights)))({ q, k, v });
    for (const [i, gradient] of [grads.q, grads.k, grads.v].entries()) allClose(await read(gradients[i]), await read(gradient), 1e-5, `gradient ${i}`);
  });

  // As much workgroup memory as lets the plan choose one or two subgroups, whose panels in single precision then fit.
  const gradientCases: readonly (readonly [string, number, number, number, number, (typeof cases)[number][3]])[] = [
    ['one subgroup, grouped heads, symmetric ALiBi', 13_000, 4, 2, 32, { cuSeqlens: [0, 70, 71], cuSeqlensKey: [0, 70, 71], alibiSlopes: alibiSlopes(4) }],
    ['two subgroups, causal, more keys than queries', 16_000, 1, 1, 16, { cuSeqlens: [0, 40], cuSeqlensKey: [0, 97], causal: true }],
    ['two subgroups, a window, a sequence without keys', 16_000, 2, 2, 16, { cuSeqlens: [0, 33, 40], cuSeqlensKey: [0, 50, 50], windowSize: [20, 4] }],
  ];
  test.each(gradientCases)('gradients on matrices: %s', async (_name, workgroupBytes, heads, kvHeads, headDim, options) => {
    const attributes = attributesOf(headDim, options), numbers = numbersOf(heads, headDim, options);
    const shapes = numbers.map(([, [rows]], i) => [rows, i === 1 || i === 2 ? kvHeads : heads, headDim]);
    const inputs = numbers.map(([values], i) => [values.slice(0, shapes[i].reduce((a, b) => a * b)), shapes[i]] as const);
    const op: Op = {
      name: 'matrices', infer: ([q, k, v]) => [q, k, v], reference() {},
      webgpu(specs, outputs, _attributes, limits) {
        const { steps, ...plan } = attentionBackwardPlan(specs, outputs, attributes, { ...limits, workgroupBytes, reducedPrecision: 'subgroupMatrix' });
        expect(steps.filter(({ shader }) => shader.includes('subgroup_matrix')).length).toBe(2);
        return { ...plan, steps: steps.map((step) => (step.shader.includes('subgroup_matrix') ? { ...step, shader: withoutMatrices(step.shader) } : step)) };
      },
    };
    const [query, key, value, d] = inputs.map(([values, shape]) => tensor(device, values, shape));
    const { output, logSumExp } = attention({ query, key, value }, options);
    const gradients = apply(op, [query, key, value, output, logSumExp, d], {});
    const [q, k, v, weights] = inputs.map(([values, shape]) => tensor(reference, values, shape));
    const { grads } = valueAndGrad((p: { q: Tensor; k: Tensor; v: Tensor }) => sum(mul(attention({ query: p.q, key: p.k, value: p.v }, options).output, weights)))({ q, k, v });
    for (const [i, gradient] of [grads.q, grads.k, grads.v].entries()) allClose(await read(gradients[i]), await read(gradient), 1e-5, `gradient ${i}`);
  });

  test('gradients on matrices, packed', async () => {
    const options = { cuSeqlens: [0, 45, 71], cuSeqlensKey: [0, 45, 71], alibiSlopes: alibiSlopes(2) }, attributes = attributesOf(16, options);
    const numbers = [testNumbers(1, 71 * 96, 2), testNumbers(2, 71 * 32)] as const;
    const op: Op = {
      name: 'matrices', infer: ([qkv]) => [qkv], reference() {},
      webgpu(specs, outputs, _attributes, limits) {
        const { steps, ...plan } = attentionBackwardPlan(specs, outputs, attributes, { ...limits, workgroupBytes: 16_000, reducedPrecision: 'subgroupMatrix' });
        return { ...plan, steps: steps.map((step) => (step.shader.includes('subgroup_matrix') ? { ...step, shader: withoutMatrices(step.shader) } : step)) };
      },
    };
    const [qkv, d] = [tensor(device, numbers[0], [71, 3, 2, 16]), tensor(device, numbers[1], [71, 2, 16])];
    const { output, logSumExp } = attention({ qkv }, options);
    const [gradient] = apply(op, [qkv, output, logSumExp, d], {});
    const weights = tensor(reference, numbers[1], [71, 2, 16]);
    const { grads } = valueAndGrad((p: Tensor) => sum(mul(attention({ qkv: p }, options).output, weights)))(tensor(reference, numbers[0], [71, 3, 2, 16]));
    allClose(await read(gradient), await read(grads), 1e-5);
  });

  test.each(cases)('on matrices: %s', async (_name, heads, headDim, options) => {
    const attributes = attributesOf(headDim, options);
    const variant = { headDim, subgroups: 2, chunk: Math.min(32, headDim) };
    const op: Op = {
      name: 'matrices', infer: ([q]) => [q, float32(...q.shape.slice(0, 2))], reference() {},
      webgpu: (inputs, _outputs, _attributes, limits): Plan<Dispatch> => ({ steps: matrixSteps(inputs, attributes, limits, variant, withoutMatrices(matrixForwardShader(variant))) }),
    };
    const numbers = numbersOf(heads, headDim, options).slice(0, 3);
    const actual = apply(op, numbers.map(([values, shape]) => tensor(device, values, shape)), {});
    const [query, key, value] = numbers.map(([values, shape]) => tensor(reference, values, shape));
    const expected = attention({ query, key, value }, options);
    allClose(await read(actual[0]), await read(expected.output), 3e-6, 'output');
    allClose(await read(actual[1]), await read(expected.logSumExp), 3e-6, 'logSumExp');
  });
});

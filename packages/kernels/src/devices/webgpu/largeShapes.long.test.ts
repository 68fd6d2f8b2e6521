// Training steps too large for any software GPU, recorded for a GPU that has WebGPU's default limits and computes nothing: every binding, every grid and every parameter must be one that WebGPU takes.
import { createTrainer, type Config } from '../../../test/encoder';
import { add, cast, createWebGpuDevice, embedding, linear, linearCrossEntropy, matmul, mul, scope, sum, tensor, valueAndGrad, zeros, type Device, type Tensor, type WebGpuDevice } from '../../index';

const [bindable, groups, workgroupLimit] = [2 ** 27, 65_535, 16_384];

/** Of all arrays that a shader declares in workgroup memory. */
const workgroupBytes = (code: string): number => Array.from(code.matchAll(/var<workgroup> \w+: array<(vec4|vec2|\w+)[^,]*, (\w+)>/g), ([, type, count]) =>
  ({ vec4: 16, vec2: 8 }[type] ?? 4) * Number(/^\d/.test(count) ? count : new RegExp(`const ${count} = (\\d+)`).exec(code)![1])).reduce((a, b) => a + b, 0);

interface Recorded {
  largestBinding: number;
  largestBuffer: number;
}

/** Takes every command, and looks at those that have limits. */
function createRecordingGpu(): { gpu: GPU; recorded: Recorded } {
  const recorded: Recorded = { largestBinding: 0, largestBuffer: 0 };
  const nothing = () => ({});
  const pass = {
    setPipeline() {}, setBindGroup() {}, end() {},
    dispatchWorkgroups(...counts: number[]) {
      for (const count of counts) if (!(Number.isInteger(count) && count > 0 && count <= groups)) throw new Error(`a grid of ${counts.join(' x ')}`);
    },
  };
  const device = {
    limits: { maxBufferSize: 2 ** 36, maxStorageBufferBindingSize: bindable, maxComputeWorkgroupStorageSize: workgroupLimit, maxComputeInvocationsPerWorkgroup: 256, maxComputeWorkgroupSizeX: 256 },
    features: new Set(), lost: new Promise(() => {}), addEventListener() {}, pushErrorScope() {}, popErrorScope: async () => null, destroy() {},
    createBuffer: ({ size }: GPUBufferDescriptor) => { recorded.largestBuffer = Math.max(recorded.largestBuffer, size); return { size, destroy() {} }; },
    createShaderModule({ code }: GPUShaderModuleDescriptor) {
      const [bytes, invocations] = [workgroupBytes(code), /@workgroup_size\(([\d, ]+)\)/.exec(code)![1].split(',').reduce((product, count) => product * Number(count), 1)];
      if (bytes > workgroupLimit || invocations > 256) throw new Error(`${bytes} bytes and ${invocations} invocations of a workgroup in ${code}`);
      return {};
    },
    createComputePipeline: nothing, createPipelineLayout: nothing, createBindGroupLayout: nothing,
    createBindGroup({ entries }: GPUBindGroupDescriptor) {
      for (const { resource } of entries) {
        const { buffer, offset = 0, size = 0 } = resource as GPUBufferBinding;
        if (offset % 256 || size % 4 || size < 4 || size > bindable || offset + size > buffer.size) throw new Error(`${size} bytes at ${offset} of ${buffer.size}`);
        recorded.largestBinding = Math.max(recorded.largestBinding, size);
      }
      return {};
    },
    createCommandEncoder: () => ({ beginComputePass: () => pass, copyBufferToBuffer() {}, finish: nothing }),
    queue: { submit() {}, writeBuffer() {}, onSubmittedWorkDone: async () => {} },
  };
  const adapter = { limits: device.limits, features: device.features, info: { vendor: 'none', architecture: '', description: 'records' }, requestDevice: async () => device };
  return { gpu: { requestAdapter: async () => adapter } as unknown as GPU, recorded };
}

const config: Config = { vocabSize: 4096, hiddenSize: 768, numHeads: 12, intermediateSize: 3072, numLayers: 1, classes: 2 };
const trainingStep = (lengths: readonly number[]) => (device: Device): void => {
  const cuSeqlens = lengths.reduce<number[]>((ends, length) => [...ends, ends.at(-1)! + length], [0]);
  createTrainer(device, config, 'checkpoint').step({ inputIds: new Uint32Array(cuSeqlens.at(-1)!), cuSeqlens: Int32Array.from(cuSeqlens), labels: new Int32Array(lengths.length) }, 1);
};
const gradients = (shapes: Readonly<Record<string, readonly number[]>>, loss: (p: Record<string, Tensor>, device: Device) => Tensor) => (device: Device): void => {
  scope(() => { valueAndGrad((p: Record<string, Tensor>) => scope(() => loss(p, device) as never))(Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, zeros(device, shape)]))); });
};

const steps: Record<string, (device: Device) => void> = {
  '140,000 tokens in one sequence, a layer of 12 heads of 64': trainingStep([140_000]),
  'a million tokens in a thousand sequences': trainingStep(new Array<number>(1000).fill(1000)),
  'a table of 65,536 x 1,024, looked into and multiplied by': gradients({ table: [65_536, 1024], x: [512, 1024] }, ({ table, x }, device) => {
    const found = embedding(table, tensor(device, new Uint32Array(512)));
    return linearCrossEntropy(mul(found, x), table, tensor(device, new Int32Array(512))).sum;
  }),
  'products whose operands are all large, in every transposition': gradients({ a: [8192, 8192], b: [8192, 8192] }, ({ a, b }) => {
    let total = zeros(a.device, []);
    for (const transposeA of [false, true]) for (const transposeB of [false, true]) total = add(total, sum(matmul(a, b, { transposeA, transposeB })));
    return total;
  }),
  'weights of 16 bits, of one token and of many': (device) => scope(() => {
    const weight = cast(zeros(device, [131_072, 2560]), 'bfloat16');
    for (const rows of [1, 300]) linear(zeros(device, [rows, 2560]), weight);
  }),
};

test.each(Object.entries(steps))('%s: within what WebGPU takes by default', async (_name, step) => {
  const { gpu, recorded } = createRecordingGpu();
  const device: WebGpuDevice = await createWebGpuDevice(gpu, { limits: { workPerDispatch: 5e10 } });
  step(device);
  await device.destroy();
  expect(recorded.largestBuffer).toBeGreaterThan(bindable);
  expect(recorded.largestBinding).toBeGreaterThan(0.9 * bindable);
});

// What was opted into is tried out on the device itself before anything relies on it: beside the kernels that every device runs, or beside what must come out.
import { allocate, apply, type Dispatch, type Op, type Plan } from '../../op';
import { attentionBackwardPlan, attentionPlan } from '../../ops/attention/webgpu';
import { matmulPlan, matrixPlan } from '../../ops/matmul/webgpu';
import { createRandom } from '../../random';
import { free } from '../../scope';
import { float32, sizeOf, type Tensor, type TensorSpec } from '../../tensor';
import type { Device, Limits } from '../../device';

interface Chosen {
  readonly subgroups?: boolean;
  readonly reducedPrecision?: 'float16' | 'subgroupMatrix';
}

/** Of the largest number of a result: five times what the kernels state, and far below what a wrong element is off by. */
const tolerances = { float16: 1e-2, subgroupMatrix: 5e-3 } as const;

export async function verifyChosen(device: Device, { subgroups, reducedPrecision }: Chosen): Promise<void> {
  if (subgroups) for (const lanes of [64, 256]) await verifyLanes(device, lanes);
  if (reducedPrecision) for (const trial of trialsOf(reducedPrecision)) await verifyTrial(device, trial, reducedPrecision);
  device.memory.peak = device.memory.live;
}

type Planner = (inputs: readonly TensorSpec[], outputs: readonly TensorSpec[], limits: Limits) => Plan<Dispatch>;

const opOf = (name: string, outputs: readonly TensorSpec[], plan: Planner): Op => ({
  name, infer: () => outputs, webgpu: (inputs, specs, _attributes, limits) => plan(inputs, specs, limits),
  reference() { throw new Error(`${name}: expected the webgpu device`); },
});

/** Every lane must get the sums and the maximum of numbers of which no two are alike. */
async function verifyLanes(device: Device, lanes: number): Promise<void> {
  const shader = `struct Params { lanes: u32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(${lanes})
fn main(@builtin(local_invocation_index) lane: u32) {
  let own = f32(lane * 37u % params.lanes + 1u);
  let sums = pairOfSums(vec2(own, own * own), lane);
  y[lane] = vec4(sumOfLanes(own, lane), maxOfLanes(own, lane), sums);
}
`;
  const op = opOf('subgroups', [float32(lanes, 4)], () => ({ steps: [{ shader, params: { lanes }, bind: [{ output: 0 }], workgroups: [1, 1, 1] }] }));
  const output = allocate(device, float32(lanes, 4));
  device.run(op, [], [output], {});
  const got = await device.read(output);
  free(output);
  const sum = (lanes * (lanes + 1)) / 2, wanted = [sum, lanes, sum, (sum * (2 * lanes + 1)) / 3];
  const wrong = got.findIndex((value, i) => value !== wanted[i % 4]);
  if (wrong >= 0) throw new Error(`createWebGpuDevice: expected subgroups that add up ${lanes} lanes to ${wanted.join(', ')}, got ${got[wrong]} in lane ${wrong >> 2}; leave the option out`);
}

interface Trial {
  readonly name: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly chosen: Planner;
  readonly plain: Planner;
}

/** Sizes at whose edges tiles are partly empty. */
function trialsOf(reducedPrecision: NonNullable<Chosen['reducedPrecision']>): Trial[] {
  const singly = (plan: Planner): Planner => (inputs, outputs, limits) => plan(inputs, outputs, { ...limits, reducedPrecision: undefined });
  const product = { m: 150, n: 140, k: 200, transposeA: false, transposeB: true };
  const products: Planner = (inputs, _outputs, limits) => matmulPlan(inputs, product, limits);
  const attributes = { cuSeqlens: Int32Array.of(0, 70, 100), cuSeqlensKey: Int32Array.of(0, 70, 100), alibiSlopes: Float32Array.of(0.1, 0.02), softmaxScale: 0.125, windowLeft: -1, windowRight: 0 };
  const [rows, statistics] = [float32(100, 2, 64), float32(100, 2)];
  const forward: Planner = (inputs, outputs, limits) => attentionPlan(inputs, outputs, attributes, limits);
  const backward: Planner = (inputs, outputs, limits) => attentionBackwardPlan(inputs, outputs, attributes, limits);
  return [
    { name: 'products', inputs: [float32(150, 200), float32(140, 200)], outputs: [float32(150, 140)], plain: singly(products), chosen: reducedPrecision === 'subgroupMatrix' ? (inputs, _outputs, limits) => matrixPlan(inputs, product, limits, {}) : products },
    { name: 'attention', inputs: [rows, rows, rows], outputs: [rows, statistics], plain: singly(forward), chosen: forward },
    { name: 'gradients of attention', inputs: [rows, rows, rows, rows, statistics, rows], outputs: [rows, rows, rows], plain: singly(backward), chosen: backward },
  ];
}

async function verifyTrial(device: Device, { name, inputs: specs, outputs, chosen, plain }: Trial, reducedPrecision: keyof typeof tolerances): Promise<void> {
  const random = createRandom(1, 0);
  const inputs = specs.map((spec): Tensor => {
    const tensor = allocate(device, spec);
    device.write(tensor, Float32Array.from({ length: sizeOf(spec) }, () => 2 * random.uniform() - 1));
    return tensor;
  });
  const [got, wanted] = [chosen, plain].map((plan) => apply(opOf(name, outputs, plan), inputs, {}));
  for (let i = 0; i < outputs.length; i++) {
    const [values, exact] = [await device.read(got[i]), await device.read(wanted[i])];
    let [worst, largest] = [0, 0];
    exact.forEach((value: number, at: number) => {
      largest = Math.max(largest, Math.abs(value));
      worst = Math.max(worst, Math.abs(values[at] - value)); // a NaN stays
    });
    if (!(worst <= tolerances[reducedPrecision] * largest)) throw new Error(`createWebGpuDevice: expected ${name} of reducedPrecision ${reducedPrecision} within ${tolerances[reducedPrecision]} of single precision on this GPU, got a relative error of ${(worst / largest).toPrecision(2)}; leave the option out`);
  }
  free([...inputs, ...got, ...wanted]);
}

import { valueAndGrad } from '../grad';
import { mul } from '../ops/elementwise/elementwise';
import { sum } from '../ops/sum/sum';
import { tensor } from '../create';
import { createReferenceDevice } from '../devices/reference';
import { free, scope } from '../scope';
import { sizeOf, type Tensor } from '../tensor';
import { allClose } from './allClose';
import { gradientCheck } from './gradientCheck';
import type { Data } from '../tensor';
import type { Device } from '../device';

/** One claim about an op: for these inputs, value and gradients are those of the definition in float64. */
export interface OpCase {
  readonly name: string;
  /** Shapes of the float inputs that get gradients; filled with numbers in [-spread, spread]. */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly spread?: number;
  /** What to compute, of any shape. Integer inputs are made here, on the device given. */
  run(inputs: Record<string, Tensor>, device: Device): Tensor;
  /** Relative error allowed for the value, by default 2e-6; gradients get five times that. */
  readonly tolerance?: number;
  /** False where a gradient is not defined. */
  readonly differentiable?: boolean;
}

/** Numbers in [-spread, spread], the same everywhere. */
export function testNumbers(seed: number, count: number, spread = 1): Float32Array {
  let state = (Math.imul(seed, 2654435761) + 12345) >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return ((state / 2 ** 32) * 2 - 1) * spread;
  });
}

const makeInputs = ({ inputs, spread }: OpCase, device: Device): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(inputs).map(([name, shape], i) => [name, tensor(device, testNumbers(i + 1, sizeOf({ dtype: 'float32', shape }), spread), shape)]));

/** A scalar that weighs every element of the result differently, so that no gradient hides behind a symmetry. */
const weighted = (y: Tensor): Tensor => sum(mul(y, tensor(y.device, testNumbers(99, sizeOf(y)), y.shape)));

/** What a case gave on a device. */
export interface OpOutcome {
  readonly value: Data;
  readonly gradients: Readonly<Record<string, Data>>;
}

/** Value and gradients of a case on a device. @throws Error when it leaves memory behind. */
export async function evaluateCase(opCase: OpCase, device: Device): Promise<OpOutcome> {
  const before = device.memory.live;
  const inputs = makeInputs(opCase, device);
  const value = scope<Tensor>(() => opCase.run(inputs, device) as never);
  const outcome = { value: await device.read(value), gradients: {} as Record<string, Data> };
  free(value);
  if (opCase.differentiable !== false && Object.keys(inputs).length) {
    const result = scope(() => valueAndGrad((p: Record<string, Tensor>) => weighted(opCase.run(p, device)))(inputs));
    for (const [name, gradient] of Object.entries(result.grads)) outcome.gradients[name] = await device.read(gradient);
    free([result.value, result.grads]);
  }
  free(inputs);
  if (device.memory.live !== before) throw new Error(`${opCase.name}: expected no memory left behind on ${device.kind}, got ${device.memory.live - before} bytes`);
  return outcome;
}

/**
 * Declares tests (with jest's or vitest's globals) for every case: gradients against finite differences in float64, then value and gradients of each device against the reference, and no memory left behind.
 */
export function describeOp(name: string, cases: readonly OpCase[], devices: Readonly<Record<string, () => Promise<Device>>>): void {
  const expectations = new Map<OpCase, Promise<OpOutcome>>(); // computed once, for all devices
  const expectedOf = (opCase: OpCase): Promise<OpOutcome> => {
    const expected = expectations.get(opCase) ?? evaluateCase(opCase, createReferenceDevice());
    expectations.set(opCase, expected);
    return expected;
  };
  describe(name, () => {
    for (const opCase of cases) {
      if (opCase.differentiable === false) continue;
      test(`${opCase.name}: gradients equal finite differences`, async () => {
        const worst = await gradientCheck((device) => makeInputs(opCase, device), (p) => weighted(opCase.run(p, Object.values(p)[0].device)));
        if (!(worst < 1e-6)) throw new Error(`${opCase.name}: expected gradients within 1e-6 of finite differences, got ${worst}`);
      });
    }
    for (const [kind, create] of Object.entries(devices)) {
      describe(`on ${kind}`, () => {
        let device: Device;
        beforeAll(async () => { device = await create(); });
        afterAll(() => device.destroy());
        for (const opCase of cases) {
          test(opCase.name, async () => {
            const expected = await expectedOf(opCase);
            const actual = await evaluateCase(opCase, device);
            const { tolerance = 2e-6 } = opCase;
            allClose(actual.value, expected.value, tolerance, `${name}, ${opCase.name}, on ${kind}`);
            for (const [input, gradient] of Object.entries(expected.gradients)) allClose(actual.gradients[input], gradient, 5 * tolerance, `the gradient of ${input} in ${name}, ${opCase.name}, on ${kind}`);
          });
        }
      });
    }
  });
}

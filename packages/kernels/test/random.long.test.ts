// Every op over shapes and options that nobody chose: every device against the reference. gpu.js computes values alone.
import fc from 'fast-check';
import { createReferenceDevice, UnsupportedOpError, type Device } from '../src';
import { createGpuJsDevice } from '../src/devices/gpujs';
import { allClose, evaluateCase, type OpCase } from '../src/testing';
import { createRelaxedDevice, devices } from './devices';
import { kinds } from './randomCases';

/** The same cases today and tomorrow: another seed is an environment variable away. */
const seed = Number(process.env.GENOMELM_SEED ?? 1);

const checked: Record<string, () => Promise<Device>> = {
  ...Object.fromEntries(Object.entries(devices).filter(([kind]) => kind !== 'reference')),
  'wasm, relaxed': () => createRelaxedDevice({ threads: 2 }),
  gpujs: async () => createGpuJsDevice({ mode: 'cpu' }),
};

/** Kinds whose every op has a gpu.js kernel, or is a copy. */
const onGpuJs = ['attention', 'matmul', 'linear', 'linear, epilogues', 'layerNorm', 'rmsNorm', 'embedding', 'segmentMean', 'softmax', 'rotary', 'rows', 'cast'];
const refused = new Set<string>();

/** Where most of the time goes into new pipelines. */
const runs: Readonly<Record<string, number>> = { 'linear, epilogues': 20, 'linear, stored weights': 30, linearCrossEntropy: 20, pagedAttention: 20 };

const made: Record<string, Device> = {};
beforeAll(async () => {
  for (const [kind, create] of Object.entries(checked)) made[kind] = await create();
});
afterAll(async () => {
  for (const device of Object.values(made)) await device.destroy();
});

async function check(opCase: OpCase, expected: Awaited<ReturnType<typeof evaluateCase>>, kind: string): Promise<void> {
  const actual = await evaluateCase(kind === 'gpujs' ? { ...opCase, differentiable: false } : opCase, made[kind]);
  allClose(actual.value, expected.value, opCase.tolerance ?? 2e-6, kind);
  // Against the largest gradient of the case: one that is zero by mathematics (of a query that sees one key) or nearly (of a sure prediction) is rounding noise on every device.
  const largest = Math.max(1e-2, ...Object.values(expected.gradients).flatMap((data) => [...data].map(Math.abs)));
  for (const [input, gradient] of Object.entries(actual.gradients)) {
    gradient.forEach((value: number, i: number) => {
      const wanted = expected.gradients[input][i];
      if (!(Math.abs(value - wanted) <= 1e-5 * largest)) throw new Error(`${kind}: expected a gradient of ${input} of ${wanted} at ${i}, got ${value}`);
    });
  }
}

test.each(Object.entries(kinds))('%s of any shape', async (name, cases) => {
  await fc.assert(fc.asyncProperty(cases, async (chosen) => {
    const opCase = { ...chosen, name: `${name} of ${JSON.stringify(chosen.inputs)}` };
    const expected = await evaluateCase(opCase, createReferenceDevice());
    for (const kind of Object.keys(made)) {
      try {
        await check(opCase, expected, kind);
      } catch (error) {
        if (kind !== 'gpujs' || !(error instanceof UnsupportedOpError)) throw error;
        refused.add(name);
      }
    }
  }), { numRuns: runs[name] ?? 60, seed });
}, 300_000);

test('gpu.js refused what its device has no kernels for, and nothing else', () => {
  expect([...refused].sort()).toEqual(Object.keys(kinds).filter((name) => !onGpuJs.includes(name)).sort());
});

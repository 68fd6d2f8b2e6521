// Every op on the wasm device with relaxed SIMD: the same bits over one, two and three threads, and those within the tolerance of float64.
import { createReferenceDevice, type Device } from '../src';
import { allClose, evaluateCase } from '../src/testing';
import { createRelaxedDevice } from './devices';
import { expectSameBits, families } from './families';

let all: Device[];
beforeAll(async () => { all = await Promise.all([createRelaxedDevice({ threads: 1 }), createRelaxedDevice({ threads: 2 }), createRelaxedDevice({ threads: 3 }), createRelaxedDevice({ shared: false })]); });
afterAll(() => Promise.all(all.map((device) => device.destroy())));

test.each(families.map((family) => [family.name, family] as const))('%s', async (name, family) => {
  const [first, ...others] = await Promise.all([...all, createReferenceDevice()].map(async (device) => {
    const { value, gradients } = await evaluateCase(family, device);
    return { value, ...gradients };
  }));
  const expected = others.pop()!;
  for (const other of others) expectSameBits(other, first);
  for (const [part, values] of Object.entries(expected)) allClose(first[part as 'value'], values, part === 'value' ? 4e-6 : 2e-5, `${part} of ${name}`);
});

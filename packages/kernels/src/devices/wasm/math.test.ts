// How exact the vectorised functions are, element by element: other tests measure against the largest of a tensor.
import { createReferenceDevice, crossEntropy, gelu, silu, sum, tanh, tensor, valueAndGrad, type Device, type Tensor } from '../../index';
import { createWasmDevice } from './device';

/** float32 numbers, dense near zero, in [-limit, limit]. */
const grid = (limit: number): Float32Array => Float32Array.from({ length: 40_001 }, (_, i) => limit * ((i - 20_000) / 20_000) ** 3);

const worst = (actual: ArrayLike<number>, expected: ArrayLike<number>): number =>
  Array.from(expected, (value, i) => (value === 0 ? Math.abs(actual[i]) : Math.abs(actual[i] - value) / Math.abs(value))).reduce((a, b) => Math.max(a, b), 0);

const unit = 2 ** -24; // half the distance of neighbours, relative
let wasm: Device;
beforeAll(async () => { wasm = await createWasmDevice({ threads: 1 }); });
afterAll(() => wasm.destroy());

const both = (f: (x: Tensor) => Tensor, x: Float32Array) => Promise.all([wasm, createReferenceDevice()].map((device) => device.read(f(tensor(device, x)))));
const slope = (f: (x: Tensor) => Tensor) => (x: Tensor) => valueAndGrad((p: { x: Tensor }) => sum(f(p.x)))({ x }).grads.x;

// Measured: 12.5, 2.5 and 3.9. The tail of gelu carries the rounding of x² / 2 in its exponent.
test.each([['gelu', 5, 16, gelu], ['silu', 80, 4, silu], ['tanh', 40, 5, tanh]] as const)('%s, |x| ≤ %i: every element is within %i half units in the last place', async (_name, limit, units, f) => {
  const [actual, expected] = await both(f, grid(limit));
  expect(worst(actual, expected) / unit).toBeLessThan(units);
});

test('values far out are what they tend to', async () => {
  const x = Float32Array.of(-1e30, -200, -100, 100, 200, 1e30);
  for (const [f, left, right] of [[gelu, 0, 1], [silu, 0, 1]] as const) {
    const [actual] = await both(f, x);
    expect([...actual].map((value, i) => value / (i < 3 ? 1 : x[i]))).toEqual([-left, -left, -left, right, right, right].map((value) => expect.closeTo(value, 30)));
  }
  expect([...(await both(tanh, x))[0]]).toEqual([-1, -1, -1, 1, 1, 1]);
  for (const f of [gelu, silu]) expect([...(await both(slope(f), x))[0]].map((value) => value + 0)).toEqual([0, 0, 0, 1, 1, 1]);
});

test('logarithm and exponential meet in a cross-entropy of one class against another', async () => {
  for (const distance of [-80, -20, -3, -1e-3, 0, 1e-3, 3, 20, 80]) {
    const loss = (device: Device) => device.read(crossEntropy(tensor(device, [0, distance], [1, 2]), tensor(device, Int32Array.of(0))).sum);
    expect((await loss(wasm))[0]).toBeCloseTo((await loss(createReferenceDevice()))[0], 6);
  }
});

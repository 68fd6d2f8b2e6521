import { createReferenceDevice, createWasmDevice, glorotUniform, heNormal, randomUniform, read } from './index';

const device = createReferenceDevice();
const momentsOf = async (values: ArrayLike<number>) => {
  const mean = Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, variance: Array.from(values).reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length };
};

test('randomUniform fills its range evenly', async () => {
  const values = await read(randomUniform(device, [40_000], { low: -1, high: 3, seed: 5 }));
  const { mean, variance } = await momentsOf(values);
  expect(mean).toBeCloseTo(1, 1);
  expect(variance).toBeCloseTo(16 / 12, 1);
  expect([Math.min(...values.slice(0, 1000)) >= -1, Math.max(...values.slice(0, 1000)) < 3]).toEqual([true, true]);
});

test('initial weights have the variances of the papers, for linear maps and convolutions', async () => {
  const he = await momentsOf(await read(heNormal(device, [200, 100], { seed: 1 })));
  expect(he.variance / (2 / 100)).toBeCloseTo(1, 1);
  const glorot = await momentsOf(await read(glorotUniform(device, [200, 100], { seed: 1 })));
  expect(glorot.variance / (2 / 300)).toBeCloseTo(1, 1);
  const kernel = await momentsOf(await read(glorotUniform(device, [64, 7, 32], { seed: 1 })));
  expect(kernel.variance / (2 / (7 * 32 + 7 * 64))).toBeCloseTo(1, 1);
});

test('the same seed and stream give the same numbers on every device', async () => {
  const wasm = await createWasmDevice({ threads: 1 });
  expect([...(await read(heNormal(wasm, [3, 4], { seed: 1, stream: 2 })))]).toEqual([...(await read(heNormal(device, [3, 4], { seed: 1, stream: 2 })))]);
  expect([...(await read(heNormal(device, [3, 4], { seed: 1, stream: 3 })))]).not.toEqual([...(await read(heNormal(device, [3, 4], { seed: 1, stream: 2 })))]);
  await wasm.destroy();
});

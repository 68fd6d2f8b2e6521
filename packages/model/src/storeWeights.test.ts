import { createWasmDevice, free, read } from '@genomelm/kernels';
import { causalLmLogits, createModel, packBatch, storeWeights } from './index';
import { tinyDecoder } from '../test/tinyDecoder';

test.each([['float16', 2e-3], ['bfloat16', 2e-2], ['int8', 4e-2]] as const)('%s is near float32, and frees what it replaces', async (dtype, tolerance) => {
  const device = await createWasmDevice({ threads: 1 });
  const batch = packBatch([Uint32Array.from({ length: 40 }, (_, i) => 5 + ((i * 7) % 60))]);
  const model = createModel({ ...tinyDecoder, hiddenSize: 64, headDim: 16, intermediateSize: 96, initializerRange: 0.1 }, { device, seed: 2 });
  const logitsOf = async (of: typeof model) => {
    const logits = causalLmLogits(of, batch);
    const values = Float32Array.from(await read(logits));
    free(logits);
    return values;
  };
  const exact = await logitsOf(model);
  const before = device.memory.live;
  const stored = storeWeights(model, dtype);
  expect(device.memory.live).toBeLessThan(before * (dtype === 'int8' ? 0.5 : 0.7));
  const largest = exact.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const wrong = (await logitsOf(stored)).reduce((most, value, i) => Math.max(most, Math.abs(value - exact[i])), 0);
  expect(wrong / largest).toBeLessThan(tolerance);
  expect(wrong).toBeGreaterThan(0);
  expect(() => storeWeights(stored, 'float16')).toThrow('storeWeights: expected weights in float32 without adapters, got');
  free(stored.params);
  expect(device.memory.live).toBe(0);
  await device.destroy();
});

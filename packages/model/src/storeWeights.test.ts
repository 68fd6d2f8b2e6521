import { createWasmDevice, flatten, free, read } from '@genomelm/kernels';
import { attentionMaps, causalLmLogits, createModel, loadPretrained, packBatch, serializePretrained, storeWeights, type CausalModel } from './index';
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
  const mapOf = async (of: typeof model) => (await attentionMaps(of, batch.inputIds, { rows: [39], layers: [1], heads: [2] }))[0].probabilities;
  const [exact, map] = [await logitsOf(model), await mapOf(model)];
  const before = device.memory.live;
  const stored = storeWeights(model, dtype);
  expect(device.memory.live).toBeLessThan(before * (dtype === 'int8' ? 0.5 : 0.7));
  const largest = exact.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const wrong = (await logitsOf(stored)).reduce((most, value, i) => Math.max(most, Math.abs(value - exact[i])), 0);
  expect(wrong / largest).toBeLessThan(tolerance);
  expect(wrong).toBeGreaterThan(0);
  (await mapOf(stored)).forEach((share, i) => expect(Math.abs(share - map[i])).toBeLessThan(tolerance));
  expect(() => storeWeights(stored, 'float16')).toThrow('storeWeights: expected weights in float32 without adapters, got');
  free(stored.params);
  expect(device.memory.live).toBe(0);
  await device.destroy();
});

test.each(['float16', 'bfloat16', 'int8'] as const)('what is saved of %s has the numbers it computes with, under upstream\'s names', async (dtype) => {
  const device = await createWasmDevice({ threads: 1 });
  const numbers = async ({ params }: CausalModel) => new Map(await Promise.all(flatten(params).map(async ([name, leaf]): Promise<[string, number[]]> => [name, Array.from(await read(leaf))])));
  const stored = storeWeights(createModel(tinyDecoder, { device, seed: 2, classes: 3 }), dtype);
  const expected = await numbers(stored);
  const loaded = await loadPretrained(await serializePretrained(stored), { device, architecture: 'decoder' });
  const found = await numbers(loaded);
  expect([loaded.missingKeys, [...found.keys()].sort()]).toEqual([[], [...expected.keys()].filter((name) => !name.endsWith('.scales')).sort()]);
  for (const [name, values] of found) {
    const scales = expected.get(name.replace(/weight$/, 'scales'));
    const width = values.length / (scales?.length ?? 1);
    expect([name, values]).toEqual([name, expected.get(name)!.map((value, i) => (scales ? Math.fround(value * scales[Math.floor(i / width)]) : value))]);
  }
  for (const { params } of [stored, loaded]) free(params);
  expect(device.memory.live).toBe(0);
  await device.destroy();
});

import { createReferenceDevice, createWasmDevice, flatten, free, read, scope, valueAndGrad, type Tensor } from '@genomelm/kernels';
import { allClose } from '@genomelm/kernels/testing';
import { causalLmLoss, classificationLoss, classify, createModel, dnabert2Config, packBatch, smallConfig, storeWeights, type CausalModel, type Params } from '..';
import { modelSpecs } from '../model';
import { elements, flattenSpecs } from '../parameters';
import { applyLora, loadLora, mergeLora, serializeLora, withLora, type Adapters } from './lora';

const config = { ...smallConfig({ vocabSize: 69, maxPositions: 16 }), hiddenSize: 16, intermediateSize: 24, numHeads: 2 };
const batch = packBatch([7, 16, 3].map((length, s) => Uint32Array.from({ length }, (_, i) => 5 + ((s * 31 + i * 7) % 64))));

/** Adapters with numbers in B: at its start of 0 nothing would be tested. */
async function trained(device: ReturnType<typeof createReferenceDevice>) {
  const model = createModel({ ...config, initializerRange: 0.3 }, { device, seed: 1, classes: 2 });
  const lora = applyLora(model.params, { rank: 2, alpha: 8, seed: 3, targetModules: ['Wqkv', 'dense', 'gated_layers', 'wo'] });
  Object.values(lora.adapters).forEach(({ lora_B: { weight } }, i) => device.write(weight, Float32Array.from({ length: elements(weight) }, (_, j) => 0.1 * Math.sin(i + j))));
  return { model, lora };
}

test('new adapters change nothing, and are the same for the same seed', async () => {
  const device = createReferenceDevice();
  const model = createModel(config, { device, seed: 1, classes: 2 });
  const [a, b] = [1, 1].map((seed) => applyLora(model.params, { seed }));
  for (const [i, [, leaf]] of flatten(a.adapters).entries()) expect(await read(leaf)).toEqual(await read(flatten(b.adapters)[i][1]));
  const run = (params: Params) => read(scope<Tensor>(() => classify({ config, params }, batch)));
  expect(await run(withLora(model.params, a))).toEqual(await run(model.params));
});

test('merged equals unmerged, and what was merged is unchanged to the bit', async () => {
  const device = await createWasmDevice({ threads: 1 });
  const { model, lora } = await trained(device);
  const before = await Promise.all(flatten(model.params).map(([, leaf]) => read(leaf)));
  const plain = device.memory.live;
  const run = (params: () => Params) => read(scope<Tensor>(() => classify({ config, params: params() }, batch)));
  const unmerged = await run(() => withLora(model.params, lora));
  const { params, merged } = mergeLora(model.params, lora);
  expect(merged).toHaveLength(4 * config.numLayers);
  allClose(await run(() => params), unmerged, 1e-5, 'merged');
  expect(await run(() => model.params)).not.toEqual(unmerged);
  free(merged);
  expect(device.memory.live).toBeLessThanOrEqual(plain + 3 * 8 * 4); // three results above
  expect(await Promise.all(flatten(model.params).map(([, leaf]) => read(leaf)))).toEqual(before);
  await device.destroy();
});

test('only the adapters get gradients, and a frozen model keeps less for the backward pass', async () => {
  const device = await createWasmDevice({ threads: 1 });
  const { model, lora } = await trained(device);
  const peakOf = (run: () => void) => {
    const before = device.memory.live;
    device.memory.peak = before;
    scope<void>(run);
    return device.memory.peak - before;
  };
  const labels = [0, 1, 1];
  const full = peakOf(() => void valueAndGrad<Params>((params) => classificationLoss({ config, params }, batch, labels))(model.params));
  const low = peakOf(() => {
    const { grads } = valueAndGrad<Adapters>((adapters) => classificationLoss({ config, params: withLora(model.params, { ...lora, adapters }) }, batch, labels))(lora.adapters);
    expect(flatten(grads).map(([path]) => path)).toEqual(flatten(lora.adapters).map(([path]) => path));
  });
  expect(low).toBeLessThan(full);
  await device.destroy();
});

test('of DNABERT-2 less than 2 % are trained, classifier and pooler included', () => {
  const specs = flattenSpecs<Params>(modelSpecs(dnabert2Config, { classes: 2 }));
  const adapted = specs.filter(([path, { shape }]) => /layer\.\d/.test(path) && shape.length === 2).reduce((total, [, { shape: [outputs, inputs] }]) => total + 8 * (outputs + inputs), 0);
  const head = specs.filter(([path]) => /pooler|classifier/.test(path)).reduce((total, [, spec]) => total + elements(spec), 0);
  const all = specs.reduce((total, [, spec]) => total + elements(spec), 0);
  expect((adapted + head) / (all + adapted)).toBeLessThan(0.02);
});

test('files round-trip to the bit under the names of PEFT', async () => {
  const device = createReferenceDevice();
  const { model, lora } = await trained(device);
  const files = await serializeLora(lora, { baseModel: 'base', head: { classifier: model.params.classifier! } });
  expect(JSON.parse(files.config)).toMatchObject({ peft_type: 'LORA', r: 2, lora_alpha: 8, modules_to_save: ['classifier'], base_model_name_or_path: 'base' });
  const { lora: again, head } = await loadLora(files, { device });
  expect(Object.keys(head).sort()).toEqual(['classifier.bias', 'classifier.weight']);
  expect(again).toMatchObject({ rank: 2, alpha: 8 });
  const values = new Map(flatten(again.adapters));
  for (const [path, leaf] of flatten(lora.adapters)) expect(await read(values.get(path)!)).toEqual(Float64Array.from(Float32Array.from(await read(leaf))));
  expect(await serializeLora(again, { baseModel: 'base', head: { classifier: model.params.classifier! } })).toEqual(files);
});

test('decoders: by short names or long, and the same under PEFT\'s prefix', async () => {
  const device = createReferenceDevice();
  const decoderConfig = { vocabSize: 9, hiddenSize: 8, numLayers: 2, numHeads: 2, numKvHeads: 1, headDim: 4, intermediateSize: 12, ropeTheta: 10_000, rmsNormEps: 1e-6, initializerRange: 0.1, maxPositions: 64, tiedHead: false, bosTokenId: 1, eosTokenId: 2 };
  const model = createModel(decoderConfig, { device, seed: 1 });
  const lora = applyLora(model.params, { rank: 2, seed: 1, targetModules: ['q', 'down_proj'] });
  expect(Object.keys(lora.adapters)).toEqual([0, 1].flatMap((i) => [`model.layers.${i}.self_attn.q_proj`, `model.layers.${i}.mlp.down_proj`]));
  const ids = packBatch([Uint32Array.from({ length: 12 }, (_, i) => 5 + (i % 4))]);
  const { grads } = valueAndGrad<Adapters>((adapters) => causalLmLoss({ ...model, params: withLora(model.params, { ...lora, adapters }) }, ids))(lora.adapters);
  expect(Math.max(...(await read(grads['model.layers.0.self_attn.q_proj'].lora_B.weight)))).not.toBe(0);
  expect((await serializeLora(lora)).config).toContain('"model.layers.0.mlp.down_proj"');
  expect(Object.keys(applyLora(model.params, { seed: 1 }).adapters)).toHaveLength(14);
});

test.each(['bfloat16', 'float16', 'int8'] as const)('adapters learn over frozen layers in %s, with nearly the gradients of float32', async (dtype) => {
  const device = await createWasmDevice({ threads: 1 });
  const decoderConfig = { vocabSize: 9, hiddenSize: 64, numLayers: 1, numHeads: 2, numKvHeads: 1, headDim: 32, intermediateSize: 64, ropeTheta: 10_000, rmsNormEps: 1e-6, initializerRange: 0.1, maxPositions: 64, tiedHead: false, bosTokenId: 1, eosTokenId: 2 };
  const ids = packBatch([Uint32Array.from({ length: 40 }, (_, i) => 5 + ((i * i) % 4))]);
  const gradientOf = async (model: CausalModel) => {
    const lora = applyLora(model.params, { rank: 2, seed: 1 });
    const loss = (adapters: Adapters) => causalLmLoss({ ...model, params: withLora(model.params, { ...lora, adapters }) }, ids);
    return read(valueAndGrad<Adapters>(loss)(lora.adapters).grads['model.layers.0.self_attn.q_proj'].lora_B.weight);
  };
  const exact = await gradientOf(createModel(decoderConfig, { device, seed: 1 }));
  allClose(await gradientOf(storeWeights(createModel(decoderConfig, { device, seed: 1 }), dtype)), exact, dtype === 'int8' ? 0.1 : 0.02, dtype);
  await device.destroy();
});

test('what cannot be is said', async () => {
  const device = createReferenceDevice();
  const { model, lora } = await trained(device);
  expect(() => applyLora(model.params, { seed: 1, targetModules: ['query'] })).toThrow('expected targetModules among this model\'s layers Wqkv, dense, gated_layers, wo, got "query"');
  expect(() => applyLora(model.params, { seed: 1, rank: 0 })).toThrow('applyLora: expected a rank of 1 or more, got 0');
  const other = createModel({ ...config, intermediateSize: 32 }, { device, seed: 1 });
  expect(() => withLora(other.params, lora)).toThrow('withLora: expected a layer bert.encoder.layer.0.mlp.gated_layers of shape [48, 16], got [64, 16]');
  const files = await serializeLora(lora);
  await expect(loadLora({ ...files, config: files.config.replace('"r": 2', '"r": 3') }, { device })).rejects.toThrow('with lora_A [3, inputs]');
  await expect(loadLora({ ...files, config: files.config.replace('"bias"', '"use_rslora": true, "bias"') }, { device })).rejects.toThrow('loadLora: expected use_rslora to be off, got true');
});

import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createReferenceDevice, flatten, free, fromBfloat16, fromFloat16, read, toBfloat16, toFloat16 } from '@genomelm/kernels';
import { createModel, dnaGrinderConfig, loadPretrained, parseSafetensors, savePretrained, serializePretrained, serializeSafetensors, smallConfig, toFloat32, type EncoderConfig, type Heads, type Model, type PretrainedFiles } from '../src';
import { committed, pretrainedFiles } from './golden';

const small: EncoderConfig = { ...smallConfig({ vocabSize: 69, maxPositions: 12 }), hiddenSize: 8, intermediateSize: 6, numHeads: 2 };
const configs: Record<string, readonly [EncoderConfig, Heads]> = {
  'small, classifier': [small, { maskedLm: false, classes: 3 }],
  'as upstream, masked LM, tied': [{ ...small, position: 'none', maxPositions: 0, kmerPrefixes: undefined!, pooling: 'cls' }, {}],
  'as upstream, classifier with pooler': [{ ...small, pooling: 'cls' }, { maskedLm: false, classes: 2 }],
  'classifier of tokens with names': [{ ...small, classifier: { problemType: 'multi_label_classification', level: 'token', labels: ['exon', 'intron'] } }, { maskedLm: false, classes: 2 }],
  'as dnaGrinder, untied': [{ ...dnaGrinderConfig, vocabSize: 40, hiddenSize: 8, numLayers: 1, numHeads: 2, intermediateSize: 6 }, {}],
};

const bits = async (model: Model) => Promise.all(flatten(model.params).map(async ([name, leaf]) => [name, leaf.shape, [...new Uint32Array(Float32Array.from(await read(leaf)).buffer)]]));

describe('a model that was saved', () => {
  let directory: string;
  beforeEach(async () => { directory = await mkdtemp(path.join(tmpdir(), 'genomelm-')); });
  afterEach(() => rm(directory, { recursive: true }));

  test.each(Object.entries(configs))('is loaded to the bit: %s', async (_name, [config, heads]) => {
    const device = createReferenceDevice();
    const model = createModel(config, { device, seed: 4, ...heads });
    await savePretrained(model, path.join(directory, 'new'));
    const loaded = await loadPretrained(path.join(directory, 'new'), { device, architecture: 'encoder' });
    expect(loaded.config).toEqual(JSON.parse(JSON.stringify(config)));
    expect(await bits(loaded)).toEqual(await bits(model));
    expect(await serializePretrained(loaded)).toEqual(await serializePretrained(model));
    free([model.params, loaded.params]);
    expect(device.memory.live).toBe(0);
  });

  test.each([['float16', toFloat16, fromFloat16], ['bfloat16', toBfloat16, fromBfloat16]] as const)('in %s takes half the space behind its header, is the nearest, and from then on the same to the bit', async (dtype, narrow, widen) => {
    const device = createReferenceDevice();
    const model = createModel(small, { device, seed: 4, classes: 2 });
    const [half, whole] = [await serializePretrained(model, { dtype }), await serializePretrained(model)];
    expect(half.weights.length).toBeLessThan(0.7 * whole.weights.length);
    expect(half.config).toContain(`"torch_dtype": "${dtype}"`);
    await savePretrained(model, directory, { dtype });
    expect(new Uint8Array(await readFile(path.join(directory, 'model.safetensors')))).toEqual(half.weights);
    const loaded = await loadPretrained(directory, { device, architecture: 'encoder' });
    const leaves = new Map(flatten(model.params));
    for (const [name, leaf] of flatten(loaded.params)) expect(Float32Array.from(await read(leaf))).toEqual(widen(narrow(await read(leaves.get(name)!))));
    expect(await serializePretrained(loaded, { dtype })).toEqual(half);
    device.write(model.params.classifier!.bias!, Float32Array.of(1e5, 0));
    if (dtype === 'float16') await expect(serializePretrained(model, { dtype })).rejects.toThrow('expected weights within ±65504 for float16, got 100000 in classifier.bias');
  });

  test('replaces the one before, and leaves nothing else behind', async () => {
    const device = createReferenceDevice();
    for (const seed of [1, 2]) await savePretrained(createModel(small, { device, seed }), directory);
    expect((await readdir(directory)).sort()).toEqual(['config.json', 'model.safetensors']);
    const again = await serializePretrained(createModel(small, { device, seed: 2 }));
    expect(new Uint8Array(await readFile(path.join(directory, 'model.safetensors')))).toEqual(again.weights);
  });
});

describe("upstream's file", () => {
  const files = pretrainedFiles(path.join(committed, 'dnabert2/a_h64_l4_h4'), 'maskedLm');
  const change = (edit: (tensors: Map<string, { shape: readonly number[]; data: Float32Array }>) => void): PretrainedFiles => {
    const tensors = new Map([...parseSafetensors(files.weights)].map(([name, stored]) => [name, { shape: stored.shape, data: toFloat32(stored) }]));
    edit(tensors);
    return { ...files, weights: serializeSafetensors(Object.fromEntries(tensors)) };
  };
  const load = (source: PretrainedFiles) => loadPretrained(source, { device: createReferenceDevice(), architecture: 'encoder' });
  const words = 'bert.embeddings.word_embeddings.weight';
  const decoder = 'cls.predictions.decoder.weight';

  test('has the same keys, shapes and bytes when it is written again', async () => {
    const model = await load(files);
    const { weights } = await serializePretrained(model);
    const [ours, theirs] = [parseSafetensors(weights), parseSafetensors(files.weights)];
    expect([...ours.keys()].sort()).toEqual([...theirs.keys()].sort());
    for (const [name, { dtype, shape, data }] of theirs) expect([name, ours.get(name)!.dtype, ours.get(name)!.shape, Buffer.compare(ours.get(name)!.data, data)]).toEqual([name, dtype, shape, 0]); // toEqual on bytes takes seconds
  });

  test('without its masked-LM head is a backbone', async () => {
    const model = await load(change((tensors) => { for (const name of tensors.keys()) if (name.startsWith('cls.')) tensors.delete(name); }));
    expect(model.params.cls).toBeUndefined();
  });

  test('may hold the tied decoder twice, but not another one', async () => {
    await load(change((tensors) => tensors.set(decoder, tensors.get(words)!)));
    const other = change((tensors) => tensors.set(decoder, { ...tensors.get(words)!, data: new Float32Array(4096 * 64) }));
    await expect(load(other)).rejects.toThrow('expected cls.predictions.decoder.weight to be the word embedding, got other numbers');
  });

  test('names what is missing, unexpected or misshapen', async () => {
    const renamed = change((tensors) => { tensors.set('bert.embeddings.extra', tensors.get(words)!); tensors.delete(words); tensors.delete('bert.encoder.layer.2.mlp.wo.bias'); });
    await expect(load(renamed)).rejects.toThrow(`missing: ${words}, bert.encoder.layer.2.mlp.wo.bias; unexpected: bert.embeddings.extra`);
    const misshapen = change((tensors) => tensors.set(words, { shape: [64, 4096], data: new Float32Array(4096 * 64) }));
    await expect(load(misshapen)).rejects.toThrow(`expected ${words} of shape [4096, 64] as config.json says, got [64, 4096]`);
    await expect(load({ ...files, config: '{' })).rejects.toThrow('parseConfig: expected JSON');
    await expect(load({ ...files, weights: files.weights.subarray(0, 1000) })).rejects.toThrow('damaged');
    await expect(loadPretrained('/nowhere', { device: createReferenceDevice() })).rejects.toThrow('ENOENT');
  });

  test('identifies its weights', async () => {
    const other = change((tensors) => { tensors.get(words)!.data[5] += 1; });
    const again = change(() => undefined);
    const [a, b, c] = await Promise.all([load(again), load(again), load(other)]);
    expect(a.fingerprint).toBe(b.fingerprint);
    expect(a.fingerprint).not.toBe(c.fingerprint);
  });
});

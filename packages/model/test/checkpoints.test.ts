// Checkpoints from a directory, from an address and from a hub, as a local server imitates them: resumed, cached, checked, and never held whole.
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createReferenceDevice, flatten, read } from '@genomelm/kernels';
import { createKmerTokenizer } from '../../tokenizer/src';
import { createModel, finetuneClassifier, FormatError, inspectPretrained, loadPretrained, parseSafetensors, pretrain, serializePretrained, serializeSafetensors, smallConfig, toFloat32, type LoadEvent, type Model, type PretrainedFiles } from '../src';
import { committed } from './golden';
import { tinyDecoder } from './tinyDecoder';

const config = { ...smallConfig({ vocabSize: 69, maxPositions: 12 }), hiddenSize: 8, intermediateSize: 6, numHeads: 2, pooling: 'cls' as const };
const device = createReferenceDevice();
const sha = 'c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00';
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const sum = async ({ params }: Pick<Model, 'params'>) => { let total = 0; for (const [, leaf] of flatten(params)) for (const value of await read(leaf)) total += value; return total; };

let folder: string;
let files: Record<string, Buffer>;
let pretrained: PretrainedFiles;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'genomelm-checkpoints-'));
  pretrained = await serializePretrained(createModel(config, { device, seed: 3 }));
  files = { 'config.json': Buffer.from(pretrained.config), 'model.safetensors': Buffer.from(pretrained.weights), 'tokenizer.json': Buffer.from('{"version":"1.0"}') };
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A server of files with ranges; under /api and /resolve it answers as a hub. `broken` requests break off after so many bytes. */
async function serve(f: (address: string, log: string[]) => Promise<void>, { broken = 0, ranges = true, damaged = false } = {}): Promise<void> {
  const log: string[] = [];
  let breaks = broken;
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const url = decodeURIComponent(request.url!.split('?')[0]);
    log.push(`${url} ${request.headers.range ?? ''}`.trim());
    const json = (value: unknown) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    if (url.startsWith('/api/models/us/encoder/revision/')) return void json({ _id: '1', id: 'us/encoder', sha, downloads: 0, likes: 0, lastModified: '2026-01-01T00:00:00.000Z' });
    if (url.startsWith('/api/models/us/encoder/tree/')) return void json(Object.entries(files).map(([name, bytes]) => ({ type: 'file', path: name, size: bytes.length, oid: 'x', ...(name.endsWith('s') ? { lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 130 } } : {}) })));
    const bytes = files[url.split('/').at(-1)!];
    if (!bytes) return void response.writeHead(404).end();
    const [, from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? [];
    if (!ranges || from === undefined) return void response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
    const part = Buffer.from(bytes.subarray(Number(from), Number(to) + 1));
    if (damaged && url.endsWith('.safetensors')) part[0] ^= 1;
    response.writeHead(206, { 'content-range': `bytes ${from}-${to}/${bytes.length}`, 'content-length': part.length, etag: `"${sha256(bytes).slice(0, 8)}"` });
    if (part.length > 1000 && breaks-- > 0) return void response.write(part.subarray(0, 700), () => response.destroy());
    response.end(part);
  };
  const server: Server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  try {
    await f(`http://127.0.0.1:${port}`, log);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const freshCache = () => mkdtempSync(path.join(folder, 'cache-'));

describe('an address', () => {
  test('is downloaded once, tells its size before, and goes on where the connection broke', async () => {
    const cacheDirectory = freshCache();
    const events: LoadEvent[] = [];
    const expected = await sum(await loadPretrained(pretrained, { device, architecture: 'encoder' }));
    await serve(async (address, log) => {
      const model = await loadPretrained(`${address}/encoder`, { device, architecture: 'encoder', cacheDirectory, onProgress: (event) => events.push(event) });
      expect(await sum(model)).toBe(expected);
      expect(model.tokenizer).toBe('{"version":"1.0"}');
      expect(model.missingKeys).toEqual(['bert.pooler.dense.weight', 'bert.pooler.dense.bias']);
      const [first] = events;
      expect(first).toMatchObject({ kind: 'found', bytes: Object.values(files).reduce((total, { length }) => total + length, 0) });
      expect(log.filter((line) => line.includes('model.safetensors bytes=')).map((line) => line.split('=')[1].split('-')[0])).toEqual(['0', '0', '700', '1400']);
      log.length = 0;
      await loadPretrained(`${address}/encoder`, { device, cacheDirectory });
      expect(log.every((line) => line.endsWith('bytes=0-0') || !line.includes('safetensors '))).toBe(true);
    }, { broken: 2 });
  });

  test('a part of another run is taken up, and damage is found by sha256 and removed', async () => {
    const cacheDirectory = freshCache();
    const hash = { 'model.safetensors': sha256(files['model.safetensors']) };
    await serve(async (address) => {
      await expect(loadPretrained(address, { device, cacheDirectory, sha256: hash })).rejects.toThrow(/expected .*model.safetensors with \d+ bytes and sha256/);
    }, { damaged: true });
    expect((readdirSync(cacheDirectory, { recursive: true }) as string[]).filter((name) => name.includes('model.safetensors'))).toEqual([]);
    await serve(async (address) => { await loadPretrained(address, { device, cacheDirectory, sha256: hash }); });
  });

  test('is inspected, or loaded, by ranges without storing anything', async () => {
    const cacheDirectory = freshCache();
    await serve(async (address, log) => {
      const { config: found, tensors, missingKeys } = await inspectPretrained(address, { cacheDirectory });
      expect([found.hiddenSize, missingKeys.length]).toEqual([8, 2]);
      expect([...tensors.keys()].sort()).toEqual([...parseSafetensors(pretrained.weights).keys()].sort());
      const asked = log.filter((line) => line.includes('model.safetensors bytes=')).map((line) => line.split('=')[1].split('-').map(Number));
      expect(asked.every(([from, to]) => to - from < files['model.safetensors'].length / 2)).toBe(true);
      expect(await sum(await loadPretrained(address, { device, architecture: 'encoder', cacheDirectory, cache: false }))).toBe(await sum(await loadPretrained(pretrained, { device, architecture: 'encoder' })));
    });
    expect(readdirSync(cacheDirectory)).toEqual([]);
  });

  test('may give whole files only: they are downloaded, but not read in parts', async () => {
    await serve(async (address, log) => {
      const cacheDirectory = freshCache();
      const expected = (await loadPretrained(pretrained, { device })).fingerprint;
      for (let run = 0; run < 2; run++) expect((await loadPretrained(address, { device, cacheDirectory })).fingerprint).toBe(expected);
      expect(log.filter((line) => line.endsWith(`model.safetensors bytes=0-${files['model.safetensors'].length - 1}`))).toHaveLength(1);
      await expect(loadPretrained(`${address}/`, { device, cache: false })).rejects.toThrow(/model.safetensors to answer ranges \(206\), got 200 OK; download the folder, or use a server that answers them/);
    }, { ranges: false });
  });
});

test('a hub is asked for the commit and the hashes, through its own library', async () => {
  const cacheDirectory = freshCache();
  await serve(async (hubUrl, log) => {
    const events: LoadEvent[] = [];
    const model = await loadPretrained('us/encoder', { device, hubUrl, cacheDirectory, revision: 'main', onProgress: (event) => events.push(event) });
    expect(model.revision).toBe(sha);
    expect(events[0]).toMatchObject({ kind: 'found', source: 'us/encoder', revision: sha });
    expect(log[0]).toBe('/api/models/us/encoder/revision/main');
    expect(log.some((line) => line.startsWith(`/us/encoder/resolve/${sha}/model.safetensors bytes=0-`))).toBe(true);
    log.length = 0;
    const again: LoadEvent[] = [];
    await loadPretrained('us/encoder', { device, hubUrl, cacheDirectory, onProgress: (event) => again.push(event) });
    expect(log.filter((line) => line.includes('/resolve/'))).toEqual([]);
    expect((again[0] as Extract<LoadEvent, { kind: 'found' }>).files.every(({ cached }) => cached)).toBe(true);
  });
});

test.each([['the id of a hub', 'us/encoder', 'no directory and'], ['an address', undefined, 'got no answer']])('%s that does not answer is told in a sentence', async (_name, id, message) => {
  const nobody = 'http://127.0.0.1:9';
  await expect(loadPretrained(id ?? `${nobody}/model`, { device, hubUrl: nobody })).rejects.toThrow(message);
  await expect(loadPretrained(id ?? `${nobody}/model`, { device, hubUrl: nobody })).rejects.toThrow(/expected .*127\.0\.0\.1:9.*, got .*; check the /);
});

describe('several files with an index', () => {
  const shards = (edit: (map: Record<string, string>) => void = () => undefined) => {
    const directory = mkdtempSync(path.join(folder, 'shards-'));
    const tensors = [...parseSafetensors(pretrained.weights)].map(([name, stored]) => [name, { shape: stored.shape, data: toFloat32(stored) }] as const);
    const map: Record<string, string> = {};
    for (const [i, name] of ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'].entries()) {
      const own = tensors.filter((_, at) => at % 2 === i);
      writeFileSync(path.join(directory, name), serializeSafetensors(Object.fromEntries(own)));
      for (const [tensor] of own) map[tensor] = name;
    }
    edit(map);
    writeFileSync(path.join(directory, 'config.json'), pretrained.config);
    writeFileSync(path.join(directory, 'model.safetensors.index.json'), JSON.stringify({ metadata: {}, weight_map: map }));
    return directory;
  };
  const load = (directory: string) => loadPretrained(directory, { device, architecture: 'encoder' });

  test('as transformers wrote them, in bfloat16, are read exactly', async () => {
    const golden = path.join(committed, 'genomeocean/b_h96_l2_gqa6_2_win16');
    const model = await loadPretrained(golden, { device, architecture: 'decoder' });
    const name = 'model.layers.1.self_attn.k_proj.weight';
    const index = JSON.parse(readFileSync(path.join(golden, 'model.safetensors.index.json'), 'utf8')) as { weight_map: Record<string, string> };
    expect(new Set(Object.values(index.weight_map)).size).toBe(2);
    const stored = parseSafetensors(readFileSync(path.join(golden, index.weight_map[name]))).get(name)!;
    expect(stored.dtype).toBe('BF16');
    const bits = new Uint16Array(new Uint8Array(stored.data).buffer);
    const ours = await read(model.params.model.layers[1].self_attn.k_proj.weight);
    expect(Array.from(new Uint32Array(Float32Array.from(ours).buffer)).every((word, i) => word === bits[i] * 65536)).toBe(true);
    expect(model.missingKeys).toEqual([]);
  });

  test('are one checkpoint', async () => {
    const whole = await load(shards());
    expect(await sum(whole)).toBe(await sum(await loadPretrained(pretrained, { device, architecture: 'encoder' })));
  });

  const words = 'bert.embeddings.word_embeddings.weight';
  test.each<[string, (map: Record<string, string>) => void, string]>([
    ['a path out of the folder', (map) => { map[words] = '../../secret.safetensors'; }, 'expected the name of a .safetensors file in the same folder'],
    ['an absolute path', (map) => { map[words] = '/etc/passwd.safetensors'; }, 'in the same folder'],
    ['a hidden path', (map) => { map[words] = '..\\x.safetensors'; }, 'in the same folder'],
    ['a file that is not there', (map) => { map[words] = 'model-00009-of-00002.safetensors'; }, 'as model.safetensors.index.json says, got none'],
    ['a tensor in another file', (map) => { map[words] = map[words].replace('00001-', '0000X-').replace('00002-', '00001-').replace('0000X-', '00002-'); }, `expected ${words} in`],
    ['a tensor that no file has', (map) => { map['bert.more'] = map[words]; }, 'expected bert.more in'],
    ['a tensor that the index forgets', (map) => { delete map[words]; }, `expected ${words} in no file`],
    ['a number for a file', (map) => { (map as Record<string, unknown>)[words] = 1; }, 'in the same folder'],
  ])('%s is refused', async (_name, edit, message) => {
    await expect(load(shards(edit))).rejects.toThrow(FormatError);
    await expect(load(shards(edit))).rejects.toThrow(message);
  });
});

describe('keys', () => {
  const change = (edit: (tensors: Map<string, { shape: readonly number[]; data: Float32Array }>) => void): PretrainedFiles => {
    const tensors = new Map([...parseSafetensors(pretrained.weights)].map(([name, stored]) => [name, { shape: stored.shape, data: toFloat32(stored) }]));
    edit(tensors);
    return { ...pretrained, weights: serializeSafetensors(Object.fromEntries(tensors)) };
  };
  test('that are unexpected are an error, or are left out and listed', async () => {
    const extra = change((tensors) => tensors.set('bert.extra', { shape: [1], data: Float32Array.of(1) }));
    await expect(loadPretrained(extra, { device })).rejects.toThrow('unexpected: bert.extra; strict: false leaves these out');
    expect((await loadPretrained(extra, { device, strict: false })).unexpectedKeys).toEqual(['bert.extra']);
  });

  test('of a backbone saved alone get their prefix', async () => {
    const bare = change((tensors) => { for (const [name, tensor] of [...tensors]) { tensors.delete(name); if (name.startsWith('bert.')) tensors.set(name.slice(5), tensor); } });
    const model = await loadPretrained(bare, { device, architecture: 'encoder' });
    expect(model.params.cls).toBeUndefined();
    expect(model.missingKeys).toContain('cls.predictions.decoder.bias');
  });

  test.each(['module.', 'model.', 'base_model.model.'])('of a model saved inside another lose %s', async (wrapper) => {
    const wrapped = change((tensors) => { for (const [name, tensor] of [...tensors]) { tensors.delete(name); tensors.set(wrapper + name, tensor); } });
    const [expected, model] = [await loadPretrained(pretrained, { device }), await loadPretrained(wrapped, { device })];
    expect([model.fingerprint, model.missingKeys, model.unexpectedKeys]).toEqual([expected.fingerprint, expected.missingKeys, []]);
  });

  test('of rotary angles, as old decoders hold them, are listed and left out', async () => {
    const { config: text, weights } = await serializePretrained(createModel(tinyDecoder, { device, seed: 1 }));
    const tensors = [...parseSafetensors(weights)].map(([name, stored]) => [name, { shape: stored.shape, data: toFloat32(stored) }] as const);
    const angles = 'model.layers.0.self_attn.rotary_emb.inv_freq';
    const old = serializeSafetensors(Object.fromEntries([...tensors, [angles, { shape: [1], data: Float32Array.of(1) }]]));
    expect((await loadPretrained({ config: text, weights: old }, { device })).unexpectedKeys).toEqual([angles]);
  });
});

test.each([
  ['an encoder', 'attention_probs_dropout_prob', async () => pretrained],
  ['a decoder', 'attention_dropout', () => serializePretrained(createModel(tinyDecoder, { device, seed: 1 }))],
] as const)('%s whose upstream drops attention probabilities loads, keeps the setting and refuses training', async (_name, key, make) => {
  const { config: text, ...files } = await make();
  const model = await loadPretrained({ ...files, config: text.replace(`"${key}": 0`, `"${key}": 0.1`) }, { device });
  expect(JSON.parse((await serializePretrained(model)).config)).toMatchObject({ [key]: 0.1 });
  const refusal = 'expected no dropout of attention probabilities, got 0.1; set attention_probs_dropout_prob';
  await expect(pretrain(model, { lengths: [8], read: async () => ({ inputIds: new Uint32Array(8) }) }, { specialIds: {}, steps: 1, tokensPerStep: 8, learningRate: 1e-3, warmupSteps: 0, seed: 1 })).rejects.toThrow(refusal);
  await expect(finetuneClassifier(model, createKmerTokenizer({ k: 3 }), { train: [{ sequence: 'ACGT', targets: [0] }, { sequence: 'CCCC', targets: [1] }], dev: [{ sequence: 'ACGT', targets: [0] }] }, { classifier: { problemType: 'single_label_classification', level: 'sequence', labels: ['a', 'b'] }, seed: 1 })).rejects.toThrow(refusal);
});

test('a directory whose weights are a pickle needs no other file', async () => {
  const source = path.join(committed, '../../../../../shared/data/golden/models/dnabert2/a_h64_l4_h4/pytorch_model.bin');
  let weights: Buffer;
  try {
    weights = readFileSync(source);
  } catch {
    process.stderr.write('SKIPPED pytorch_model.bin: no fixtures at ../shared\n');
    return;
  }
  const golden = path.join(committed, 'dnabert2/a_h64_l4_h4');
  const directory = mkdtempSync(path.join(folder, 'bin-'));
  writeFileSync(path.join(directory, 'pytorch_model.bin'), weights);
  writeFileSync(path.join(directory, 'config.json'), readFileSync(path.join(golden, 'config.json')));
  const [bin, safetensors] = await Promise.all([directory, golden].map((place) => loadPretrained(place, { device, architecture: 'encoder' })));
  expect(bin.fingerprint).toBe(safetensors.fingerprint);
  expect(bin.missingKeys).toEqual(['bert.pooler.dense.weight', 'bert.pooler.dense.bias']);
});

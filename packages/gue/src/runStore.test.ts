import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { plantedMotif, toCsv } from '../test/synthetic';
import { auditLeakage } from './audit/leakage';
import { baselines } from './baselines/baselines';
import { canonicalJson } from './canonicalJson';
import { parseDataset } from './dataset';
import { evaluate, type EvaluateOptions } from './evaluate';
import { withHomology } from './homologyScores';
import { identityOf, runIdentity } from './runIdentity';
import type { RunRecord } from './runRecord';
import { openRunStore } from './runStore';

const task = { name: 'motif', version: '1', benchmark: 'GUE', classes: 2, pair: false, metric: 'mcc' } as const;
const data = plantedMotif({ train: 40, dev: 20, test: 20, seed: 1 });
let options: EvaluateOptions;
let home: string;
beforeAll(async () => {
  options = { task, dataset: await parseDataset(task, { train: toCsv(data.train), dev: toCsv(data.dev), test: toCsv(data.test) }), classifier: baselines.majority(), resamples: 20 };
});
beforeEach(() => void (home = mkdtempSync(join(tmpdir(), 'runs-'))));
afterEach(() => rmSync(home, { recursive: true }));

test('a record is read back as it was, by the identity known before the run', async () => {
  const store = openRunStore(join(home, 'deep', 'runs'));
  expect(await store.list()).toEqual([]);
  expect(await store.read(runIdentity(options))).toBeUndefined();
  const record = await evaluate(options);
  expect(identityOf(record)).toEqual(runIdentity(options));
  const file = await store.write(record);
  expect(file).toBe(store.pathOf(await store.keyOf(runIdentity(options))));
  expect(await store.read(runIdentity(options))).toEqual(record);
  expect(readdirSync(join(home, 'deep', 'runs')).sort()).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.cost\.json$/), expect.stringMatching(/^[0-9a-f]{64}\.json$/)]);
  expect(JSON.parse(readFileSync(file, 'utf8'))).not.toHaveProperty('cost'); // the same run leaves the same bytes
});

test('a run that exists is not run again unless refreshed', async () => {
  const store = openRunStore(home);
  let runs = 0;
  const run = async () => { runs++; return evaluate(options); };
  const first = await store.readOrRun(runIdentity(options), run);
  expect(await store.readOrRun(runIdentity(options), run)).toEqual(first);
  expect(runs).toBe(1);
  await store.readOrRun(runIdentity(options), run, { refresh: true });
  expect(runs).toBe(2);
  await expect(store.readOrRun({ ...runIdentity(options), seed: 1 }, run)).rejects.toThrow('run what the identity names');
});

test('everything that makes a run another run makes another key', async () => {
  const store = openRunStore(home);
  const identity = runIdentity(options);
  const others = [
    { task: 'x' }, { taskVersion: '2' }, { dataSha256: { ...identity.dataSha256, dev: 'x' } }, { model: 'x' }, { fingerprint: 'x' }, { hyperparameters: { epochs: 2 } }, { seed: 1 }, { device: 'webgpu' },
  ].map((change) => ({ ...identity, ...change }));
  expect(new Set(await Promise.all([identity, ...others].map(store.keyOf))).size).toBe(others.length + 1);
  expect(await store.keyOf({ ...identity, hyperparameters: { b: 1, a: 2 } })).toBe(await store.keyOf({ ...identity, hyperparameters: { a: 2, b: 1 } }));
});

test('a model cached under one name is never served for another: neither another id nor other weights under the same id', async () => {
  const store = openRunStore(home);
  const always = (id: string, fingerprint: string, answer: number) => ({ ...options, classifier: { id, fingerprint, fit: async () => ({ predict: async (items: readonly unknown[]) => Float32Array.from(items.flatMap(() => [1 - answer, answer])) }) } });
  const run = async (request: EvaluateOptions) => (await store.readOrRun(runIdentity(request), () => evaluate(request))).predictions.predicted[0];
  expect(await run(always('a', 'weights 1', 0))).toBe(0);
  expect(await run(always('b', 'weights 1', 1))).toBe(1);
  expect(await run(always('a', 'weights 2', 1))).toBe(1);
  expect(await run(always('a', 'weights 1', 1))).toBe(0); // the same in everything that names it: from the store
});

test('a record stored without an audit gets its homology-clean scores later, and is then that of a run with the audit', async () => {
  const audit = await auditLeakage({ train: options.dataset.train.examples, test: options.dataset.test.examples });
  const [later, atOnce] = [withHomology(JSON.parse(JSON.stringify(await evaluate(options))) as RunRecord, audit), await evaluate({ ...options, audit })];
  const bytes = (record: RunRecord) => JSON.stringify({ ...record, cost: undefined });
  expect(bytes(later)).toBe(bytes(atOnce));
  expect(later.homology).toMatchObject({ cleanItems: expect.any(Number) as number, clustered: { clusters: expect.any(Number) as number } });
});

test('the list is sorted and leaves out what is no record', async () => {
  const store = openRunStore(home);
  for (const seed of [10, 2]) await store.write(await evaluate({ ...options, seed }));
  await store.write(await evaluate({ ...options, classifier: baselines.composition() }));
  writeFileSync(join(home, `${'a'.repeat(64)}.json.1.tmp`), '{"half');
  writeFileSync(join(home, 'notes.json'), '[]');
  expect((await store.list()).map((record) => [record.model, record.seed])).toEqual([['composition', 0], ['majority', 2], ['majority', 10]]);
});

test('many writers at once leave one whole record', async () => {
  const store = openRunStore(home);
  const record = await evaluate(options);
  await Promise.all(Array.from({ length: 20 }, () => store.write(record)));
  expect(await store.list()).toEqual([record]);
  expect(readdirSync(home)).toHaveLength(2);
});

test.each([['{"half', 'expected JSON in'], ['{"schema":"other/9"}', 'expected a record of schema genomelm-run/1'], ['null', 'got none']])('a file with %s is named', async (text, message) => {
  writeFileSync(join(home, `${'b'.repeat(64)}.json`), text);
  const error: unknown = await openRunStore(home).list().catch((caught: unknown) => caught);
  expect(error).toMatchObject({ name: 'FormatError', message: expect.stringContaining(message) as string });
  expect((error as Error).message).toContain('b'.repeat(64));
});

test('canonical JSON does not depend on the order of keys', () => {
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
    const reversed = Object.fromEntries(Object.entries(object).reverse());
    expect(canonicalJson(reversed)).toBe(canonicalJson(object));
    expect(JSON.parse(canonicalJson(object))).toEqual(JSON.parse(JSON.stringify(object)));
  }));
  expect(canonicalJson({ b: [1, 'x', null], a: true, none: undefined })).toBe('{"a":true,"b":[1,"x",null]}');
  expect(() => canonicalJson({ a: NaN })).toThrow('expected a value of JSON, got NaN');
});

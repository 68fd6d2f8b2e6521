import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { simulateGueTask } from '@genomelm/genome-io';
import { createReferenceDevice } from '@genomelm/kernels';
import { createModel, dnabert2Config, savePretrained } from '@genomelm/model';
import { serializeTokenizerJson, trainBpe } from '@genomelm/tokenizer';
import { bundleGenomelm, freshFolder } from './genomelm';
import type { RunRecord } from '@genomelm/gue';

const genomelm = bundleGenomelm();
const { train, dev, test: testRows } = simulateGueTask('sim_planted', { seed: 3, sizes: { train: 64, dev: 16, test: 32 }, length: 40 });
const csv = (rows: typeof train) => `sequence,label\n${rows.map(({ sequence, label }) => `${sequence},${label}\n`).join('')}`;

/** A GUE folder with one task, a file of which may be spoilt. */
function gueFolder(change: Partial<Record<'train' | 'dev' | 'test', string | null>> = {}): string {
  const root = freshFolder('gue');
  const folder = join(root, 'prom/prom_core_tata');
  mkdirSync(folder, { recursive: true });
  for (const [name, rows] of Object.entries({ train, dev, test: testRows })) {
    const text = name in change ? change[name as 'train'] : csv(rows);
    if (text !== null) writeFileSync(join(folder, `${name}.csv`), text!);
  }
  return root;
}

const run = (data: string, ...args: string[]) => genomelm('gue', 'run', '--data', data, '--tasks', 'prom_core_tata', '--out', freshFolder('runs'), ...args);
const recordsIn = (out: string): RunRecord[] => readdirSync(join(out, 'records')).filter((name) => !name.endsWith('.cost.json')).sort().map((name) => JSON.parse(readFileSync(join(out, 'records', name), 'utf8')) as RunRecord);

describe('bad input ends with one clear line and exit code 2', () => {
  test.each([
    ['a cut row', { train: `${csv(train)}ACGT\n` }, /expected 2 columns .*got 1 .*train\.csv.*line 66/],
    ['a label outside the range', { test: csv([...testRows, { sequence: 'ACGT', label: 2 }]) }, /expected a label from 0 to 1, got 2 .*test\.csv.*line 34/],
    ['a label that is no number', { dev: `${csv(dev)}ACGT,x\n` }, /expected an integer label, got "x" .*dev\.csv.*line 18/],
    ['a missing split', { dev: null }, /dev\.csv/],
    ['an empty file', { train: '' }, /expected a header and rows .*train\.csv/],
  ])('%s', (_what, change, message) => {
    const { status, stderr } = run(gueFolder(change), '--models', 'small');
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  });

  test('a tokenizer of another vocabulary', async () => {
    const folder = freshFolder('model');
    const config = { ...dnabert2Config, vocabSize: 20, hiddenSize: 8, numLayers: 1, numHeads: 2, intermediateSize: 8 };
    await savePretrained(createModel(config, { device: createReferenceDevice(), seed: 1, maskedLm: true }), folder);
    const tokenizerFile = join(folder, 'other.json');
    writeFileSync(tokenizerFile, serializeTokenizerJson(await trainBpe(train.map(({ sequence }) => sequence), { vocabSize: 30 })));
    const { status, stderr } = run(gueFolder(), '--models', folder, '--tokenizer', tokenizerFile, '--baselines', 'none');
    expect(stderr.trim().split('\n').at(-1)).toMatch(/expected a tokenizer with the model's vocabulary of 20, got one of 30/);
    expect(status).toBe(2);
  });

  test.each([
    [['--models', 'small,nonsense'], /--models: expected small, dnabert2-shape or a directory/],
    [['--baselines', 'nonsense'], /--baselines: expected majority/],
    [['--tasks', 'prom_core_tat'], /prom_core_tata/],
    [['--seeds', '0'], /--seeds: expected a whole number from 1/],
    [['--models', 'small', '--protocol', 'zero-shot'], /--protocol: expected full for small, which is trained from scratch, got zero-shot/],
    [['--nonsense'], /Unknown option '--nonsense'/],
  ])('%p, before anything is run', (args, message) => {
    const { status, stderr } = genomelm('gue', 'run', '--data', gueFolder(), ...args);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  });
});

test('one thread and two give the same predictions and curves, a second run is read from the store, and the page is written', () => {
  const data = gueFolder();
  const [one, two] = ['1', '2'].map((threads) => {
    const out = freshFolder('runs');
    const { status, stderr } = genomelm('gue', 'run', '--data', data, '--tasks', 'prom_core_tata', '--models', 'small,dnabert2-shape', '--baselines', 'majority,kmer', '--seeds', '1', '--epochs', '2', '--threads', threads, '--out', out);
    expect({ status, stderr: status ? stderr : '' }).toEqual({ status: 0, stderr: '' });
    return out;
  });
  expect(recordsIn(two)).toEqual(recordsIn(one));
  expect(recordsIn(one)).toHaveLength(4);
  expect(readFileSync(join(one, 'report.html'), 'utf8')).toContain('prom_core_tata');

  const before = recordsIn(one);
  const again = genomelm('gue', 'run', '--data', data, '--tasks', 'prom_core_tata', '--models', 'small', '--baselines', 'majority,kmer', '--seeds', '1', '--epochs', '2', '--threads', '1', '--out', one, '--json');
  expect(recordsIn(one)).toEqual(before);
  const { results } = JSON.parse(again.stdout) as { results: { task: string; model?: string; baseline?: string; mcc: number; interval: [number, number] }[] };
  expect(results.map(({ task, model, baseline }) => [task, model ?? baseline])).toEqual([['prom_core_tata', 'majority'], ['prom_core_tata', 'kmer'], ['prom_core_tata', 'small']]);
  for (const { mcc, interval } of results) expect(interval[0] <= mcc && mcc <= interval[1]).toBe(true);

  const report = genomelm('gue', 'report', one, '-o', join(one, 'again.html'));
  expect(report.status).toBe(0);
  expect(existsSync(join(one, 'again.html'))).toBe(true);
});

test('a pre-trained model by all its parameters, by adapters, by a probe and zero-shot: four models, two seeds of each that is trained, with upstream\'s settings on demand', async () => {
  const folder = freshFolder('model');
  const tokenizer = await trainBpe(train.map(({ sequence }) => sequence), { vocabSize: 40 });
  const config = { ...dnabert2Config, vocabSize: tokenizer.vocabSize, hiddenSize: 16, numLayers: 1, numHeads: 2, intermediateSize: 16 };
  await savePretrained(createModel(config, { device: createReferenceDevice(), seed: 1, maskedLm: true }), folder);
  writeFileSync(join(folder, 'tokenizer.json'), serializeTokenizerJson(tokenizer));
  const out = freshFolder('runs');
  const { status, stdout, stderr } = genomelm('gue', 'run', '--data', gueFolder(), '--tasks', 'prom_core_tata', '--models', folder, '--protocol', 'full,lora,probe,zero-shot', '--preset', 'upstream', '--seeds', '2', '--epochs', '1', '--baselines', 'none', '--no-audit', '--threads', '1', '--out', out, '--json');
  expect({ status, stderr: status ? stderr : '' }).toEqual({ status: 0, stderr: '' });
  const { schema, results } = JSON.parse(stdout) as { schema: string; results: { model: string; seeds: number; tokensPerBase: number }[] };
  expect([schema, results.map(({ model, seeds }) => [model, seeds])]).toEqual(['genomelm-results/1', [['', 2], ['+lora', 2], ['+probe', 2], ['+zero-shot', 1]].map(([suffix, seeds]) => [`${folder}${suffix}`, seeds])]);
  const records = recordsIn(out);
  for (const [suffix, protocol] of [['', 'full'], ['+lora', 'lora'], ['+probe', 'probe']]) {
    const [first, second] = records.filter(({ model }) => model === folder + suffix).sort((a, b) => a.seed - b.seed);
    expect(first).toMatchObject({ device: 'wasm', hyperparameters: { protocol, learningRate: 3e-5, batchSize: 32, epochs: 1, code: expect.stringMatching(/^[0-9a-f]{12}$/) as string } });
    expect(second.predictions.probabilities).not.toEqual(first.predictions.probabilities);
    expect(first.access?.map(({ split, use, labels }) => [split, use, labels])).toEqual([['train', 'fit', true], ['dev', 'selection', true], ['test', 'prediction', false], ['test', 'scoring', true]]);
  }
  const zeroShot = records.find(({ model }) => model === `${folder}+zero-shot`)!;
  expect(Object.keys(zeroShot.hyperparameters).sort()).toEqual(['code', 'maxLength', 'position', 'protocol', 'tokens']);
  expect(zeroShot.access?.map(({ split, use }) => `${split} ${use}`)).toEqual(['train fit', 'test prediction', 'test scoring']);
});

test('a dry run trains nothing and stores nothing', () => {
  const out = freshFolder('dry');
  const { status, stdout } = genomelm('gue', 'run', '--data', gueFolder(), '--tasks', 'prom_core_tata', '--models', 'small', '--outside', 'a=a.csv; b=b.csv', '--dry-run', '--json', '--out', out);
  expect(status).toBe(0);
  const { plan, outside, baselines, runs } = JSON.parse(stdout) as { plan: Record<string, number>[]; outside: string[]; baselines: string[]; runs: number };
  expect([outside, runs]).toEqual([['a', 'b'], 3 + 2 + baselines.length]);
  expect(plan).toMatchObject([{ task: 'prom_core_tata', model: 'small', train: 64, dev: 16, test: 32, classes: 2, tokensPerEpoch: 64 * 37, truncatedFraction: 0, seeds: 3 }]);
  expect(readdirSync(out)).toEqual([]);
});

import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { simulateGueTask } from '@genomelm/genome-io';
import { bundleGenomelm, freshFolder } from './genomelm';

const genomelm = bundleGenomelm();
const { train, dev, test: testRows } = simulateGueTask('sim_planted', { seed: 3, sizes: { train: 80, dev: 20, test: 40 }, length: 60 });
const csv = (rows: typeof train) => `sequence,label\n${rows.map(({ sequence, label }) => `${sequence},${label}\n`).join('')}`;

/** One task, six of whose test rows are copies of training rows. */
const data = freshFolder('gue');
const folder = join(data, 'prom/prom_core_tata');
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'train.csv'), csv(train));
writeFileSync(join(folder, 'dev.csv'), csv(dev));
writeFileSync(join(folder, 'test.csv'), csv([...train.slice(0, 6), ...testRows.slice(6)]));

const json = (...args: string[]): Record<string, unknown> & { results: Record<string, unknown>[] } => {
  const { status, stdout, stderr } = genomelm(...args, '--json');
  expect({ status, stderr: status ? stderr : '' }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout) as ReturnType<typeof json>;
};

// Each process takes 0.2 s before it does anything: what one can show is shown by one.
test('gue audit finds the copies, and with a sketch of what a model was trained on how much of the test set stands in that', () => {
  const model = freshFolder('model');
  const corpus = join(model, 'corpus.fa');
  writeFileSync(corpus, train.map(({ sequence }, i) => `>${i}\n${sequence}\n`).join(''));
  expect(json('gue', 'sketch', '--scaled', '1', '-o', join(model, 'sketch.json'), corpus)).toMatchObject({ bases: 80 * 60, scaled: 1 });
  const { results } = json('gue', 'audit', '--data', data, '--tasks', 'prom_core_tata', '--sketch', model);
  expect(results).toMatchObject([{ task: 'prom_core_tata', exactDuplicates: 6, labelConflicts: 0, duplicatesInTrain: 0 }]);
  expect(results[0]['nearDuplicates']).toBeGreaterThanOrEqual(6);
  expect(results[0]).toMatchObject({ positionalTwins: { items: expect.any(Number) as number }, drift: [{ between: ['train', 'dev'] }, { between: ['train', 'test'] }, { between: ['dev', 'test'] }] });
  const { containment } = results[0]['corpus'] as { containment: number };
  expect(Math.abs(containment - 6 / 40)).toBeLessThan(0.05); // the six copies, and words of the planted motif
});

test('records stored without an audit get their homology-clean scores later; a record is run again and compared', () => {
  const runs = freshFolder('runs');
  const args = ['gue', 'run', '--data', data, '--tasks', 'prom_core_tata', '--models', '', '--baselines', 'composition', '--out', runs];
  expect(json(...args, '--no-audit').results[0]).not.toHaveProperty('clean');
  const records = () => readdirSync(join(runs, 'records')).filter((name) => /^[0-9a-f]{64}\.json$/.test(name)).map((name) => join(runs, 'records', name));
  expect(json('gue', 'audit', '--data', data, '--tasks', 'prom_core_tata', '--runs', runs).results[0]).toMatchObject({ recordsScored: 1 });
  const audited = readFileSync(records()[0], 'utf8');
  expect(json(...args).results[0]).toMatchObject({ clean: { identity: 0.8, coverage: 0.5, items: expect.any(Number) as number } });
  expect(readFileSync(records()[0], 'utf8')).toBe(audited);

  expect(json('gue', 'reproduce', records()[0], '--data', data)).toMatchObject({ model: 'composition', identical: true, differingPredictions: 0, largestDifference: 0, changed: [] });
  const record = JSON.parse(audited) as { predictions: { predicted: number[] }; fingerprint: string };
  record.predictions.predicted[0] = 1 - record.predictions.predicted[0];
  const forged = join(runs, 'forged.json');
  writeFileSync(forged, JSON.stringify({ ...record, fingerprint: 'other' }));
  const { status, stdout } = genomelm('gue', 'reproduce', forged, '--data', data);
  expect(status).toBe(1);
  expect(stdout).toMatch(/1 of 40 predictions differ.*Changed since: weights, tokenizer or default settings/);
});

test('splits by homology have the layout of GUE and pass the audit', () => {
  const out = freshFolder('split');
  const { results } = json('gue', 'split', 'homology', '--data', data, '--tasks', 'prom_core_tata', '-o', out);
  expect(results).toMatchObject([{ rows: 140, nearDuplicates: 0, folder: join(out, 'prom/prom_core_tata') }]);
  expect(json('gue', 'audit', '--data', out, '--tasks', 'prom_core_tata').results).toMatchObject([{ nearDuplicates: 0, exactDuplicates: 0 }]);
});

test('files come from a folder of the same layout, and are checked against the known hashes', () => {
  const copy = freshFolder('copy');
  const { results } = json('gue', 'download', '--from', data, '--data', copy, '--tasks', 'prom_core_tata');
  expect(results.map(({ split, asKnown, kept }) => [split, asKnown, kept])).toEqual([['train', false, false], ['dev', false, false], ['test', false, false]]);
  expect(readFileSync(join(copy, 'prom/prom_core_tata/test.csv'), 'utf8')).toBe(readFileSync(join(folder, 'test.csv'), 'utf8'));
});

test('gue baseline scores what is asked for', () => {
  const { results } = json('gue', 'baseline', '--data', data, '--tasks', 'prom_core_tata', '--baselines', 'majority,markov');
  expect(results.map(({ task, baseline }) => [task, baseline])).toEqual([['prom_core_tata', 'majority'], ['prom_core_tata', 'markov']]);
  for (const { mcc, interval } of results as unknown as { mcc: number; interval: [number, number] }[]) expect(interval[0] <= mcc && mcc <= interval[1]).toBe(true);
});

test('outside models stand beside the baselines, are compared, and reported as CSV and LaTeX', () => {
  const runs = freshFolder('runs');
  writeFileSync(join(runs, 'prom_core_tata.csv'), `prediction\n${[...train.slice(0, 6), ...testRows.slice(6)].map(({ label }) => `${label}\n`).join('')}`);
  const outside = `right=${join(runs, '{task}.csv')}; ones=${process.execPath} -p require('fs').readFileSync(0,'utf8').replace(/[A-Z]+/gi,1).trim()`;
  const { results } = json('gue', 'run', '--data', data, '--tasks', 'prom_core_tata', '--models', '', '--outside', outside, '--baselines', 'majority', '--no-audit', '--out', runs);
  expect(results.map(({ baseline, model, mcc }) => [baseline ?? model, mcc])).toEqual([['majority', 0], ['right', 1], ['ones', 0]]);
  const comparison = json('gue', 'compare', 'right', 'ones', '--runs', runs, '--resamples', '200');
  expect(comparison).toMatchObject({ won: 1, lost: 0, missing: [], meanDifference: 1 });
  const [table, latex] = [join(runs, 'scores.csv'), join(runs, 'scores.tex')];
  json('gue', 'report', runs, '--csv', table, '--latex', latex);
  expect(readFileSync(table, 'utf8')).toMatch(/prom_core_tata,false,mcc,model,right,1,/);
  expect(readFileSync(latex, 'utf8')).toContain('prom\\_core\\_tata');
});

test('a task of one\'s own comes from a JSON file', () => {
  const runs = freshFolder('runs');
  const own = join(runs, 'own.json');
  writeFileSync(own, JSON.stringify({ name: 'own', folder: 'prom/prom_core_tata', classes: 2, bp: 60, metric: 'f1Macro' }));
  const { results } = json('gue', 'run', '--data', data, '--tasks', own, '--models', '', '--baselines', 'majority', '--no-audit', '--out', runs);
  expect(results).toMatchObject([{ task: 'own', metric: 'f1Macro' }]);
  const [key] = readdirSync(join(runs, 'records')).filter((name) => /^[0-9a-f]{64}\.json$/.test(name));
  expect(json('gue', 'reproduce', join(runs, 'records', key), '--data', data, '--tasks', own)).toMatchObject({ task: 'own', identical: true });
  expect(json('gue', 'report', runs).results).toMatchObject([{ task: 'own', metric: 'f1Macro' }]); // as far as the records tell
  expect(readFileSync(join(runs, 'report.html'), 'utf8')).toContain('<h1>Encoders and baselines</h1>');
});

test.each([
  [['gue', 'split', 'homology', '--data', data], /expected -o DIR, got none/],
  [['gue', 'reproduce', '/nonexistent.json'], /nonexistent\.json: expected a file or folder, got nothing there/],
  [['gue', 'run', '--data', data, '--protocol', 'some'], /--protocol: expected some of full, lora, probe, zero-shot, got some/],
  [['gue', 'run', '--data', data, '--models', 'small', '--protocol', 'lora', '--baselines', 'none'], /--protocol: expected full for small, which is trained from scratch, got lora/],
  [['gue', 'compare', 'a'], /expected the names of two models, got a/],
  [['gue', 'audit', '--data', data, '--identity', '80'], /--identity: expected a share above 0 and at most 1, got 80/],
  [['gue', 'baseline', '--data', data, '--baselines', 'nonsense'], /--baselines: expected majority/],
  [['gue', 'run', '--data', data, '--outside', 'nonsense'], /--outside: expected NAME=FILE.csv or NAME=PROGRAM/],
])('%j is one clear line', (args, message) => {
  const { status, stderr } = genomelm(...args);
  expect(stderr.trim().split('\n').at(-1)).toMatch(message);
  expect(status).toBe(2);
});

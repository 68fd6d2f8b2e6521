// From a file of labelled sequences to a model that predicts, for every protocol and kind of label.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom } from '@genomelm/kernels';
import { parseSafetensors } from '@genomelm/model';
import { bundleGenomelm, freshFolder } from './genomelm';

const genomelm = bundleGenomelm();
const folder = freshFolder('finetune');
const at = (...names: string[]) => join(folder, ...names);
const random = createRandom(2);
const sequences = Array.from({ length: 160 }, () => Array.from({ length: 24 }, () => 'ACGT'[random.integer(4)]).join(''));
const many = (sequence: string, base: string) => sequence.split(base).length - 1 > 5;
const csv = (name: string, label: (sequence: string) => string, header = 'sequence,label') => {
  writeFileSync(at(`${name}.csv`), `${header}\n${sequences.map((sequence) => `${sequence},${label(sequence)}\n`).join('')}`);
  return at(`${name}.csv`);
};
writeFileSync(at('genome.fa'), `>one\n${sequences.join('')}\n`);

beforeAll(() => {
  const { status, stderr } = genomelm('pretrain', '-t', 'character', '-o', at('base'), '--hidden', '16', '--layers', '1', '--heads', '2', '--tokens', '4000', '--tokens-per-step', '1000', '--window', '40', '--threads', '1', at('genome.fa'));
  if (status !== 0) throw new Error(stderr);
});

const fit = (out: string, ...options: string[]) => {
  const { status, stdout, stderr } = genomelm('finetune', '--model', at('base'), '-o', at(out), '--epochs', '20', '--learning-rate', '1e-2', '--threads', '1', '--json', ...options);
  return { status, stderr, report: status === 0 ? JSON.parse(stdout) as { seeds: { seed: number; dev: number; test?: number; trainedParameters: number; predictions?: number[] }[]; classifier: { labels: string[] } } : undefined };
};
const configOf = (out: string) => JSON.parse(readFileSync(at(out, 'config.json'), 'utf8')) as { id2label: object; problem_type: string; architectures: string[] };

test('classes by name: config.json says them, the head has upstream\'s name, of two seeds the better is kept', () => {
  const file = csv('classes', (sequence) => (many(sequence, 'A') ? 'rich' : 'poor'));
  const { report } = fit('classes', '--train', file, '--test', file, '--seeds', '2', '--class-weights', 'balanced', '--metric', 'f1');
  expect(report!.seeds.map(({ seed }) => seed)).toEqual([0, 1]);
  expect(Math.max(...report!.seeds.map(({ test: score }) => score!))).toBeGreaterThan(0.7);
  expect(configOf('classes')).toMatchObject({ id2label: { 0: 'poor', 1: 'rich' }, problem_type: 'single_label_classification', architectures: ['BertForSequenceClassification'] });
  expect(parseSafetensors(readFileSync(at('classes/model.safetensors'))).get('classifier.weight')!.shape).toEqual([2, 16]);
  expect(existsSync(at('classes/tokenizer.json'))).toBe(true);
  expect(report!.seeds[0].predictions).toHaveLength(160);
});

test('adapters are written for PEFT; a probe trains the classifier alone', () => {
  const file = csv('again', (sequence) => (many(sequence, 'A') ? '1' : '0'));
  const lora = fit('lora', '--train', file, '--protocol', 'lora', '--rank', '2', '--targets', 'Wqkv').report!;
  expect(lora.seeds[0].trainedParameters).toBe(2 * (16 + 48) + 34);
  const adapter = parseSafetensors(readFileSync(at('lora/adapter/adapter_model.safetensors')));
  expect(adapter.get('base_model.model.bert.encoder.layer.0.attention.self.Wqkv.lora_A.weight')!.shape).toEqual([2, 16]);
  expect(fit('probe', '--train', file, '--protocol', 'probe').report!.seeds[0]).toMatchObject({ trainedParameters: 34 });
});

test('several labels, numbers and bases', () => {
  const labels = csv('labels', (sequence) => ['A', 'C'].filter((base) => many(sequence, base)).join(';') || 'none');
  expect(fit('labels', '--train', labels, '--problem', 'labels').report!.classifier.labels).toEqual(['A', 'C', 'none']);
  const numbers = csv('numbers', (sequence) => `${sequence.split('G').length - 1}`, 'sequence,score');
  expect(fit('numbers', '--train', numbers, '--problem', 'numbers', '--label-column', 'score').report!.seeds[0].dev).toBeGreaterThan(0.7);
  const bases = csv('bases', (sequence) => [...sequence].map((base, i) => (i === 0 ? '.' : base === 'T' ? 't' : 'n')).join(''));
  expect(fit('bases', '--train', bases, '--problem', 'bases').report!.seeds[0].dev).toBeGreaterThan(0.9);
  expect(configOf('bases').architectures).toEqual(['BertForTokenClassification']);
  const rows = genomelm('predict', at('bases'), bases, '--threads', '1').stdout.trim().split('\n').map((line) => line.split(','));
  expect([rows[0], rows.length]).toEqual([['id', 'position', 'label', 'n', 't'], 1 + 24 * sequences.length]);
  const right = rows.slice(1).filter(([, position, label], i) => Number(position) === 1 + (i % 24) && label === (sequences[Math.floor(i / 24)][i % 24] === 'T' ? 't' : 'n')).length;
  expect(right / (24 * sequences.length)).toBeGreaterThan(0.95);
  const { labels: named, outputs } = JSON.parse(genomelm('predict', at('bases'), bases, '--threads', '1', '--json').stdout.split('\n')[0]) as { labels: string[]; outputs: { t: number[] } };
  expect([named.length, outputs.t.length]).toEqual([24, 24]);
  expect(genomelm('predict', at('bases'), '--pairs', bases)).toMatchObject({ status: 2, stderr: expect.stringContaining('--pairs: expected a classifier of sequences, got one of bases') as unknown });
});

test.each([
  ['a protocol that does not exist', ['--protocol', 'half'], /--protocol: expected one of full, lora, probe, got half/],
  ['layers that do not exist', ['--protocol', 'lora', '--targets', 'query'], /expected targetModules among this model's layers/],
  ['a label that train has not', ['--test', 'odd'], /line 2: expected a label that train has/],
  ['no such column', ['--label-column', 'class'], /expected a header with the column class/],
])('%s: one line and exit code 2', (_name, options, message) => {
  const train = csv('plain', (sequence) => (many(sequence, 'A') ? '1' : '0'));
  writeFileSync(at('odd'), 'sequence,label\nACGT,7\n');
  const { status, stderr } = fit('never', '--train', train, ...options.map((option) => (option === 'odd' ? at('odd') : option)));
  expect(stderr).toMatch(message);
  expect(status).toBe(2);
});

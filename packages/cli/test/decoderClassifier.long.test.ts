// The way of a decoder from genomes to a classifier that predicts: pretrain, finetune in each protocol, predict, gue run.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom, createWasmDevice } from '@genomelm/kernels';
import { loadPretrained, parseSafetensors, predict } from '@genomelm/model';
import { createCharacterTokenizer } from '@genomelm/tokenizer';
import { bundleGenomelm, freshFolder } from './genomelm';

const genomelm = bundleGenomelm();
const folder = freshFolder('decoder');
const at = (...names: string[]) => join(folder, ...names);
const random = createRandom(5);
const sequences = Array.from({ length: 160 }, () => Array.from({ length: 24 }, () => 'ACGT'[random.integer(4)]).join(''));
const count = (sequence: string, base: string) => sequence.split(base).length - 1;
const csv = (name: string, label: (sequence: string) => string | number, rows = sequences) => {
  writeFileSync(at(`${name}.csv`), `sequence,label\n${rows.map((sequence) => `${sequence},${label(sequence)}\n`).join('')}`);
  return at(`${name}.csv`);
};
const rich = (sequence: string) => (count(sequence, 'A') > 5 ? 'rich' : 'poor');
const run = (...args: string[]): string => {
  const { status, stdout, stderr } = genomelm(...args);
  if (status !== 0) throw new Error(stderr);
  return stdout;
};
beforeAll(() => {
  writeFileSync(at('genome.fa'), `>one\n${sequences.join('')}\n`);
  run('pretrain', '-t', 'character', '-o', at('base'), '--objective', 'causal', '--hidden', '16', '--layers', '1', '--heads', '2', '--tokens', '4000', '--tokens-per-step', '1000', '--window', '40', '--threads', '1', at('genome.fa'));
});

interface Report {
  readonly seeds: readonly { readonly dev: number; readonly test: number; readonly trainedParameters: number; readonly predictions: readonly number[]; readonly collapsed: boolean }[];
}
const fit = (out: string, ...options: string[]): Report => JSON.parse(run('finetune', '--model', at('base'), '-o', at(out), '--epochs', '25', '--learning-rate', '1e-2', '--threads', '1', '--json', ...options)) as Report;
const configOf = (out: string) => JSON.parse(readFileSync(at(out, 'config.json'), 'utf8')) as object;

test('all of it: upstream names the head score, and predict says what finetune said', async () => {
  const file = csv('classes', rich);
  const { seeds: [report] } = fit('full', '--train', file, '--test', file);
  expect(report.test).toBeGreaterThan(0.7);
  expect(configOf('full')).toMatchObject({ architectures: ['MistralForSequenceClassification'], id2label: { 0: 'poor', 1: 'rich' }, problem_type: 'single_label_classification' });
  const stored = parseSafetensors(readFileSync(at('full/model.safetensors')));
  expect([stored.get('score.weight')!.shape, stored.has('lm_head.weight')]).toEqual([[2, 16], false]);
  const rows = run('predict', at('full'), at('classes.csv'), '--threads', '1').trim().split('\n').slice(1).map((line) => line.split(','));
  expect(rows.map(([, label]) => label)).toEqual(report.predictions.map((label) => ['poor', 'rich'][label]));
  const device = await createWasmDevice({ threads: 1 });
  const expected = await predict(await loadPretrained(at('full'), { device }), createCharacterTokenizer(), sequences.map((sequence) => ({ sequence })));
  rows.forEach((row, i) => expect(Math.abs(Number(row[3]) - expected[i].outputs['rich'])).toBeLessThan(1e-5));
  await device.destroy();
});

test('adapters and a probe', () => {
  const file = csv('again', rich);
  const lora = fit('lora', '--train', file, '--test', file, '--protocol', 'lora', '--rank', '2', '--targets', 'q_proj,v_proj').seeds[0];
  expect([lora.trainedParameters, lora.collapsed]).toEqual([2 * 2 * (16 + 16) + 32, false]);
  const adapter = parseSafetensors(readFileSync(at('lora/adapter/adapter_model.safetensors')));
  expect(adapter.get('base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight')!.shape).toEqual([2, 16]);
  expect(adapter.get('base_model.model.score.weight')!.shape).toEqual([2, 16]);
  expect(fit('probe', '--train', file, '--test', file, '--protocol', 'probe').seeds[0].trainedParameters).toBe(32);
});

test('several labels and numbers; a class for each base is refused, as no token sees what follows it', () => {
  const labels = csv('labels', (sequence) => ['A', 'C'].filter((base) => count(sequence, base) > 5).join(';') || 'none');
  expect(fit('labels', '--train', labels, '--test', labels, '--problem', 'labels').seeds[0].predictions).toHaveLength(3 * sequences.length);
  const numbers = csv('numbers', (sequence) => count(sequence, 'G'));
  expect(fit('numbers', '--train', numbers, '--test', numbers, '--problem', 'numbers').seeds[0].dev).toBeGreaterThan(0.6);
  const bases = csv('bases', (sequence) => [...sequence].map((base) => (base === 'T' ? 't' : 'n')).join(''));
  const { status, stderr } = genomelm('finetune', '--model', at('base'), '-o', at('never'), '--train', bases, '--problem', 'bases');
  expect([status, stderr]).toEqual([2, expect.stringContaining("expected classifier.level 'sequence' for a decoder")]);
});

test('gue run takes it in three protocols, and says why not in the fourth', () => {
  mkdirSync(at('GUE/prom/prom_core_tata'), { recursive: true });
  for (const [name, rows] of [['train', sequences.slice(0, 96)], ['dev', sequences.slice(96, 128)], ['test', sequences.slice(128)]] as const) csv(`GUE/prom/prom_core_tata/${name}`, (sequence) => (rich(sequence) === 'rich' ? 1 : 0), rows);
  const gue = (protocol: string) => genomelm('gue', 'run', '--data', at('GUE'), '--tasks', 'prom_core_tata', '--models', at('base'), '--protocol', protocol, '--baselines', 'none', '--seeds', '1', '--epochs', '2', '--no-audit', '--threads', '1', '--out', at('runs'), '--json');
  const { stdout, stderr } = gue('full,lora,probe');
  if (!stdout) throw new Error(stderr);
  const { results } = JSON.parse(stdout) as { results: { model: string; mcc: number }[] };
  expect(results.map(({ model }) => model)).toEqual([at('base'), `${at('base')}+lora`, `${at('base')}+probe`]);
  expect(gue('zero-shot')).toMatchObject({ status: 2, stderr: expect.stringContaining("expected an encoder for protocol 'zero-shot', got a decoder") as unknown });
});

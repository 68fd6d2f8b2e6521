import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseTokenizerJson } from '@genomelm/tokenizer';
import { prepareTraining } from './trainingCorpus';

const { genomelm, folder, at, train } = prepareTraining();

test('in memory and out of core: the same file, and a report of it beside', () => {
  const { text, result } = train('memory.json');
  expect(result).toMatchObject({ vocabSize: 60, bases: 1_100_000 });
  expect(train('disk.json', '--max-memory', '100MB', '--scratch', folder).text).toBe(text);
  expect(readFileSync(at('memory.report.md'), 'utf8')).toMatch(/corpus: 1100000 bases in .*corpus\.fa/);
});

test('a file that is not there: one line, exit code 2, no file', () => {
  const { status, stderr } = genomelm('train-tokenizer', '-o', at('never.json'), at('missing.fa'));
  expect({ status, exists: existsSync(at('never.json')) }).toEqual({ status: 2, exists: false });
  expect(stderr).toMatch(/missing\.fa: expected a file or folder, got nothing there; check the path/);
});

test('ME-BPE over splits of equal size', () => {
  const { text, result } = train('me.json', '--algorithm', 'me-bpe', '--splits', '3');
  expect(result).toMatchObject({ vocabSize: 60, bases: 1_100_000 });
  expect(parseTokenizerJson(text).definition.merges[0]).toEqual(['T', 'T']);
});

test('inspect-tokenizer shows what plain bases cost', () => {
  const { stdout } = genomelm('inspect-tokenizer', '--json', at('corpus.fa'));
  const { rows } = JSON.parse(stdout) as { rows: { tokenizer: string; basesPerToken: number; bitsPerBase: number }[] };
  // A 1/4, C 1/8, G 1/4, T 3/8
  expect(rows.at(-1)).toMatchObject({ tokenizer: 'characters', basesPerToken: 1, bitsPerBase: expect.closeTo(0.25 * 2 * 2 + 0.125 * 3 - 0.375 * Math.log2(0.375), 2) as number });
});

test('inspect-tokenizer says what soft-masked sequence lost, and that files are empty', () => {
  writeFileSync(at('soft.fa'), '>a\nACGTacgtac\n');
  expect(genomelm('inspect-tokenizer', at('soft.fa')).stderr).toContain('6 of 10 bases became the unknown token (60.0 %); soft-masked');
  expect(genomelm('inspect-tokenizer', '--upper', at('soft.fa')).stderr).not.toContain('unknown');
  writeFileSync(at('empty.fa'), '');
  expect(genomelm('inspect-tokenizer', at('empty.fa'))).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('expected sequences, got none in') as string });
});

test.each([
  ['too little memory', ['--max-memory', '1MB'], /--max-memory: expected at least \d+MB, 84 of them for the program itself, got 1MB/],
  ['no amount', ['--max-memory', 'much'], /expected an amount of memory such as 500MB/],
  ['another algorithm', ['--algorithm', 'fast'], /expected one of exact, me-bpe/],
])('%s: one line and exit code 2', (_, options, message) => {
  const { status, stderr } = train('never.json', ...options);
  expect(status).toBe(2);
  expect(stderr).toMatch(message);
});

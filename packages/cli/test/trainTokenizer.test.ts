import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseTokenizerJson } from '@genomelm/tokenizer';
import { bundleGenomelm, freshFolder } from './genomelm';

const genomelm = bundleGenomelm(), folder = freshFolder('train');
const at = (name: string) => join(folder, name);
let state = 1;
const bases = Array.from({ length: 1_100_000 }, () => 'AACGGTTT'[(state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 29]).join('');
writeFileSync(at('corpus.fa'), `>one\n${bases.slice(0, 600_000)}\n>two\n${bases.slice(600_000)}\n`);
const train = (out: string, ...options: string[]) => {
  const { status, stdout, stderr } = genomelm('train-tokenizer', '--vocab-size', '60', '--json', '-o', at(out), ...options, at('corpus.fa'));
  return { status, stderr, result: status === 0 ? JSON.parse(stdout) as Record<string, number> : {}, text: status === 0 ? readFileSync(at(out), 'utf8') : '' };
};

test('in memory, out of core and from a checkpoint: the same file', () => {
  const { text, result } = train('memory.json');
  expect(result).toMatchObject({ vocabSize: 60, bases: 1_100_000 });
  expect(train('disk.json', '--max-memory', '100MB', '--scratch', folder).text).toBe(text);
  writeFileSync(at('checkpoint'), JSON.stringify(parseTokenizerJson(text).definition.merges.slice(0, 20)));
  expect(train('continued.json', '--checkpoint', at('checkpoint')).text).toBe(text);
  expect(train('continuedOnDisk.json', '--checkpoint', at('checkpoint'), '--max-memory', '100MB').text).toBe(text);
});

test('ME-BPE over splits of equal size', () => {
  const { text, result } = train('me.json', '--algorithm', 'me-bpe', '--splits', '3');
  expect(result).toMatchObject({ vocabSize: 60, bases: 1_100_000 });
  expect(parseTokenizerJson(text).definition.merges[0]).toEqual(['T', 'T']);
});

test('--compare trains every way', () => {
  const { status, stdout } = genomelm('train-tokenizer', '--vocab-size', '20', '--compare', '--splits', '2', '--order', 'shuffled', '--json', at('corpus.fa'));
  expect(status).toBe(0);
  const { rows } = JSON.parse(stdout) as { rows: Record<string, number>[] };
  expect(rows.map((row) => row['training'])).toEqual(['exact, out of core', 'exact, in memory', 'ME-BPE continue, 2 splits', 'ME-BPE merge, 2 splits', 'random 1/2', 'first 1/2']);
  expect(rows[1]).toMatchObject({ jaccard: 1, rankCorrelation: 1, commonPrefix: 11, heldOutBasesPerToken: rows[0]['heldOutBasesPerToken'] });
});

test('inspect-tokenizer shows what plain bases cost', () => {
  const { stdout } = genomelm('inspect-tokenizer', '--json', at('corpus.fa'));
  const { rows } = JSON.parse(stdout) as { rows: { tokenizer: string; basesPerToken: number; bitsPerBase: number }[] };
  // A 1/4, C 1/8, G 1/4, T 3/8
  expect(rows.at(-1)).toMatchObject({ tokenizer: 'characters', basesPerToken: 1, bitsPerBase: expect.closeTo(0.25 * 2 * 2 + 0.125 * 3 - 0.375 * Math.log2(0.375), 2) as number });
});

test.each([
  ['too little memory', ['--max-memory', '1MB'], /expected maxMemory of at least/],
  ['no amount', ['--max-memory', 'much'], /expected an amount of memory such as 500MB/],
  ['another algorithm', ['--algorithm', 'fast'], /expected one of exact, me-bpe/],
])('%s: one line and exit code 2', (_, options, message) => {
  const { status, stderr } = train('never.json', ...options);
  expect(status).toBe(2);
  expect(stderr).toMatch(message);
});

/** Trainings that take many processes: continued, shared, compared, and refused in memory as out of core. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { parseTokenizerJson } from '@genomelm/tokenizer';
import { bases, prepareTraining } from './trainingCorpus';

const { genomelm, folder, at, train } = prepareTraining();

test('in memory, out of core and from a checkpoint: the same file', () => {
  const { text, result } = train('memory.json');
  expect(result).toMatchObject({ vocabSize: 60, bases: 1_100_000 });
  expect(train('disk.json', '--max-memory', '100MB', '--scratch', folder).text).toBe(text);
  writeFileSync(at('checkpoint'), JSON.stringify(parseTokenizerJson(text).definition.merges.slice(0, 20)));
  expect(train('continued.json', '--checkpoint', at('checkpoint')).text).toBe(text);
  expect(train('continuedOnDisk.json', '--checkpoint', at('checkpoint'), '--max-memory', '100MB').text).toBe(text);
});

test('over two processes: the same file, and a report of it beside', () => {
  const half = (name: string, from: number, to: number) => { writeFileSync(at(name), `>${name}\n${bases.slice(from, to)}\n`); return at(name); };
  const files = [half('a.fa', 0, 500_000), half('b.fa', 500_000, 1_100_000)], run = (out: string, ...options: string[]) => genomelm('train-tokenizer', '--vocab-size', '60', '-o', at(out), ...options, ...files);
  expect(run('one.json').status).toBe(0);
  const { status, stderr } = run('two.json', '--processes', '2', '--scratch', folder);
  expect({ status, declared: /scratch space: at most 0\.0022\d* GB in .*, where .* GB are free/.test(stderr) }).toEqual({ status: 0, declared: true });
  expect(readFileSync(at('two.json'), 'utf8')).toBe(readFileSync(at('one.json'), 'utf8'));
  const report = readFileSync(at('two.report.md'), 'utf8');
  expect(report).toMatch(/corpus: 1100000 bases in .*a\.fa, .*b\.fa/);
  expect(report).toMatch(/60 tokens, 51 merges\n- bases per token: \d\.\d{3} over the first 1100000 bases/);
  expect(report).toMatch(/both strands: \d+ of 51 merged tokens/);
  expect(report).toMatch(/\| 0 \| T \| T \| 2 \|/);
  expect(run('never.json', '--processes', '3').stderr).toMatch(/expected at least as many files as processes, got 2 for 3/);
});

test.each([
  ['a file that is not there', () => at('missing.fa'), /missing\.fa: expected a file or folder, got nothing there; check the path/],
  ['a directory', () => folder, /expected a file, got a folder/],
  ['half a gzip file', () => { const gz = gzipSync(`>x\n${bases}\n`); writeFileSync(at('half.fa.gz'), gz.subarray(0, gz.length / 2)); return at('half.fa.gz'); }, /half\.fa\.gz: .*expected .*, got a file that ends too early/],
  ['bytes that are no UTF-8', () => { writeFileSync(at('latin.txt'), Buffer.from('ACGT\nAC\xe9GT\n', 'latin1')); return at('latin.txt'); }, /latin\.txt: expected text in UTF-8, got other bytes in record 2/],
  ['nothing', () => { writeFileSync(at('empty.txt'), ''); return at('empty.txt'); }, /expected a corpus with letters of the alphabet, got none in .*empty\.txt; lower case is read with --upper/],
  ['more letters than tokens', () => { writeFileSync(at('letters.txt'), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ\n'.repeat(3)); return at('letters.txt'); }, /expected vocabSize of at least 31 for 5 special tokens and 26 letters, got 20; raise it, or pass initialAlphabet/],
])('%s: one line, exit code 2, no file', (_, file, message) => {
  for (const where of [[], ['--max-memory', '100MB']]) {
    const { status, stderr } = genomelm('train-tokenizer', '--vocab-size', '20', '--other-letters', '-o', at('never.json'), ...where, file());
    expect({ status, text: stderr.split('\n').filter((line) => line.startsWith('genomelm: ')).at(-1) }).toEqual({ status: 2, text: expect.stringMatching(message) as unknown });
    expect(existsSync(at('never.json'))).toBe(false);
  }
});

test('--compare trains every way', () => {
  const { status, stdout } = genomelm('train-tokenizer', '--vocab-size', '20', '--compare', '--splits', '2', '--order', 'shuffled', '--json', at('corpus.fa'));
  expect(status).toBe(0);
  const { rows } = JSON.parse(stdout) as { rows: Record<string, number>[] };
  expect(rows.map((row) => row['training'])).toEqual(['exact, out of core', 'exact, in memory', 'ME-BPE continue, 2 splits', 'ME-BPE merge, 2 splits', 'random 1/2', 'first 1/2']);
  expect(rows[1]).toMatchObject({ jaccard: 1, rankCorrelation: 1, commonPrefix: 11, heldOutBasesPerToken: rows[0]['heldOutBasesPerToken'] });
});

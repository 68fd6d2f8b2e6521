import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parseTokenizerJson } from '@genomelm/tokenizer';
import { bundleGenomelm, freshFolder } from './genomelm';

const genomelm = bundleGenomelm();
const folder = freshFolder('tokenize');
const write = (name: string, contents: string | Uint8Array): string => {
  writeFileSync(join(folder, name), contents);
  return join(folder, name);
};
const lines = (text: string) => text.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);

// ACG is 0·16 + 1·4 + 2 after the 5 special tokens, TAC 3·16 + 1, TTT 63.
test('FASTA (plain and gzip), FASTQ, CSV and plain lines give the same ids', () => {
  const fasta = '>one a\nACGT\nAC\n>two\nTTTTTT\n';
  const expected = [[1, 11, 54, 2], [1, 68, 68, 2]];
  for (const file of [write('a.fa', fasta), write('a.fa.gz', gzipSync(fasta)), write('a.fq', '@one a\nACGTAC\n+\nIIIIII\n@two\nTTTTTT\n+\n@@@@@@\n'), write('a.csv', 'sequence,label\nACGTAC,0\nTTTTTT,1\n'), write('a.txt', 'ACGTAC\nTTTTTT\n')]) {
    const { status, stdout } = genomelm('tokenize', '-t', 'kmer:3', file);
    expect(status).toBe(0);
    const ids = lines(stdout).map((line) => line['ids'] as number[]);
    expect(ids.map((list) => [list[0], list[1], list.at(-2), list.at(-1)])).toEqual(expected);
  }
});

test('tokens and offsets', () => {
  const file = write('b.txt', 'ACGT\n');
  expect(lines(genomelm('tokenize', '-t', 'kmer:3', '--output', 'tokens', file).stdout)).toEqual([{ id: '1', tokens: ['[CLS]', 'ACG', 'CGT', '[SEP]'] }]);
  expect(lines(genomelm('tokenize', '-t', 'character', '--output', 'offsets', file).stdout)[0]).toMatchObject({ offsets: expect.arrayContaining([[0, 1], [3, 4]]) as unknown });
});

test('binary shards hold the same ids, and say what they hold; bad input leaves no folder', () => {
  const file = write('shards.fa', '>one a\nACGTACGT\n>two\nTTTTTT\n>three\nACGGT\n');
  const expected = lines(genomelm('tokenize', '-t', 'kmer:3', file).stdout);
  const out = join(folder, 'shards');
  const run = (to: string) => genomelm('tokenize', '-t', 'kmer:3', '--output', 'bin', '-o', to, '--shard-tokens', '15', file);
  expect(run(out)).toMatchObject({ status: 0, stdout: '' });
  const index = JSON.parse(readFileSync(join(out, 'index.json'), 'utf8')) as { shards: Record<'ids' | 'cuSeqlens' | 'names', { file: string; bytes: number; sha256: string }>[] };
  expect(index).toMatchObject({ dtype: 'uint16', byteOrder: 'little', vocabSize: 69, records: 3, tokens: 19, bases: 19, unknownBases: 0, tokenizer: 'kmer:3', shards: [{ records: 2, tokens: 14 }, { records: 1, tokens: 5 }] });
  const found = index.shards.flatMap((shard) => {
    const [ids, cuSeqlens, names] = (['ids', 'cuSeqlens', 'names'] as const).map((part) => {
      const bytes = readFileSync(join(out, shard[part].file));
      expect([bytes.length, createHash('sha256').update(bytes).digest('hex')]).toEqual([shard[part].bytes, shard[part].sha256]);
      return bytes;
    });
    const all = Array.from({ length: ids.length / 2 }, (_, i) => ids.readUInt16LE(2 * i));
    return names.toString().trim().split('\n').map((name, r) => ({ id: JSON.parse(name) as string, ids: all.slice(cuSeqlens.readInt32LE(4 * r), cuSeqlens.readInt32LE(4 * r + 4)) }));
  });
  expect(found).toEqual(expected);
  run(join(folder, 'again'));
  expect(readFileSync(join(folder, 'again', 'index.json'))).toEqual(readFileSync(join(out, 'index.json')));
  expect(run(out)).toMatchObject({ status: 2, stderr: expect.stringContaining('expected a folder that is empty or not there yet') as unknown });
  expect(genomelm('tokenize', '-t', 'kmer:3', '--output', 'bin', file)).toMatchObject({ status: 2, stderr: expect.stringContaining('expected -o with the folder') as unknown });
  expect(genomelm('tokenize', '-t', 'kmer:3', '--output', 'bin', '-o', join(folder, 'never'), file, write('bad2.fa', '>y\nAC\0GT\n')).status).toBe(2);
  expect(readdirSync(folder).filter((name) => /never|partial/.test(name))).toEqual([]);
});

test('soft-masked input is told, and --upper reads it', () => {
  const file = write('c.txt', 'acgtacgt\n');
  expect(genomelm('tokenize', '-t', 'kmer:3', file).stderr).toMatch(/became the unknown token .*--upper/);
  expect(genomelm('tokenize', '-t', 'kmer:3', '--upper', file).stderr).not.toMatch(/unknown/);
});

test('a trained tokenizer is read back, and a bad input leaves no file', () => {
  const file = join(folder, 'tokenizer.json');
  const { status, stdout } = genomelm('train-tokenizer', '--vocab-size', '30', '-o', file, '--json', write('d.fa', `>x\n${'ACGGTTACGTAACCGT'.repeat(50)}\n`));
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ file, bases: 800 });
  expect(parseTokenizerJson(readFileSync(file, 'utf8')).decode(parseTokenizerJson(readFileSync(file, 'utf8')).encode('ACGGTTACG', { addSpecialTokens: false }))).toBe('ACGGTTACG');
  const bad = genomelm('tokenize', '-t', file, '-o', join(folder, 'never.jsonl'), write('bad.fa', '>x\nACGT\n>y\nAC\0GT\n'));
  expect(bad.status).toBe(2);
  expect(() => readFileSync(join(folder, 'never.jsonl'))).toThrow();
});

test('help, version, and words that are no command', () => {
  expect(genomelm('--help').stdout).toMatch(/gue run/);
  expect(genomelm('tokenize', '--help').stdout).toMatch(/--max-length N/);
  expect(genomelm('--version').stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(genomelm('nonsense').status).toBe(2);
});

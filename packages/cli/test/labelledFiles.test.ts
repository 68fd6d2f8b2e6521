import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { classifierFor, labelledSequences, readLabelled } from '../src/labelledFiles';
import { readLines, readSequences } from '../src/sequenceFiles';

const folder = mkdtempSync(join(tmpdir(), 'genomelm-labelled-'));
afterAll(() => rmSync(folder, { recursive: true }));
const write = (contents: string | Uint8Array) => {
  const path = join(folder, 'rows');
  writeFileSync(path, contents);
  return path;
};

async function sequencesOf(path: string): Promise<unknown[]> {
  const sequences: unknown[] = [];
  for await (const { sequence } of readSequences(path)) sequences.push(sequence);
  return sequences;
}

describe.each([
  ['commas', 'sequence,label\nACGT,a\nGGCC,b\n'],
  ['tabs', 'sequence\tlabel\nACGT\ta\nGGCC\tb\n'],
  ['a byte order mark, quotes and CRLF, as spreadsheets write', '\uFEFF"sequence","label"\r\n"ACGT","a"\r\n"GGCC","b"'],
  ['another order, and a column more', 'id,label,sequence\n1,a,ACGT\n2,b,GGCC\n'],
  ['commas and quotes within quotes', 'about,sequence,label\n"kinase, putative",ACGT,a\n"5\' ""end"", x","GGCC",b\n'],
  ['gzip', gzipSync('sequence,label\nACGT,a\nGGCC,b\n')],
])('rows with %s', (_name, contents) => {
  test('are labelled examples', () => {
    expect(readLabelled(write(contents))).toEqual([{ sequence: 'ACGT', label: 'a' }, { sequence: 'GGCC', label: 'b' }]);
  });
  test('are sequences', async () => {
    expect(await sequencesOf(write(contents))).toEqual(['ACGT', 'GGCC']);
  });
});

test('labels may hold commas and quotes; what is never closed ends with its line', () => {
  expect(readLabelled(write('sequence,label\nACGT,"lo, w"\nGGCC, "mid ""q""" \nTTTT,5\'-"x\nAAAA,"open')).map(({ label }) => label)).toEqual(['lo, w', 'mid "q"', '5\'-"x', '"open']);
  expect(() => readLabelled(write('sequence,label\n"ACGT,a\n'))).toThrow('line 2: expected 2 columns, got 1');
});

test('the label is never taken for the sequence, nor words for bases', () => {
  expect(readLabelled(write('label,dna\na,ACGT\nb,GGCC\n'))).toEqual([{ sequence: 'ACGT', label: 'a' }, { sequence: 'GGCC', label: 'b' }]);
  expect(() => readLabelled(write('name,label\npromoter,1\n'))).toThrow('rows: line 2: expected nucleotide letters as the sequence, got "p"; mend the line, or name the columns sequence and label');
  expect(() => readLabelled(write('label\na\n'))).toThrow('rows: expected a column of sequences beside label, got none');
  expect(readLabelled(write('sequence1,pair,label\nACGT,GG,a\n'))).toEqual([{ sequence: 'ACGT', pair: 'GG', label: 'a' }]);
});

test('rows without a header are refused: a label is no base', async () => {
  await expect(sequencesOf(write('ACGT,0\nGGCC,1\n'))).rejects.toThrow('line 1: expected one sequence a line, or a header with the column sequence, got "ACGT,0"; add the header');
});

test('blank lines before FASTA, and ends of lines of every kind', async () => {
  expect(await sequencesOf(write('\n \n>a\nACGT\n'))).toEqual([new TextEncoder().encode('ACGT')]);
  expect(await sequencesOf(write('ACGT\r\nGGCC\rTT\n\nAA\r'))).toEqual(['ACGT', 'GGCC', 'TT', 'AA']);
});

test.each([
  ['half a gzip file', () => write(gzipSync('ACGT\n'.repeat(99)).subarray(0, 20)), /rows: .*got a file that ends too early/],
  ['half a gzip file of FASTA', () => write(gzipSync(`>a\n${'ACGT\n'.repeat(99)}`).subarray(0, 25)), /rows: .*got a file that ends too early/],
  ['a folder', () => folder, /^.*genomelm-labelled-\w+: expected a file, got a folder/],
  ['nothing', () => join(folder, 'nowhere'), /nowhere: expected a file or folder, got nothing there; check the path \(ENOENT\)$/],
])('%s is refused by its name', async (_what, path, message) => {
  await expect(sequencesOf(path())).rejects.toThrow(message);
});

test('rows that lack their sequence or class are refused; no label at all is one of several', () => {
  expect(() => readLabelled(write('sequence,label\nACGT,a\n,b\n'))).toThrow('rows: line 3: expected a sequence, got nothing');
  const rows = readLabelled(write('sequence,label\nACGT,a\nGGCC,\n'));
  expect(() => labelledSequences('rows', rows, 'classes', classifierFor('classes', rows))).toThrow('rows: line 3: expected a label, got ""');
  expect(labelledSequences('rows', rows, 'labels', classifierFor('labels', rows)).map(({ targets }) => targets)).toEqual([[1], [0]]);
  expect(() => readLabelled(write(gzipSync('sequence,label\nACGT,a\n').subarray(0, 20)))).toThrow('rows: expected a whole gzip file');
});

test.each(['\n', '\r\n', '\r'])('lines that end in %j are counted as they are, also where a chunk ends within one of their ends', async (end) => {
  const wanted = Array.from({ length: 180_000 }, (_, i) => 'ACGTACGT'.slice(i % 7)); // more than the megabyte that is read at once
  for (const shift of ['', 'A']) {
    const found: string[] = [];
    for await (const { text } of readLines(write(shift + wanted.join(end) + end))) found.push(text);
    expect(found.join()).toBe(shift + wanted.join());
  }
});

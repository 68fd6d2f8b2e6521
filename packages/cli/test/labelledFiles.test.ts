import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readLabelled } from '../src/labelledFiles';
import { readSequences } from '../src/sequenceFiles';

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
  ['gzip', gzipSync('sequence,label\nACGT,a\nGGCC,b\n')],
])('rows with %s', (_name, contents) => {
  test('are labelled examples', () => {
    expect(readLabelled(write(contents))).toEqual([{ sequence: 'ACGT', label: 'a' }, { sequence: 'GGCC', label: 'b' }]);
  });
  test('are sequences', async () => {
    expect(await sequencesOf(write(contents))).toEqual(['ACGT', 'GGCC']);
  });
});

test('rows without a header are refused: a label is no base', async () => {
  await expect(sequencesOf(write('ACGT,0\nGGCC,1\n'))).rejects.toThrow('line 1: expected one sequence a line, or a header with the column sequence, got "ACGT,0"; add the header');
});

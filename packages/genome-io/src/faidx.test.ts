import fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import { bgzfCompress } from './bgzf';
import { createFastaIndex, parseFai, serializeFai } from './faidx';
import { readFasta } from './fasta';
import { openFasta } from './openFasta';
import { reverseComplement } from './sequence';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (sequence: Uint8Array) => new TextDecoder().decode(sequence);
const fai = async (file: string) => serializeFai(await createFastaIndex(bytes(file)));
const inPieces = (data: Uint8Array, length: number) => {
  let at = 0;
  return new ReadableStream<Uint8Array>({ pull(controller) { if (at >= data.length) return controller.close(); controller.enqueue(data.slice(at, at += length)); } });
};

// Expected rows are those of samtools 1.16.
test.each([
  ['>a\nACGT\nAC\n>b x\nGG\n', 'a\t6\t3\t4\t5\nb\t2\t16\t2\t3\n'],
  ['>a\nAC\nA\n\n\n>b\n\n\n>c\nAAA', 'a\t3\t3\t2\t3\nc\t3\t18\t3\t4\n'],
  ['>a\r\nAC\r\nA\r\n\r\n>b\r\nA', 'a\t3\t4\t2\t4\nb\t1\t17\t1\t2\n'],
  ['> a x\nA\n', 'a\t1\t6\t1\t2\n'],
  ['\n\n>a\nAC', 'a\t2\t5\t2\t3\n'],
  ['>a\r\n\r\n>b\r\nA\r\n', 'a\t0\t4\t0\t2\nb\t1\t10\t1\t3\n'],
  ['>a\r\nAC\r\nGT', 'a\t4\t4\t2\t4\n'],
  ['', ''],
])('%j is indexed as samtools does, in pieces of any length and compressed', async (file, expected) => {
  expect(await fai(file)).toBe(expected);
  for (const length of [1, 2, 3]) expect(serializeFai(await createFastaIndex(inPieces(bytes(file), length)))).toBe(expected);
  for (const compressed of [await bgzfCompress(bytes(file)), gzipSync(file)]) expect(serializeFai(await createFastaIndex(compressed))).toBe(expected);
  expect(serializeFai(parseFai(expected))).toBe(expected);
});

test.each([
  ['a line longer than the first', '>a\nAC\nACG\n', 3, /lines of 2 bases and 3 bytes .* got 3 bases and 4 bytes/],
  ['a line after a shorter one', '>a\nACGT\nAC\nA\n', 4, /another line after a shorter or empty one/],
  ['a line after an empty one', '>a\nACGT\n\nACGT\n', 4, /another line after a shorter or empty one/],
  ['a blank between bases', '>a\nACG\nA G\n', 3, /"G" after one/],
  ['text before the first record', 'ACG\n>a\n', 1, /'>' before anything else/],
  ['a digit', '>a\nAC1\n', 2, /got "1"/],
  ['a name that comes twice', '>a\nA\n>a\nC\n>b\n', 5, /"a" again/],
])('%s is refused with its line', async (_, file, line, message) => {
  const failure = await fai(file).catch((error: unknown) => error);
  expect(failure).toMatchObject({ name: 'FormatError', format: 'fasta', line });
  expect((failure as Error).message).toMatch(message);
});

test.each(['a\t1\t2\t3', 'a\t1\t2\t3\t4\t5', 'a\t1\t2\t3\tx', 'a\t1\t2\t3\t2', 'a\t1\t2\t0\t0', 'a\t1\t2\t3\t4\na\t1\t2\t3\t4'])('.fai %j is refused', (row) => {
  expect(() => parseFai(row)).toThrow(expect.objectContaining({ name: 'FormatError', format: 'fai' }));
});

test('every interval equals the slice of the record that readFasta gives: plain, CRLF and BGZF', async () => {
  const record = fc.record({ sequence: fc.string({ unit: fc.constantFrom('A', 'C', 'g', 't', 'N', 'R'), maxLength: 50 }), width: fc.integer({ min: 1, max: 20 }) });
  await fc.assert(fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 4 }), fc.constantFrom('\n', '\r\n'), fc.nat(60), fc.nat(60), fc.constantFrom('+' as const, '-' as const), async (records, lineEnd, a, b, strand) => {
    const plain = bytes(records.map(({ sequence, width }, i) => `>r${i}${lineEnd}${(sequence.match(new RegExp(`.{1,${width}}`, 'g')) ?? []).map((line) => line + lineEnd).join('')}`).join(''));
    for (const file of [plain, await bgzfCompress(plain)]) {
      const opened = openFasta(file);
      for await (const { name, sequence } of readFasta(plain)) {
        if (sequence.length === 0) continue;
        const expected = sequence.subarray(Math.min(a, b), Math.max(a, b));
        expect(text(await opened.fetch(name, Math.min(a, b), Math.max(a, b), { strand, clamp: true }))).toBe(text(strand === '-' ? reverseComplement(expected) : expected));
        expect(await opened.fetch(name)).toEqual(sequence);
      }
    }
  }), { numRuns: 60 });
});

describe('openFasta', () => {
  const file = bytes('>chr1\nACGTA\nCG\n>2\nGGG\n');
  test('an interval beyond the contig is refused, or cut', async () => {
    const opened = openFasta(file);
    await expect(opened.fetch('chr1', 3, 8)).rejects.toThrow(/within 0 to 7 of chr1, got 3 to 8; pass \{clamp: true\}/);
    await expect(opened.fetch('chr1', -1, 8)).rejects.toThrow(RangeError);
    await expect(opened.fetch('chr1', 5, 3)).rejects.toThrow(/start <= end/);
    expect(text(await opened.fetch('chr1', -5, 99, { clamp: true }))).toBe('ACGTACG');
    expect(text(await opened.fetch('chr1', 20, 30, { clamp: true }))).toBe('');
    expect(text(await opened.fetch('chr1', 4, 4))).toBe('');
  });
  test('an unknown contig is refused with what there is', async () => {
    await expect(openFasta(file).fetch('1')).rejects.toThrow('openFasta: expected one of 2 contigs (chr1, 2), got "1"; this file calls it "chr1": see contigs()');
    await expect(openFasta(file).fetch('chr2')).rejects.toThrow('this file calls it "2"');
  });
  test('an index of another file is noticed', async () => {
    for (const row of ['chr1\t7\t6\t4\t5\n', 'chr1\t7\t6\t6\t7\n', 'chr1\t70\t6\t5\t6\n', 'chr1\t7\t0\t5\t6\n']) {
      await expect(openFasta(file, { fai: bytes(row) }).fetch('chr1')).rejects.toMatchObject({ name: 'FormatError', format: 'fai' });
    }
  });
  test('plain gzip cannot be entered', () => expect(openFasta(gzipSync(file)).fetch('2')).rejects.toThrow(/got gzip.*bgzip/));
});

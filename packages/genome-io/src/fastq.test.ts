import fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import { convertQuality, qualityScores, readFastq, type FastqOptions } from './fastq';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (sequence: Uint8Array) => new TextDecoder().decode(sequence);
const readAll = async (source: Uint8Array | ReadableStream<Uint8Array>, options: FastqOptions = {}) => {
  const records: string[][] = [];
  for await (const { name, description, sequence, quality } of readFastq(source, options)) records.push([name, description, text(sequence), text(quality)]);
  return records;
};
const inPieces = (data: Uint8Array, length: number) => {
  let at = 0;
  return new ReadableStream<Uint8Array>({ pull(controller) { if (at >= data.length) return controller.close(); controller.enqueue(data.slice(at, at += length)); } });
};

test.each([
  ['one record', '@a b c\nACGT\n+\n!~II\n', [['a', 'b c', 'ACGT', '!~II']]],
  ['a repeated title, CRLF, no line end at the end', '@a b\r\nAC\r\n+a b\r\nII\r\n@c\r\nG\r\n+\r\nI', [['a', 'b', 'AC', 'II'], ['c', '', 'G', 'I']]],
  ['several lines, qualities that begin with @ and +', '@a\nAC\nGT\nA\n+\n@+\n@\n+@\n@b\nA\n+\n@\n', [['a', '', 'ACGTA', '@+@+@'], ['b', '', 'A', '@']]],
  ['empty records, with and without their empty lines', '@a\n\n+\n\n@b\n+\n@c\nA\n+\nI\n@d\n+', [['a', '', '', ''], ['b', '', '', ''], ['c', '', 'A', 'I'], ['d', '', '', '']]],
  ['empty lines between records and at the end', '\n@a\nA\n+\nI\n\n\n@b\nC\n+\nI\n\n', [['a', '', 'A', 'I'], ['b', '', 'C', 'I']]],
  ['an empty file', '', []],
])('reads %s', async (_, file, expected) => {
  expect(await readAll(bytes(file))).toEqual(expected);
  expect(await readAll(gzipSync(file))).toEqual(expected);
  for (const length of [1, 3]) expect(await readAll(inPieces(bytes(file), length))).toEqual(expected);
});

test.each([
  ['FASTA', '>a\nACGT\n', 1, /'@' at line 1, got ">"/],
  ['fewer qualities, then the next record', '@a\nACGT\n+\nIII\n@b\nA\n+\nI\n', 5, /4 qualities, as many as residues, at line 5, got 5 or more/],
  ['more qualities on one line', '@a\nAC\n+\nIII\n', 4, /2 qualities, as many as residues, at line 4, got 3/],
  ['more qualities on another line', '@a\nAC\n+\nII\nI\n', 5, /as many as residues/],
  ['the end of the file in the sequence', '@a\nAC\n', 2, /the end of the file/],
  ['the end of the file in the qualities', '@a\nAC\n+\nI', 4, /2 qualities .* got 1 and the end/],
  ['another title after the +', '@a\nAC\n+b\nII\n', 3, /another title/],
  ['a blank in the sequence', '@a\nA C\n+\nIII\n', 2, /byte 0x20 in column 2/],
  ['a blank in the qualities', '@a\nA\n+\n \n', 4, /byte 0x20 in column 1/],
  ['the line ends of old Macintosh files', '@a\rAC\r+\rII\r', 1, /a line feed after the carriage return at line 1, got the end of the file; convert/],
  ['a byte of 127', '@a\nA\n+\n\x7f\n', 4, /from byte 33 to 126 at line 4, got byte 0x7f/],
])('refuses %s and says where', async (_, file, line, message) => {
  for (const source of [bytes(file), inPieces(bytes(file), 1)]) {
    const failure = await readAll(source).catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: 'FormatError', format: 'fastq', line });
    expect((failure as Error).message).toMatch(message);
  }
});

test('an encoding bounds its bytes', async () => {
  const file = (quality: string) => bytes(`@a\nA\n+\n${quality}\n`);
  await expect(readAll(file('!'), { encoding: 'illumina-1.3' })).rejects.toThrow(/from byte 64 to 126/);
  await expect(readAll(file(';'), { encoding: 'illumina-1.3' })).rejects.toThrow(/choose another encoding/);
  expect(await readAll(file(';'), { encoding: 'solexa' })).toHaveLength(1);
  await expect(readAll(file('I'), { encoding: 'phred' as never })).rejects.toThrow(TypeError);
});

test('scores and conversions', () => {
  expect([...qualityScores(bytes('!+~'))]).toEqual([0, 10, 93]);
  expect([...qualityScores(bytes(';@~'), 'solexa')]).toEqual([-5, 0, 62]);
  expect(() => qualityScores(bytes('!'), 'solexa')).toThrow(RangeError);
  expect(text(convertQuality(bytes('~'), 'sanger', 'illumina-1.3'))).toBe('~'); // 93 is cut to 62
  expect([...qualityScores(convertQuality(bytes(';<=>?@J'), 'solexa', 'sanger'))]).toEqual([1, 1, 2, 2, 3, 3, 10]); // table 2 of Cock et al.
});

test('whatever is written is read, in lines of any length', async () => {
  const record = fc.record({ title: fc.string({ unit: fc.constantFrom('a', '@', '+', '>', '1'), minLength: 1, maxLength: 6 }), pairs: fc.array(fc.tuple(fc.constantFrom('A', 'c', 'N', '-', '.'), fc.constantFrom('!', '@', '+', 'I', '~')), { minLength: 1, maxLength: 12 }), width: fc.integer({ min: 1, max: 13 }), repeat: fc.boolean() });
  await fc.assert(fc.asyncProperty(fc.array(record, { maxLength: 4 }), fc.integer({ min: 1, max: 40 }), async (records, piece) => {
    const cut = (letters: string, width: number) => letters.match(new RegExp(`.{1,${width}}`, 'g'))!.join('\n');
    const expected = records.map(({ title, pairs }) => [title, '', pairs.map(([base]) => base).join(''), pairs.map(([, score]) => score).join('')]);
    const file = records.map(({ title, width, repeat }, i) => `@${title}\n${cut(expected[i][2], width)}\n+${repeat ? title : ''}\n${cut(expected[i][3], width)}\n`).join('');
    expect(await readAll(inPieces(bytes(file), piece))).toEqual(expected);
  }), { numRuns: 150 });
});

import { readBed } from './bed';
import { readGff } from './gff';

const bytes = (text: string) => new TextEncoder().encode(text);
const collect = async <T>(records: AsyncIterable<T>) => { const list: T[] = []; for await (const record of records) list.push(record); return list; };

test('BED: columns, dots, blanks, comments, CRLF', async () => {
  const file = 'browser position chr1\ntrack name=x\n#c\n\nchr1\t5\t10\nchr2 0 0 a 7 -\r\nchr3\t1\t2\t.\t.\t.\t1\t2\n';
  expect(await collect(readBed(bytes(file)))).toEqual([
    { contig: 'chr1', start: 5, end: 10, name: undefined, score: undefined, strand: undefined, rest: [], line: 5 },
    { contig: 'chr2', start: 0, end: 0, name: 'a', score: 7, strand: '-', rest: [], line: 6 },
    { contig: 'chr3', start: 1, end: 2, name: undefined, score: undefined, strand: undefined, rest: ['1', '2'], line: 7 },
  ]);
});
test.each([['chr1\t5', /contig, start and end/], ['chr1\t5\t4', /start <= end/], ['chr1\t-1\t4', /whole numbers/], ['chr1\t1\t1e3', /whole numbers/], ['chr1\t1\t4\ta\t0\tx', /strand/]])('BED %j is refused with its line', async (row, message) => {
  const failure = await collect(readBed(bytes(`a\t1\t2\n${row}\n`))).catch((error: unknown) => error);
  expect(failure).toMatchObject({ name: 'FormatError', format: 'bed', line: 2 });
  expect((failure as Error).message).toMatch(message);
});

test('GFF3: columns, attributes, escapes, what ends it', async () => {
  const file = '##gff-version 3.1.26\n# c\nctg%201\t.\tgene\t10\t20\t.\t+\t.\tID=g1;Alias=a%2Cb,c;Note=x%3By;\nc\tsrc\tCDS\t1\t3\t1e-3\t?\t2\t.\n##FASTA\n>c\nACGT\n';
  const [gene, cds, ...more] = await collect(readGff(bytes(file)));
  expect(gene).toEqual({ contig: 'ctg 1', source: undefined, type: 'gene', start: 9, end: 20, score: undefined, strand: '+', phase: undefined, attributes: new Map([['ID', ['g1']], ['Alias', ['a,b', 'c']], ['Note', ['x;y']]]), line: 3 });
  expect([cds.source, cds.score, cds.strand, cds.phase, cds.attributes.size, more]).toEqual(['src', 0.001, '?', 2, 0, []]);
});
test.each([
  ['a\tb\tc\t1\t2\t.\t+\t.', /9 columns/], ['a\tb\tc\t0\t2\t.\t+\t.\tID=x', /from 1/], ['a\tb\tc\t3\t2\t.\t+\t.\tID=x', /start <= end/], ['a\tb\tc\t1\t2\tx\t+\t.\tID=x', /score/], ['a\tb\tc\t1\t2\t.\tp\t.\tID=x', /strand/],
  ['a\tb\tc\t1\t2\t.\t+\t3\tID=x', /phase/], ['a\tb\tc\t1\t2\t.\t+\t.\tgene_id "x"; a "b"', /GTF/], ['a\tb\tc\t1\t2\t.\t+\t.\tID=x;ID=y', /every tag once/], ['##gff-version 2', /version 3/],
])('GFF3 %j is refused with its line', async (row, message) => {
  const failure = await collect(readGff(bytes(`#\n${row}\n`))).catch((error: unknown) => error);
  expect(failure).toMatchObject({ name: 'FormatError', format: 'gff', line: 2 });
  expect((failure as Error).message).toMatch(message);
});
test('bytes that are no text are refused', () => expect(collect(readBed(Uint8Array.of(97, 9, 49, 9, 255, 10)))).rejects.toMatchObject({ format: 'bed', line: 1 }));

// Readers give the same with the scanner and without it, where WebAssembly is not allowed: records, order, and the words of every error.
import fc from 'fast-check';
import type * as Library from './index';

const webAssembly = globalThis.WebAssembly;
let withScanner: typeof Library;
let without: typeof Library;

beforeAll(async () => {
  await jest.isolateModulesAsync(async () => { withScanner = await import('./index'); });
  await jest.isolateModulesAsync(async () => { without = await import('./index'); });
});

/** Everything that a reader gives, up to its error. */
async function collect<T>(records: AsyncIterable<T>, show: (record: T) => unknown): Promise<unknown[]> {
  const list: unknown[] = [];
  try {
    for await (const record of records) list.push(show(record));
  } catch (error) {
    list.push((error as Error).message);
  }
  return list;
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
const readers = {
  fasta: (library: typeof Library, bytes: ReadableStream<Uint8Array>) => collect(library.readFasta(bytes), ({ name, description, sequence }) => [name, description, text(sequence)]),
  pieces: (library: typeof Library, bytes: ReadableStream<Uint8Array>) => collect(library.readFastaChunks(bytes, { chunkLength: 7 }), ({ name, start, last, sequence }) => [name, start, last, text(sequence)]),
  fastq: (library: typeof Library, bytes: ReadableStream<Uint8Array>) => collect(library.readFastq(bytes), ({ name, description, sequence, quality }) => [name, description, text(sequence), text(quality)]),
  vcf: (library: typeof Library, bytes: ReadableStream<Uint8Array>) => collect(library.readVcf(bytes), (record) => [record.line, record.contig, record.start, record.ref, record.alt, record.genotypes(), String(record)]),
};

/** The text in pieces of `step` bytes: places of the scanner move through the chunks. */
const stream = (content: string, step: number) => {
  const bytes = Buffer.from(content, 'latin1');
  let at = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(Uint8Array.from(bytes.subarray(at, at += step)));
    },
  });
};

async function expectSame(reader: keyof typeof readers, content: string, step: number): Promise<void> {
  const fast = await readers[reader](withScanner, stream(content, step));
  try {
    Object.defineProperty(globalThis, 'WebAssembly', { value: undefined, configurable: true, writable: true });
    expect(fast).toEqual(await readers[reader](without, stream(content, step)));
  } finally {
    globalThis.WebAssembly = webAssembly;
  }
}

const lineEnd = fc.constantFrom('\n', '\n', '\n', '\r\n', '\n\n');
const bases = fc.string({ unit: fc.constantFrom(...'ACGTacgtN'), minLength: 1, maxLength: 70 });
const odd = fc.constantFrom('', '', '', '', '*', '-', ' ', '\t', '>', '@', '\r', '\0', '1', '\xff', '[', '`', '{');
const title = fc.constantFrom('a', 'read/1 two words', 'x\ttab ', '', 'caf\xc3\xa9', 'one  two  ');
const step = fc.constantFrom(1, 5, 16, 17, 64, 1000, 300_000);
const lines = fc.array(fc.tuple(bases, odd, bases, lineEnd).map((parts) => parts.join('')), { maxLength: 6 }).map((list) => list.join(''));
const fasta = fc.array(fc.tuple(title, lineEnd, lines).map(([name, end, body]) => `>${name}${end}${body}`), { maxLength: 5 }).map((list) => list.join(''));
const fastq = fc.array(fc.tuple(title, bases, odd, fc.boolean(), lineEnd, fc.constantFrom(0, 0, 0, 0, 1, -1)).map(([name, read, extra, again, end, wrong]) => {
  const sequence = read + (extra === '' || wrong === 0 ? '' : extra);
  return `@${name}${end}${sequence}${end}+${again ? name : ''}${end}${'I'.repeat(Math.max(0, sequence.length + wrong))}${end}`;
}), { maxLength: 8 }).map((list) => list.join(''));
const genotype = fc.constantFrom('0|1', '1|0', '0|0', '1|1', '0/1', '.|.', '1', '0|1|1', '10|0', '0|1:3', './.', 'x');
const vcf = fc.array(fc.tuple(fc.nat(300), fc.array(genotype, { minLength: 3, maxLength: 3 }), lineEnd, odd).map(([position, calls, end, extra]) => `chr1\t${position}\t.\tA\tC,G\t.\t.\tX=${extra}\tGT\t${calls.join('\t')}${end}`), { maxLength: 8 })
  .map((rows) => `##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\tc\n${rows.join('')}`);

test.each([['fasta', fasta], ['pieces', fasta], ['fastq', fastq], ['vcf', vcf]] as const)('%s', async (reader, content) => {
  await fc.assert(fc.asyncProperty(content, step, (one, bytes) => expectSame(reader, one, bytes)), { numRuns: 150 });
});

test('texts and lines longer than the window', async () => {
  const long = 'ACGTTGCAAC'.repeat(40_000);
  await expectSame('fasta', `>a\n${long.replace(/.{60}/g, '$&\n')}\n>b\n${long}\n`, 1e6);
  await expectSame('fastq', `@a\n${long}\n+\n${'I'.repeat(long.length)}\n`.repeat(2) + '@b\nACGT\n+\nIIII\n'.repeat(25_000), 4e6);
  await expectSame('vcf', `##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\nchr1\t1\t.\tA\t${long}\t.\t.\t.\n${'chr1\t2\t.\tA\tC\t.\t.\t.\n'.repeat(15_000)}`, 4e6);
});

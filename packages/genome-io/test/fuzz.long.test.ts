import { readFileSync } from 'node:fs';
import { createFastaIndex, FormatError, openBgzf, openFasta, openTwoBit, parseAliases, parseFai, parseGzi, readBed, readFasta, readFastaChunks, readFastq, readGenBank, readGff, readPedigree, readVcf } from '../src/index';
import { describeWithShared, shared } from './sharedData';

/** Numbers that are the same in every run (xorshift, 32 bits). */
const generator = (state: number) => () => { state ^= state << 13; state ^= state >>> 17; state ^= state << 5; return state >>> 0; };

/** A damaged copy: bytes changed, stretches cut out, doubled or moved, the end cut off. */
function mutate(file: Uint8Array, random: () => number): Buffer {
  let bytes = Buffer.from(file);
  for (let count = 1 + (random() % 4); count > 0; count--) {
    if (bytes.length === 0) return bytes;
    const at = random() % bytes.length;
    const length = random() % Math.min(40, bytes.length);
    const kind = random() % 6;
    if (kind === 0) bytes[at] ^= 1 << (random() % 8);
    else if (kind === 1) bytes[at] = [0, 10, 13, 9, 32, 62, 64, 255, 45, 46][random() % 10];
    else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    else if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at)]);
    else if (kind === 4) bytes = bytes.subarray(0, at);
    else bytes = Buffer.concat([bytes.subarray(at), bytes.subarray(0, at)]);
  }
  return bytes;
}

const drain = async <T>(records: AsyncIterable<T>, look: (record: T) => void = () => undefined) => { for await (const record of records) look(record); };
type Reader = (bytes: Buffer) => Promise<void>;
const readers: Readonly<Record<string, readonly [file: string, reader: Reader]>> = {
  fasta: ['formats/indexedfasta-js/foo.fa', (bytes) => drain(readFasta(bytes))],
  index: ['formats/indexedfasta-js/foo.fa', async (bytes) => void (await createFastaIndex(bytes))],
  fastq: ['formats/biopython/Quality/tricky.fastq', (bytes) => drain(readFastq(bytes))],
  vcf: ['formats/vcf-js/vcf44_spec.vcf', (bytes) => drain(readVcf(bytes), (record) => { void [record.start, record.end, record.alt, record.qual, record.infoKeys.map((key) => record.info(key)), record.genotype(0)]; })],
  validate: ['formats/hts-specs_vcf/4.2/passed/passed_body_samples.vcf', (bytes) => drain(readVcf(bytes, { validate: true }))],
  gff: ['formats/bgzf-filehandle/gff3_with_syncs.gff3', (bytes) => drain(readGff(bytes))],
  bed: ['', (bytes) => drain(readBed(bytes))],
  twoBit: ['formats/twobit-js/foo.2bit', async (bytes) => { const file = openTwoBit(bytes); for (const { name } of await file.contigs()) await file.fetch(name); }],
  bgzf: ['formats/indexedfasta-js/end.fa.gz', (bytes) => drain(readFasta(bytes))],
  openBgzf: ['formats/indexedfasta-js/end.fa.gz', async (bytes) => void (await openBgzf(bytes).read(1000, 60_000))],
  chunks: ['formats/indexedfasta-js/foo.fa', (bytes) => drain(readFastaChunks(bytes, { chunkLength: 7 }))],
  genBank: ['genomes/genbank/NC_005816.gb', (bytes) => drain(readGenBank(bytes))],
  pedigree: ['vcf/trio/ashk-trio.ped', async (bytes) => void (await readPedigree(bytes))],
  aliases: ['', (bytes) => Promise.resolve(void parseAliases(bytes.toString()))],
  validate45: ['formats/vcf-js/vcf44_spec.vcf', (bytes) => drain(readVcf(Buffer.from(bytes.toString('latin1').replace('VCFv4.4', 'VCFv4.5'), 'latin1'), { validate: true }))],
  fai: ['formats/indexedfasta-js/volvox.fa.fai', (bytes) => Promise.resolve(void parseFai(bytes))],
  gzi: ['formats/bgzf-filehandle/T_ko.2bit.gz.gzi', (bytes) => Promise.resolve(void parseGzi(bytes))],
};

describeWithShared('142,800 damaged files end in records or in a FormatError with its place', 'formats/vcf-js', () => {
  test.each(Object.keys(readers))('%s', async (name) => {
    const [path, reader] = readers[name];
    const file = path === '' ? Buffer.from('chr1\t10\t20\tname\t5\t+\nchr2 5 9\n# c\ntrack x\nchr3\t1\t2\t.\t.\t.\n') : readFileSync(shared(path));
    const random = generator(1 + Object.keys(readers).indexOf(name));
    const outcomes = { read: 0, refused: 0 };
    for (let i = 0; i < 8400; i++) {
      const bytes = mutate(file, random);
      try {
        await reader(bytes);
        outcomes.read++;
      } catch (error) {
        if (!(error instanceof FormatError)) throw new Error(`not a FormatError, for ${bytes.toString().slice(0, 3000)}`, { cause: error });
        if (error.line === undefined && error.offset === undefined && error.format !== 'gzip') throw new Error('a FormatError without a place', { cause: error });
        outcomes.refused++;
      }
    }
    expect(outcomes.refused).toBeGreaterThan(500);
  });

  test('an index that does not belong to its file never gives foreign bytes silently: no line ends, no headers', async () => {
    const random = generator(99);
    const file = readFileSync(shared('formats/indexedfasta-js/volvox.fa'));
    const fai = readFileSync(shared('formats/indexedfasta-js/volvox.fa.fai'));
    for (let i = 0; i < 500; i++) {
      const opened = openFasta(file, { fai: mutate(fai, random) });
      const fetching = opened.contigs().then(async (contigs) => { for (const { name } of contigs) expect(Buffer.from(await opened.fetch(name)).toString()).toMatch(/^[A-Za-z*.-]*$/); });
      await fetching.catch((error: unknown) => { if (!(error instanceof FormatError)) throw error; });
    }
  });
});

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bgzfCompress } from './bgzf';
import { readVcf, type VcfOptions, type VcfRecord } from './vcf';

const header = (version = '4.2', samples = 'a\tb', meta: readonly string[] = []) => [`##fileformat=VCFv${version}`, ...meta, `#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO${samples === '' ? '' : `\tFORMAT\t${samples}`}`].join('\n');
const file = (rows: readonly string[], version?: string, samples?: string, meta?: readonly string[]) => new TextEncoder().encode(`${header(version, samples, meta)}\n${rows.map((row) => `${row.split(' ').join('\t')}\n`).join('')}`);
const readAll = async (source: Uint8Array, options: VcfOptions = {}) => {
  const records: VcfRecord[] = [];
  for await (const record of readVcf(source, options)) records.push(record);
  return records;
};
const one = async (row: string, version?: string, meta?: readonly string[]) => (await readAll(file([row], version, undefined, meta)))[0];

test('every column of a record, from plain text and from BGZF', async () => {
  const meta = ['##INFO=<ID=X,Number=.,Type=Integer,Description="a \\"b\\", c">', '##FORMAT=<ID=DS,Number=1,Type=Float,Description="d">', '##contig=<ID=chr1,length=1000>'];
  const source = file(['chr1 10 rs1;rs2 AC A,<DEL> 2.5e1 q10;s50 DP=7;X=1,.,3;DB;AF=0.5,0.25;NAME=a%3Bb;END=40 GT:DS 0|1:0.5 ./2'], '4.2', 'a\tb', meta);
  for (const bytes of [source, await bgzfCompress(source)]) {
    const reader = readVcf(bytes);
    const top = await reader.header();
    expect([top.minorVersion, top.samples, top.contigs.get('chr1')]).toEqual([2, ['a', 'b'], { length: 1000 }]);
    expect(top.meta[1].fields!.get('Description')).toBe('a "b", c');
    for await (const record of reader) {
      expect([record.line, record.contig, record.start, record.end, record.ids, record.ref, record.alt, record.qual, record.filters]).toEqual([6, 'chr1', 9, 40, ['rs1', 'rs2'], 'AC', ['A', '<DEL>'], 25, ['q10', 's50']]);
      expect(record.infoKeys).toEqual(['DP', 'X', 'DB', 'AF', 'NAME', 'END']);
      expect(['DP', 'X', 'DB', 'AF', 'NAME', 'P'].map((key) => record.info(key))).toEqual([7, [1, null, 3], true, [0.5, 0.25], 'a%3Bb', undefined]);
      expect([record.format, record.genotype(0), record.genotype(1), record.sample(0, 'DS'), record.sample(1, 'DS')]).toEqual([['GT', 'DS'], { alleles: [0, 1], phased: true }, { alleles: [-1, 2], phased: false }, 0.5, undefined]);
      expect(() => record.genotype(2)).toThrow(RangeError);
    }
  }
});

test('all genotypes at once are those of each sample', async () => {
  for (const row of ['GT 0|1 1/.', 'GT:DP 10|2:7 0', 'GT . .|.', 'GT:DP 0|0|1:3 0/12', 'GT:DP /0|1 1:2', 'GT 0 1']) {
    const record = await one(`1 1 . A ${'C,'.repeat(11)}C . . . ${row}`, '4.4');
    const { ploidy, alleles, phased } = record.genotypes()!;
    for (const sample of [0, 1]) {
      const expected = record.genotype(sample)!;
      expect([...alleles.subarray(sample * ploidy, (sample + 1) * ploidy)].filter((allele) => allele !== -2)).toEqual(expected.alleles);
      expect(phased[sample] === 1).toBe(expected.phased);
    }
    expect(ploidy).toBe(Math.max(record.genotype(0)!.alleles.length, record.genotype(1)!.alleles.length));
  }
  expect((await one('1 1 . A C . . . DP 1 2')).genotypes()).toBeUndefined();
  for (const row of ['GT 0|1', 'GT 0|x 0', 'GT 0| 0', 'GT 0;1 0']) expect((await one(`1 1 . A C . . . ${row}`)).genotypes.bind(await one(`1 1 . A C . . . ${row}`))).toThrow(expect.objectContaining({ name: 'FormatError', line: 3 }));
});

test('with reuse each record is right until the next one is asked for, whatever held its memory before', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'genomelm-vcf-')), 'long.vcf'), rows = Array.from({ length: 60_000 }, (_, i) => `chr${i % 7} ${i + 1} rs${i} A C . . DP=${i} GT ${i & 1}|${(i >> 1) & 1} 0|${(i >> 2) & 1}`);
  writeFileSync(path, file(rows)); // 2 MB: chunks of 1 MiB are read into the same memory
  const wrong: number[] = [];
  let i = 0;
  for await (const record of readVcf(path, { reuse: true })) {
    if (`${record.toString()} ${record.genotypes()!.alleles.join()}` !== `${rows[i].split(' ').join('\t')} ${[i & 1, (i >> 1) & 1, 0, (i >> 2) & 1].join()}`) wrong.push(i);
    i++;
  }
  expect([i, wrong]).toEqual([rows.length, []]);
});

test('missing values, and percent codes from 4.3 on', async () => {
  const record = await one('1 1 . A . . . NAME=a%3Bb GT . 0', '4.3');
  expect([record.ids, record.alt, record.qual, record.filters, record.info('NAME'), record.genotype(0), record.genotype(1)]).toEqual([[], [], undefined, [], 'a;b', { alleles: [-1], phased: true }, { alleles: [0], phased: true }]);
});

test.each([
  ['4.2', 'A <DEL> . . END=40', 40], ['4.2', 'A <DEL> . . SVLEN=-30', 40], ['4.2', 'A <INS> . . SVLEN=30', 10], ['4.2', 'AC A . . END=40', 40], ['4.3', 'AC A[2:5[ . . END=40', 40], ['4.3', 'ACGT A . . END=11', 13], ['4.4', 'AC A . . END=40', 11],
  ['4.4', 'A <DEL> . . SVLEN=30', 40], ['4.4', 'A <DEL>,<DUP> . . SVLEN=30,50;END=99', 60], ['4.4', 'A <INS> . . SVLEN=30;END=77', 10], ['4.4', 'A <DEL> . . END=40', 40], ['4.4', 'A A[2:5[ . . DP=1', 10], ['4.2', 'A <*> . . END=40', 40], ['4.2', 'A <DEL> . . DP=1', 10],
])('VCF %s: the end of %s', async (version, row, end) => {
  expect((await one(`1 10 . ${row} GT 0 0`, version)).end).toBe(end);
});

test('leaving the loop, asking for the header only, and files without records', async () => {
  for await (const record of readVcf(file(['1 1 . A C . . .  ', '1 2 . A C . . .  ']))) { expect(record.start).toBe(0); break; }
  expect((await readVcf(file([])).header()).samples).toEqual(['a', 'b']);
  expect(await readAll(file([]))).toEqual([]);
});

test.each([
  ['no header', new TextEncoder().encode('1\t2\t.\tA\tC\t.\t.\t.\n'), 1],
  ['an empty file', new Uint8Array(0), 1],
  ['only meta-information', new TextEncoder().encode('##fileformat=VCFv4.2\n'), 1],
  ['other columns', new TextEncoder().encode('##fileformat=VCFv4.2\n#CHROM\tPOS\n'), 2],
  ['too few columns', file(['1 2 . A C']), 3],
])('%s is an error', async (_, source, line) => {
  await expect(readAll(source)).rejects.toMatchObject({ name: 'FormatError', format: 'vcf', line });
});

test('what cannot be parsed is an error when it is asked for', async () => {
  const record = await one('1 x . A C y . DP=z GT 0/1 A');
  for (const read of [() => record.start, () => record.qual, () => record.info('DP'), () => record.genotype(1)]) expect(read).toThrow(expect.objectContaining({ name: 'FormatError', line: 3 }));
  await expect(one('1 1 . A C . . . GT 0/2 0').then((row) => row.genotype(0))).rejects.toThrow(/ALT lacks an allele/);
});

test.each([
  ['4.2', '1 1 . A C . . AC=1,2 GT 0 0', /1 values of AC \(Number=A\).*section 1\.4\.1/], ['4.3', '1 1 . A C . . 1X=2 GT 0 0', /INFO keys/], ['4.3', '1 1 . A C . . A=b GT:AD 0:1 0:1,2', /2 values of AD.*section 1\.6\.2/],
  ['4.4', '1 1 . A C . . . GT /0 |1', undefined], ['4.3', '1 1 . A C . . . GT /0 |1', /GT as alleles/], ['4.1', '1 1 . A * . . . GT 0 0', undefined], ['4.3', '1 1 . A C . . . . . .', undefined], ['4.3', '1 1 . A C . . . . . 0', /at most 0 values/], ['4.3', '1 1 . A C . . SB=0.15 GT 0 0', undefined], ['4.2', '1 1 . A C . . . GT 0', /11 columns/], ['4.3', '1:2 1 . A C . . . GT 0 0', undefined], ['4.2', '1:2 1 . A C . . . GT 0 0', /CHROM/],
  ['4.5', '1 1 . A C . . . GT:PL 0/1:1,2,3 .:1', undefined], ['4.2', '1 1 . A C,G . . . GT:PL 0:1,2,3 0/1:1,2,3,4,5,6', undefined],
])('validation of %s: %s', async (version, row, message) => {
  const reading = readAll(file([row], version), { validate: true });
  if (message === undefined) expect(await reading).toHaveLength(1);
  else await expect(reading).rejects.toThrow(message);
});

test.each([
  ['4.2', '##INFO=<ID=DP,Number=1,Type=Float,Description="d">', /INFO DP with Type=Integer/], ['4.4', '##INFO=<Number=1,ID=X,Type=Float,Description="d">', undefined], ['4.3', '##INFO=<Number=1,ID=X,Type=Float,Description="d">', /ID first/], ['4.2', '##INFO=<Number=1,ID=X,Type=Float,Description="d">', /ID first/],
  ['4.4', '##FORMAT=<ID=X,Number=P,Type=Float,Description="d">', undefined], ['4.3', '##FORMAT=<ID=X,Number=P,Type=Float,Description="d">', /Number as a count/], ['4.5', '##FORMAT=<ID=X,Number=LA,Type=Float,Description="d">', undefined], ['4.3', '##SAMPLE=<ID=a,Assay=WGS>', undefined],
  // What the test files of hts-specs allow and refuse where the text says nothing, or another thing.
  ['4.3', '##ALT=<ID=ctg!"1,Description="d">', undefined], ['4.3', '##ALT=<ID=THIS:ONE,Description="d">', /an ALT of DEL/], ['4.2', '##ALT=<ID=ctg1,Description="d">', /an ALT of DEL/], ['4.4', '##ALT=<ID=BND,Description="d">', /an ALT of DEL/], ['4.3', '##INFO=<ID=X,Number=A,Type=Flag,Description="">', undefined], ['4.3', '##INFO=<ID=X,Number=1,Type=Flag,Description="">', /Number=0/],
  ['4.3', '##PEDIGREE=<ID=a,Father=b c>', /names of genomes/], ['4.4', '##PEDIGREE=<ID=a,Father=b:c>', /names of genomes/], ['4.3', '##PEDIGREE=<ID=a,Father=b,Mother="c d">', undefined], ['4.2', '##PEDIGREE=<Father="c d">', /names of genomes/],
  ['4.2', '##FORMAT=<ID=X,Number=1,Type=Flag,Description="d">', /no Flag in FORMAT/], ['4.2', '##FILTER=<ID=a b,Description="d">', /an ID of FILTER without blanks/],
])('validation of a %s header with %s', async (version, line, message) => {
  const reading = readAll(file([], version, 'a', [line]), { validate: true });
  if (message === undefined) expect(await reading).toEqual([]);
  else await expect(reading).rejects.toThrow(message);
});

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { bgzfCompress, readBed, readFasta } from '@genomelm/genome-io';
import { createCharacterTokenizer } from '@genomelm/tokenizer';
import { named, openSequences } from '../src/genomeFiles';
import { openGenomes, openTrainingCorpus } from '../src/trainingCorpus';
import { bundleGenomelm, freshFolder } from './genomelm';

const genomelm = bundleGenomelm();
const folder = freshFolder('genome-files');
const path = (name: string) => join(folder, name);
const write = (name: string, contents: string | Uint8Array): string => {
  writeFileSync(path(name), contents);
  return path(name);
};
const genome = '>chrI one\nACGTTGCAAC\nGTNNac\n>chrII\nTTTTACGT\n';
const fasta = write('genome.fa', genome);
const header = '##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tchild\tdad\tmum\n';
/** The index of a file of one block: tabix's format, one contig, one bin of all (SAM specification's tabix). */
function tabixIndex(contig: string, headerBytes: number, fileBytes: number): Uint8Array {
  const bytes = Buffer.alloc(8 + 28 + contig.length + 1 + 4 + 4 + 4 + 16 + 4 + 8);
  bytes.write('TBI\x01');
  [1, 2, 1, 2, 0, 35, 0, contig.length + 1].forEach((word, i) => bytes.writeInt32LE(word, 4 + 4 * i));
  let at = 36;
  at += bytes.write(`${contig}\0`, at);
  for (const word of [1, 4681, 1]) at = bytes.writeInt32LE(word, at);
  at = bytes.writeBigUInt64LE(BigInt(headerBytes), at);
  at = bytes.writeBigUInt64LE(BigInt(fileBytes - 28) << 16n, at);
  at = bytes.writeInt32LE(1, at);
  bytes.writeBigUInt64LE(BigInt(headerBytes), at);
  return bytes;
}
const vcf = write('v.vcf', `${header}chrI\t2\t.\tC\tCTT\t.\t.\t.\tGT\t0|1\t0|0\t1|1\nchrI\t5\t.\tT\t<DEL>\t.\t.\tEND=7\tGT\t1|0\t1|1\t0|0\n`);

test('fasta index writes what samtools writes, and bgzip what can be entered anywhere', () => {
  expect(genomelm('fasta', 'index', fasta).stdout).toContain('2 sequences, 24 bases');
  expect(readFileSync(`${fasta}.fai`, 'utf8')).toBe('chrI\t16\t10\t10\t11\nchrII\t8\t35\t8\t9\n');
  expect(genomelm('bgzip', '-i', fasta).status).toBe(0);
  expect(gunzipSync(readFileSync(`${fasta}.gz`)).toString()).toBe(genome);
  const { gzi, bases } = JSON.parse(genomelm('fasta', 'index', '--json', `${fasta}.gz`).stdout) as { gzi: string; bases: number };
  expect([gzi, bases, readFileSync(gzi).length, readFileSync(`${fasta}.gz.fai`, 'utf8')]).toEqual([`${fasta}.gz.gzi`, 24, 8, readFileSync(`${fasta}.fai`, 'utf8')]);
  expect(genomelm('bgzip', '-d', '--threads', '2', '-o', '-', `${fasta}.gz`).stdout).toBe(genome);
  expect(genomelm('bgzip', '-d', '-o', path('again.fa'), write('plain.gz', gzipSync(genome))).status).toBe(0);
  expect(readFileSync(path('again.fa'), 'utf8')).toBe(genome);
  expect(genomelm('bgzip', '-r', '-o', path('again.gzi'), `${fasta}.gz`).status).toBe(0);
});

test('fasta fetch: regions, BED, strands, and aliases', () => {
  expect(genomelm('fasta', 'fetch', fasta, 'chrI:2-4', 'chrII').stdout).toBe('>chrI:2-4\nCGT\n>chrII\nTTTTACGT\n');
  const bed = write('a.bed', 'I\t0\t3\tfirst\t0\t-\n');
  const refused = genomelm('fasta', 'fetch', '--bed', bed, fasta);
  expect([refused.status, refused.stdout]).toEqual([2, '']);
  expect(refused.stderr).toMatch(/^genomelm: .*got "I"; this file calls it "chrI": pass --aliases FILE, whose second column is what the reference calls them\n$/);
  expect(genomelm('fasta', 'fetch', '--bed', bed, '--aliases', write('aliases.txt', 'I chrI\n'), fasta).stdout).toBe('>first\nCGT\n');
});

test('facts about sequences', () => {
  const { total, sequences } = JSON.parse(genomelm('fasta', 'stats', '--json', fasta).stdout) as { total: object; sequences: { gc: number }[] };
  expect(total).toMatchObject({ sequences: 2, length: 24, n: 2, masked: 2, n50: 16 });
  expect(sequences[0].gc).toBeCloseTo(7 / 14, 12);
  const gene = write('gene.fa', '>g\nCCATGAAATTTTAGC\n');
  expect(genomelm('fasta', 'orfs', '--min-length', '9', '--closed-ends', gene).stdout).toBe('g\t2\t11\tg_1\t1000\t+\n');
  expect(JSON.parse(genomelm('fasta', 'orfs', '--min-length', '9', '--closed-ends', '--json', gene).stdout)).toMatchObject({ contig: 'g', protein: 'MKF', definition: 'start-to-stop' });
  expect(JSON.parse(genomelm('fasta', 'kmers', '-k', '2', '--json', gene).stdout)).toMatchObject({ total: 14, counts: { TT: 3, CC: 1 } });
  expect(JSON.parse(genomelm('fasta', 'codon-usage', '--json', '--genes', gene, gene).stdout)).toMatchObject({ total: 5, genes: [{ name: 'g' }] });
});

test('fasta translate: one frame or six, names told apart', () => {
  const gene = write('frames.fa', '>g one\nCCATGAAATTTTAGC\n');
  expect(genomelm('fasta', 'translate', '--frame', 'all', gene).stdout).toBe('>g_1\nP*NFS\n>g_2\nHEIL\n>g_3\nMKF*\n>g_-1\nAKISW\n>g_-2\nLKFH\n>g_-3\n*NFM\n'); // transeq 6.6, without its letters for cut codons
  const refused = genomelm('fasta', 'translate', write('protein.fa', '>p\nMEL\n'));
  expect([refused.status, refused.stdout]).toEqual([2, '']);
  expect(refused.stderr).toContain('p: translate: expected IUPAC nucleotide codes, got "E"');
});

test('fasta to-2bit keeps every base, and says what two bits cannot hold', () => {
  expect(JSON.parse(genomelm('fasta', 'to-2bit', '--json', fasta).stdout)).toEqual({ file: path('genome.2bit'), sequences: 2, bases: 24 });
  expect(genomelm('fasta', 'fetch', path('genome.2bit'), 'chrI', 'chrII').stdout).toBe(genome.replace(' one', '').replace('AAC\nG', 'AACG'));
  const ambiguous = write('r.fa', '>a\nACRT\n');
  expect(genomelm('fasta', 'to-2bit', ambiguous)).toMatchObject({ status: 2, stderr: expect.stringMatching(/got "R" at position 2; pass --iupac N/) as string });
  expect(genomelm('fasta', 'to-2bit', '--iupac', 'N', '--long', '-o', path('long.2bit'), ambiguous).status).toBe(0);
  expect(genomelm('fasta', 'fetch', path('long.2bit'), 'a').stdout).toBe('>a\nACNT\n');
});

test('fastq stats counts reads, bases and qualities', () => {
  const reads = write('r.fq', '@a\nACGN\n+\nI5?!\n@b\nGG\n+\nII\n');
  const { files } = JSON.parse(genomelm('fastq', 'stats', '--json', reads).stdout) as { files: object[] };
  expect(files).toEqual([{ file: reads, reads: 2, bases: 6, shortest: 2, meanLength: 3, longest: 4, gc: 4 / 5, n: 1, meanQuality: (40 + 20 + 30 + 0 + 80) / 6, q20: 5 / 6, q30: 4 / 6 }]);
  expect(genomelm('fastq', 'stats', '--encoding', 'solexa', reads)).toMatchObject({ status: 2, stderr: expect.stringMatching(/line 4/) as string });
});

test('variants apply: one haplotype as bcftools names it, all samples, a child by parent', () => {
  const one = genomelm('variants', 'apply', '--reference', fasta, '--vcf', vcf, '--sample', 'child', '--haplotype', '1');
  expect([one.status, one.stdout]).toEqual([0, '>chrI\nACGTTAACGTNNac\n>chrII\nTTTTACGT\n']);
  expect(one.stderr).toMatch(/1 variants applied/);
  const { haplotypes } = JSON.parse(genomelm('variants', 'apply', '--json', '--reference', fasta, '--vcf', vcf, '--sample', '*').stdout) as { haplotypes: { name: string; sequence: string }[] };
  expect(haplotypes.map(({ name }) => name).slice(0, 6)).toEqual(['child#1#chrI', 'child#2#chrI', 'dad#1#chrI', 'dad#2#chrI', 'mum#1#chrI', 'mum#2#chrI']);
  const ped = write('f.ped', 'f child dad mum 1 0\n');
  const trio = genomelm('variants', 'apply', '--reference', fasta, '--vcf', vcf, '--sample', 'child', '--ped', ped).stdout;
  expect(trio).toContain('>child#1#chrI\nACGTTAACGTNNac\n');
  expect(trio).toContain('>child#2#chrI\nACTTGTTGCAACGTNNac\n');
  expect(JSON.parse(genomelm('variants', 'validate', '--json', '--ped', ped, vcf).stdout)).toMatchObject({ files: [{ trios: [{ child: 'child', determined: 2, violation: 0 }] }] });
});

test('variants query: records that overlap regions, through the index', async () => {
  const packed = write('q.vcf.gz', await bgzfCompress(readFileSync(vcf)));
  write('q.vcf.gz.tbi', await bgzfCompress(tabixIndex('chrI', header.length, readFileSync(packed).length)));
  expect(genomelm('variants', 'query', packed, 'chrI').stdout).toBe(readFileSync(vcf, 'utf8'));
  expect(JSON.parse(genomelm('variants', 'query', '--json', packed, 'chrI:6').stdout)).toEqual({ records: [expect.objectContaining({ start: 4, end: 7, alt: ['<DEL>'], info: { END: 7 }, genotypes: { child: { alleles: [1, 0], phased: true }, dad: { alleles: [1, 1], phased: true }, mum: { alleles: [0, 0], phased: true } } })] });
  const refused = genomelm('variants', 'query', packed, 'I');
  expect([refused.status, refused.stdout]).toEqual([2, '']);
  expect(refused.stderr).toMatch(/expected one of 1 contigs \(chrI\), got "I"/);
});

test('variants validate: good and bad, with the line and the section', () => {
  const good = genomelm('variants', 'validate', vcf);
  expect([good.status, good.stdout]).toEqual([0, `${vcf}: VCF 4.2, 2 records, valid\n`]);
  const bad = genomelm('variants', 'validate', '--json', vcf, write('bad.vcf', `${header}chrI\t2\t.\tC\tX\t.\t.\t.\tGT\t0|1\t0|0\t1|1\n`));
  expect(bad.status).toBe(2);
  expect(bad.stderr.trim().split('\n').at(-1)).toMatch(/bad\.vcf: readVcf: expected ALT .* at line 3, got "X"; VCF 4\.2, section 1\.4\.1/);
  expect(JSON.parse(bad.stdout)).toMatchObject({ files: [{ valid: true }, { valid: false, line: 3 }] });
});

test.each([
  ['fasta', 'index', '>chr1\nACGT'], ['fasta', 'index', write('gzip.fa.gz', gzipSync(genome))], ['fasta', 'fetch', fasta, 'chrI:2-99'],
  ['variants', 'apply', '--reference', fasta, '--vcf', vcf, '--sample', 'uncle'],
])('%s %s %j …: one line and exit code 2', (...args) => {
  const { status, stdout, stderr } = genomelm(...args);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr.split('\n').filter((line) => !line.startsWith('{'))).toEqual([expect.stringMatching(/^genomelm: .+/), '']);
});

test('a genome in plain gzip, of several members too, is opened as others are', async () => {
  const file = await openSequences(write('members.fa.gz', Buffer.concat([gzipSync('>chrI one\nACGT\n'), gzipSync('GG\n>chrII\nTTAA\n')])));
  expect((await file.contigs()).map(({ name, length }) => [name, length])).toEqual([['chrI', 6], ['chrII', 4]]);
  expect(Buffer.from(await file.fetch('chrI', 2, 6, { strand: '-' })).toString()).toBe('CCAC');
});

test('what is wrong with a genome, its regions or its records is told with the name of the file', async () => {
  const [words, lines] = [write('words.fa', 'words, not bases\n'), write('lines.bed', 'chrI\tfrom\tto\n')];
  await expect(openSequences(words)).rejects.toThrow(`${words}: createFastaIndex: expected residues (letters, * - or .), got`);
  await expect(openSequences(folder)).rejects.toThrow(`${folder}: expected a file, got a folder; name a file in it`);
  await expect(named(words, readFasta(words)).next()).rejects.toThrow(`${words}: readFasta: expected '>' before anything else at line 1`);
  await expect(named(lines, readBed(lines)).next()).rejects.toThrow(`${lines}: readBed: expected`);
});

test('a training corpus is known by its letters: an edited file of the same lengths is another, a packed one the same', async () => {
  const options = { tokenizer: createCharacterTokenizer(), decoder: true, window: [20, 20], bothStrands: false, repeatWeight: 1, seed: 1, onProgress: () => {} } as const;
  const corpusOf = async (file: string) => openTrainingCorpus(await openGenomes([file]), () => true, options);
  const text = `>one\n${'GATTACA'.repeat(9)}\n>two\n${'ACCGT'.repeat(8)}\n`, edited = text.replace('GATTACA', 'GACTACA');
  const [first, packed, other] = await Promise.all([write('first.fa', text), write('first.fa.gz', gzipSync(text)), write('edited.fa', edited)].map(corpusOf));
  expect(packed.sha256).toBe(first.sha256);
  expect(other.lengths).toEqual(first.lengths);
  expect(other.sha256).not.toBe(first.sha256);
});

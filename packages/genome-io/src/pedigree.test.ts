import { applyVariants } from './applyVariants';
import { applyTrio, checkMendel, inheritance, readPedigree, triosOf } from './pedigree';
import { readVcf } from './vcf';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (sequence: Uint8Array) => new TextDecoder().decode(sequence);
const vcf = (rows: readonly string[]) => readVcf(bytes(`##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tchild\tdad\tmum\n${rows.map((row) => `${row.split(' ').join('\t')}\n`).join('')}`));
const row = (pos: number, ref: string, alt: string, ...genotypes: string[]) => `c ${pos} . ${ref} ${alt} . . . GT ${genotypes.join(' ')}`;
const reference = { name: 'c', sequence: bytes('ACGTTGCAAC') };
const trio = { child: 'child', father: 'dad', mother: 'mum' };

test('a PED file and its trios', async () => {
  const members = await readPedigree(bytes('#family id father mother sex phenotype\nf child dad mum 1 2\nf dad 0 0 1 1\nf\tmum\t0\t0\t2\t-9\nf niece dad 0 0 0\n'));
  expect(members.map(({ id, father, sex }) => [id, father, sex])).toEqual([['child', 'dad', 'male'], ['dad', undefined, 'male'], ['mum', undefined, 'female'], ['niece', 'dad', undefined]]);
  expect(triosOf(members)).toEqual([trio]);
  expect(triosOf(members, ['child', 'dad'])).toEqual([]);
  await expect(readPedigree(bytes('f a b\n'))).rejects.toMatchObject({ name: 'FormatError', format: 'ped', line: 1 });
  await expect(readPedigree(bytes('f a b c 1\nf a b c 1\n'))).rejects.toThrow(/line 2/);
  await expect(readPedigree(bytes('f a a c 1\n'))).rejects.toThrow(/other than/);
});

test.each([
  [[0, 1], [0, 0], [0, 1], { status: 'determined', paternal: 0, maternal: 1 }], [[0, 1], [1, 1], [0, 1], { status: 'determined', paternal: 1, maternal: 0 }], [[0, 1], [0, 1], [0, 1], { status: 'ambiguous' }], [[1, 1], [0, 1], [0, 1], { status: 'determined', paternal: 1, maternal: 1 }],
  [[1, 1], [0, 0], [0, 1], { status: 'violation' }], [[0, 2], [0, 1], [0, 1], { status: 'violation' }], [[0, 1], [-1, -1], [0, 0], { status: 'determined', paternal: 1, maternal: 0 }], [[-1, 1], [0, 0], [0, 0], { status: 'missing' }], [[1], [1], [0, 1], { status: 'determined', paternal: undefined, maternal: 1 }], [[1], [1], [0, 0], { status: 'violation' }],
])('child %j of %j and %j', (child, father, mother, expected) => expect(inheritance('chrX', child, father, mother)).toEqual(expected));
test('on Y a haploid child has the father\'s allele', () => expect(inheritance('chrY', [1], [1], [])).toEqual({ status: 'determined', paternal: 1, maternal: undefined }));

const rows = [row(1, 'A', 'T', '0/1', '0/0', '0/1'), row(3, 'G', 'GAA', '0/1', '1/1', '0/1'), row(5, 'T', 'C', '0/1', '0/1', '0/1'), row(7, 'C', 'G', '1/1', '0/0', '0/0'), row(9, 'A', 'G', './.', '0/0', '0/1')];
test('Mendel\'s law, and the haplotypes of each parent', async () => {
  const [report] = await checkMendel(vcf(rows), [trio]);
  expect(report).toEqual({ ...trio, determined: 2, ambiguous: 1, violation: 1, missing: 1, violations: [{ contig: 'c', start: 6, line: 6, child: [1, 1], father: [0, 0], mother: [0, 0] }] });
  const built = [];
  for await (const each of applyTrio({ reference, variants: vcf(rows), trio })) built.push(each);
  expect(built.map(({ sample, haplotype, sequence }) => [sample, haplotype, text(sequence)])).toEqual([['child', 1, 'ACGAATTGCAAC'], ['child', 2, 'TCGTTGCAAC']]);
  expect(built[0].report).toMatchObject({ applied: 1, reference: 1, unphased: 1, mendelian: 1, missing: 1 });
  const first = await applyTrio({ reference, variants: vcf(rows), trio, unphased: 'asWritten' }).next();
  expect(text(first.value!.sequence)).toBe('ACGAATTGCAAC');
  await expect(applyTrio({ reference, variants: vcf(rows), trio, unphased: 'error' }).next()).rejects.toThrow(/line 5, got 0\/1/);
});

test('several samples and haplotypes in one pass equal each alone', async () => {
  const phased = rows.map((line) => line.replaceAll('/', '|'));
  const all = [];
  for await (const { sample, haplotype, sequence, report } of applyVariants({ reference, variants: vcf(phased), sample: ['mum', 'child'], haplotype: [1, 2] })) all.push({ sample, haplotype, sequence, report });
  expect(all.map(({ sample, haplotype }) => `${sample}${haplotype}`)).toEqual(['mum1', 'mum2', 'child1', 'child2']);
  for (const { sample, haplotype, sequence, report } of all) {
    const alone = (await applyVariants({ reference, variants: vcf(phased), sample, haplotype }).next()).value!;
    expect([text(sequence), report]).toEqual([text(alone.sequence), alone.report]);
  }
  await expect(applyVariants({ reference, variants: vcf([]), sample: 'nobody', haplotype: 1 }).next()).rejects.toThrow(/got "nobody"/);
});

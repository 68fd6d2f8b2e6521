import fc from 'fast-check';
import { applyVariants, type ApplyVariantsOptions } from './applyVariants';
import { openFasta } from './openFasta';
import { reverseComplement } from './sequence';
import { readVcf } from './vcf';

const bytes = (text: string) => new TextEncoder().encode(text);
const vcf = (rows: readonly string[]) => readVcf(bytes(`##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\tt\n${rows.map((row) => `${row.split(' ').join('\t')}\n`).join('')}`));
const apply = async (sequence: string, rows: readonly string[], options: Partial<ApplyVariantsOptions> = {}) => {
  const list = [];
  for await (const haplotype of applyVariants({ reference: { name: 'c', sequence: bytes(sequence) }, variants: vcf(rows), sample: 's', haplotype: 1, ...options })) list.push(haplotype);
  return { ...list[0], text: new TextDecoder().decode(list[0].sequence), list };
};
const row = (pos: number, ref: string, alt: string, info = '.', genotype = '1|0') => `c ${pos} . ${ref} ${alt} . . ${info} GT ${genotype} 0|0`;

// Bases of the reference are told apart by their places: ACGTTGCAAC.
test.each([
  ['<DEL>: the bases after POS up to END', [row(3, 'G', '<DEL>', 'END=6')], 'ACGCAAC'],
  ['<DUP:TANDEM>: those bases twice', [row(3, 'G', '<DUP:TANDEM>', 'END=6')], 'ACGTTGTTGCAAC'],
  ['<INV>: those bases complemented in place', [row(3, 'G', '<INV>', 'END=6')], 'ACGCAACAAC'],
  ['<CN0>', [row(3, 'G', '<CN0>', 'END=6')], 'ACGCAAC'],
  ['<CN1> is the reference', [row(3, 'G', '<CN1>', 'END=6')], 'ACGTTGCAAC'],
  ['<CN3>', [row(3, 'G', '<CN3>', 'END=6')], 'ACGTTGTTGTTGCAAC'],
  ['a length instead of END', [row(3, 'G', '<DEL>', 'SVLEN=-3')], 'ACGCAAC'],
  ['an SNV on the base before a deletion', [row(3, 'G', 'A'), row(3, 'G', '<DEL>', 'END=6')], 'ACACAAC'],
  ['a deletion at the first base', [row(1, 'AC', 'C')], 'CGTTGCAAC'],
  ['an insertion after the last base', [row(10, 'C', 'CTT')], 'ACGTTGCAACTT'],
] as const)('%s', async (_, rows, expected) => {
  const { text, report, toReference, toHaplotype } = await apply('ACGTTGCAAC', rows);
  expect([text, report.applied]).toEqual([expected, rows.length]);
  for (let at = 0; at < 10; at++) { const there = toHaplotype(at); if (there !== undefined) expect(toReference(there)).toBe(at); }
});

test('what does nothing is counted', async () => {
  const rows = [row(1, 'A', 'C', '.', '0|1'), row(2, 'C', '<INS>', 'SVLEN=5'), row(2, 'C', 'C[x:5['), row(3, 'G', 'A', '.', '.'), row(4, 'T', '*'), row(5, 'TG', 'T'), row(6, 'G', 'A'), row(7, 'C', '<DEL>')];
  const { text, report } = await apply('ACGTTGCAAC', rows);
  expect(text).toBe('ACGTTCAAC');
  expect(report).toEqual({ applied: 1, reference: 2, missing: 1, ploidy: 0, unphased: 0, mendelian: 0, overlapping: 1, outside: 0, symbolic: 3 });
  expect((await apply('ACGT', [row(1, 'A', 'C', '.', '1')], { haplotype: 2 })).report.ploidy).toBe(1);
});

test('where a haplotype has <*>, the reference stands to the end of the block, as in bcftools consensus', async () => {
  const { text, report } = await apply('ACGTTGCAAC', [row(2, 'C', '<*>', 'END=5'), row(4, 'T', 'A'), row(5, 'T', 'TC'), row(7, 'C', 'G')]);
  expect([text, report.applied, report.reference, report.overlapping]).toEqual(['ACGTTCGGAAC', 2, 1, 1]);
  const overlapped = await apply('ACGTTGCAAC', [row(2, 'CGT', 'CA'), row(3, 'G', '<NON_REF>', 'END=8'), row(6, 'G', 'T')]);
  expect(overlapped.text).toBe('ACATTCAAC');
});

test('places map both ways', async () => {
  const { toReference, toHaplotype } = await apply('ACGTTGCAAC', [row(2, 'C', 'CTT'), row(5, 'TGC', 'T'), row(9, 'A', 'G')]);
  expect(Array.from({ length: 10 }, (_, at) => toReference(at))).toEqual([0, 1, undefined, undefined, 2, 3, 4, 7, 8, 9]);
  expect(Array.from({ length: 11 }, (_, at) => toHaplotype(at))).toEqual([0, 1, 4, 5, 6, undefined, undefined, 7, 8, 9, undefined]);
  const inverted = await apply('ACGTTGCAAC', [row(3, 'G', '<INV>', 'END=6')]);
  expect([3, 4, 5].map((at) => inverted.toReference(at))).toEqual([5, 4, 3]);
});

test('soft-masking follows the base at POS', async () => expect((await apply('ACgtTG', [row(3, 'G', 'A'), row(5, 'T', 'TCC')])).text).toBe('ACatTCCG'));

test('a part of a contig, aliases, and contigs without variants', async () => {
  expect((await apply('GTTG', [row(3, 'G', 'A'), row(7, 'C', 'A')], { reference: { name: 'c:3-6', sequence: bytes('GTTG') } })).text).toBe('ATTG');
  const reference = openFasta(bytes('>x\nAC\n>1\nGT\n'));
  const list = (await apply('', ['c 1 . G A . . . GT 1|1 0|0'], { reference, aliases: { c: '1' } })).list;
  expect(list.map(({ name, sequence }) => [name, new TextDecoder().decode(sequence)])).toEqual([['1', 'AT'], ['x', 'AC']]);
});

test.each<[string, readonly string[], Partial<ApplyVariantsOptions>, RegExp]>([
  ['REF that the reference does not hold', [row(3, 'T', 'A')], {}, /REF "T" at POS 3 \(line 3\), got "G" in c/],
  ['records out of order', [row(3, 'G', 'A'), row(2, 'C', 'A')], {}, /sort the file/],
  ['alleles that are not phased', [row(3, 'G', 'A', '.', '0/1')], {}, /phased alleles .* line 3, got 0\/1/],
  ['another sample', [row(3, 'G', 'A')], { sample: 'u' }, /one of 2 samples \(s, t\), got "u"/],
  ['another contig', ['chrc 3 . G A . . . GT 1|1 0|0'], {}, /got "chrc"; this file calls it "c": pass aliases/],
  ['haplotype 0', [], { haplotype: 0 }, /a haplotype from 1, got 0/],
  ['records without genotypes', ['c 3 . G A . . . DP 1 2'], {}, /GT as the first key/],
])('%s is an error', async (_, rows, options, message) => {
  await expect(apply('ACGTTGCAAC', rows, options)).rejects.toThrow(message);
});

test('unphased alleles by choice; equal ones need no phase', async () => {
  expect((await apply('ACG', [row(2, 'C', 'A', '.', '1/1')])).text).toBe('AAG');
  expect((await apply('ACG', [row(2, 'C', 'A', '.', '1/0')], { unphased: 'asWritten' })).text).toBe('AAG');
  expect((await apply('ACG', [row(2, 'C', 'A', '.', '1/0')], { unphased: 'skip' })).report.unphased).toBe(1);
});

// In 4.4 every symbolic allele has a length of its own; END is that of the longest.
test.each([['1|0', 'ACGCAAC'], ['2|0', 'ACGTTGCTTGCAAC'], ['3|0', 'ACGCAACAAC'], ['4|0', 'ACGTTGCAAC']])('VCF 4.4: allele %s ends by its own SVLEN', async (genotype, expected) => {
  const variants = readVcf(bytes(`##fileformat=VCFv4.4\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\nc\t3\t.\tG\t<DEL>,<DUP>,<INV>,<INS>\t.\t.\tEND=7;SVLEN=3,4,3,9\tGT\t${genotype}\n`));
  expect((await apply('ACGTTGCAAC', [], { variants })).text).toBe(expected);
});

test('a sample whose ploidy changes from record to record: what is not there is left out and counted', async () => {
  const rows = [row(1, 'A', 'C', '.', '0|1'), row(3, 'G', 'T', '.', '1'), row(5, 'T', 'A', '.', '0|0|1')];
  const reports = await Promise.all([1, 2, 3].map(async (haplotype) => { const { text, report } = await apply('ACGTTGCAAC', rows, { haplotype }); return [text, report.applied, report.ploidy]; }));
  expect(reports).toEqual([['ACTTTGCAAC', 1, 0], ['CCGTTGCAAC', 1, 1], ['ACGTAGCAAC', 1, 2]]);
});

/** Alleles between POS and END and what the specification says that they stand for, spelt out. */
const symbols = {
  '<DEL>': () => '', '<DEL:ME:ALU>': () => '', '<DUP>': (bases: string) => bases + bases, '<DUP:TANDEM>': (bases: string) => bases + bases,
  '<INV>': (bases: string) => reverseComplement(bases), '<CN0>': () => '', '<CN1>': (bases: string) => bases, '<CN4>': (bases: string) => bases.repeat(4),
} as const;

test('a symbolic allele is the same as its bases spelt out, whatever stands around it and however the version gives its end', async () => {
  const variant = fc.record({ gap: fc.integer({ min: 2, max: 9 }), length: fc.integer({ min: 1, max: 25 }), kinds: fc.array(fc.constantFrom(...(Object.keys(symbols) as (keyof typeof symbols)[])), { minLength: 1, maxLength: 3 }), allele: fc.integer({ min: 0, max: 3 }), within: fc.boolean(), base: fc.constantFrom('A', 'C', 'G', 'T') });
  const letters = fc.string({ unit: fc.constantFrom('A', 'C', 'G', 'T', 'N'), minLength: 400, maxLength: 400 });
  await fc.assert(fc.asyncProperty(letters, fc.array(variant, { minLength: 1, maxLength: 10 }), fc.constantFrom('4.1', '4.3', '4.4', '4.5'), async (sequence, variants, version) => {
    const [symbolic, spelt]: string[][] = [[], []];
    let at = 0;
    for (const { gap, length, kinds, allele, within, base } of variants) {
      const [start, end] = [at + gap, at + gap + length + 1];
      const bases = sequence.slice(start + 1, end);
      const of = (ref: string, alts: readonly string[], info: string) => `c\t${start + 1}\t.\t${ref}\t${alts.join()}\t.\t.\t${info}\tGT\t${Math.min(allele, alts.length)}|0\t0|0`;
      const lengths = kinds.map((kind) => (version < '4.4' && kind.startsWith('<DEL') ? -length : length));
      symbolic.push(of(sequence[start], kinds, version < '4.4' ? `END=${end}` : `SVLEN=${lengths.join()}`));
      spelt.push(of(sequence.slice(start, end), kinds.map((kind) => sequence[start] + symbols[kind](bases)), '.'));
      const inside = `c\t${start + 2}\t.\t${sequence[start + 1]}\t${base}\t.\t.\t.\tGT\t1|1\t0|0`; // overlaps, unless the reference stands
      if (within && length > 1) for (const rows of [symbolic, spelt]) rows.push(inside);
      at = end;
    }
    const [ours, theirs] = await Promise.all([symbolic, spelt].map((rows) => apply(sequence, [], { variants: readVcf(bytes(`##fileformat=VCFv${version}\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\tt\n${rows.join('\n')}\n`)) })));
    expect(ours.text).toBe(theirs.text);
    expect(ours.report).toEqual(theirs.report);
    const substituted = new Set(symbolic.map((row) => row.split('\t')).filter(([, , , , alt]) => !alt.startsWith('<')).map(([, pos]) => Number(pos) - 1));
    const astray = Array.from(ours.text, (letter, i) => {
      const from = ours.toReference(i)!;
      const there = ours.toHaplotype(from);
      return (substituted.has(from) || letter === sequence[from] || letter === reverseComplement(sequence[from])) && (there === undefined || ours.toReference(there) === from) ? '' : `${i} from ${from}`;
    });
    expect(astray.filter(Boolean)).toEqual([]);
  }), { numRuns: 40 });
});

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { applyVariants, bgzfCompress, openFasta, readFasta, readVcf, type FastaRecord, type Haplotype } from '../src/index';
import { describeWithShared, describeWithTool, shared } from './sharedData';

const text = (sequence: Uint8Array) => Buffer.from(sequence).toString();
const collect = async (haplotypes: AsyncIterable<Haplotype>) => { const list: Haplotype[] = []; for await (const each of haplotypes) list.push(each); return list; };

describeWithShared('haplotypes by bcftools consensus', 'golden/variant_consensus', () => {
  test.each([1, 2])('HG00096, haplotype %i, a part of chromosome 22', async (haplotype) => {
    const golden = shared('golden/variant_consensus');
    const expected = (await readFasta(`${golden}/1000GP_chr22_HG00096.hap${haplotype}.fa`).next()).value as FastaRecord;
    const reference = openFasta(`${golden}/chr22_16570000-16610000.fa`);
    const [got] = await collect(applyVariants({ reference, variants: readVcf(shared('vcf/kgp/1000GP.chr22.vcf.gz')), sample: 'HG00096', haplotype }));
    expect(text(got.sequence)).toBe(text(expected.sequence));
    expect(got.report.applied).toBeGreaterThan(10);
  });
});

describeWithTool('bcftools', () => {
  let folder: string;
  beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'genome-io-')); });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Variants near each other in every way: SNVs, MNVs, insertions, deletions, complex ones and <DEL>, with REF as the reference has it. */
  const base = fc.constantFrom('A', 'C', 'G', 'T');
  const scenario = fc.record({
    reference: fc.array(fc.tuple(fc.string({ unit: base, minLength: 1, maxLength: 12 }), fc.boolean()), { minLength: 4, maxLength: 8 }).map((runs) => runs.map(([bases, masked]) => (masked ? bases.toLowerCase() : bases)).join('')),
    sites: fc.array(fc.record({ gap: fc.nat(4), length: fc.integer({ min: 1, max: 4 }), alt: fc.string({ unit: base, minLength: 1, maxLength: 4 }), shared: fc.nat(3), genotype: fc.constantFrom('0|1', '1|0', '1|1', '1', '.|1', '.', '0|0', '1/1', '1|0|1'), symbolic: fc.boolean() }), { maxLength: 14 }),
  });

  test('random variants over 400 random references, both haplotypes', async () => {
    const cases = fc.sample(scenario, { numRuns: 400, seed: 11 });
    const fasta: string[] = [];
    const rows: string[] = [];
    for (const [i, { reference, sites }] of cases.entries()) {
      fasta.push(`>c${i}\n${reference}\n`);
      let at = 0;
      for (const { gap, length, alt, shared: common, genotype, symbolic } of sites) {
        at += gap;
        const ref = reference.slice(at, at + length).toUpperCase();
        if (at + length > reference.length) break;
        const alternative = `${ref.slice(0, common)}${alt}`;
        if (symbolic && length > 1) rows.push(`c${i}\t${at + 1}\t.\t${ref[0]}\t<DEL>\t.\t.\tEND=${at + length}\tGT\t${genotype}`);
        else if (alternative !== ref) rows.push(`c${i}\t${at + 1}\t.\t${ref}\t${alternative}\t.\t.\t.\tGT\t${genotype}`);
      }
    }
    writeFileSync(join(folder, 'r.fa'), fasta.join(''));
    const header = ['##fileformat=VCFv4.2', '##FORMAT=<ID=GT,Number=1,Type=String,Description="g">', '##INFO=<ID=END,Number=1,Type=Integer,Description="e">', '##ALT=<ID=DEL,Description="d">', ...cases.map((_, i) => `##contig=<ID=c${i}>`), '#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts'];
    const vcf = Buffer.from([...header, ...rows, ''].join('\n'));
    writeFileSync(join(folder, 'v.vcf.gz'), await bgzfCompress(vcf));
    execFileSync('bcftools', ['index', join(folder, 'v.vcf.gz')]);
    const upper = join(folder, 'upper.fa');
    writeFileSync(upper, fasta.map((record) => record.replace(/\n.*/, (line) => line.toUpperCase())).join(''));
    const consensus = async (path: string, haplotype: number) => {
      const output = execFileSync('bcftools', ['consensus', '-f', path, '-s', 's', '-H', `${haplotype}`, join(folder, 'v.vcf.gz')], { maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] });
      const sequences = new Map<string, string>();
      for await (const { name, sequence } of readFasta(output)) sequences.set(name, text(sequence));
      return sequences;
    };
    const ours = async (path: string, haplotype: number) => new Map((await collect(applyVariants({ reference: openFasta(path), variants: readVcf(vcf), sample: 's', haplotype }))).map((each) => [each.name, each]));
    let overlapping = 0;
    let masked = 0;
    for (const haplotype of [1, 2]) {
      const expected = await consensus(upper, haplotype);
      const expectedMasked = await consensus(join(folder, 'r.fa'), haplotype);
      const gotMasked = await ours(join(folder, 'r.fa'), haplotype);
      for (const [name, { sequence, report, toReference, toHaplotype }] of await ours(upper, haplotype)) {
        const story = [cases[Number(name.slice(1))].reference, ...rows.filter((row) => row.startsWith(`${name}\t`))].join('\n');
        expect(`${story}\n${text(sequence)}`).toBe(`${story}\n${expected.get(name)}`);
        expect(text(gotMasked.get(name)!.sequence).toUpperCase()).toBe(text(sequence));
        // In lower case bcftools 1.16 lets an insertion overwrite a variant at the very same base, which its own comment says it must not.
        if (expectedMasked.get(name)!.toUpperCase() === expected.get(name)) {
          expect(`${story}\n${text(gotMasked.get(name)!.sequence)}`).toBe(`${story}\n${expectedMasked.get(name)}`);
          masked++;
        }
        overlapping += report.overlapping;
        for (let at = 0; at < sequence.length; at++) { const there = toReference(at); if (there !== undefined) expect(toHaplotype(there)).toBe(at); }
      }
    }
    expect([overlapping > 200, masked > 700]).toEqual([true, true]);
  });
});

// Families: the PED file of PLINK and GATK, Mendel's first law, and the haplotypes that a child has from each parent.
import { allelesOf, buildHaplotypes, checkUnphased, genotypesOf, sampleOf, type Call, type HaplotypeSource } from './applyVariants';
import type { ByteSource, ReadOptions } from './byteSource';
import { FormatError } from './formatError';
import type { Haplotype } from './haplotype';
import { textLines } from './lines';
import type { VcfReader, VcfRecord } from './vcf';

/** One line of a PED file. */
export interface PedigreeMember {
  readonly family: string;
  readonly id: string;
  /** Undefined for 0: not known. */
  readonly father: string | undefined;
  readonly mother: string | undefined;
  readonly sex: 'male' | 'female' | undefined;
  /** Column 6 as it stands: 1 unaffected, 2 affected, 0 or -9 missing, or a measurement. */
  readonly phenotype: string | undefined;
  readonly line: number;
}

/** A child whose parents are both known. */
export interface Trio {
  readonly child: string;
  readonly father: string;
  readonly mother: string;
}

/**
 * Reads a PED file: family, individual, father, mother, sex (1 male, 2 female) and phenotype, with blanks between; lines that begin with # are comments.
 * @throws FormatError (`ped`, with the line) for fewer than five columns and an individual that comes twice or is its own parent.
 */
export async function readPedigree(source: ByteSource, options: ReadOptions = {}): Promise<PedigreeMember[]> {
  const members = new Map<string, PedigreeMember>();
  for await (const { text, line } of textLines(source, options, 'readPedigree', 'ped')) {
    if (text.trim() === '' || text.startsWith('#')) continue;
    const fail = (expected: string, got: string): never => {
      throw new FormatError(`readPedigree: expected ${expected} at line ${line}, got ${got}; correct the line`, { format: 'ped', line });
    };
    const columns = text.trim().split(/\s+/);
    const [family, id, father, mother, sex, phenotype] = columns;
    if (columns.length < 5) fail('family, individual, father, mother and sex', JSON.stringify(text.slice(0, 60)));
    if (members.has(id)) fail('every individual once', JSON.stringify(id));
    if (id === father || id === mother) fail('parents other than the individual', JSON.stringify(id));
    const known = (name: string) => (name === '0' ? undefined : name);
    members.set(id, { family, id, father: known(father), mother: known(mother), sex: sex === '1' ? 'male' : sex === '2' ? 'female' : undefined, phenotype, line });
  }
  return [...members.values()];
}

/** The trios of a pedigree; with `samples`, those of whom all three are among them. */
export function triosOf(pedigree: readonly PedigreeMember[], samples?: readonly string[]): Trio[] {
  const has = (name: string) => samples === undefined || samples.includes(name);
  return pedigree.flatMap(({ id, father, mother }) => (father !== undefined && mother !== undefined && [id, father, mother].every(has) ? [{ child: id, father, mother }] : []));
}

/** Which allele a child has from whom: `determined`, `ambiguous` where both orders fit, `violation` where none does, `missing` where the child's alleles are not known. A haploid child has its allele from the mother, on Y from the father. */
export type Inheritance =
  | { readonly status: 'determined'; readonly paternal: number | undefined; readonly maternal: number | undefined }
  | { readonly status: 'ambiguous' | 'violation' | 'missing' };

/** @param child - its alleles as in GT, -1 missing; a parent with a missing allele could have given any */
export function inheritance(contig: string, child: ArrayLike<number>, father: ArrayLike<number>, mother: ArrayLike<number>): Inheritance {
  const gives = (parent: ArrayLike<number>, allele: number) => { for (let i = 0; i < parent.length; i++) if (parent[i] === allele || parent[i] < 0) return true; return false; };
  const [a, b] = [child[0], child[1]];
  if (child.length > 2 || a === undefined || a < 0 || b < 0) return { status: 'missing' };
  if (child.length === 1) {
    const fromFather = /^(?:chr)?Y$/i.test(contig);
    if (!gives(fromFather ? father : mother, a)) return { status: 'violation' };
    return { status: 'determined', paternal: fromFather ? a : undefined, maternal: fromFather ? undefined : a };
  }
  const asWritten = gives(father, a) && gives(mother, b);
  const turned = gives(father, b) && gives(mother, a);
  if (!asWritten && !turned) return { status: 'violation' };
  if (asWritten && turned && a !== b) return { status: 'ambiguous' };
  return asWritten ? { status: 'determined', paternal: a, maternal: b } : { status: 'determined', paternal: b, maternal: a };
}

export interface MendelReport extends Trio {
  /** Records of each outcome; both `determined` and `ambiguous` ones agree with the parents. */
  readonly determined: number;
  readonly ambiguous: number;
  readonly violation: number;
  readonly missing: number;
  /** The first hundred violations, genotypes as alleles: a line of the VCF each. */
  readonly violations: readonly { readonly contig: string; readonly start: number; readonly line: number; readonly child: readonly number[]; readonly father: readonly number[]; readonly mother: readonly number[] }[];
}

const mostListed = 100;

/** Where in GT the three of a trio stand. */
function trioReader(header: Parameters<typeof sampleOf>[0], { child, father, mother }: Trio) {
  const places = [child, father, mother].map((name) => sampleOf(header, name));
  return (record: VcfRecord) => {
    const genotypes = genotypesOf(record);
    const [own, his, hers] = places.map((place) => allelesOf(genotypes, place));
    return { own, his, hers, found: inheritance(record.contig, own, his, hers) };
  };
}

/**
 * Compares every record with the first law of Mendel, for all trios in one pass.
 * @throws RangeError for a trio whose members are not all samples of the file; FormatError for records without GT.
 */
export async function checkMendel(variants: VcfReader, trios: readonly Trio[]): Promise<MendelReport[]> {
  const header = await variants.header();
  const reports = trios.map((trio) => ({ ...trio, read: trioReader(header, trio), counts: { determined: 0, ambiguous: 0, violation: 0, missing: 0 }, violations: [] as MendelReport['violations'][number][] }));
  for await (const record of variants) {
    for (const { read, counts, violations } of reports) {
      const { own, his, hers, found } = read(record);
      counts[found.status]++;
      if (found.status === 'violation' && violations.length < mostListed) violations.push({ contig: record.contig, start: record.start, line: record.line, child: [...own], father: [...his], mother: [...hers] });
    }
  }
  return reports.map(({ child, father, mother, counts, violations }) => ({ child, father, mother, ...counts, violations }));
}

export interface ApplyTrioOptions extends HaplotypeSource {
  readonly trio: Trio;
}

/**
 * Builds the two haplotypes of a child by transmission, whatever the phase in the file: haplotype 1 is the father's, 2 the mother's; contigs in the order of `applyVariants`.
 * Where both orders fit (all three heterozygous) `unphased` decides: `skip` (the default) leaves the reference and counts it, `asWritten` takes the first allele as the father's, `error` throws. Alleles that the parents cannot have given are left out and counted as `mendelian`.
 */
export function applyTrio({ trio, ...options }: ApplyTrioOptions): AsyncGenerator<Haplotype, void, undefined> {
  const { unphased = 'skip' } = options;
  checkUnphased(unphased);
  return buildHaplotypes(options, [1, 2].map((haplotype) => ({ sample: trio.child, haplotype })), (header) => {
    const read = trioReader(header, trio);
    return (record): readonly Call[] => {
      const { own, found } = read(record);
      if (found.status === 'determined') return [found.paternal ?? 'ploidy', found.maternal ?? 'ploidy'];
      if (found.status === 'violation') return ['mendelian', 'mendelian'];
      if (found.status === 'missing') return ['missing', 'missing'];
      if (unphased === 'asWritten') return [own[0], own[1]];
      if (unphased === 'skip') return ['unphased', 'unphased'];
      throw new FormatError(`applyTrio: expected alleles whose parent is known at line ${record.line}, got ${own.join('/')} with parents that have both; pass unphased: 'skip' or 'asWritten'`, { format: 'vcf', line: record.line });
    };
  });
}

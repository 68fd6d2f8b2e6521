// Haplotypes of a sample: the reference with the alleles of a phased VCF put in, by the rules of `bcftools consensus -H` where it has them.
import { aliasOf, type ContigAliases } from './contigNames';
import { FormatError } from './formatError';
import { HaplotypeBuilder, type Edit, type Haplotype } from './haplotype';
import { unknownContig, type SequenceFile } from './sequenceFile';
import type { VcfReader, VcfRecord } from './vcf';
import type { VcfGenotypes } from './vcfGenotypes';
import type { VcfHeader } from './vcfHeader';

/** What every way to build haplotypes needs. */
export interface HaplotypeSource {
  /** A file opened with `openFasta` or `openTwoBit`, or one sequence. A name `chr22:16570000-16610000` (1-based, both ends in it) is that part of chr22. */
  readonly reference: Pick<SequenceFile, 'contigs' | 'fetch'> | { readonly name: string; readonly sequence: Uint8Array };
  /** The records of a VCF file, by contig and position: what `readVcf` gives. */
  readonly variants: AsyncIterable<VcfRecord> | Iterable<VcfRecord>;
  /** Names of contigs in the VCF and what the reference calls them, for example `{chr1: '1'}`. */
  readonly aliases?: ContigAliases;
  /** What to do where alleles that differ are not phased: throw, leave the reference, or take them as they are written, which is what bcftools does. */
  readonly unphased?: 'error' | 'skip' | 'asWritten';
  readonly signal?: AbortSignal | undefined;
}

export interface ApplyVariantsOptions extends HaplotypeSource {
  /** Name of the sample; several, such as all of `header.samples`, are built in one pass over the file. */
  readonly sample: string | readonly string[];
  /** Which of the alleles of GT, from 1; of several, all are built. */
  readonly haplotype: number | readonly number[];
}

/**
 * Builds the haplotypes of each contig, one contig after another: those with variants in the order of the VCF, then the others in the order of the reference; within a contig by sample, then by haplotype.
 * One contig of the reference is in memory at a time, and one finished haplotype of it; those still open are lists of views.
 * A symbolic `<DEL>` takes out the bases after POS up to its end, `<DUP>` writes them twice, `<INV>` complements them in place, `<CNn>` writes them n times; `<INS>` without a sequence, breakends and other symbolic alleles are skipped and counted.
 * `unphased` is `error` by default.
 * @throws RangeError for a sample or contigs that are not there, RangeError where REF is not what the reference holds; FormatError for records out of order, without GT, or (unless `unphased` says otherwise) not phased.
 */
export function applyVariants(options: ApplyVariantsOptions): AsyncGenerator<Haplotype, void, undefined> {
  const { unphased = 'error' } = options;
  const haplotypes = [options.haplotype].flat();
  for (const haplotype of haplotypes) if (!(Number.isInteger(haplotype) && haplotype >= 1)) throw new RangeError(`applyVariants: expected a haplotype from 1, got ${haplotype}; 1 is what stands before the first | of GT`);
  checkUnphased(unphased);
  const samples = [options.sample].flat();
  const targets = samples.flatMap((sample) => haplotypes.map((haplotype) => ({ sample, haplotype })));
  return buildHaplotypes(options, targets, (header) => {
    const places = samples.map((name) => sampleOf(header, name));
    let genotypes: VcfGenotypes | undefined;
    return (record) => {
      const current = (genotypes = genotypesOf(record, genotypes));
      return places.flatMap((place) => haplotypes.map((haplotype) => callOf(record, current, place, haplotype, unphased)));
    };
  });
}

export function checkUnphased(unphased: string): void {
  if (!['error', 'skip', 'asWritten'].includes(unphased)) throw new TypeError(`applyVariants: expected unphased as 'error', 'skip' or 'asWritten', got ${String(unphased)}; leave it out for the default`);
}

/** An allele of GT, or why there is none to apply. */
export type Call = number | 'missing' | 'ploidy' | 'unphased' | 'mendelian';

/** Puts what `choose` calls for each target into the reference. */
export async function* buildHaplotypes({ variants, aliases, signal, ...rest }: HaplotypeSource, targets: readonly { readonly sample: string; readonly haplotype: number }[], choose: (header: VcfHeader) => (record: VcfRecord) => readonly Call[]): AsyncGenerator<Haplotype, void, undefined> {
  const reference = await openReference(rest.reference);
  const finished = new Set<string>();
  let open: { contig: string; builders: readonly (readonly HaplotypeBuilder[])[]; start: number } | undefined;
  const edits = new Map<Call, Edit>();
  let callsOf: ((record: VcfRecord) => readonly Call[]) | undefined;
  if ('header' in variants) callsOf = choose(await (variants as VcfReader).header()); // so that a wrong sample is told even of a file without records
  const start = (name: string, sequence: Uint8Array, from: number) => targets.map(({ sample, haplotype }) => new HaplotypeBuilder({ name, sample, haplotype }, sequence, from));
  const finish = function* () { if (open) for (const builders of open.builders) for (const builder of builders) yield builder.finish(); };
  for await (const record of variants) {
    signal?.throwIfAborted();
    const { contig } = record;
    if (contig !== open?.contig) {
      yield* finish();
      callsOf ??= choose(record.header);
      if (finished.has(contig)) throw outOfOrder(record, 'the records of a contig together', `${contig} again`);
      finished.add(contig);
      const name = aliasOf(aliases, contig);
      const places = reference.places.get(name) ?? unknownContig('applyVariants', name, [...reference.places.keys()], 'pass aliases, or leave these records out');
      open = { contig, builders: await Promise.all(places.map(async (place) => start(place.name, await place.load(), place.start))), start: -Infinity };
      for (const place of places) reference.untouched.delete(place.name);
    }
    const { start: position } = record;
    if (position < open.start) throw outOfOrder(record, `records by POS, ${open.start + 1} or more`, `${position + 1}`);
    open.start = position;
    edits.clear();
    for (const [i, call] of callsOf!(record).entries()) {
      let edit = edits.get(call);
      if (!edit) edits.set(call, (edit = editOf(record, position, call)));
      for (const builders of open.builders) builders[i].apply(edit);
    }
  }
  yield* finish();
  for (const { name, load, start: from } of reference.untouched.values()) {
    const sequence = await load();
    for (const builder of start(name, sequence, from)) yield builder.finish();
  }
}

const outOfOrder = ({ line }: VcfRecord, expected: string, got: string) => new FormatError(`applyVariants: expected ${expected} at line ${line}, got ${got}; sort the file, for example with bcftools sort`, { format: 'vcf', line });

export function sampleOf({ samples }: VcfHeader, name: string): number {
  const index = samples.indexOf(name);
  if (index < 0) throw new RangeError(`applyVariants: expected one of ${samples.length} samples (${samples.slice(0, 5).join(', ')}${samples.length > 5 ? ', …' : ''}), got ${JSON.stringify(name)}; see header.samples`);
  return index;
}

interface Place {
  readonly name: string;
  /** Where it begins on the contig that the VCF speaks of. */
  readonly start: number;
  load(): Promise<Uint8Array>;
}

/** Sequences by the contig that they are, or are part of. */
async function openReference(reference: HaplotypeSource['reference']) {
  const all: Place[] = [];
  const place = (name: string, load: () => Promise<Uint8Array>) => all.push({ name, start: Number(/:(\d+)-\d+$/.exec(name)?.[1] ?? 1) - 1, load });
  if ('fetch' in reference) for (const { name } of await reference.contigs()) place(name, () => reference.fetch(name));
  else place(reference.name, () => Promise.resolve(reference.sequence));
  const places = new Map<string, Place[]>();
  for (const each of all) {
    const contig = each.name.replace(/:\d+-\d+$/, '');
    places.set(contig, [...(places.get(contig) ?? []), each]);
    if (contig !== each.name) places.set(each.name, [{ ...each, start: 0 }]); // a VCF may speak of the part itself
  }
  return { places, untouched: new Map(all.map((each) => [each.name, each])) };
}

/** @param reuse - genotypes of an earlier record, written over */
export function genotypesOf(record: VcfRecord, reuse?: VcfGenotypes): VcfGenotypes {
  const genotypes = record.genotypes(reuse);
  if (genotypes === undefined) throw new FormatError(`applyVariants: expected GT as the first key of FORMAT at line ${record.line}, got ${JSON.stringify(record.format.join(':'))}; call genotypes first`, { format: 'vcf', line: record.line });
  return genotypes;
}

/** The alleles of one sample; a view. */
export function allelesOf({ ploidy, alleles }: VcfGenotypes, sample: number): Int16Array {
  let length = ploidy;
  while (alleles[sample * ploidy + length - 1] === -2) length--;
  return alleles.subarray(sample * ploidy, sample * ploidy + length);
}

function callOf({ line }: VcfRecord, genotypes: VcfGenotypes, sample: number, haplotype: number, unphased: 'error' | 'skip' | 'asWritten'): Call {
  const alleles = allelesOf(genotypes, sample);
  if (genotypes.phased[sample] === 0 && alleles.some((allele) => allele !== alleles[0])) {
    if (unphased === 'error') throw new FormatError(`applyVariants: expected phased alleles (|) at line ${line}, got ${alleles.join('/')}; phase the file, or pass unphased: 'skip' or 'asWritten'`, { format: 'vcf', line });
    if (unphased === 'skip') return 'unphased';
  }
  if (haplotype > alleles.length) return alleles.includes(-1) ? 'missing' : 'ploidy';
  return alleles[haplotype - 1] < 0 ? 'missing' : alleles[haplotype - 1];
}

/** What an allele of a record does to a haplotype, or why it does nothing. */
function editOf(record: VcfRecord, start: number, call: Call): Edit {
  const { line } = record;
  if (typeof call === 'string') return { start, line, skip: call };
  if (call === 0) return { start, line, skip: 'reference' };
  const { ref, alt } = record;
  if (call > alt.length) throw new FormatError(`applyVariants: expected alleles up to ${alt.length} at line ${line}, got ${call} in GT; ALT lacks an allele`, { format: 'vcf', line });
  const text = alt[call - 1];
  if (/^[ACGTNRYSWKMBDHV]+$/i.test(text)) return { start, ref, line, alt: text, end: start + ref.length };
  if (text === '*') return { start, line, skip: 'reference' }; // another record deletes what it stands for
  if (/^<(?:\*|NON_REF)>$/i.test(text)) return { start, line, skip: 'reference', referenceTo: record.alleleEnd(call - 1) };
  const copies = /^<CN(\d+)>$/i.exec(text);
  const kind = /^<(DEL|DUP|INV)(?::[^>]*)?>$/i.exec(text)?.[1].toUpperCase();
  const end = record.alleleEnd(call - 1);
  if ((kind === undefined && !copies) || end <= start + 1) return { start, line, skip: 'symbolic' };
  return { start, ref, line, end, segment: copies ? { copies: Number(copies[1]) } : kind === 'INV' ? 'inverted' : { copies: kind === 'DEL' ? 0 : 2 } };
}

// Haplotypes of a sample: the reference with the alleles of a phased VCF put in, by the rules of `bcftools consensus -H` where it has them.
import { FormatError } from './formatError';
import { HaplotypeBuilder, type Edit, type Haplotype } from './haplotype';
import { unknownContig, type SequenceFile } from './sequenceFile';
import type { VcfRecord } from './vcf';

export interface ApplyVariantsOptions {
  /** A file opened with `openFasta` or `openTwoBit`, or one sequence. A name `chr22:16570000-16610000` (1-based, both ends in it) is that part of chr22. */
  readonly reference: Pick<SequenceFile, 'contigs' | 'fetch'> | { readonly name: string; readonly sequence: Uint8Array };
  /** The records of a VCF file, by contig and position: what `readVcf` gives. */
  readonly variants: AsyncIterable<VcfRecord> | Iterable<VcfRecord>;
  /** Name of the sample. */
  readonly sample: string;
  /** Which of the alleles of GT, from 1. */
  readonly haplotype: number;
  /** Names of contigs in the VCF and what the reference calls them, for example `{chr1: '1'}`. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** What to do where alleles that differ are not phased: throw (the default), leave the reference, or take them as they are written, which is what bcftools does. */
  readonly unphased?: 'error' | 'skip' | 'asWritten';
  readonly signal?: AbortSignal | undefined;
}

/**
 * Builds the haplotype of each contig, one after another: those with variants in the order of the VCF, then the others in the order of the reference. One contig is in memory at a time.
 * A symbolic `<DEL>` takes out the bases after POS up to its end, `<DUP>` writes them twice, `<INV>` complements them in place, `<CNn>` writes them n times; `<INS>` without a sequence, breakends and other symbolic alleles are skipped and counted.
 * @throws RangeError for a sample or contigs that are not there, RangeError where REF is not what the reference holds; FormatError for records out of order, without GT, or (unless `unphased` says otherwise) not phased.
 */
export async function* applyVariants(options: ApplyVariantsOptions): AsyncGenerator<Haplotype, void, undefined> {
  const { haplotype, unphased = 'error', signal } = options;
  if (!(Number.isInteger(haplotype) && haplotype >= 1)) throw new RangeError(`applyVariants: expected a haplotype from 1, got ${haplotype}; 1 is what stands before the first | of GT`);
  if (!['error', 'skip', 'asWritten'].includes(unphased)) throw new TypeError(`applyVariants: expected unphased as 'error', 'skip' or 'asWritten', got ${String(unphased)}; leave it out to be told`);
  const reference = await openReference(options.reference);
  const finished = new Set<string>();
  let open: { contig: string; builders: readonly HaplotypeBuilder[]; start: number } | undefined;
  let sample = -1;
  for await (const record of options.variants) {
    signal?.throwIfAborted();
    const { contig } = record;
    if (contig !== open?.contig) {
      if (open) for (const builder of open.builders) yield builder.finish();
      if (sample < 0) sample = sampleOf(record, options.sample);
      if (finished.has(contig)) throw outOfOrder(record, 'the records of a contig together', `${contig} again`);
      finished.add(contig);
      const name = options.aliases?.[contig] ?? contig;
      const places = reference.places.get(name) ?? unknownContig('applyVariants', name, [...reference.places.keys()], 'pass aliases, or leave these records out');
      open = { contig, builders: await Promise.all(places.map(async (place) => new HaplotypeBuilder(place.name, await place.load(), place.start))), start: -Infinity };
      for (const place of places) reference.untouched.delete(place.name);
    }
    if (record.start < open.start) throw outOfOrder(record, `records by POS, ${open.start + 1} or more`, `${record.start + 1}`);
    open.start = record.start;
    const edit = editOf(record, sample, haplotype, unphased);
    for (const builder of open.builders) builder.apply(edit);
  }
  if (open) for (const builder of open.builders) yield builder.finish();
  for (const { name, load, start } of reference.untouched.values()) yield new HaplotypeBuilder(name, await load(), start).finish();
}

const outOfOrder = ({ line }: VcfRecord, expected: string, got: string) => new FormatError(`applyVariants: expected ${expected} at line ${line}, got ${got}; sort the file, for example with bcftools sort`, { format: 'vcf', line });

function sampleOf({ header }: VcfRecord, name: string): number {
  const index = header.samples.indexOf(name);
  if (index < 0) throw new RangeError(`applyVariants: expected one of ${header.samples.length} samples (${header.samples.slice(0, 5).join(', ')}${header.samples.length > 5 ? ', …' : ''}), got ${JSON.stringify(name)}; see header.samples`);
  return index;
}

interface Place {
  readonly name: string;
  /** Where it begins on the contig that the VCF speaks of. */
  readonly start: number;
  load(): Promise<Uint8Array>;
}

/** Sequences by the contig that they are, or are part of. */
async function openReference(reference: ApplyVariantsOptions['reference']) {
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

/** What a record does to one haplotype, or why it does nothing. */
function editOf(record: VcfRecord, sample: number, haplotype: number, unphased: ApplyVariantsOptions['unphased']): Edit {
  const { start, ref, alt, line } = record;
  const genotype = record.genotype(sample);
  if (genotype === undefined) throw new FormatError(`applyVariants: expected GT as the first key of FORMAT at line ${line}, got ${JSON.stringify(record.format.join(':'))}; call genotypes first`, { format: 'vcf', line });
  const base = { start, ref, line };
  const { alleles, phased } = genotype;
  if (!phased && alleles.some((allele) => allele !== alleles[0])) {
    if (unphased === 'error') throw new FormatError(`applyVariants: expected phased alleles (|) at line ${line}, got ${alleles.join('/')}; phase the file, or pass unphased: 'skip' or 'asWritten'`, { format: 'vcf', line });
    if (unphased === 'skip') return { ...base, skip: 'unphased' };
  }
  if (haplotype > alleles.length) return { ...base, skip: alleles.includes(-1) ? 'missing' : 'ploidy' };
  const allele = alleles[haplotype - 1];
  if (allele < 0) return { ...base, skip: 'missing' };
  if (allele === 0) return { ...base, skip: 'reference' };
  const text = alt[allele - 1];
  if (/^[ACGTNRYSWKMBDHV]+$/i.test(text)) return { ...base, alt: text, end: start + ref.length };
  if (text === '*' || /^<(?:\*|NON_REF)>$/i.test(text)) return { ...base, skip: 'reference' }; // another record deletes what * stands for
  const copies = /^<CN(\d+)>$/i.exec(text);
  const kind = /^<(DEL|DUP|INV)(?::[^>]*)?>$/i.exec(text)?.[1].toUpperCase();
  const { end } = record;
  if ((kind === undefined && !copies) || end <= start + 1) return { ...base, skip: 'symbolic' };
  return { ...base, end, segment: copies ? { copies: Number(copies[1]) } : kind === 'INV' ? 'inverted' : { copies: kind === 'DEL' ? 0 : 2 } };
}

// ALT alleles as objects, and where on the reference each of them ends.
import type { VcfRecord } from './vcf';

/** One ALT allele, told apart by `kind`. */
export type VcfAllele =
  | { readonly kind: 'sequence'; readonly bases: string }
  /** `<DUP:TANDEM>`: the type `DUP`, the subtypes `['TANDEM']`. */
  | { readonly kind: 'symbolic'; readonly id: string; readonly type: string; readonly subtypes: readonly string[] }
  /** `*`: the allele is missing here because another record deletes it. */
  | { readonly kind: 'overlappingDeletion' }
  /** `<*>` and its alias `<NON_REF>`: any allele that is not listed; blocks of gVCF have it alone. */
  | { readonly kind: 'unspecified' }
  | VcfBreakend;

/** A breakend (section 5.4): bases that replace REF, and what is joined to them. */
export interface VcfBreakend {
  readonly kind: 'breakend';
  /** The `t` of `t[p[`: REF's base with what is inserted between the two ends. */
  readonly bases: string;
  /** Whether the mate's piece comes after `bases` (`t[p[`, `t]p]`, `t.`) or before them (`[p[t`, `]p]t`, `.t`). */
  readonly joined: 'after' | 'before';
  /** Undefined for a single breakend (`t.`, `.t`), whose mate is not known. */
  readonly mate: {
    readonly contig: string;
    /** Whether `contig` stands in angle brackets: a sequence of the assembly file. */
    readonly inAssembly: boolean;
    /** 0-based. */
    readonly start: number;
    /** Which way from `start` the joined piece reaches on the reference: `[` right, `]` left. */
    readonly extends: 'right' | 'left';
    /** Whether that piece is reverse complemented: `t]p]` and `[p[t`. */
    readonly reverseComplemented: boolean;
  } | undefined;
}

const bracketed = /^([ACGTNacgtn.]*)([[\]])(<[^<>\s]+>|[^<>[\]\s]+):(\d+)\2([ACGTNacgtn.]*)$/;

/** Reads an ALT allele; undefined for text that is none. */
export function parseAllele(text: string): VcfAllele | undefined {
  if (/^[ACGTNRYSWKMBDHV]+$/i.test(text)) return { kind: 'sequence', bases: text };
  if (text === '*') return { kind: 'overlappingDeletion' };
  if (/^<(?:\*|NON_REF)>$/.test(text)) return { kind: 'unspecified' };
  const symbolic = /^<([^\s,<>]+)>$/.exec(text);
  if (symbolic) {
    const [type, ...subtypes] = symbolic[1].split(':');
    return { kind: 'symbolic', id: symbolic[1], type, subtypes };
  }
  const single = /^(?:\.([ACGTN]+)|([ACGTN]+)\.)$/i.exec(text);
  if (single) return { kind: 'breakend', bases: single[1] ?? single[2], joined: single[1] === undefined ? 'after' : 'before', mate: undefined };
  const match = bracketed.exec(text);
  if (!match || (match[1] === '') === (match[5] === '')) return undefined;
  const [, before, bracket, contig, position, after] = match;
  const joined = before === '' ? 'before' : 'after';
  const inAssembly = contig.startsWith('<');
  return {
    kind: 'breakend', bases: before + after, joined,
    mate: { contig: inAssembly ? contig.slice(1, -1) : contig, inAssembly, start: Number(position) - 1, extends: bracket === '[' ? 'right' : 'left', reverseComplemented: (joined === 'after') === (bracket === ']') },
  };
}

/**
 * The 0-based, half-open end on the reference of what ALT allele `index` (from 0) replaces, by the rules of the file's version: up to 4.3 END says where a symbolic allele ends, from 4.4 on SVLEN (one a allele, its sign ignored), and 4.5 gives blocks of `<*>` their length by sample (FORMAT LEN); the other field stands in where one is missing.
 * `<INS>` and alleles without either end with REF.
 */
export function alleleEnd(record: Pick<VcfRecord, 'start' | 'ref' | 'alt' | 'header' | 'info' | 'sample' | 'format'>, index: number): number {
  const { start, ref, alt } = record;
  const byReference = start + ref.length;
  const allele = alt[index];
  if (!allele.startsWith('<') || /^<INS\b/.test(allele)) return byReference;
  const minor = record.header.minorVersion ?? 2;
  const stated = record.info('END');
  const end = typeof stated === 'number' ? stated : undefined;
  if (/^<(?:\*|NON_REF)>$/.test(allele)) return (minor >= 5 ? blockEnd(record) : undefined) ?? end ?? byReference;
  const lengths = record.info('SVLEN');
  const length = Array.isArray(lengths) ? (lengths as readonly (number | null)[])[lengths.length === 1 ? 0 : index] : lengths;
  const byLength = typeof length === 'number' ? start + 1 + Math.abs(length) : undefined;
  return (minor < 4 ? end ?? byLength : byLength ?? end) ?? byReference;
}

function blockEnd(record: Pick<VcfRecord, 'start' | 'header' | 'sample' | 'format'>): number | undefined {
  if (!record.format.includes('LEN')) return undefined;
  const lengths = record.header.samples.map((_, sample) => record.sample(sample, 'LEN')).filter((length) => typeof length === 'number');
  return lengths.length === 0 ? undefined : record.start + Math.max(...lengths);
}

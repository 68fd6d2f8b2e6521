// What indexed FASTA and 2bit files have in common.
import type { ReadOptions } from './byteSource';

export interface FetchOptions extends ReadOptions {
  /** `-` gives the reverse complement of the same interval; default `+`. */
  readonly strand?: '+' | '-';
  /** Cut the interval to the contig instead of refusing what reaches beyond it. */
  readonly clamp?: boolean;
}

/** Sequences by contig, start and end: what indexed FASTA and 2bit files offer. */
export interface SequenceFile {
  /** Names and lengths in bases, in the order of the file. */
  contigs(): Promise<readonly { readonly name: string; readonly length: number }[]>;
  /**
   * The bases from `start` (0-based) up to but not including `end`, as ASCII with case kept; the whole contig by default. The array is the caller's own.
   * @throws RangeError for an unknown contig and for an interval outside of it.
   */
  fetch(contig: string, start?: number, end?: number, options?: FetchOptions): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** @throws RangeError that names what there is; `chr1` against `1` is the usual reason. */
export function unknownContig(op: string, contig: string, known: readonly string[], remedy = 'see contigs()'): never {
  const other = contig.startsWith('chr') ? contig.slice(3) : `chr${contig}`;
  const hint = known.includes(other) ? `this file calls it ${JSON.stringify(other)}: ` : '';
  throw new RangeError(`${op}: expected one of ${known.length} contigs (${known.slice(0, 5).join(', ')}${known.length > 5 ? ', …' : ''}), got ${JSON.stringify(contig)}; ${hint}${remedy}`);
}

/** A 0-based half-open interval within `length` bases, or cut to it. */
export function checkInterval(op: string, contig: string, length: number, start: number, end: number, clamp: boolean) {
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start > end) throw new RangeError(`${op}: expected whole numbers with start <= end, got ${start} and ${end}; positions are 0-based and half-open`);
  if (clamp) return { start: Math.min(Math.max(0, start), length), end: Math.min(Math.max(0, end), length) };
  if (start < 0 || end > length) throw new RangeError(`${op}: expected an interval within 0 to ${length} of ${contig}, got ${start} to ${end}; pass {clamp: true} to cut it`);
  return { start, end };
}

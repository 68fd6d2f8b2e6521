import { concat } from './bytes';
import { reverseComplement } from './sequence';
import { asciiBytes } from './translate';

/** What became of the records of a contig. */
export interface HaplotypeReport {
  readonly applied: number;
  /** The haplotype has the reference allele here (or `*`, or a block of gVCF). */
  readonly reference: number;
  /** Its allele is missing. */
  readonly missing: number;
  /** GT has fewer alleles than the haplotype asked for. */
  readonly ploidy: number;
  readonly unphased: number;
  /** The parents cannot have given the child's alleles; trios only. */
  readonly mendelian: number;
  /** Overlaps a variant already applied. */
  readonly overlapping: number;
  /** Begins outside of the part of the contig that the reference is. */
  readonly outside: number;
  /** A symbolic allele or breakend that says too little to be written. */
  readonly symbolic: number;
}

export interface Haplotype {
  /** The reference's name. */
  readonly name: string;
  readonly sample: string;
  /** Which allele of GT, from 1; of a trio's child 1 is what came from the father, 2 from the mother. */
  readonly haplotype: number;
  readonly sequence: Uint8Array;
  readonly report: HaplotypeReport;
  /** The place in the reference sequence that a place of the haplotype comes from, both 0-based; undefined for inserted bases. */
  toReference(position: number): number | undefined;
  /** Where a place of the reference sequence went; undefined where it was deleted or replaced by fewer bases. */
  toHaplotype(position: number): number | undefined;
}

/** One record for one haplotype; places are 0-based on the contig. */
export type Edit = { readonly start: number; readonly line: number } & (
  | { readonly skip: Exclude<keyof HaplotypeReport, 'applied' | 'overlapping' | 'outside'>; /** Up to here the allele says that the reference stands (`<*>`), so that nothing may follow within. */ readonly referenceTo?: number }
  | Replacement
);

type Replacement = { readonly ref: string; readonly end: number } & (
  | { readonly alt: string }
  | { readonly segment: 'inverted' | { readonly copies: number } }
);

/** `length` bases of the haplotype from `haplotype` on come from `reference` on, or, inverted, from there backwards. */
interface Block { readonly haplotype: number; readonly reference: number; readonly length: number; readonly inverted: boolean }

/** A haplotype while it is put together, from left to right. A class because it lives across the records of a contig. */
export class HaplotypeBuilder {
  private readonly pieces: Uint8Array[] = [];
  private readonly blocks: Block[] = [];
  /** The blocks without second copies: ascending in the reference too. */
  private readonly primary: Block[] = [];
  private readonly counts = { applied: 0, reference: 0, missing: 0, ploidy: 0, unphased: 0, mendelian: 0, overlapping: 0, outside: 0, symbolic: 0 };
  private length = 0;
  /** The first base of the reference not yet written or passed over. */
  private next = 0;
  /** The last base that a variant or a called `<*>` has touched; only an insertion or deletion after it may begin there. */
  private frozen = -1;
  private afterInsertion = false;
  private lastByte = 0;

  /** @param start - where `reference` begins on its contig */
  constructor(private readonly identity: Pick<Haplotype, 'name' | 'sample' | 'haplotype'>, private readonly reference: Uint8Array, private readonly start: number) {}

  apply(edit: Edit): void {
    const { counts, reference } = this;
    if ('skip' in edit) {
      counts[edit.skip]++;
      if (edit.referenceTo !== undefined && edit.start - this.start > this.frozen) this.frozen = edit.referenceTo - this.start - 1;
      return;
    }
    const at = edit.start - this.start;
    if (at < 0 || at >= reference.length) {
      counts.outside++;
      return;
    }
    const span = Math.min(edit.end - this.start, reference.length) - at;
    const anchored = 'segment' in edit || isAnchoredIndel(edit.ref, edit.alt);
    if (at <= this.frozen && (at < this.frozen || !anchored || this.afterInsertion)) {
      counts.overlapping++;
      return;
    }
    this.checkReference(edit, at);
    const lower = (at === this.next - 1 ? this.lastByte : reference[at]) >= 97; // case follows the base at POS, so that soft-masking is kept
    this.afterInsertion = false;
    if ('segment' in edit) this.applySegment(edit.segment, at, span);
    else {
      const alt = edit.end - this.start > reference.length ? edit.alt.slice(0, span) : edit.alt; // what reaches beyond the reference is cut
      const skip = anchored || (alt.length > span && sameLetter(edit.ref, alt)) ? 1 : 0;
      this.copyTo(at + skip);
      this.insert(asciiBytes(lower ? alt.slice(skip).toLowerCase() : alt.slice(skip).toUpperCase()), at + skip, span - skip);
      this.afterInsertion = alt.length > span;
    }
    this.next = at + span;
    this.frozen = at + span - 1;
    counts.applied++;
  }

  finish(): Haplotype {
    this.copyTo(this.reference.length);
    const { blocks, primary, identity, counts } = this;
    return {
      ...identity, sequence: concat(this.pieces, this.length), report: counts,
      toReference: (position) => {
        const block = lastAtOrBelow(blocks, position, 'haplotype');
        const within = block ? position - block.haplotype : 0;
        return block && within < block.length ? (block.inverted ? block.reference + block.length - 1 - within : block.reference + within) : undefined;
      },
      toHaplotype: (position) => {
        const block = lastAtOrBelow(primary, position, 'reference');
        const within = block ? position - block.reference : 0;
        return block && within < block.length ? (block.inverted ? block.haplotype + block.length - 1 - within : block.haplotype + within) : undefined;
      },
    };
  }

  private checkReference({ ref, line, start }: Edit & Replacement, at: number): void {
    for (let i = 0; i < ref.length && at + i < this.reference.length; i++) {
      if ((ref.charCodeAt(i) | 32) === (this.reference[at + i] | 32)) continue;
      const found = String.fromCharCode(...this.reference.subarray(at, at + Math.min(ref.length, 20)));
      throw new RangeError(`applyVariants: expected the reference to hold REF ${JSON.stringify(ref.slice(0, 20))} at POS ${start + 1} (line ${line}), got ${JSON.stringify(found)} in ${this.identity.name}; use the reference that the variants were called on`);
    }
  }

  private applySegment(segment: 'inverted' | { readonly copies: number }, at: number, span: number): void {
    this.copyTo(at + 1);
    const bases = this.reference.subarray(at + 1, at + span);
    if (segment === 'inverted') this.write(reverseComplement(bases), at + 1, true);
    else for (let copy = 0; copy < segment.copies; copy++) this.write(bases, at + 1, false, copy > 0);
  }

  /** The reference up to `end`. */
  private copyTo(end: number): void {
    if (end > this.next) this.write(this.reference.subarray(this.next, end), this.next, false);
    this.next = Math.max(this.next, end);
  }

  private write(bytes: Uint8Array, reference: number, inverted: boolean, isCopy = false): void {
    if (bytes.length === 0) return;
    this.map({ haplotype: this.length, reference, length: bytes.length, inverted }, isCopy);
    this.append(bytes);
  }

  private map(block: Block, isCopy = false): void {
    this.blocks.push(block);
    if (!isCopy) this.primary.push(block);
  }

  /** `bytes` in the place of `replaced` bases of the reference: as many as there are of both correspond. */
  private insert(bytes: Uint8Array, reference: number, replaced: number): void {
    const length = Math.min(bytes.length, replaced);
    if (length > 0) this.map({ haplotype: this.length, reference, length, inverted: false });
    if (bytes.length > 0) this.append(bytes);
  }

  private append(bytes: Uint8Array): void {
    this.pieces.push(bytes);
    this.length += bytes.length;
    this.lastByte = bytes[bytes.length - 1];
  }
}

const sameLetter = (a: string, b: string) => a[0].toUpperCase() === b[0].toUpperCase();

/** Whether REF and ALT differ by an insertion or a deletion alone, after a first base that they share: POS is then the base before the event. */
function isAnchoredIndel(ref: string, alt: string): boolean {
  if (ref.length === alt.length || !sameLetter(ref, alt)) return false;
  const shorter = Math.min(ref.length, alt.length);
  let front = 0;
  while (front < shorter && ref[front].toUpperCase() === alt[front].toUpperCase()) front++;
  let back = 0;
  while (back < shorter - front && ref[ref.length - 1 - back].toUpperCase() === alt[alt.length - 1 - back].toUpperCase()) back++;
  return front + back === shorter;
}

function lastAtOrBelow(blocks: readonly Block[], position: number, side: 'haplotype' | 'reference'): Block | undefined {
  let low = 0;
  let high = blocks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (blocks[middle][side] <= position) low = middle + 1;
    else high = middle;
  }
  return blocks[low - 1];
}

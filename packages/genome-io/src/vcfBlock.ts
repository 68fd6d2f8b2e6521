// What the VCF records of a block of lines have in common.

/** A class because it remembers: the last name of a contig, and arrays that genotypes of neighbouring records share, since each of its own costs more than filling it. */
export class VcfBlock {
  readonly view: DataView;
  /** Two alleles as one word, from `firstWord` on: those that {@link showWords} was called with. */
  words: Int32Array = new Int32Array(0);
  firstWord = 0;
  private allelesAsWords = new Int32Array(0);
  private lastAlleles: Int16Array | undefined;
  private alleles = new Int16Array(0);
  private phased = new Uint8Array(0);
  private allelesUsed = 0;
  private phasedUsed = 0;
  private contig = '';
  private contigBytes = new Uint8Array(0);

  constructor(block: Uint8Array) {
    this.view = new DataView(block.buffer, block.byteOffset, block.length);
  }

  /** The name from `from` to `to`: nearly always that of the record before. */
  contigOf(bytes: Uint8Array, from: number, to: number): string {
    const { contigBytes } = this;
    let same = to - from === contigBytes.length;
    for (let i = 0; same && i < contigBytes.length; i++) same = bytes[from + i] === contigBytes[i];
    if (!same) {
      this.contig = decode(bytes, from, to);
      this.contigBytes = Uint8Array.from(bytes.subarray(from, to));
    }
    return this.contig;
  }

  /** Makes `words` those of `alleles`, where it is not yet: a view of its own for each record would cost more than it saves. */
  showWords(alleles: Int16Array): void {
    if (alleles === this.lastAlleles) return;
    this.lastAlleles = alleles;
    this.words = new Int32Array(alleles.buffer, alleles.byteOffset, alleles.length >> 1);
    this.firstWord = 0;
  }

  takeAlleles(length: number): Int16Array {
    if (length > sharedPlaces / 4) return new Int16Array(length);
    if (this.allelesUsed + length > this.alleles.length) {
      this.alleles = new Int16Array(sharedPlaces);
      this.allelesAsWords = new Int32Array(this.alleles.buffer);
      this.allelesUsed = 0;
    }
    const start = this.allelesUsed;
    this.allelesUsed += length + (length & 1);
    this.words = this.allelesAsWords;
    this.firstWord = start >> 1;
    return (this.lastAlleles = new Int16Array(this.alleles.buffer, 2 * start, length));
  }

  takePhased(length: number): Uint8Array {
    if (length > sharedPlaces / 4) return new Uint8Array(length).fill(1);
    if (this.phasedUsed + length > this.phased.length) {
      this.phased = new Uint8Array(sharedPlaces).fill(1);
      this.phasedUsed = 0;
    }
    const start = this.phasedUsed;
    this.phasedUsed += length;
    return new Uint8Array(this.phased.buffer, start, length);
  }
}

/** Places of one such array: few, so that genotypes which are kept keep little else. */
const sharedPlaces = 1 << 13;

const decoder = new TextDecoder();

/** Text between two places. Nearly all fields are short and ASCII: put together here they cost a tenth of a decoder's call. */
export function decode(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  if (to - from >= 24) return decoder.decode(bytes.subarray(from, to));
  for (let i = from; i < to; i++) {
    if (bytes[i] > 127) return decoder.decode(bytes.subarray(from, to));
    text += String.fromCharCode(bytes[i]);
  }
  return text;
}

// What the VCF records of a block of lines have in common.

/** A class because it remembers: the last name of a contig, and arrays that genotypes of neighbouring records share, since each of its own costs more than filling it. */
export class VcfBlock {
  readonly view: DataView;
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

  takeAlleles(length: number): Int16Array {
    if (length > sharedPlaces / 4) return new Int16Array(length);
    if (this.allelesUsed + length > this.alleles.length) {
      this.alleles = new Int16Array(sharedPlaces);
      this.allelesUsed = 0;
    }
    const start = this.allelesUsed;
    this.allelesUsed += length;
    return new Int16Array(this.alleles.buffer, 2 * start, length);
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

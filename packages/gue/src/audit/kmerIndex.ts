import type { SequenceText } from './sequenceText';

/** blastn's shortest seed. Two random human-sized training sets of 3 million bases share each 11-mer about once by chance, so that a seed costs little and misses little. */
export const seedLength = 11;
const kmers = 4 ** seedLength;

/** Where each 11-mer stands in a text: an inverted index. */
export interface KmerIndex {
  readonly text: SequenceText;
  /** `[4^11 + 1]`: positions of k-mer c are `positions[offsets[c] .. offsets[c + 1])`, ascending. */
  readonly offsets: Uint32Array;
  readonly positions: Uint32Array;
  /** The code of the letter before each of `positions`, kept beside them: reading it from the text would miss the cache every time. */
  readonly lettersBefore: Uint8Array;
}

export function createKmerIndex(text: SequenceText): KmerIndex {
  const offsets = new Uint32Array(kmers + 1);
  forEachKmer(text.codes, (kmer) => offsets[kmer + 1]++);
  for (let kmer = 0; kmer < kmers; kmer++) offsets[kmer + 1] += offsets[kmer];
  const next = offsets.slice(0, kmers);
  const positions = new Uint32Array(offsets[kmers]);
  const lettersBefore = new Uint8Array(positions.length);
  forEachKmer(text.codes, (kmer, position) => {
    const entry = next[kmer]++;
    positions[entry] = position;
    lettersBefore[entry] = text.codes[position - 1]; // a text begins with a separator
  });
  return { text, offsets, positions, lettersBefore };
}

/** Visits every 11-mer of unambiguous bases with the position of its first base. */
export function forEachKmer(codes: Uint8Array, visit: (kmer: number, position: number) => void): void {
  let kmer = 0;
  let known = 0;
  for (let i = 0; i < codes.length; i++) {
    known = codes[i] < 4 ? known + 1 : 0;
    kmer = ((kmer << 2) | (codes[i] & 3)) & (kmers - 1);
    if (known >= seedLength) visit(kmer, i - seedLength + 1);
  }
}

/** The row in which a position lies, by bisection. */
export function rowOf({ starts }: SequenceText, position: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (starts[middle] <= position) low = middle;
    else high = middle;
  }
  return low;
}

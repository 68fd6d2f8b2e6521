import type { Example } from '../classifier';
import { createKmerIndex, forEachKmer, rowOf, type KmerIndex } from './kmerIndex';
import { createSequenceText, encode, reverseComplementCodes } from './sequenceText';

/** Test rows of one task inside the training rows of another. */
export interface Containment {
  readonly items: number;
  /** Test rows that stand inside a training row letter by letter. */
  readonly contained: number;
  /** Test rows of which this holds on either strand. */
  readonly containedOnEitherStrand: number;
}

/**
 * How many rows of some test sets stand verbatim inside the (longer or equal) training rows of a task: who trains on both has seen them.
 * Rows shorter than 11 bases, or without 11 unambiguous ones in a row, are counted as not contained. Only the first sequence of a pair is looked at.
 * @returns one answer for each test set
 */
export function auditContainment(tests: readonly (readonly Example[])[], train: readonly Example[]): Containment[] {
  const index = createKmerIndex(createSequenceText(train.map(({ sequence }) => sequence)));
  return tests.map((test) => {
    let [contained, containedOnEitherStrand] = [0, 0];
    for (const { sequence } of test) {
      const query = encode(sequence);
      const forward = isContained(index, query);
      if (forward) contained++;
      if (forward || isContained(index, reverseComplementCodes(query))) containedOnEitherStrand++;
    }
    return { items: test.length, contained, containedOnEitherStrand };
  });
}

function isContained({ text, offsets, positions }: KmerIndex, query: Uint8Array): boolean {
  const rarest = rarestKmer(query, offsets);
  if (!rarest) return false;
  for (let entry = offsets[rarest.kmer]; entry < offsets[rarest.kmer + 1]; entry++) {
    const start = positions[entry] - rarest.position;
    const row = rowOf(text, positions[entry]);
    if (start >= text.starts[row] && start + query.length < text.starts[row + 1] && query.every((code, i) => code === text.codes[start + i])) return true;
  }
  return false;
}

/** The k-mer of a query with the fewest places in the index, and its position in the query. */
function rarestKmer(query: Uint8Array, offsets: Uint32Array): { kmer: number; position: number } | undefined {
  let rarest: { kmer: number; position: number } | undefined;
  let fewest = Infinity;
  forEachKmer(query, (kmer, position) => {
    const places = offsets[kmer + 1] - offsets[kmer];
    if (places < fewest) [fewest, rarest] = [places, { kmer, position }];
  });
  return rarest;
}

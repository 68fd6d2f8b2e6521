import { createKmerIndex, forEachKmer, rowOf, type KmerIndex } from './kmerIndex';
import { alignLocally, alignmentScores, type LocalAlignment } from './localAlignment';
import { createSequenceText, encode, reverseComplementCodes } from './sequenceText';
import { createExtension } from './ungappedExtension';

/** What counts as a near duplicate. */
export interface HomologyThresholds {
  /** Least share of equal columns in the alignment; 0.8 unless given. */
  readonly identity?: number;
  /** Least share of the query inside the alignment, whatever the length of the other sequence; 0.5 unless given. */
  readonly coverage?: number;
}

/** A row of the searched set to which a query aligns. */
export interface Homolog extends Omit<LocalAlignment, 'score'> {
  readonly row: number;
  /** It aligns to the query's reverse complement. */
  readonly reversed: boolean;
}

/** Least score of an extension without gaps that is worth an alignment, whatever the query; a seed alone has 22. */
const leastTrigger = 28;
/** Share of the score of the weakest alignment that counts, which one extension without gaps has to reach: in long queries chance alone gives many of 28. */
const triggerShare = 0.25;
/** Index entries visited for a strand of a query; beyond it the query's most frequent seeds are left out. Repeats of a set of 30,000 rows stay far below. */
const mostEntries = 4_000_000;

/** A row that may be homologous: the best extension without gaps. */
interface Candidate {
  readonly row: number;
  readonly strand: number;
  readonly score: number;
  /** Position in the text minus position in the query. */
  readonly diagonal: number;
}

/**
 * Finds rows that resemble a query on either strand, as blastn does: shared 11-mers, extension without gaps, banded alignment of what scored well.
 * Candidates are limited by score and never by number, since lists cut by number lose a third of the near duplicates in sets rich in repeats.
 * @param longestQuery - length of the longest query, in bases
 * @returns a search that yields rows at or above the thresholds, the best extension first; rows for which `skip` holds are not aligned
 */
export function createHomologSearch(rows: readonly string[], longestQuery: number, { identity = 0.8, coverage = 0.5 }: HomologyThresholds = {}): (query: string, skip?: (row: number) => boolean) => Generator<Homolog> {
  for (const [name, value] of Object.entries({ identity, coverage }))
    if (!(value > 0 && value <= 1)) throw new RangeError(`auditLeakage: expected ${name} above 0 and at most 1, got ${value}; 0.8 and 0.5 are usual`);
  const index = createKmerIndex(createSequenceText(rows));
  const scorePerBase = coverage * (alignmentScores.match * identity + alignmentScores.mismatch * (1 - identity));
  const candidatesOf = createSeeding(index, longestQuery, (length) => Math.max(leastTrigger, triggerShare * scorePerBase * length));
  const { codes, starts } = index.text;
  return function* (query, skip) {
    const strands = strandsOf(query);
    for (const { row, strand, diagonal } of candidatesOf(strands)) {
      if (skip?.(row)) continue;
      const target = codes.subarray(starts[row], starts[row + 1] - 1);
      const halfWidth = 10 + (query.length >> 5);
      const found = alignLocally({ query: strands[strand], target, diagonal: diagonal - starts[row], halfWidth });
      if (found.identity >= identity && found.coverage >= coverage) yield { row, identity: found.identity, coverage: found.coverage, reversed: strand === 1 };
    }
  };
}

function strandsOf(query: string): [Uint8Array, Uint8Array] {
  const forward = encode(query);
  return [forward, reverseComplementCodes(forward)];
}

/** Returns a function that lists the candidates of a query, the best first. */
function createSeeding(index: KmerIndex, longestQuery: number, triggerOf: (length: number) => number): (strands: readonly Uint8Array[]) => Candidate[] {
  const { text, offsets, positions, lettersBefore } = index;
  const extensionOf = createExtension(text.codes);
  // How far each diagonal has been extended, as `era + query position`. Eras grow from strand to strand, so that nothing needs to be cleared before they outgrow 32 bits.
  const extendedTo = new Uint32Array(text.codes.length + longestQuery);
  let era = 1;
  return (strands) => {
    const best = new Map<number, Candidate>();
    strands.forEach((query, strand) => {
      const trigger = triggerOf(query.length);
      const mostFrequent = frequencyLimit(query, offsets);
      const extend = extensionOf(query);
      let followed = -2; // The last position whose seeds were looked up.
      if (era > 0xffffffff - query.length) {
        extendedTo.fill(0);
        era = 1;
      }
      forEachKmer(query, (kmer, position) => {
        const end = offsets[kmer + 1];
        if (end - offsets[kmer] > mostFrequent) return;
        // A seed with the same letter before it goes on from the position before, where it has been extended already: all but a few in sets of near-identical rows.
        const known = followed === position - 1 ? query[position - 1] : -1;
        followed = position;
        for (let entry = offsets[kmer]; entry < end; entry++) {
          if (lettersBefore[entry] === known) continue;
          const diagonal = positions[entry] - position;
          if (extendedTo[diagonal + longestQuery] >= era + position) continue;
          const { score, end: reached } = extend(position, diagonal);
          extendedTo[diagonal + longestQuery] = era + reached;
          if (score < trigger) continue;
          const row = rowOf(text, positions[entry]);
          const rival = best.get(row);
          if (!rival || score > rival.score) best.set(row, { row, strand, score, diagonal });
        }
      });
      era += query.length + 1;
    });
    return [...best.values()].sort((a, b) => b.score - a.score || a.row - b.row);
  };
}

/** Most index entries that a seed may have, so that all seeds together stay within `mostEntries`: the rarest say most. */
function frequencyLimit(query: Uint8Array, offsets: Uint32Array): number {
  const frequencies: number[] = [];
  let total = 0;
  forEachKmer(query, (kmer) => {
    frequencies.push(offsets[kmer + 1] - offsets[kmer]);
    total += frequencies[frequencies.length - 1];
  });
  if (total <= mostEntries) return Infinity;
  frequencies.sort((a, b) => a - b);
  let visited = 0;
  return frequencies.find((frequency) => (visited += frequency) > mostEntries)! - 1;
}

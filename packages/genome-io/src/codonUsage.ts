// Codon usage: counts, shares, RSCU (Sharp, Tuohy and Mosurski 1986) and the codon adaptation index (Sharp and Li 1987).
import { codonIndex, codons, geneticCode } from './geneticCode';
import { asciiBytes } from './translate';

export interface CodonUsageOptions {
  /** NCBI's number of the genetic code; default 1. */
  readonly table?: number;
}

export interface CodonRow {
  readonly codon: string;
  /** One letter; `*` for a stop. */
  readonly aminoAcid: string;
  readonly count: number;
  /** Of the codons for the same amino acid, 0 to 1; 0 where there are none. */
  readonly fraction: number;
  /** Of a thousand codons. */
  readonly perThousand: number;
  /** Relative synonymous codon usage: count over the mean count of its synonyms; 0 where there are none. */
  readonly rscu: number;
}

export interface CodonUsage {
  readonly table: number;
  /** 64 rows in the order of NCBI: TTT, TTC, TTA, TTG, TCT … */
  readonly rows: readonly CodonRow[];
  /** Codons counted. */
  readonly total: number;
  /** Codons left out because of a letter other than A, C, G, T, U. */
  readonly skipped: number;
  /** Share of G and C at all places of the codons and at the first, second and third, 0 to 1. */
  readonly gc: number;
  readonly gcByPosition: readonly [number, number, number];
}

/**
 * Counts the codons of coding sequences that are in frame from their first base; bases left over at an end are not counted.
 * @param sequences - one, or any number of them.
 */
export function codonUsage(sequences: string | Uint8Array | Iterable<string | Uint8Array>, { table = 1 }: CodonUsageOptions = {}): CodonUsage {
  const { aminoAcids } = geneticCode(table);
  const counts = new Float64Array(64);
  let skipped = 0;
  for (const sequence of typeof sequences === 'string' || sequences instanceof Uint8Array ? [sequences] : sequences) {
    const dna = typeof sequence === 'string' ? asciiBytes(sequence) : sequence;
    for (let at = 0; at + 3 <= dna.length; at += 3) {
      const index = codonIndex(dna, at);
      if (index < 0) skipped++;
      else counts[index]++;
    }
  }
  const total = counts.reduce((sum, count) => sum + count, 0);
  const share = (count: number, of: number) => (of === 0 ? 0 : count / of);
  const rows = codons.map((codon, i) => {
    const synonyms = synonymsOf(aminoAcids, i);
    const together = synonyms.reduce((sum, j) => sum + counts[j], 0);
    return { codon, aminoAcid: aminoAcids[i], count: counts[i], fraction: share(counts[i], together), perThousand: 1000 * share(counts[i], total), rscu: share(counts[i] * synonyms.length, together) };
  });
  const gcByPosition = [0, 1, 2].map((place) => share(rows.reduce((sum, { codon, count }) => sum + (codon[place] === 'G' || codon[place] === 'C' ? count : 0), 0), total)) as [number, number, number];
  return { table, rows, total, skipped, gc: gcByPosition.reduce((sum, part) => sum + part, 0) / 3, gcByPosition };
}

const synonymsOf = (aminoAcids: string, i: number) => [...codons.keys()].filter((j) => aminoAcids[j] === aminoAcids[i]);

export interface AdaptationOptions {
  /** Which codons count: `degenerate` leaves out stops and amino acids with a single codon (Sharp and Li 1987; the default), `all` is what EMBOSS cai counts. */
  readonly codons?: 'degenerate' | 'all';
}

/**
 * The codon adaptation index of a coding sequence, 0 to 1: the geometric mean of each codon's count in `reference` over the largest among its synonyms. A codon that the reference lacks counts as half a codon there, as Sharp and Li propose; so does one whose synonyms it lacks too.
 * @param reference - the usage of highly expressed genes; its genetic code applies.
 * @returns NaN when no codon counts.
 */
export function codonAdaptationIndex(sequence: string | Uint8Array, reference: CodonUsage, options: AdaptationOptions = {}): number {
  const { aminoAcids } = geneticCode(reference.table);
  const all = options.codons === 'all';
  const weights = reference.rows.map(({ count }, i) => Math.log(Math.max(0.5, count) / Math.max(0.5, ...synonymsOf(aminoAcids, i).map((j) => reference.rows[j].count))));
  const counted = codons.map((_, i) => all || (aminoAcids[i] !== '*' && synonymsOf(aminoAcids, i).length > 1));
  const dna = typeof sequence === 'string' ? asciiBytes(sequence) : sequence;
  let sum = 0;
  let count = 0;
  for (let at = 0; at + 3 <= dna.length; at += 3) {
    const index = codonIndex(dna, at);
    if (index < 0 || !counted[index]) continue;
    sum += weights[index];
    count++;
  }
  return Math.exp(sum / count);
}

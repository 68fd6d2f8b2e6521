// The genetic codes of NCBI (gc.prt, version 4.6), each as what differs from the standard one.

/** A codon's amino acid: one letter, `*` for a stop. Indexed by the three bases with T 0, C 1, A 2, G 3, the first counting 16. */
export interface GeneticCode {
  /** NCBI's number, `transl_table` in GenBank. */
  readonly id: number;
  readonly name: string;
  /** 64 letters, in the order of NCBI: TTT, TTC, TTA, TTG, TCT … */
  readonly aminoAcids: string;
  /** Codons that NCBI lists as initiators, ATG among them where it is one. */
  readonly startCodons: readonly string[];
}

const standard = 'FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG';

/** Number: name, codons with another amino acid, start codons. In 27, 28 and 31 a codon that is both a stop and an amino acid is read as the amino acid. */
const rows: Readonly<Record<number, readonly [name: string, changes: string, starts: string]>> = {
  1: ['Standard', '', 'TTG CTG ATG'],
  2: ['Vertebrate Mitochondrial', 'TGAW ATAM AGA* AGG*', 'ATT ATC ATA ATG GTG'],
  3: ['Yeast Mitochondrial', 'TGAW CTTT CTCT CTAT CTGT ATAM', 'ATA ATG GTG'],
  4: ['Mold, Protozoan and Coelenterate Mitochondrial; Mycoplasma; Spiroplasma', 'TGAW', 'TTA TTG CTG ATT ATC ATA ATG GTG'],
  5: ['Invertebrate Mitochondrial', 'TGAW ATAM AGAS AGGS', 'TTG ATT ATC ATA ATG GTG'],
  6: ['Ciliate, Dasycladacean and Hexamita Nuclear', 'TAAQ TAGQ', 'ATG'],
  9: ['Echinoderm and Flatworm Mitochondrial', 'TGAW AAAN AGAS AGGS', 'ATG GTG'],
  10: ['Euplotid Nuclear', 'TGAC', 'ATG'],
  11: ['Bacterial, Archaeal and Plant Plastid', '', 'TTG CTG ATT ATC ATA ATG GTG'],
  12: ['Alternative Yeast Nuclear', 'CTGS', 'CTG ATG'],
  13: ['Ascidian Mitochondrial', 'TGAW ATAM AGAG AGGG', 'TTG ATA ATG GTG'],
  14: ['Alternative Flatworm Mitochondrial', 'TAAY TGAW AAAN AGAS AGGS', 'ATG'],
  15: ['Blepharisma Macronuclear', 'TAGQ', 'ATG'],
  16: ['Chlorophycean Mitochondrial', 'TAGL', 'ATG'],
  21: ['Trematode Mitochondrial', 'TGAW ATAM AAAN AGAS AGGS', 'ATG GTG'],
  22: ['Scenedesmus obliquus Mitochondrial', 'TCA* TAGL', 'ATG'],
  23: ['Thraustochytrium Mitochondrial', 'TTA*', 'ATT ATG GTG'],
  24: ['Rhabdopleuridae Mitochondrial', 'TGAW AGAS AGGK', 'TTG CTG ATG GTG'],
  25: ['Candidate Division SR1 and Gracilibacteria', 'TGAG', 'TTG ATG GTG'],
  26: ['Pachysolen tannophilus Nuclear', 'CTGA', 'CTG ATG'],
  27: ['Karyorelict Nuclear', 'TAAQ TAGQ TGAW', 'ATG'],
  28: ['Condylostoma Nuclear', 'TAAQ TAGQ TGAW', 'ATG'],
  29: ['Mesodinium Nuclear', 'TAAY TAGY', 'ATG'],
  30: ['Peritrich Nuclear', 'TAAE TAGE', 'ATG'],
  31: ['Blastocrithidia Nuclear', 'TAAE TAGE TGAW', 'ATG'],
  32: ['Balanophoraceae Plastid', 'TAGW', 'TTG CTG ATT ATC ATA ATG GTG'],
  33: ['Cephalodiscidae Mitochondrial', 'TAAY TGAW AGAS AGGK', 'TTG CTG ATG GTG'],
};

const bases = 'TCAG';
/** The 64 codons in the order of {@link GeneticCode.aminoAcids}. */
export const codons: readonly string[] = Array.from({ length: 64 }, (_, i) => bases[i >> 4] + bases[(i >> 2) & 3] + bases[i & 3]);

/** @throws RangeError for a number that NCBI does not use. */
export function geneticCode(id: number): GeneticCode {
  if (!Object.hasOwn(rows, id)) throw new RangeError(`geneticCode: expected a table of NCBI (${Object.keys(rows).join(', ')}), got ${id}; 1 is the standard code, 11 that of bacteria`);
  const [name, changes, starts] = rows[id];
  const aminoAcids = [...standard];
  for (const change of changes.split(' ').filter(Boolean)) aminoAcids[codons.indexOf(change.slice(0, 3))] = change[3];
  return { id, name, aminoAcids: aminoAcids.join(''), startCodons: starts.split(' ') };
}

/** The bases that each IUPAC letter may stand for, as bits: T 1, C 2, A 4, G 8; 0 for what is no nucleotide. */
export const baseBits = Uint8Array.from({ length: 256 }, (_, byte) => {
  const at = 'TCYAWMHGKSBRDVN'.indexOf(String.fromCharCode(byte).toUpperCase());
  return byte > 127 ? 0 : String.fromCharCode(byte).toUpperCase() === 'U' ? 1 : at + 1;
});
/** T 0, C 1, A 2, G 3; 4 for everything else. */
export const baseIndex = Uint8Array.from(baseBits, (bits) => (bits === 1 ? 0 : bits === 2 ? 1 : bits === 4 ? 2 : bits === 8 ? 3 : 4));

/** The place in {@link codons} of the codon at `at`; -1 when one of its letters is not T, C, A, G or U. */
export function codonIndex(sequence: Uint8Array, at: number): number {
  const first = baseIndex[sequence[at]];
  const second = baseIndex[sequence[at + 1]];
  const third = baseIndex[sequence[at + 2]];
  return (first | second | third) > 3 ? -1 : (first << 4) | (second << 2) | third;
}

const stop = 42;
const unknown = 88;

/** The amino acid of the codon at `at`, as a byte; where letters are ambiguous, what all readings agree on, else X. 0 when a letter is no nucleotide code. */
export function aminoAcidAt(aminoAcids: string, sequence: Uint8Array, at: number): number {
  const index = codonIndex(sequence, at);
  if (index >= 0) return aminoAcids.charCodeAt(index);
  const [first, second, third] = [baseBits[sequence[at]], baseBits[sequence[at + 1]], baseBits[sequence[at + 2]]];
  if (first === 0 || second === 0 || third === 0) return 0;
  let agreed = 0;
  for (let i = 0; i < 64; i++) {
    if (!((first >> (i >> 4)) & (second >> ((i >> 2) & 3)) & (third >> (i & 3)) & 1)) continue;
    const letter = aminoAcids.charCodeAt(i);
    if (agreed !== 0 && agreed !== letter) return unknown;
    agreed = letter;
  }
  return agreed;
}

export const isStop = (aminoAcid: number) => aminoAcid === stop;

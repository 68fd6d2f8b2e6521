// The signals the simulator plants, as position weight matrices: one row of weights (A, C, G, T) for each position of the motif.
import type { Random } from './random';

export type Motif = readonly (readonly [A: number, C: number, G: number, T: number])[];

const fromRows = (a: readonly number[], c: readonly number[], g: readonly number[], t: readonly number[]): Motif => a.map((_, i) => [a[i], c[i], g[i], t[i]]);

const codes: Readonly<Record<string, string>> = { A: 'A', C: 'C', G: 'G', T: 'T', R: 'AG', Y: 'CT', S: 'CG', W: 'AT', K: 'GT', M: 'AC', B: 'CGT', D: 'AGT', H: 'ACT', V: 'ACG', N: 'ACGT' };
/** Equal weights for the bases each IUPAC code stands for. */
export const fromConsensus = (consensus: string): Motif => [...consensus].map((code) => [...'ACGT'].map((base) => (codes[code].includes(base) ? 1 : 0)) as unknown as Motif[number]);

/** TATA box, counts in 389 promoters: Bucher 1990, J. Mol. Biol. 212:563-578 (JASPAR MA0108). The first T of TATA is position 1 of the matrix. */
export const tataBox = fromRows(
  [61, 16, 352, 3, 354, 268, 360, 222, 155, 56, 83, 82, 82, 68, 77],
  [145, 46, 0, 10, 0, 0, 3, 2, 44, 135, 147, 127, 118, 107, 101],
  [152, 18, 2, 2, 5, 0, 20, 44, 157, 150, 128, 128, 128, 139, 140],
  [31, 309, 35, 374, 30, 121, 6, 121, 33, 48, 31, 52, 61, 75, 71],
);

/** Initiator ("cap signal"), counts in 303 promoters: Bucher 1990. Begins at -2; its A at position 2 is the transcription start +1. Agrees with the consensus YYANWYY (Smale and Kadonaga 2003, Annu. Rev. Biochem. 72:449-479). */
export const initiator = fromRows(
  [49, 0, 288, 26, 77, 67, 45, 50],
  [48, 303, 0, 81, 95, 118, 85, 96],
  [69, 0, 0, 116, 0, 46, 73, 56],
  [137, 0, 15, 80, 131, 72, 100, 101],
);

/** Downstream promoter element RGWYV at +28 to +32: Kadonaga 2002, Exp. Mol. Med. 34:259-264. */
export const downstreamElement = fromConsensus('RGWYV');

/** CTCF, counts in about 910 sites: JASPAR MA0139.1 (ChIP-seq of Barski et al. 2007, Cell 129:823-837). */
export const ctcf = fromRows(
  [87, 167, 281, 56, 8, 744, 40, 107, 851, 5, 333, 54, 12, 56, 104, 372, 82, 117, 402],
  [291, 145, 49, 800, 903, 13, 528, 433, 11, 0, 3, 12, 0, 8, 733, 13, 482, 322, 181],
  [76, 414, 449, 21, 0, 65, 334, 48, 32, 903, 566, 504, 890, 775, 5, 507, 307, 73, 266],
  [459, 187, 134, 36, 2, 91, 11, 324, 18, 3, 9, 341, 8, 71, 67, 17, 37, 396, 59],
);

/** 5' splice site of human genes, percent: three exon bases, then the intron from its GT on. Zhang 1998, Hum. Mol. Genet. 7:919-932, in Deonier, Tavaré and Waterman, Computational Genome Analysis, table 14.3 (low G+C). */
export const donorSite = fromRows([38, 62, 12, 0, 0, 71, 73, 11, 21], [31, 10, 4, 0, 0, 2, 6, 6, 10], [18, 12, 77, 100, 0, 24, 8, 75, 14], [13, 16, 7, 0, 100, 3, 13, 8, 55]);

/** 3' splice site, percent: the polypyrimidine tract and AG that end the intron, then two exon bases. Same source. */
export const acceptorSite = fromRows(
  [15, 14, 13, 11, 10, 10, 11, 12, 13, 11, 10, 26, 7, 100, 0, 26, 24],
  [24, 21, 20, 22, 21, 22, 25, 28, 28, 25, 22, 25, 55, 0, 0, 11, 15],
  [10, 12, 10, 9, 10, 9, 10, 10, 8, 5, 5, 15, 1, 0, 100, 50, 20],
  [51, 53, 57, 58, 59, 59, 54, 50, 51, 59, 63, 33, 37, 0, 0, 13, 41],
);

/** One instance of a motif, letters 0 to 3, positions independent. */
export function sampleMotif(motif: Motif, random: Random): Uint8Array {
  return Uint8Array.from(motif, (weights) => {
    let left = random.uniform() * (weights[0] + weights[1] + weights[2] + weights[3]);
    let letter = 0;
    while (letter < 3 && (left -= weights[letter]) >= 0) letter++;
    return letter;
  });
}

/** The same letters in another order: composition without the signal. */
export function shuffled(instance: Uint8Array, random: Random): Uint8Array {
  const copy = instance.slice();
  for (let attempt = 0; attempt < 8 && copy.every((letter, i) => letter === instance[i]); attempt++) random.shuffle(copy);
  return copy;
}

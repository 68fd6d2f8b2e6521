import { threefry2x32 } from '@genomelm/genome-io';

/**
 * Random numbers of one resample. Threefry-2x32-20 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") keyed by the seed and counted by
 * the resample's number gives the state of a small fast generator (sfc32, Doty-Humphrey, PractRand), so that a resample is the same
 * however many others are drawn and by whom. Drawing 92 million items straight from Threefry would take ten times as long.
 */
export function createResampleRandom(seed: number, resample: number): () => number {
  const [a0, b0] = threefry2x32(seed, 0, resample, 0);
  const [c0, d0] = threefry2x32(seed, 0, resample, 1);
  let [a, b, c, d] = [a0, b0, c0, d0];
  const next = (): number => {
    const sum = (a + b + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 4294967296;
  };
  for (let warmUp = 0; warmUp < 12; warmUp++) next();
  return next;
}

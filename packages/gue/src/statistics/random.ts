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

/** One block of Threefry-2x32 with 20 rounds: two 32-bit words from a key and a counter of two words each. */
export function threefry2x32(key0: number, key1: number, counter0: number, counter1: number): [number, number] {
  const keys = [key0, key1, 0x1bd11bda ^ key0 ^ key1];
  let x = (counter0 + key0) | 0;
  let y = (counter1 + key1) | 0;
  for (let block = 0; block < 5; block++) {
    for (const rotation of block % 2 === 0 ? evenRotations : oddRotations) {
      x = (x + y) | 0;
      y = ((y << rotation) | (y >>> (32 - rotation))) ^ x;
    }
    x = (x + keys[(block + 1) % 3]) | 0;
    y = (y + keys[(block + 2) % 3] + block + 1) | 0;
  }
  return [x >>> 0, y >>> 0];
}

const evenRotations = [13, 15, 26, 6] as const;
const oddRotations = [17, 29, 16, 24] as const;

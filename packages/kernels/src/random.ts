/**
 * Threefry-2x32 with 20 rounds (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): a counter-based generator.
 * A number depends only on key and counter, so recomputing, resuming, or splitting the work never changes it.
 */
export function threefry2x32(key0: number, key1: number, counter0: number, counter1: number): [number, number] {
  const keys = [key0, key1, key0 ^ key1 ^ 0x1bd11bda];
  let x0 = (counter0 + key0) | 0;
  let x1 = (counter1 + key1) | 0;
  for (let round = 0; round < 20; round++) {
    const rotation = rotations[round % 8];
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << rotation) | (x1 >>> (32 - rotation))) ^ x0;
    if (round % 4 === 3) {
      const injection = (round + 1) / 4;
      x0 = (x0 + keys[injection % 3]) | 0;
      x1 = (x1 + keys[(injection + 1) % 3] + injection) | 0;
    }
  }
  return [x0 >>> 0, x1 >>> 0];
}

const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const;

/** A stream of numbers on the host: the same (seed, stream) gives the same numbers everywhere. */
export interface Random {
  /** In [0, 1), 53 bits. */
  uniform(): number;
  /** An integer in [0, below). */
  integer(below: number): number;
  /** Standard normal, by Box and Muller. */
  normal(): number;
  /** Shuffles in place (Fisher and Yates) and returns its argument. */
  shuffle<T extends { length: number; [index: number]: unknown }>(list: T): T;
}

/** Uniform and normal numbers by counter: a seed and a stream give the same ones everywhere. */
export function createRandom(seed: number, stream = 0): Random {
  let counter = 0;
  let spare: number | undefined;
  const random: Random = {
    uniform() {
      const [high, low] = threefry2x32(seed, stream, counter >>> 0, Math.floor(counter / 2 ** 32));
      counter++;
      return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
    },
    integer: (below) => Math.floor(random.uniform() * below),
    normal() {
      if (spare !== undefined) {
        const value = spare;
        spare = undefined;
        return value;
      }
      const radius = Math.sqrt(-2 * Math.log(1 - random.uniform()));
      const angle = 2 * Math.PI * random.uniform();
      spare = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    },
    shuffle(list) {
      for (let i = list.length - 1; i > 0; i--) {
        const j = random.integer(i + 1);
        [list[i], list[j]] = [list[j], list[i]];
      }
      return list;
    },
  };
  return random;
}

/**
 * Threefry-2x32 with 20 rounds (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): a counter-based generator.
 * A number depends only on key and counter, so recomputing, resuming, or splitting the work never changes it.
 */
export function threefry2x32(key0: number, key1: number, counter0: number, counter1: number): [number, number] {
  let now = key0 | 0;
  let next = key1 | 0;
  let last = now ^ next ^ 0x1bd11bda;
  let x0 = (counter0 + key0) | 0;
  let x1 = (counter1 + key1) | 0;
  for (let group = 1; group <= 5; group++) { // of four rounds, and an injection of keys; no list is looked into, which is half the time
    const odd = group & 1;
    x0 = (x0 + x1) | 0;
    x1 = rotate(x1, odd ? 13 : 17) ^ x0;
    x0 = (x0 + x1) | 0;
    x1 = rotate(x1, odd ? 15 : 29) ^ x0;
    x0 = (x0 + x1) | 0;
    x1 = rotate(x1, odd ? 26 : 16) ^ x0;
    x0 = (x0 + x1) | 0;
    x1 = rotate(x1, odd ? 6 : 24) ^ x0;
    const used = now;
    now = next;
    next = last;
    last = used;
    x0 = (x0 + now) | 0;
    x1 = (x1 + next + group) | 0;
  }
  return [x0 >>> 0, x1 >>> 0];
}

const rotate = (x: number, bits: number): number => (x << bits) | (x >>> (32 - bits));

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

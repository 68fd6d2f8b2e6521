// Numbers that are a function of (seed, stream, counter) and of nothing else: any row of a simulated set can be drawn alone, in any order, on any machine.

/** Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", section 4). All words are unsigned 32-bit. */
export function threefry2x32(key0: number, key1: number, counter0: number, counter1: number): [number, number] {
  const keys = [key0, key1, 0x1bd11bda ^ key0 ^ key1]; // the constant is Skein's key-schedule parity for 32-bit words
  let x = (counter0 + key0) | 0;
  let y = (counter1 + key1) | 0;
  for (let round = 0; round < 20; round++) {
    const distance = rotations[round % 8];
    x = (x + y) | 0;
    y = ((y << distance) | (y >>> (32 - distance))) ^ x;
    if (round % 4 === 3) {
      const turn = (round + 1) / 4;
      x = (x + keys[turn % 3]) | 0;
      y = (y + keys[(turn + 1) % 3] + turn) | 0;
    }
  }
  return [x >>> 0, y >>> 0];
}
const rotations = [13, 15, 26, 6, 17, 29, 16, 24];

export interface Random {
  /** In [0, 1), in steps of 2^-32. */
  uniform(): number;
  /** A whole number in [0, count); the bias is below count / 2^32. */
  below(count: number): number;
  /** Puts the elements in random order, in place (Fisher and Yates). */
  shuffle(list: { [index: number]: unknown; readonly length: number }): void;
}

/** A stream of its own for every (seed, purpose, index). */
export function createRandom(seed: number, purpose: string, index = 0): Random {
  const stream = hash(purpose);
  let block = 0;
  let spare: number | undefined;
  const uniform = () => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    const [first, second] = threefry2x32(seed, stream, index, block++);
    spare = second / 2 ** 32;
    return first / 2 ** 32;
  };
  const below = (count: number) => Math.floor(uniform() * count);
  return {
    uniform,
    below,
    shuffle: (list) => {
      for (let last = list.length - 1; last > 0; last--) {
        const other = below(last + 1);
        [list[last], list[other]] = [list[other], list[last]];
      }
    },
  };
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}

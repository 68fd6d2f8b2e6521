import { createResampleRandom } from '../src/statistics/random';

interface Item { readonly sequence: string; readonly label: number }

/** Random sequences of 60 bases; those of class 1 hold the motif TGACGTCA somewhere, those of class 0 hold its letters shuffled. */
export function plantedMotif({ train, dev, test, seed }: { train: number; dev: number; test: number; seed: number }): { train: Item[]; dev: Item[]; test: Item[] } {
  const random = createResampleRandom(seed, 0);
  const below = (limit: number) => Math.floor(random() * limit);
  const item = (_: unknown, i: number): Item => {
    const background = Array.from({ length: 60 }, () => 'ACGT'[below(4)]);
    const word = i % 2 ? 'TGACGTCA' : shuffle([...'TGACGTCA'], random).join('');
    background.splice(below(52), 8, ...word);
    return { sequence: background.join(''), label: i % 2 };
  };
  const items = (length: number) => Array.from({ length }, item);
  return { train: items(train), dev: items(dev), test: items(test) };
}

/** A shuffled copy (Fisher and Yates). */
export function shuffle<T>(list: readonly T[], random: () => number): T[] {
  const shuffled = [...list];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [shuffled[i], shuffled[j]] = [shuffled[j], shuffled[i]];
  }
  return shuffled;
}

export const toCsv = (items: readonly Item[]): string => `sequence,label\n${items.map(({ sequence, label }) => `${sequence},${label}\n`).join('')}`;

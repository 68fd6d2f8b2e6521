import { baseCode } from '../baseCode';
import type { Example } from '../classifier';

/** Test rows with a training row of the same length and another label that has the same base at half of the positions or more, {@link leastRun} of them in a row. */
export interface PositionalTwins {
  /** Least share of equal positions. */
  readonly identity: number;
  readonly items: number;
  /** `[classes]`, by the label of the test row. */
  readonly byClass: readonly number[];
}

/** Equal bases in a row that a twin has at least. Without it chance would find twins for every sixth row of 70 bases that are rich in G and C. */
const leastRun = 11;

/** Rows of one length as bits: for every 32 bases two words of codes and one that says which are known. */
interface Planes { readonly words: Int32Array; readonly perRow: number }

/**
 * Finds twins that alignment by seeds cannot: negatives made of pieces of positives, at the same positions (half of GUE's core promoters without a TATA box).
 * @param identity - 0.5 unless given
 */
export function findPositionalTwins(train: readonly Example[], test: readonly Example[], classes: number, identity = 0.5): PositionalTwins {
  const sequencesOf = new Map<string, string[]>();
  for (const { sequence, label } of train) {
    const key = `${sequence.length} ${label}`;
    const known = sequencesOf.get(key);
    if (known) known.push(sequence);
    else sequencesOf.set(key, [sequence]);
  }
  const planesOf = new Map(Array.from(sequencesOf, ([key, sequences]) => [key, toPlanes(sequences)]));
  const byClass = new Array<number>(classes).fill(0);
  for (const { sequence, label } of test) {
    const query = toPlanes([sequence]);
    const needed = Math.ceil(identity * sequence.length - 1e-9);
    for (let other = 0; other < classes; other++) {
      const planes = other === label ? undefined : planesOf.get(`${sequence.length} ${other}`);
      if (!planes || !hasTwin(query.words, planes, needed)) continue;
      byClass[label]++;
      break;
    }
  }
  return { identity, items: byClass.reduce((a, b) => a + b, 0), byClass };
}

function toPlanes(sequences: readonly string[]): Planes {
  const perRow = 3 * Math.ceil(sequences[0].length / 32);
  const words = new Int32Array(sequences.length * perRow);
  sequences.forEach((sequence, row) => {
    for (let i = 0; i < sequence.length; i++) {
      const code = baseCode(sequence, i);
      const word = row * perRow + 3 * (i >> 5);
      if (code > 3) continue;
      words[word] |= (code & 1) << (i & 31);
      words[word + 1] |= (code >> 1) << (i & 31);
      words[word + 2] |= 1 << (i & 31);
    }
  });
  return { words, perRow };
}

function hasTwin(query: Int32Array, { words, perRow }: Planes, needed: number): boolean {
  for (let start = 0; start < words.length; start += perRow) {
    let lacking = needed;
    for (let w = 0, left = (32 * perRow) / 3; w < perRow && lacking <= left; w += 3, left -= 32) lacking -= ones(equalBases(query, w, words, start + w));
    if (lacking <= 0 && longestRun(query, words, start, perRow) >= leastRun) return true;
  }
  return false;
}

/** A bit for each of 32 positions at which two rows have the same base. */
const equalBases = (a: Int32Array, i: number, b: Int32Array, j: number): number => ~((a[i] ^ b[j]) | (a[i + 1] ^ b[j + 1])) & a[i + 2] & b[j + 2];

function longestRun(query: Int32Array, words: Int32Array, start: number, perRow: number): number {
  let [longest, run] = [0, 0];
  for (let w = 0; w < perRow; w += 3) {
    const bits = equalBases(query, w, words, start + w);
    for (let bit = 0; bit < 32; bit++) {
      run = (bits >>> bit) & 1 ? run + 1 : 0;
      if (run > longest) longest = run;
    }
  }
  return longest;
}

function ones(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

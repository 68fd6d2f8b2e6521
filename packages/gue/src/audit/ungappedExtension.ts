import { seedLength } from './kmerIndex';
import { alignmentScores } from './localAlignment';
import { separator } from './sequenceText';

/** A seed grown in both directions without gaps. */
export interface Extension {
  readonly score: number;
  /** The query position behind the best extension. */
  readonly end: number;
}

/** Extensions stop when they have lost this much of their best score. */
const dropOff = 20;
/** Bases compared at once where both agree, which in sets of near-identical rows halves the time; in 16 bits there is room for a mark of ambiguous ones. */
const wordLength = 7;
const wordMask = 4 ** wordLength - 1;

/** Prepares a text, then a query, then grows the seed at a query position on a diagonal (text position minus query position). */
export function createExtension(text: Uint8Array): (query: Uint8Array) => (position: number, diagonal: number) => Extension {
  const textWords = wordsOf(text, 0xffff);
  const { match, mismatch } = alignmentScores;
  return (query) => {
    const words = wordsOf(query, 0xfffe);
    const same = (i: number, diagonal: number) => query[i] === text[i + diagonal] && query[i] < 4;
    return (position, diagonal) => {
      let end = position + seedLength;
      let score = match * seedLength;
      for (let i = end, running = score; i < query.length && text[i + diagonal] !== separator && running > score - dropOff;) {
        const step = !same(i, diagonal) ? 0 : words[i] === textWords[i + diagonal] ? wordLength : 1;
        running += step === 0 ? mismatch : match * step;
        i += step || 1;
        if (running > score) [score, end] = [running, i];
      }
      for (let i = position - 1, running = score; i >= 0 && text[i + diagonal] !== separator && running > score - dropOff;) {
        const step = !same(i, diagonal) ? 0 : i >= wordLength && words[i - wordLength + 1] === textWords[i - wordLength + 1 + diagonal] ? wordLength : 1;
        running += step === 0 ? mismatch : match * step;
        i -= step || 1;
        if (running > score) score = running;
      }
      return { score, end };
    };
  };
}

/** The bases from each position on as one number; `none` where a letter is ambiguous or the end is near. */
function wordsOf(codes: Uint8Array, none: number): Uint16Array {
  const words = new Uint16Array(codes.length).fill(none);
  let word = 0;
  let known = 0;
  for (let i = 0; i < codes.length; i++) {
    known = codes[i] < 4 ? known + 1 : 0;
    word = ((word << 2) | (codes[i] & 3)) & wordMask;
    if (known >= wordLength) words[i - wordLength + 1] = word;
  }
  return words;
}

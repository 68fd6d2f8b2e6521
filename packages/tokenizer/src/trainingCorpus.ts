import { show } from './errors';
import { forEachWord, upperCaseAscii } from './text';
import { checkSequences, toText, type Sequence } from './sequence';

/** Between words, and at both ends. */
export const SEPARATOR = 0xffff;

export interface CorpusOptions {
  readonly initialAlphabet?: string | undefined;
  readonly otherLetters?: 'learn' | 'cut' | undefined;
  readonly case?: 'preserve' | 'upper' | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Passes the words of a corpus on, behind each other, as UTF-16 units with separators around them, block by block (each is reused).
 * @returns the letters in the order of their code points, and the number of units
 * @throws TypeError for what is no corpus, RangeError where it holds no letters, or a character above U+FFFF
 */
export async function readCorpus(corpus: Iterable<Sequence> | AsyncIterable<Sequence>, options: CorpusOptions, write: (units: Uint16Array) => void): Promise<{ readonly letters: readonly string[]; readonly length: number }> {
  checkSequences('trainBpe', corpus);
  const { initialAlphabet = '', otherLetters = 'learn', signal } = options;
  const known = new Uint8Array(2 ** 16);
  for (let i = 0; i < initialAlphabet.length; i++) known[checked(initialAlphabet, i)] = 1;
  const block = new Uint16Array(2 ** 16);
  let filled = 0, length = 0, last = -1;
  const append = (unit: number) => {
    if (unit === SEPARATOR && last === SEPARATOR) return;
    if (filled === block.length) {
      write(block);
      filled = 0;
    }
    block[filled++] = last = unit;
    length++;
  };
  append(SEPARATOR);
  for await (const sequence of corpus) {
    signal?.throwIfAborted();
    const raw = toText(sequence), text = options.case === 'upper' ? upperCaseAscii(raw) : raw;
    forEachWord(text, (start, end) => {
      for (let i = start; i < end; i++) {
        const unit = text.charCodeAt(i);
        if (known[unit] === 0 && otherLetters === 'learn') known[checked(text, i)] = 1;
        append(known[unit] === 1 ? unit : SEPARATOR);
      }
      append(SEPARATOR);
    });
  }
  write(block.subarray(0, filled));
  if (length === 1) throw new RangeError('trainBpe: expected a corpus with letters of the alphabet, got none; are the sequences lower case? then pass case: \'upper\'');
  const letters: string[] = [];
  known.forEach((yes, unit) => { if (yes) letters.push(String.fromCharCode(unit)); });
  return { letters, length };
}

/** The token of every unit; the separator stays itself. */
export function unitToToken(vocab: ReadonlyMap<string, number>, letters: readonly string[]): Uint16Array {
  const token = new Uint16Array(2 ** 16);
  for (const letter of letters) token[letter.charCodeAt(0)] = vocab.get(letter)!;
  token[SEPARATOR] = SEPARATOR;
  return token;
}

function checked(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  if (unit >= 0xd800 && (unit < 0xe000 || unit === SEPARATOR)) throw new RangeError(`trainBpe: expected characters up to U+FFFE, got ${show(String.fromCodePoint(text.codePointAt(at)!))} at ${at}; remove it`);
  return unit;
}

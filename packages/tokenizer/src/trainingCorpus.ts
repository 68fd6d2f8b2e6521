import { show } from './errors';
import { forEachWord, upperCaseAscii } from './text';
import { toText, type Sequence } from './sequence';

/** Between words, and at both ends. */
export const SEPARATOR = 0xffff;

/** The words of a corpus behind each other, as UTF-16 units until `toTokens` turns them, in place, into ids. */
export interface TrainingCorpus {
  /** In the order of their code points. */
  readonly letters: readonly string[];
  toTokens(idOf: (letter: string) => number): Uint16Array;
}

export interface CorpusOptions {
  readonly initialAlphabet?: string | undefined;
  readonly otherLetters?: 'learn' | 'cut' | undefined;
  readonly case?: 'preserve' | 'upper' | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Reads a corpus into memory, 2 bytes a letter. @throws RangeError where it holds no letters, or a character above U+FFFF */
export async function readCorpus(corpus: Iterable<Sequence> | AsyncIterable<Sequence>, options: CorpusOptions): Promise<TrainingCorpus> {
  const { initialAlphabet = '', otherLetters = 'learn', signal } = options;
  const known = new Uint8Array(2 ** 16);
  for (let i = 0; i < initialAlphabet.length; i++) known[checked(initialAlphabet, i)] = 1;
  let units = new Uint16Array(2 ** 16), length = 1;
  units[0] = SEPARATOR;
  const append = (unit: number) => {
    if (unit === SEPARATOR && units[length - 1] === SEPARATOR) return;
    if (length === units.length) {
      const larger = new Uint16Array(2 * length);
      larger.set(units);
      units = larger;
    }
    units[length++] = unit;
  };
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
  append(SEPARATOR);
  if (length === 1) throw new RangeError('trainBpe: expected a corpus with letters of the alphabet, got none; are the sequences lower case? then pass case: \'upper\'');
  const letters: string[] = [];
  known.forEach((yes, unit) => { if (yes) letters.push(String.fromCharCode(unit)); });
  return {
    letters,
    toTokens(idOf) {
      const idOfUnit = new Uint16Array(2 ** 16);
      for (const letter of letters) idOfUnit[letter.charCodeAt(0)] = idOf(letter);
      idOfUnit[SEPARATOR] = SEPARATOR;
      const tokens = units.subarray(0, length);
      for (let i = 0; i < length; i++) tokens[i] = idOfUnit[tokens[i]];
      return tokens;
    },
  };
}

function checked(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  if (unit >= 0xd800 && (unit < 0xe000 || unit === SEPARATOR)) throw new RangeError(`trainBpe: expected characters up to U+FFFE, got ${show(String.fromCodePoint(text.codePointAt(at)!))} at ${at}; remove it`);
  return unit;
}

/**
 * What happens to the text before the model sees it, as in Hugging Face tokenizers: added tokens are cut out, the rest is
 * normalised and split into words. Positions are UTF-16 units of a JavaScript string, which are bases for DNA.
 */

/** A string that is cut out of the text before the model sees it, such as `[MASK]`. Fields as in tokenizer.json. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
  /** Searched for in the normalised text instead of the raw one. */
  readonly normalized: boolean;
  /** Swallows the white space to its left or right. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
}

/** Letter case of the text that the model sees. */
export type Normalizer = 'Lowercase' | 'Uppercase' | null;

/** Calls `onToken` for every added token and `onText` for the text between them, from left to right. */
export type Cutter = (text: string, onText: (start: number, end: number) => void, onToken: (id: number, start: number, end: number) => void) => void;

const whiteSpace = /^\p{White_Space}/u; // one unit: no white space lies above U+FFFF

/** Leftmost match first, the longest of those that start there. */
export function createCutter(tokens: readonly Pick<AddedToken, 'id' | 'content' | 'lstrip' | 'rstrip'>[]): Cutter {
  if (tokens.length === 0) return (text, onText) => { if (text.length > 0) onText(0, text.length); };
  const byContent = new Map(tokens.map((token) => [token.content, token]));
  const longestFirst = [...byContent.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map((content) => content.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'), 'g');
  return (text, onText, onToken) => {
    let done = 0;
    for (const match of text.matchAll(pattern)) {
      const token = byContent.get(match[0])!;
      let start = match.index, end = start + match[0].length;
      if (start < done) continue; // an earlier token swallowed it as white space
      if (token.lstrip) while (start > done && whiteSpace.test(text[start - 1])) start--;
      if (token.rstrip) while (end < text.length && whiteSpace.test(text[end])) end++;
      if (start > done) onText(done, start);
      onToken(token.id, start, end);
      done = end;
    }
    if (done < text.length) onText(done, text.length);
  };
}

/** Normalised text, and where its units came from; without `starts` the positions are the same. */
export interface NormalizedText { readonly text: string; readonly starts?: Uint32Array; readonly ends?: Uint32Array }

/** Every character alone, as Hugging Face does it: a final sigma is not special, and one character may become two. */
export function normalize(text: string, normalizer: Normalizer): NormalizedText {
  if (normalizer === null) return { text };
  const convert = (s: string) => (normalizer === 'Uppercase' ? s.toUpperCase() : s.toLowerCase());
  // eslint-disable-next-line no-control-regex -- the range is ASCII, where case never changes the length
  if (/^[\x00-\x7f]*$/.test(text)) return { text: convert(text) };
  const starts: number[] = [], ends: number[] = [];
  let result = '', at = 0;
  for (const character of text) {
    const converted = convert(character);
    // Units of a surrogate pair keep their own positions.
    for (let i = 0; i < converted.length; i++) {
      starts.push(converted.length === character.length ? at + i : at);
      ends.push(converted.length === character.length ? at + i + 1 : at + character.length);
    }
    result += converted;
    at += character.length;
  }
  return { text: result, starts: Uint32Array.from(starts), ends: Uint32Array.from(ends) };
}

/** `a` to `z` become `A` to `Z`; everything else, and every position, stays. */
export const upperCaseAscii = (text: string): string => (/[a-z]/.test(text) ? text.replace(/[a-z]+/g, (run) => run.toUpperCase()) : text);

/** Classes of characters for {@link forEachWord}. */
export const SPACE = 0, WORD = 1, OTHER = 2;
export const asciiClass = Uint8Array.from({ length: 128 }, (_, unit) => {
  const character = String.fromCharCode(unit);
  return /\s/.test(character) ? SPACE : /\w/.test(character) ? WORD : OTHER;
});
const wordCharacter = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;

function classOf(codePoint: number): number {
  if (codePoint < 128) return asciiClass[codePoint];
  const character = String.fromCodePoint(codePoint);
  return whiteSpace.test(character) ? SPACE : wordCharacter.test(character) ? WORD : OTHER;
}

/** Hugging Face's `Whitespace`, `\w+|[^\w\s]+` with Unicode classes: white space is dropped, and "AC-GT" is three words. */
export function forEachWord(text: string, visit: (start: number, end: number) => void): void {
  let start = 0, current = SPACE;
  for (let i = 0; i < text.length;) {
    const unit = text.charCodeAt(i);
    const codePoint = unit < 0xd800 ? unit : text.codePointAt(i)!;
    const kind = classOf(codePoint);
    if (kind !== current) {
      if (current !== SPACE) visit(start, i);
      start = i;
      current = kind;
    }
    i += codePoint > 0xffff ? 2 : 1;
  }
  if (current !== SPACE) visit(start, text.length);
}

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

/** A change of the text before the model sees it: letter case; white space off its ends; one letter for every match of a pattern. */
export type NormalizerStep = 'Lowercase' | 'Uppercase' | { readonly strip: { readonly left: boolean; readonly right: boolean } } | { readonly replace: ReplacedPattern; readonly content: string };

/** A string, or at least so many of one letter: `N{10,}`. */
export type ReplacedPattern = string | { readonly letter: string; readonly atLeast: number };

/** One step, several in their order, or none. */
export type Normalizer = NormalizerStep | readonly NormalizerStep[] | null;

/** How the normalised text is cut before the model sees it: into words, or at a string, which stands alone. */
export type PreTokenizer = 'Whitespace' | { readonly isolate: string } | null;

export const stepsOf = (normalizer: Normalizer): readonly NormalizerStep[] => (normalizer === null ? [] : Array.isArray(normalizer) ? normalizer as readonly NormalizerStep[] : [normalizer as NormalizerStep]);

/** Calls `onToken` for every added token and `onText` for the text between them, from left to right. */
export type Cutter = (text: string, onText: (start: number, end: number) => void, onToken: (id: number, start: number, end: number) => void) => void;

const whiteSpace = /^\p{White_Space}/u; // one unit: no white space lies above U+FFFF

const asPattern = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

/** Leftmost match first, the longest of those that start there. */
export function createCutter(tokens: readonly Pick<AddedToken, 'id' | 'content' | 'lstrip' | 'rstrip'>[]): Cutter {
  if (tokens.length === 0) return (text, onText) => { if (text.length > 0) onText(0, text.length); };
  const byContent = new Map(tokens.map((token) => [token.content, token]));
  const longestFirst = [...byContent.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map(asPattern).join('|'), 'g');
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

export function normalize(text: string, normalizer: Normalizer): NormalizedText {
  return stepsOf(normalizer).reduce<NormalizedText>((before, step) => {
    const after = applyStep(before.text, step), { starts, ends } = before;
    if (!starts || !ends || !after.starts || !after.ends) return { starts, ends, ...after } as NormalizedText;
    return { text: after.text, starts: after.starts.map((at) => starts[at]), ends: after.ends.map((at) => ends[at - 1]) };
  }, { text });
}

function applyStep(text: string, step: NormalizerStep): NormalizedText {
  if (step === 'Lowercase' || step === 'Uppercase') return changeCase(text, step);
  if ('strip' in step) return strip(text, step.strip);
  return replace(text, typeof step.replace === 'string' ? asPattern(step.replace) : `${asPattern(step.replace.letter)}{${step.replace.atLeast},}`, step.content);
}

/** Every character alone, as Hugging Face does it: a final sigma is not special, and one character may become two. */
function changeCase(text: string, to: 'Lowercase' | 'Uppercase'): NormalizedText {
  const convert = (s: string) => (to === 'Uppercase' ? s.toUpperCase() : s.toLowerCase());
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

function strip(text: string, { left, right }: { readonly left: boolean; readonly right: boolean }): NormalizedText {
  let start = 0, end = text.length;
  while (left && start < end && whiteSpace.test(text[start])) start++;
  while (right && end > start && whiteSpace.test(text[end - 1])) end--;
  if (end - start === text.length) return { text };
  return { text: text.slice(start, end), starts: Uint32Array.from({ length: end - start }, (_, i) => start + i), ends: Uint32Array.from({ length: end - start }, (_, i) => start + i + 1) };
}

/** As in Hugging Face's Rust library, the new letter stands where the last of its match stood. */
function replace(text: string, pattern: string, content: string): NormalizedText {
  const starts: number[] = [], keep = (from: number, to: number) => { for (let i = from; i < to; i++) starts.push(i); };
  let result = '', done = 0;
  for (const { index, 0: { length } } of text.matchAll(new RegExp(pattern, 'g'))) {
    keep(done, index);
    starts.push(index + length - 1);
    result += text.slice(done, index) + content;
    done = index + length;
  }
  if (done === 0) return { text };
  keep(done, text.length);
  return { text: result + text.slice(done), starts: Uint32Array.from(starts), ends: Uint32Array.from(starts, (at) => at + 1) };
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

/** Hugging Face's `Split` at a string, `Isolated`: what lies between is a word, and so is every match. */
export function forEachIsolated(text: string, isolate: string, visit: (start: number, end: number) => void): void {
  let done = 0;
  for (let at = text.indexOf(isolate); at >= 0; at = text.indexOf(isolate, done)) {
    if (at > done) visit(done, at);
    visit(at, done = at + isolate.length);
  }
  if (done < text.length) visit(done, text.length);
}

/** Byte pair encoding behind the interface of all tokenizers. */
import { createAsciiEncoder, createLetterTables, type AsciiEncoder } from './encodeAscii';
import { createRankEncoder } from './encodeByRank';
import { createLinearEncoder, createLinearRunEncoder, type LinearEncoderOptions } from './encodeLinear';
import { FormatError, show } from './errors';
import { createLinearTables } from './linearTables';
import { NO_LETTER, type Letters, type MergeRules, type RunEncoder } from './mergeRules';
import { forEachIsolated, forEachWord, type AddedToken, type Normalizer, type PreTokenizer } from './text';
import { countUnknown, push, type TokenBuffer } from './tokenBuffer';
import { createTokenizer, type Frame, type SpecialIds, type Tokenizer, type Truncation } from './tokenizer';

/** Everything that a tokenizer.json of this kind says, checked: each id used once, every merge made of tokens. */
export interface BpeDefinition {
  readonly vocab: ReadonlyMap<string, number>;
  /** Lowest rank first. */
  readonly merges: readonly (readonly [left: string, right: string])[];
  /** What a letter outside the vocabulary becomes. Where null, such a letter is an error: Hugging Face drops it and joins its neighbours. */
  readonly unkToken: string | null;
  /** One unknown token for a run of unknown letters. */
  readonly fuseUnk: boolean;
  readonly addedTokens: readonly AddedToken[];
  readonly normalizer: Normalizer;
  readonly preTokenizer: PreTokenizer;
  readonly frame: Frame;
  /** A limit for every encoding, where the file sets one. */
  readonly truncation?: Truncation | undefined;
}

/** A tokenizer that can be written to a file. */
export interface BpeTokenizer extends Tokenizer {
  readonly definition: BpeDefinition;
  /**
   * Whether encodings of pieces of this text may be joined at a token that both hold at the same place: ASCII without the first
   * character of an added token, under merges that the linear encoder takes.
   */
  isPlain(text: string): boolean;
}

/** @param linear - for tests: how the linear encoder works, or false for the definition by rank */
export const createBpeTokenizer = (definition: BpeDefinition, linear: LinearEncoderOptions | false = {}): BpeTokenizer => createBpe(definition, linear).tokenizer;

/** A tokenizer and, where there is one, its short way for ASCII, which threads use on its own: both need the same tables. */
export function createBpe(definition: BpeDefinition, linear: LinearEncoderOptions | false = {}): { readonly tokenizer: BpeTokenizer; readonly ascii: AsciiEncoder | undefined } {
  const { vocab, addedTokens } = definition;
  const ids = new Map([...vocab, ...addedTokens.map(({ content, id }) => [content, id] as const)]);
  const tokens: (string | undefined)[] = [];
  for (const [token, id] of ids) tokens[id] = token;
  const { encodeText, ascii } = createEncoders(definition, tokens, linear);
  const tokenizer = createTokenizer({
    vocabSize: tokens.length,
    specialIds: specialIdsOf(ids, definition.unkToken),
    frame: definition.frame,
    truncation: definition.truncation,
    addedTokens,
    normalizer: definition.normalizer,
    encodeText,
    encodeAscii: ascii?.encodeAscii,
    join: (known) => known.map((id) => tokens[id]).join(''),
    tokenToId: (token) => ids.get(token),
    idToToken: (id) => tokens[id],
  });
  return { tokenizer: { ...tokenizer, definition, isPlain: (text) => ascii?.isPlain(text) ?? false }, ascii };
}

/** Special tokens have no role in the file: they are known by the names that BERT, ESM and LLaMA vocabularies give them. */
const roleNames = { cls: ['[CLS]', '<cls>', '<s>'], sep: ['[SEP]', '<sep>', '</s>'], pad: ['[PAD]', '<pad>'], mask: ['[MASK]', '<mask>'] } as const;

function specialIdsOf(ids: ReadonlyMap<string, number>, unkToken: string | null): SpecialIds {
  const found: Partial<Record<keyof typeof roleNames | 'unk', number>> = {};
  const unk = unkToken === null ? undefined : ids.get(unkToken);
  if (unk !== undefined) found.unk = unk;
  for (const role of ['cls', 'sep', 'pad', 'mask'] as const) {
    const name = roleNames[role].find((candidate) => ids.has(candidate));
    if (name !== undefined) found[role] = ids.get(name)!;
  }
  return found;
}

/** The long way for any text and, where the linear encoder's conditions hold, the short way for ASCII. Both give the same ids. */
function createEncoders(definition: BpeDefinition, tokens: readonly (string | undefined)[], linear: LinearEncoderOptions | false) {
  const letters = findLetters(definition.vocab), rules = compileMerges(definition), letterTables = createLetterTables(letters, definition);
  const tables = linear === false ? undefined : createLinearTables(letters, letterTables, rules, (id) => tokens[id]!, tokens.length);
  if (!tables || linear === false) return { encodeText: createTextEncoder(definition, letters, createRankEncoder(letters, rules, tokens.length)), ascii: undefined };
  const encode = createLinearEncoder(tables, linear), unknownId = definition.unkToken === null ? undefined : definition.vocab.get(definition.unkToken);
  return {
    encodeText: createTextEncoder(definition, letters, createLinearRunEncoder(letters, encode)),
    ascii: createAsciiEncoder(letters, letterTables, definition, unknownId, encode),
  };
}

/** Words, runs of known letters within them, and the unknown letters between. */
function createTextEncoder(definition: BpeDefinition, letters: Letters, encodeRun: RunEncoder) {
  const unknownId = definition.unkToken === null ? undefined : definition.vocab.get(definition.unkToken);
  const encodeWord = (text: string, start: number, end: number, out: TokenBuffer) => {
    for (let i = start; i < end;) {
      const from = i;
      while (i < end && letters.ofUnit[text.charCodeAt(i)] !== NO_LETTER) i++;
      if (i > from) encodeRun(text, from, i, out);
      if (i === end) return;
      const unknown = i;
      let characters = 0;
      do {
        i += text.codePointAt(i)! > 0xffff ? 2 : 1; // a surrogate pair is one character
        characters++;
      } while (definition.fuseUnk && i < end && letters.ofUnit[text.charCodeAt(i)] === NO_LETTER);
      countUnknown(out, unknown, characters);
      if (unknownId === undefined) throw new RangeError(`encode: expected letters of the vocabulary, got ${show(String.fromCodePoint(text.codePointAt(unknown)!))}; this vocabulary has no unknown token, so remove the letter`);
      push(out, unknownId, unknown, i);
    }
  };
  return (text: string, out: TokenBuffer) => {
    const visit = (start: number, end: number) => encodeWord(text, start, end, out);
    if (definition.preTokenizer === null) visit(0, text.length);
    else if (definition.preTokenizer === 'Whitespace') forEachWord(text, visit);
    else forEachIsolated(text, definition.preTokenizer.isolate, visit);
  };
}

function findLetters(vocab: ReadonlyMap<string, number>): Letters {
  const ofUnit = new Uint16Array(2 ** 16).fill(NO_LETTER), tokenId: number[] = [];
  for (const [token, id] of vocab) {
    if (token.length === 2 && token.codePointAt(0)! > 0xffff) throw new FormatError('tokenizer.json', `parseTokenizerJson: expected letters up to U+FFFF, got "${token}"; remove it from the vocabulary`);
    if (token.length === 1) ofUnit[token.charCodeAt(0)] = tokenId.push(id) - 1;
  }
  return { ofUnit, tokenId: Uint32Array.from(tokenId) };
}

/** Merges as ids, in rank order; of a merge that is listed twice the last rank counts, as in Hugging Face's map. */
export function compileMerges({ vocab, merges }: Pick<BpeDefinition, 'vocab' | 'merges'>): MergeRules {
  const asIds = merges.map(([left, right]) => [vocab.get(left)!, vocab.get(right)!, vocab.get(left + right)!] as const);
  const lastRank = new Map(asIds.map(([left, right], rank) => [left * 2 ** 24 + right, rank]));
  const kept = asIds.filter(([left, right], rank) => lastRank.get(left * 2 ** 24 + right) === rank);
  const column = (which: 0 | 1 | 2) => Uint32Array.from(kept, (merge) => merge[which]);
  return { left: column(0), right: column(1), product: column(2) };
}

/**
 * The short way for plain ASCII, which is nearly all DNA: a table of bytes does in one pass what cutting, normalising and splitting into words do in
 * several. Text that holds the first character of an added token, or anything beyond ASCII, takes the long way (tokenizer.ts), with the same ids.
 */
import { type LinearEncoder, type OtherBytes, type WindowSource } from './encodeLinear';
import { AS_NUMBERS, AS_TEXT, AS_UPPER, NO_LETTER_BYTE } from './linearTables';
import { NO_LETTER, type Letters } from './mergeRules';
import { isPacked, unpack, type Sequence } from './sequence';
import { asciiClass, normalize, SPACE, stepsOf, upperCaseAscii, WORD, type AddedToken, type Normalizer, type PreTokenizer } from './text';
import { countUnknown, push, type TokenBuffer } from './tokenBuffer';

/** What of a tokenizer decides how text is read. */
export interface AsciiRules {
  readonly addedTokens: readonly AddedToken[];
  readonly normalizer: Normalizer;
  readonly preTokenizer: PreTokenizer;
  readonly fuseUnk: boolean;
}

export interface AsciiEncoder {
  /** Appends the tokens of a sequence; its first letter counts as base `start`, by default 0. @returns false, and appends nothing, where it needs the long way */
  encodeAscii(sequence: Sequence, upper: boolean, out: TokenBuffer, start?: number): boolean;
  /** ASCII without the first character of an added token: the long way is not needed. */
  isPlain(text: string): boolean;
}

/** The letter numbers of bytes, by what stands in the window. */
export function createLetterTables(letters: Letters, { normalizer, preTokenizer }: Pick<AsciiRules, 'normalizer' | 'preTokenizer'>): Uint8Array {
  const tables = new Uint8Array(3 * 256).fill(NO_LETTER_BYTE), cases = stepsOf(normalizer).filter((step) => typeof step === 'string');
  for (let byte = 0; byte < 128; byte++) {
    if (preTokenizer !== null && asciiClass[byte] === SPACE) continue; // dropped before the model sees it
    for (const table of [AS_TEXT, AS_UPPER]) {
      const character = String.fromCharCode(byte), read = normalize(table === AS_UPPER ? upperCaseAscii(character) : character, cases).text;
      const number = letters.ofUnit[read.charCodeAt(0)];
      if (number < NO_LETTER_BYTE) tables[256 * table + byte] = number;
    }
  }
  for (let number = 0; number < Math.min(letters.tokenId.length, NO_LETTER_BYTE); number++) tables[256 * AS_NUMBERS + number] = number;
  return tables;
}

/** @returns undefined where words cut between letters or some are replaced: then only the long way is right */
export function createAsciiEncoder(letters: Letters, letterTables: Uint8Array, rules: AsciiRules, unknownId: number | undefined, encode: LinearEncoder): AsciiEncoder | undefined {
  const { fuseUnk, preTokenizer } = rules, steps = stepsOf(rules.normalizer), cutsWords = preTokenizer !== null;
  if (typeof preTokenizer === 'object' && cutsWords || steps.some((step) => typeof step === 'object' && 'replace' in step)) return undefined;
  const strips = steps.some((step) => typeof step === 'object');
  const classes = cutsWords ? asciiClass : new Uint8Array(128).fill(WORD);
  for (let byte = 0; byte < 128; byte++) if (cutsWords && letters.ofUnit[byte] !== NO_LETTER && classes[byte] !== WORD && classes[byte] !== SPACE) return undefined;
  const beginsToken = [...new Set(rules.addedTokens.flatMap(({ content }) => [content[0], content[0].toLowerCase(), content[0].toUpperCase()]))];
  const tokenBytes = beginsToken.map((character) => character.charCodeAt(0)).filter((unit) => unit < 128);
  const tokenLetters = tokenBytes.filter((byte) => [AS_TEXT, AS_UPPER].some((table) => letterTables[256 * table + byte] !== NO_LETTER_BYTE));
  // To look for a byte among bytes takes 7 of 96 ms, in a string next to none; so those that are no letters are met on the way.
  const mayHoldToken = (sequence: Sequence) => (typeof sequence === 'string'
    ? beginsToken.some((character) => sequence.includes(character))
    : tokenLetters.some((byte) => (isPacked(sequence) ? (sequence.bases ?? 'TCAG').includes(String.fromCharCode(byte)) : sequence.includes(byte))));

  const mayBeginToken = new Uint8Array(256);
  for (const byte of tokenBytes) mayBeginToken[byte] = 1;

  const encodeAscii: AsciiEncoder['encodeAscii'] = (sequence, upper, out, start = 0) => {
    if (mayHoldToken(sequence) || (strips && hasSpaceAtEnds(sequence))) return false;
    const table = upper ? AS_UPPER : AS_TEXT;
    let fusedUntil = -1, fusedClass = SPACE; // the unknown token that the next byte may join
    const others: OtherBytes = (bytes, i, limit, at, buffer) => {
      for (; i < limit && letterTables[256 * table + bytes[i]] === NO_LETTER_BYTE; i++) {
        const kind = classes[bytes[i]], position = at + i;
        if (mayBeginToken[bytes[i]] === 1) return -1;
        if (kind === SPACE) continue;
        if (kind === undefined || unknownId === undefined) return -1; // beyond ASCII, or an error that the long way words
        countUnknown(buffer, position, 1);
        if (!fuseUnk || fusedUntil !== position || fusedClass !== kind) push(buffer, unknownId, position, position + 1);
        else if (buffer.offsets) buffer.offsets[2 * buffer.length - 1] = position + 1;
        fusedUntil = position + 1;
        fusedClass = kind;
      }
      return i;
    };
    return encode(createSource(sequence, start), table, others, out);
  };
  // eslint-disable-next-line no-control-regex -- the range is ASCII
  return { encodeAscii, isPlain: (text) => !mayHoldToken(text) && /^[\x00-\x7f]*$/.test(text) && !(strips && /\s/.test(text)) };
}

function hasSpaceAtEnds(sequence: Sequence): boolean {
  const { length } = sequence, unitAt = (at: number) => (typeof sequence === 'string' ? sequence.charCodeAt(at) : isPacked(sequence) ? 0 : sequence[at]);
  return length > 0 && [unitAt(0), unitAt(length - 1)].some((unit) => asciiClass[unit] === SPACE);
}

const utf8 = new TextEncoder();

/** The letters of a sequence, to be copied piece by piece. */
export function createSource(sequence: Sequence, start = 0): WindowSource {
  const { length } = sequence;
  if (typeof sequence === 'string') {
    return {
      length,
      start,
      fill(bytes, at, count) {
        const { read, written } = utf8.encodeInto(count === length ? sequence : sequence.slice(at, at + count), bytes);
        return read === count && written === count;
      },
    };
  }
  if (isPacked(sequence)) return { length, start, fill(bytes, at, count) { unpack(sequence, bytes, at, count); return true; } };
  return { length, start, fill(bytes, at, count) { bytes.set(sequence.subarray(at, at + count)); return true; } };
}


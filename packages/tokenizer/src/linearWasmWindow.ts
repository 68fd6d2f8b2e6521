import { linearWasm } from './linear.generated';
import { NO_LETTER_BYTE, type LinearTables } from './linearTables';
import type { LinearWindow } from './linearWindow';

// Bytes; linear.wasm.ts knows them too. The first words: bits, width, none, places of `child` and `tokenAt`, longest token, ahead, end of the last run.
const MOST = 2 ** 16; // letters of a window
const LETTER_TABLES = 64, CLASSES = LETTER_TABLES + 3 * 256, BEST = 1024, CODES = BEST + 4 * MOST + 32, FAILED = CODES + 2 * MOST + 64, BYTES = FAILED + MOST + 64;
const IDS = BYTES + MOST + 64, OFFSETS = IDS + 4 * MOST, TOKENS = OFFSETS + 8 * MOST;
const RARE = 32, END = 7;

/** The same window with the search in WebAssembly, more than twice as fast from 4,096 letters on; undefined where the machine or the page does not allow it. */
export function createWasmWindow(tables: LinearTables, capacity: number): LinearWindow | undefined {
  if (capacity > MOST) return undefined;
  const { none } = tables, child = TOKENS + 16 * (none + 1), tokenAt = child + tables.child.byteLength, forbidden = tokenAt + tables.tokenAt.byteLength;
  try {
    const memory = new WebAssembly.Memory({ initial: Math.ceil((forbidden + tables.forbidden.byteLength) / 2 ** 16) });
    const words = new Uint32Array(memory.buffer);
    words.set(tables.child, child / 4);
    words.set(tables.tokenAt, tokenAt / 4);
    words.set(tables.forbidden, forbidden / 4);
    words.set([tables.bits, tables.width, none, child, tokenAt, 0, tables.ahead]);
    writeLetters(new Uint8Array(memory.buffer), tables);
    writeBest(words, tables, tokenAt);
    words[5] = writeTokens(words, tables, forbidden);
    const module = new WebAssembly.Module(Uint8Array.from(atob(linearWasm), (character) => character.charCodeAt(0)));
    const { encodeRun, locate } = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Pick<LinearWindow, 'encodeRun' | 'locate'>;
    return {
      bytes: new Uint8Array(memory.buffer, BYTES, capacity),
      ids: new Uint32Array(memory.buffer, IDS, capacity),
      offsets: new Uint32Array(memory.buffer, OFFSETS, 2 * capacity),
      get end() { return words[END]; },
      encodeRun,
      locate,
    };
  } catch {
    return undefined; // no WebAssembly or none of its vectors, a Content-Security-Policy without 'wasm-unsafe-eval', or no room for one more memory
  }
}

/** By the packed letters what the search goes on with: in the high 16 bits a token, or with RARE a node of the trie; in the low 4 the first letters, by which what may follow is looked up. */
function writeBest(words: Uint32Array, { best, bits, width, ahead }: LinearTables, tokenAt: number): void {
  const beyondAhead = bits * (width - ahead);
  for (let code = 0; code < best.length; code++) {
    const token = best[code] & 0xffff, node = best[code] >>> 16;
    if (node !== 0) words[tokenAt / 4 + node] = token; // the longest token that ends before the node
    words[BEST / 4 + code] = ((node || token) << 16) | (node === 0 ? 0 : RARE) | (code >>> beyondAhead);
  }
}

/** @returns the length of the longest token */
function writeTokens(words: Uint32Array, { tokens, none }: LinearTables, forbidden: number): number {
  let longest = 0;
  for (let id = 0; id <= none; id++) {
    const first = tokens[4 * id], shorter = tokens[4 * id + 1], column = tokens[4 * id + 2], length = first & 0xffff;
    longest = Math.max(longest, length);
    words.set([(2 * length << 16) | (~first >>> 16), (shorter << 16) | (shorter === none ? RARE : 0), (column >>> 5 << 18) | (column & 31), forbidden + 4 * tokens[4 * id + 3]], TOKENS / 4 + 4 * id);
  }
  return longest;
}

function writeLetters(bytes: Uint8Array, { bits, letterTables }: LinearTables): void {
  bytes.set(letterTables, LETTER_TABLES);
  for (let table = 0; bits === 2 && table < letterTables.length / 256; table++) {
    bytes.set(findClasses(letterTables.subarray(256 * table, 256 * (table + 1))) ?? [], CLASSES + 48 * table);
  }
}

/**
 * Letters by the low half of their byte: which byte that is, after clearing the bits of `cases`, and its number; then `cases`, which is 0xff, or 0xdf where
 * both cases of letters are read. @returns undefined where that does not tell letters from other bytes
 */
function findClasses(letters: Uint8Array): Uint8Array | undefined {
  const all = [...letters.keys()];
  for (const cases of [0xff, 0xdf]) {
    const classes = new Uint8Array(48);
    for (let low = 0; low < 16; low++) classes[low] = low ^ 1; // a byte that is never looked up here
    for (const byte of all) if (letters[byte] !== NO_LETTER_BYTE) classes.set([byte & cases], byte & 15);
    for (const byte of all) if (letters[byte] !== NO_LETTER_BYTE) classes.set([letters[byte]], 16 + (byte & 15));
    classes[32] = cases;
    if (all.every((byte) => (classes[byte & 15] === (byte & cases) ? classes[16 + (byte & 15)] : NO_LETTER_BYTE) === letters[byte])) return classes;
  }
  return undefined;
}

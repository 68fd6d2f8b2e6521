/** Passes over the tokens of a corpus, which lie in a file or in memory: each joins several pairs and keeps the counts of all pairs exact. */
import { show } from './errors';
import type { ScratchFile } from './scratchFile';
import { tokenPassWasm } from './tokenPass.generated';
import { SEPARATOR } from './trainingCorpus';

/** Different left tokens that one pass can join. */
export const MAX_ROWS = 32;
const BLOCK = 2 ** 19;   // tokens at once
const PAGE = 2 ** 16, MAX_PAGES = 2 ** 16;

export interface Join { readonly left: number; readonly right: number; readonly product: number }

/** How often each pair of neighbours occurs: that of `left` and `right` at `left * stride + right`. */
export interface PairCounts {
  readonly counts: Uint32Array | Float64Array;
  readonly stride: number;
}

/** Tokens and the counts of their pairs. */
export interface TokenPasses extends PairCounts {
  /** Joins pairs of which none takes a token from another: no right side is the left side of another. */
  join(joins: readonly Join[]): void | Promise<void>;
}

/** One more than a multiple of 16 numbers: rows that start a power of two apart would share the same lines of the cache. */
const strideOf = (vocabSize: number): number => (vocabSize | 15) + 2;
const bytesOf = (letters: number) => (letters < 2 ** 32 ? 4 : 8); // no count exceeds the number of letters

/** Bytes of memory for passes over the tokens of so many letters. */
export function memoryNeeded(vocabSize: number, letters = 0): number {
  const stride = strideOf(vocabSize);
  return PAGE * Math.ceil((64 + bytesOf(letters) * stride * vocabSize + 2 ** 16 + 2 * MAX_ROWS * stride + 2 ** 17 + 2 * BLOCK) / PAGE);
}

/**
 * @param file - what the letters were written to; used up
 * @param units - how many there are
 * @param tokenOf - the token of every unit
 * @returns undefined where WebAssembly is not allowed. @throws RangeError where the counts need more than 4 GiB
 */
export function createTokenPasses(file: ScratchFile, units: number, tokenOf: Uint16Array, vocabSize: number): (TokenPasses & { readonly length: number }) | undefined {
  const stride = strideOf(vocabSize), bytes = bytesOf(units), pages = memoryNeeded(vocabSize, units) / PAGE;
  if (pages > MAX_PAGES) throw new RangeError(`trainBpe: expected a vocabulary whose counts of pairs fit into 4 GiB, got ${show(vocabSize)} tokens for ${units} letters; lower vocabSize to ${bytes === 4 ? 32_000 : 23_000}, or train in memory`);
  const loaded = load(pages);
  if (!loaded) return undefined;
  const { buffer, count32, count64, join32, join64 } = loaded;
  const [count, join] = bytes === 4 ? [count32, join32] : [count64, join64];
  const state = new Uint32Array(buffer, 0, 3);
  let end = 64;
  const reserve = (size: number) => { const at = end; end += size; return at; };
  const countsAt = reserve(bytes * stride * vocabSize), rowsAt = reserve(2 ** 16), productsAt = reserve(2 * MAX_ROWS * stride), tokenOfAt = reserve(2 ** 17), blockAt = reserve(2 * BLOCK);
  const counts = bytes === 4 ? new Uint32Array(buffer, countsAt, stride * vocabSize) : new Float64Array(buffer, countsAt, stride * vocabSize);
  const rows = new Uint8Array(buffer, rowsAt, 2 ** 16), products = new Uint16Array(buffer, productsAt, MAX_ROWS * stride), block = new Uint16Array(buffer, blockAt, BLOCK);
  let length = units;
  const begin = () => { state.fill(SEPARATOR); };

  begin();
  new Uint16Array(buffer, tokenOfAt, 2 ** 16).set(tokenOf);
  for (let position = 0; position < length;) {
    const read = readAll(file, block.subarray(0, Math.min(BLOCK, length - position)), position);
    count(countsAt, stride, tokenOfAt, blockAt, read);
    file.write(block.subarray(0, read), position);
    position += read;
  }
  return {
    counts, stride,
    get length() { return length; },
    join(joins) {
      const lefts = [...new Set(joins.map(({ left }) => left))];
      lefts.forEach((left, row) => { rows[left] = row + 1; });
      for (const { left, right, product } of joins) products[(rows[left] - 1) * stride + right] = product + 1;
      begin();
      let written = 0, held = 0; // tokens at the start of the block that wait for the next one
      for (let position = 0; position < length;) {
        const read = readAll(file, block.subarray(held, Math.min(BLOCK, held + length - position)), position), filled = held + read;
        position += read;
        const kept = join(countsAt, stride, rowsAt, productsAt, blockAt, filled, position === length ? 1 : 0);
        file.write(block.subarray(0, kept), written);
        written += kept;
        held = filled - state[2];
        if (held > 0) block[0] = block[state[2]];
      }
      length = written;
      for (const { left, right } of joins) products[(rows[left] - 1) * stride + right] = 0;
      for (const left of lefts) rows[left] = 0;
    },
  };
}

function load(pages: number) {
  try {
    const memory = new WebAssembly.Memory({ initial: pages });
    const module = new WebAssembly.Module(Uint8Array.from(atob(tokenPassWasm), (character) => character.charCodeAt(0)));
    const functions = new WebAssembly.Instance(module, { env: { memory } }).exports as Record<'count32' | 'count64' | 'join32' | 'join64', (...args: number[]) => number>;
    return { buffer: memory.buffer, ...functions };
  } catch {
    return undefined;
  }
}

/** @throws Error where the file has become shorter than what was written */
function readAll(file: ScratchFile, target: Uint16Array, position: number): number {
  const read = file.read(target, position);
  if (read < target.length) throw new Error(`trainBpe: expected ${target.length} numbers of scratch space at ${position}, got ${read}; is another program cutting the file?`);
  return read;
}

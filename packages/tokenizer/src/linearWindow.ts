/** The search of linear byte pair encoding (see linearTables.ts) in JavaScript. `linear.wasm.ts` is its twin: change both. */
import { NO_LETTER_BYTE, type LinearTables } from './linearTables';

/** A piece of text and the tokens of one run of letters in it. */
export interface LinearWindow {
  /** What to encode is written here. */
  readonly bytes: Uint8Array;
  /** The tokens of the last run. */
  readonly ids: Uint32Array;
  /** Where each of them starts and ends, as far as `locate` was asked. */
  readonly offsets: Uint32Array;
  /** Where the last run ended: at the first byte from its start on that is no letter, or at the limit. */
  readonly end: number;
  /** Encodes the run of letters that starts at `from` and ends before `limit`, after letter table `table`. @returns the number of tokens */
  encodeRun(from: number, limit: number, table: number): number;
  /** Finds the offsets of the first `count` tokens of the last run, the first of which starts at `start`. */
  locate(count: number, start: number): void;
}

/** @param capacity - bytes that it holds; 17 bytes of memory each */
export function createLinearWindow(tables: LinearTables, capacity: number): LinearWindow {
  const { bits, width, none, best, child, tokenAt, tokens, ahead, forbidden, letterTables } = tables;
  const top = bits * (width - 1), beyondAhead = bits * (width - ahead);
  const bytes = new Uint8Array(capacity), ids = new Uint32Array(capacity), offsets = new Uint32Array(2 * capacity), codes = new Uint16Array(capacity), failed = new Uint8Array(capacity + 1);

  /** Every position's next `width` letters, packed; beyond the end they read as letter 0, and such candidates are too long. */
  const pack = (from: number, limit: number, table: number): number => {
    let n = 0;
    for (; from + n < limit; n++) {
      const letter = letterTables[(table << 8) + bytes[from + n]];
      if (letter === NO_LETTER_BYTE) break;
      codes[n] = letter << top;
    }
    for (let i = n - 1, code = 0; i >= 0; i--) codes[i] = code = (code >>> bits) | codes[i];
    return n;
  };
  const longestAt = (position: number, n: number): number => {
    const entry = best[codes[position]];
    let node = entry >>> 16, token = entry & 0xffff;
    for (let i = position + width; node !== 0 && i < n; i++) {
      node = child[(node << bits) | (codes[i] >>> top)];
      if (tokenAt[node] !== none) token = tokenAt[node];
    }
    return token;
  };
  const search = (n: number): number => {
    let count = 0, position = 0, last = none, candidate = longestAt(0, n);
    while (position < n) {
      const row = tokens[4 * last + 3];
      let next = position;
      while (candidate !== none) {
        const token = tokens[4 * candidate], column = tokens[4 * candidate + 2];
        next = position + (token & 0xffff);
        if (next <= n && (failed[next] | ((forbidden[row + (column >>> 5)] >>> (column & 31)) & 1)) === 0
          && (next + ahead >= n || (token >>> (16 + (codes[next] >>> beyondAhead)) & 1) !== 0)) break;
        candidate = tokens[4 * candidate + 1];
      }
      if (candidate !== none) {
        ids[count++] = last = candidate;
        position = next;
        if (position < n) candidate = longestAt(position, n);
      } else {
        if (count === 0) throw new Error('encode: expected a path of tokens through the text, got none; the tables are inconsistent');
        failed[position] = 1;
        position -= tokens[4 * last] & 0xffff;
        candidate = tokens[4 * last + 1];
        last = --count > 0 ? ids[count - 1] : none;
      }
    }
    return count;
  };
  let end = 0;
  return {
    bytes, ids, offsets,
    get end() { return end; },
    encodeRun(from, limit, table) {
      const n = pack(from, limit, table);
      failed.fill(0, 0, n + 1);
      end = from + n;
      return search(n);
    },
    locate(count, start) {
      for (let i = 0; i < count; i++) {
        offsets[2 * i] = start;
        offsets[2 * i + 1] = start += tokens[4 * ids[i]] & 0xffff;
      }
    },
  };
}

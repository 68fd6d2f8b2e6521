/**
 * Linear byte pair encoding of texts of any length, window by window, in memory that does not depend on the length.
 *
 * A run of letters that leaves its window goes on in the next one from the start of a token some letters back. The row of tokens up
 * to a token e and the row from e on are together the encoding of the whole as soon as both hold e at the same place (Corollary
 * III): looked for at every border, and where there is none, the next window starts further back and is larger, in the end the
 * whole run. On yeast, after starts at random places, the first common token comes after 4 letters in the median, 107 at most.
 */
import { AS_NUMBERS, type LinearTables } from './linearTables';
import { createLinearWindow, type LinearWindow } from './linearWindow';
import { createWasmWindow } from './linearWasmWindow';
import type { Letters, RunEncoder } from './mergeRules';
import { reserve, type TokenBuffer } from './tokenBuffer';

/** What a window is filled from. */
export interface WindowSource {
  readonly length: number;
  /** Where it starts in the text that offsets point into. */
  readonly start: number;
  /** Writes `count` bytes from `at` on. @returns false where there are other characters than ASCII */
  fill(bytes: Uint8Array, at: number, count: number): boolean;
}

/** Handles the bytes that are no letters, from `i` on. @returns the index of the next letter or `limit`, or -1 to give up */
export type OtherBytes = (bytes: Uint8Array, i: number, limit: number, at: number, out: TokenBuffer) => number;

/** Appends the tokens of a source. @returns false, and appends nothing, where the source is not ASCII or `others` gave up */
export type LinearEncoder = (source: WindowSource, table: number, others: OtherBytes, out: TokenBuffer) => boolean;

export interface LinearEncoderOptions {
  /** Letters in a window, more than the overlap. Default 65,536: all tables and scratch fit the cache of a core. */
  readonly capacity?: number;
  /** Letters that two windows share at first. Default 256. */
  readonly overlap?: number;
  /** Default: where it is allowed. */
  readonly wasm?: boolean;
}

export function createLinearEncoder(tables: LinearTables, { capacity = 2 ** 16, overlap: usual = 256, wasm = true }: LinearEncoderOptions = {}): LinearEncoder {
  const first = (wasm ? createWasmWindow(tables, capacity) : undefined) ?? createLinearWindow(tables, capacity);
  const lengthOf = (id: number) => tables.tokens[4 * id] & 0xffff;

  return (source, table, others, out) => {
    const { length: base, unknownCount } = out;
    if (source.length > capacity) reserve(out, base + (source.length >>> 2)); // about what comes; doubling would copy it all again
    let window = first, overlap = usual, at = 0;
    let run = base;      // where the tokens of the current run start in `out`
    let shared = -1;     // the token in `out` that the current window starts with, -1 where it starts a run or with another byte
    let seen = 0;        // where the text of the last window ended
    while (at < source.length) {
      const count = Math.min(window.bytes.length, source.length - at);
      if (!source.fill(window.bytes, at, count)) return giveUp(out, base, unknownCount);
      let i = 0, isOpen = false;
      while (i < count) {
        const produced = window.encodeRun(i, count, table);
        if (produced > 0) {
          let from = 0;
          if (shared < 0) run = out.length;
          else from = join(out, shared, shared === run, window.ids, produced, lengthOf);
          if (from < 0) break;
          append(out, window, from, produced, source.start + at + i);
          i = window.end;
          isOpen = i === count;
        }
        shared = -1;
        if (i === count) break;
        i = others(window.bytes, i, count, source.start + at, out);
        isOpen = false;
        if (i < 0) return giveUp(out, base, unknownCount);
      }
      if (i < count) { // no common token: again from further back
        overlap *= 8;
        at = seen;
      } else {
        at += count;
        seen = at;
        if (!isOpen || at === source.length) continue;
        overlap = usual;
        window = first;
      }
      for (shared = out.length; shared > run && seen - at < overlap;) at -= lengthOf(out.ids[--shared]);
      if (window.bytes.length < 2 * (seen - at)) window = createLinearWindow(tables, 2 * (seen - at));
    }
    return true;
  };
}

function giveUp(out: TokenBuffer, length: number, unknownCount: number): false {
  out.length = length;
  out.unknownCount = unknownCount;
  out.firstUnknown = -1;
  return false;
}

/**
 * Cuts `out` before the first token that `ids` holds at the same place; `ids` starts where token `shared` of `out` does. A new start
 * at the start of the run replaces all of it. @returns the index of that token in `ids`, -1 where there is none
 */
function join(out: TokenBuffer, shared: number, isWholeRun: boolean, ids: Uint32Array, count: number, lengthOf: (id: number) => number): number {
  let left = shared, right = 0, ahead = 0; // how far the start of `right` is ahead of the start of `left`
  while (!isWholeRun && (ahead !== 0 || out.ids[left] !== ids[right])) {
    if (ahead >= 0) ahead -= lengthOf(out.ids[left++]);
    else ahead += lengthOf(ids[right++]);
    if (left === out.length || right === count) return -1;
  }
  out.length = left;
  return right;
}

function append(out: TokenBuffer, window: LinearWindow, from: number, to: number, start: number): void {
  const at = out.length;
  reserve(out, at + to - from);
  copy(window.ids, from, to, out.ids, at);
  out.length += to - from;
  if (!out.offsets) return;
  window.locate(to, start);
  copy(window.offsets, 2 * from, 2 * to, out.offsets, 2 * at);
}

function copy(source: Uint32Array, from: number, to: number, target: Uint32Array, at: number): void {
  if (to - from < 32) for (let i = from; i < to; i++) target[at + i - from] = source[i]; // a view costs as much as copying 32 numbers
  else target.set(source.subarray(from, to), at);
}

/** For texts that were cut, normalised and split into words before: runs of letters, by their numbers. */
export function createLinearRunEncoder(letters: Letters, encode: LinearEncoder): RunEncoder {
  const nothing: OtherBytes = () => -1;
  return (text, start, end, out) => {
    encode({
      length: end - start,
      start,
      fill(bytes, at, count) {
        for (let i = 0; i < count; i++) bytes[i] = letters.ofUnit[text.charCodeAt(start + at + i)];
        return true;
      },
    }, AS_NUMBERS, nothing, out);
  };
}

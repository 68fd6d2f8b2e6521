/** Growing columns: the ids of tokens and, where asked for, where each starts and ends in its text. */
export interface TokenBuffer {
  ids: Uint32Array;
  /** Two numbers a token, `[start, end)`; undefined where nobody asked. */
  offsets: Uint32Array | undefined;
  length: number;
  /** Characters without a token so far, and where the first of the current text stands. */
  unknownCount: number;
  firstUnknown: number;
}

export const createTokenBuffer = (withOffsets = false): TokenBuffer => ({
  ids: new Uint32Array(256), offsets: withOffsets ? new Uint32Array(512) : undefined, length: 0, unknownCount: 0, firstUnknown: -1,
});

/** Makes room for at least `capacity` tokens; doubling, so that n pushes copy O(n). */
export function reserve(buffer: TokenBuffer, capacity: number): void {
  if (capacity <= buffer.ids.length) return;
  const size = Math.max(capacity, 2 * buffer.ids.length);
  const ids = new Uint32Array(size);
  ids.set(buffer.ids.subarray(0, buffer.length));
  buffer.ids = ids;
  if (!buffer.offsets) return;
  const offsets = new Uint32Array(2 * size);
  offsets.set(buffer.offsets.subarray(0, 2 * buffer.length));
  buffer.offsets = offsets;
}

/** Appends one token that covers `[start, end)`. */
export function push(buffer: TokenBuffer, id: number, start: number, end: number): void {
  const at = buffer.length;
  if (at === buffer.ids.length) reserve(buffer, at + 1);
  buffer.ids[at] = id;
  if (buffer.offsets) {
    buffer.offsets[2 * at] = start;
    buffer.offsets[2 * at + 1] = end;
  }
  buffer.length = at + 1;
}

/** Counts characters without a token, the first of them at `start`. */
export function countUnknown(buffer: TokenBuffer, start: number, characters: number): void {
  if (buffer.firstUnknown < 0) buffer.firstUnknown = start;
  buffer.unknownCount += characters;
}

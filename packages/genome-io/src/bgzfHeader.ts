// What a block of BGZF says of itself (SAM specification, section 4.1): its length, and how much text it holds. Threads that inflate use this too (see nextStretch.ts).
import { FormatError } from './formatError';
import type { Run } from './inflate';

/** The most that a block holds, as data and as text. */
export const longestBlock = 1 << 16;
/** The fixed part of a gzip header and the length of its extra field. */
export const headerBytes = 12;
export const trailerBytes = 8;
/** The empty block that ends every complete file (section 4.1.2). */
export const endOfFileBlock = Uint8Array.from([31, 139, 8, 4, 0, 0, 0, 0, 0, 255, 6, 0, 66, 67, 2, 0, 27, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

export const damaged = (offset: number, expected: string, got: string, cause?: unknown) =>
  new FormatError(`bgzf: expected ${expected} at byte ${offset}, got ${got}; fetch the file again and compare its checksum`, { format: 'bgzf', offset, cause });

/** Whether a file that begins with `bytes` (16 or more) is BGZF, by the extra field BC. */
export function startsAsBgzf(bytes: Uint8Array): boolean {
  return bytes.length >= 16 && bytes[0] === 31 && bytes[1] === 139 && bytes[2] === 8 && (bytes[3] & 4) !== 0 && bytes[12] === 66 && bytes[13] === 67 && bytes[14] === 2 && bytes[15] === 0;
}

/**
 * The length of the block whose header begins at `bytes[at]`; undefined when `bytes` ends before that is known.
 * @param offset - where that is in the file, for messages
 */
export function blockLength(bytes: Uint8Array, at: number, offset: number): number | undefined {
  const available = bytes.length - at;
  if (available < headerBytes) return undefined;
  if (bytes[at] !== 31 || bytes[at + 1] !== 139 || bytes[at + 2] !== 8 || (bytes[at + 3] & 4) === 0) {
    throw damaged(offset, 'a block (31 139 8 with an extra field)', `bytes ${bytes.subarray(at, at + 4).join(' ')}`);
  }
  const extraEnd = headerBytes + (bytes[at + 10] | (bytes[at + 11] << 8));
  if (available < extraEnd) return undefined;
  for (let field = headerBytes; field + 4 <= extraEnd; field += 4 + (bytes[at + field + 2] | (bytes[at + field + 3] << 8))) {
    if (bytes[at + field] !== 66 || bytes[at + field + 1] !== 67 || bytes[at + field + 2] !== 2 || bytes[at + field + 3] !== 0 || field + 6 > extraEnd) continue;
    const length = (bytes[at + field + 4] | (bytes[at + field + 5] << 8)) + 1;
    if (length < extraEnd + trailerBytes + 1) throw damaged(offset, `a block longer than its header of ${extraEnd} bytes`, `${length}`);
    return length;
  }
  throw damaged(offset, 'the extra field BC with the length of the block', 'a gzip member without it');
}

/** Text of a run: enough that handing it to a thread costs little beside it (1 MiB: two threads 1.54 times one, 2 MiB: 1.73, 4 MiB less again), and little enough to hold a few. */
const runTextBytes = 1 << 21;
/** The most that a run takes in the file: no more text than this fits into blocks that are not compressed, and the last one may reach beyond. */
export const longestRun = runTextBytes + longestBlock;
/** The most text of a run that is not damaged. */
export const longestText = runTextBytes + longestBlock;

/** The text of the block that ends at `end`, as it states it: more than three bytes are damage, and no text is that long. */
export const statedLength = (bytes: Uint8Array, end: number) => bytes[end - 4] | (bytes[end - 3] << 8) | (bytes[end - 2] << 16);

/** The whole blocks of `bytes` from `at` on, up to 2 MiB of text and the block that goes beyond. */
export interface WholeBlocks extends Pick<Run, 'lengths' | 'textLength'> {
  readonly end: number;
  /** What is wrong with the header at `end`, if anything; `cut` where `bytes` ends within that block. */
  readonly next: 'whole' | 'cut' | { readonly error: unknown };
}

/** @param offset - where `bytes[at]` is in the file, for messages */
export function wholeBlocks(bytes: Uint8Array, at: number, offset: number): WholeBlocks {
  const lengths: number[] = [];
  let textLength = 0;
  let end = at;
  while (textLength < runTextBytes && end - at < runTextBytes) {
    let length: number | undefined;
    try {
      length = blockLength(bytes, end, offset + end - at);
    } catch (error) {
      return { lengths, textLength, end, next: { error } };
    }
    if (length === undefined || end + length > bytes.length) return { lengths, textLength, end, next: 'cut' };
    end += length;
    lengths.push(length);
    textLength += statedLength(bytes, end);
  }
  return { lengths, textLength, end, next: 'whole' };
}

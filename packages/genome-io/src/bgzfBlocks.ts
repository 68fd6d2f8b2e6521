// BGZF (SAM specification, section 4.1): gzip whose members are blocks of at most 64 KiB that name their own length, so that a reader can start at any of them.
// Blocks are parsed here and inflated one by one: whole-file gunzip routines stop early or return nothing on such files.
import { deflateSync, inflateSync } from 'fflate';
import { concat, unfilled } from './bytes';
import { crc32 } from './crc32';
import { FormatError } from './formatError';
import { inflateRun, inflater, type Run } from './inflate';
import { inflateTogether, threadsAreIdle } from './inflateThreads';
import { nodeModule } from './nodeModule';

/** Bytes of text that bgzip puts into one block; what deflate cannot shorten still fits into 64 KiB with its headers. */
export const blockTextBytes = 0xff00;
const longestBlock = 1 << 16;
/** The fixed part of a gzip header and the length of its extra field. */
const headerBytes = 12;
const trailerBytes = 8;
/** The empty block that ends every complete file (section 4.1.2). */
export const endOfFileBlock = Uint8Array.from([31, 139, 8, 4, 0, 0, 0, 0, 0, 255, 6, 0, 66, 67, 2, 0, 27, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

const damaged = (offset: number, expected: string, got: string, cause?: unknown) =>
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

/** Inflates the one complete block `bytes`, and checks its CRC-32 and length. */
export function inflateBlock(bytes: Uint8Array, offset: number): Uint8Array {
  const trailer = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - trailerBytes, trailerBytes);
  const textLength = trailer.getUint32(4, true);
  if (textLength > longestBlock) throw damaged(offset, `a block of at most ${longestBlock} bytes of text`, `${textLength}`);
  const extraEnd = headerBytes + (bytes[10] | (bytes[11] << 8));
  if (bytes[3] !== 4) throw damaged(offset, 'a block with no flag but FEXTRA', `flags ${bytes[3]}`);
  const inflate = inflater();
  const whole = unfilled(inflate ? textLength : 0);
  if (inflate?.(bytes, extraEnd, bytes.length - trailerBytes, whole, 0, textLength, trailer.getUint32(0, true))) return whole;
  const text = inflateRaw(bytes.subarray(extraEnd, bytes.length - trailerBytes), textLength, offset);
  if (text.length !== textLength) throw damaged(offset, `a block of ${textLength} bytes of text`, `${text.length}`);
  const sum = crc32(text);
  if (sum !== trailer.getUint32(0, true)) throw damaged(offset, `a block with CRC-32 ${trailer.getUint32(0, true).toString(16)}`, sum.toString(16));
  return text;
}

function inflateRaw(data: Uint8Array, textLength: number, offset: number): Uint8Array {
  const zlib = nodeModule('node:zlib');
  try {
    // One output buffer, a byte larger than the text: zlib then ends in one call (670 MB/s against 565 with its default of 16 KiB).
    return zlib ? zlib.inflateRawSync(data, { chunkSize: Math.max(64, textLength + 1), maxOutputLength: longestBlock }) : inflateSync(data, { out: new Uint8Array(textLength) });
  } catch (error) {
    throw damaged(offset, 'a block of deflate data', `damage (${(error as Error).message})`, error);
  }
}

/** A run, and where its first block begins in the file. */
export interface PlacedRun extends Run {
  readonly offset: number;
}

/** Text of a run: enough that handing it to a thread costs nothing beside it, and little enough to hold a few. */
const runTextBytes = 1 << 20;
/** The most that a run takes in the file: no more text than this fits into blocks that are not compressed, and the last one may reach beyond. */
const longestRun = runTextBytes + longestBlock;

/**
 * The blocks of a BGZF stream, in runs whose bytes are valid until the next is asked for: they lie in the chunks, of which only a block over two chunks is copied.
 * @throws FormatError naming the offset for a cut block, for bytes that are no block, and when the last block is not the empty one; whole blocks before it are given out first.
 */
async function* splitRuns(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<PlacedRun, void, undefined> {
  let rest: Uint8Array = new Uint8Array(0);
  let offset = 0;
  let ended = false;
  for await (const chunk of chunks) {
    let at = 0;
    if (rest.length > 0) {
      const joined = concat([rest, chunk.subarray(0, longestBlock)]);
      const length = blockLength(joined, 0, offset);
      if (length === undefined || length > joined.length) {
        rest = joined;
        continue;
      }
      ended = length === endOfFileBlock.length;
      yield { offset, bytes: joined.subarray(0, length), lengths: [length], textLength: statedLength(joined, length) };
      offset += length;
      at = length - rest.length;
    }
    for (let whole = true; whole; ) {
      const lengths: number[] = [];
      let textLength = 0;
      let end = at;
      let failure: unknown;
      while (textLength < runTextBytes && end - at < runTextBytes) {
        let length: number | undefined;
        try {
          length = blockLength(chunk, end, offset + end - at);
        } catch (error) {
          failure = error;
        }
        whole = length !== undefined && end + length <= chunk.length;
        if (length === undefined || !whole) break;
        ended = length === endOfFileBlock.length; // no text fits into so short a block
        end += length;
        lengths.push(length);
        textLength += statedLength(chunk, end);
      }
      if (end > at) yield { offset, bytes: chunk.subarray(at, end), lengths, textLength };
      offset += end - at;
      at = end;
      if (failure !== undefined) throw failure as Error;
    }
    rest = chunk.slice(at);
  }
  if (rest.length > 0) throw damaged(offset, 'a complete block', `the end of the file after ${rest.length} bytes`);
  if (!ended) throw damaged(offset, 'the empty block that ends a BGZF file', 'the end of the file');
}

/** The text of the block that ends at `end`, as it states it: more than three bytes are damage, and no text is that long. */
const statedLength = (bytes: Uint8Array, end: number) => bytes[end - 4] | (bytes[end - 3] << 8) | (bytes[end - 2] << 16);

function* blocksOf({ offset, bytes, lengths }: PlacedRun): Generator<{ offset: number; bytes: Uint8Array }, void, undefined> {
  let at = 0;
  for (const length of lengths) {
    yield { offset: offset + at, bytes: bytes.subarray(at, at + length) };
    at += length;
  }
}

/** The blocks of a BGZF stream as bytes of the file, one after another; errors as {@link splitRuns} has them. */
export async function* splitBlocks(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<{ offset: number; bytes: Uint8Array }, void, undefined> {
  for await (const run of splitRuns(chunks)) yield* blocksOf(run);
}

/** Text that this thread inflates alone before others help: where they must begin first it takes 8 ms, a third of what they need. */
const textAlone = () => (threadsAreIdle() ? 1 << 20 : 1 << 22);

/**
 * Inflates a BGZF stream as it is read; every block is checked. Where a run is damaged, its blocks are inflated one by one to say which.
 * @param threads - this one and, in Node, workers beside it
 */
export async function* inflateBlocks(chunks: AsyncIterable<Uint8Array>, threads = defaultThreads()): AsyncGenerator<Uint8Array, void, undefined> {
  const runs = splitRuns(chunks);
  const alone = threads === 1 || !nodeModule('node:worker_threads');
  try {
    for (let seen = 0; alone || seen < textAlone(); ) {
      const { done, value: run } = await runs.next();
      if (done) return;
      seen += run.textLength;
      yield* textsOf(run, inflateRun(run));
    }
    for await (const { run, text } of inflateTogether(runs, threads, longestRun)) yield* textsOf(run, text);
  } finally {
    await runs.return();
  }
}

function* textsOf(run: PlacedRun, text: Uint8Array | undefined): Generator<Uint8Array, void, undefined> {
  if (text) {
    if (text.length > 0) yield text;
  } else for (const block of blocksOf(run)) {
    const one = inflateBlock(block.bytes, block.offset);
    if (one.length > 0) yield one;
  }
}

/** As many as the machine runs at once; more than 4 wait for the one that reads. */
function defaultThreads(): number {
  return Math.min(4, nodeModule('node:os')?.availableParallelism() ?? 1);
}

/** One block that holds `text`, at most 65,280 bytes of it. */
export function deflateBlock(text: Uint8Array, level: number): Uint8Array {
  const zlib = nodeModule('node:zlib');
  const data = zlib ? zlib.deflateRawSync(text, { level }) : deflateSync(text, { level: level as 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 });
  const bytes = new Uint8Array(18 + data.length + trailerBytes);
  bytes.set(endOfFileBlock.subarray(0, 16));
  bytes.set(data, 18);
  const view = new DataView(bytes.buffer);
  view.setUint16(16, bytes.length - 1, true);
  view.setUint32(18 + data.length, crc32(text), true);
  view.setUint32(22 + data.length, text.length, true);
  return bytes;
}

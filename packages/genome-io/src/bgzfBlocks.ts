// BGZF (SAM specification, section 4.1): gzip whose members are blocks of at most 64 KiB that name their own length, so that a reader can start at any of them.
// Blocks are parsed here and inflated one by one: whole-file gunzip routines stop early or return nothing on such files.
import { deflateSync, inflateSync } from 'fflate';
import { blockLength, damaged, endOfFileBlock, headerBytes, longestBlock, longestRun, statedLength, trailerBytes, wholeBlocks, type WholeBlocks } from './bgzfHeader';
import { concat, unfilled } from './bytes';
import { crc32 } from './crc32';
import { inflateRun, inflater, type Run } from './inflate';
import { inflateFile, type FileOfBlocks } from './inflateFile';
import { areReady, borrow, giveBack, threadsAreIdle, type Thread } from './inflatePool';
import { inflateTogether } from './inflateThreads';
import { nodeModule } from './nodeModule';
import { textMemory } from './textMemory';

/** Bytes of text that bgzip puts into one block; what deflate cannot shorten still fits into 64 KiB with its headers. */
export const blockTextBytes = 0xff00;

/**
 * Inflates the one complete block `bytes`, and checks its CRC-32 and length.
 * @param into - memory for the text, where it is long enough
 */
export function inflateBlock(bytes: Uint8Array, offset: number, into?: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const trailer = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - trailerBytes, trailerBytes);
  const textLength = trailer.getUint32(4, true);
  if (textLength > longestBlock) throw damaged(offset, `a block of at most ${longestBlock} bytes of text`, `${textLength}`);
  const extraEnd = headerBytes + (bytes[10] | (bytes[11] << 8));
  if (bytes[3] !== 4) throw damaged(offset, 'a block with no flag but FEXTRA', `flags ${bytes[3]}`);
  const inflate = inflater();
  const whole = into && into.length >= textLength ? into.subarray(0, textLength) : unfilled(inflate ? textLength : 0);
  if (inflate?.(bytes, extraEnd, bytes.length - trailerBytes, whole, 0, textLength, trailer.getUint32(0, true))) return whole;
  const text = inflateRaw(bytes.subarray(extraEnd, bytes.length - trailerBytes), textLength, offset);
  if (text.length !== textLength) throw damaged(offset, `a block of ${textLength} bytes of text`, `${text.length}`);
  const sum = crc32(text);
  if (sum !== trailer.getUint32(0, true)) throw damaged(offset, `a block with CRC-32 ${trailer.getUint32(0, true).toString(16)}`, sum.toString(16));
  return text;
}

function inflateRaw(data: Uint8Array, textLength: number, offset: number): Uint8Array<ArrayBuffer> {
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

/**
 * The blocks of a BGZF stream, in runs whose bytes are valid until the next is asked for: they lie in the chunks, of which only a block over two chunks is copied.
 * @param offset - where the first chunk begins in the file
 * @throws FormatError naming the offset for a cut block, for bytes that are no block, and when the last block is not the empty one; whole blocks before it are given out first.
 */
async function* splitRuns(chunks: AsyncIterable<Uint8Array>, offset = 0): AsyncGenerator<PlacedRun, void, undefined> {
  let rest: Uint8Array = new Uint8Array(0);
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
    for (let next: WholeBlocks['next'] = 'whole'; next === 'whole'; ) {
      const blocks = wholeBlocks(chunk, at, offset);
      const { lengths, textLength, end } = blocks;
      if (end > at) yield { offset, bytes: chunk.subarray(at, end), lengths, textLength };
      ended = (lengths.at(-1) ?? (ended ? endOfFileBlock.length : 0)) === endOfFileBlock.length; // no text fits into so short a block
      offset += end - at;
      at = end;
      ({ next } = blocks);
      if (typeof next === 'object') throw next.error;
    }
    rest = new Uint8Array(chunk.subarray(at)); // slice of Node's Buffer copies nothing
  }
  if (rest.length > 0) throw damaged(offset, 'a complete block', `the end of the file after ${rest.length} bytes`);
  if (!ended) throw damaged(offset, 'the empty block that ends a BGZF file', 'the end of the file');
}

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
 * @param threads - in Node; 1 is this thread alone, more are workers that read `file` themselves, or without one this thread and workers beside it
 * @param reuse - whether a text is valid only until the next is asked for
 */
export async function* inflateBlocks(chunks: AsyncIterable<Uint8Array>, threads = defaultThreads(), file?: FileOfBlocks, reuse = false): AsyncGenerator<Uint8Array, void, undefined> {
  const runs = splitRuns(chunks);
  const alone = threads === 1 || !nodeModule('node:worker_threads');
  const memory = textMemory(reuse);
  let workers: Thread[] = [];
  let offset = 0;
  try {
    for (let seen = 0; alone || seen < textAlone() || (file && !areReady(workers)); ) {
      const { done, value: run } = await runs.next();
      if (done) return;
      seen += run.textLength;
      offset = run.offset + run.bytes.length;
      const text = inflateRun(run, memory.take());
      yield* textsOf(run, text);
      if (text) memory.giveBack(text);
      if (file && !alone && workers.length === 0 && seen >= textAlone()) workers = borrow(threads);
    }
    if (!file) for await (const { run, text } of inflateTogether(runs, threads, longestRun, reuse)) yield* textsOf(run, text);
    else {
      await runs.return();
      offset = yield* inflateFile(file, offset, workers, reuse);
      for await (const run of splitRuns(file.from(offset), offset)) yield* textsOf(run, inflateRun(run));
    }
  } finally {
    giveBack(workers);
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

// Whole BGZF files: to and from memory, and as a stream of blocks.
import { blockTextBytes, deflateBlock, inflateBlocks } from './bgzfBlocks';
import { endOfFileBlock } from './bgzfHeader';
import { checkThreads, fileOfBlocks, readSource, type ByteSource, type ReadBytesOptions, type ReadOptions } from './byteSource';
import { concat } from './bytes';

/**
 * The whole text of a BGZF file. To stream it instead, use `readBytes`, which detects BGZF by itself.
 * @throws FormatError (`bgzf`, with `offset`) for a missing end-of-file block, a cut block, a wrong CRC-32 or length.
 */
export async function bgzfDecompress(source: ByteSource, options: ReadBytesOptions = {}): Promise<Uint8Array> {
  checkThreads('bgzfDecompress', options.threads);
  return collect(inflateBlocks(readSource(source, { ...options, reuse: true }), options.threads, await fileOfBlocks(source, options)));
}

/** A block's place in the file and in the text. */
export interface BgzfBlock {
  /** Where its header begins, in bytes of the file. */
  readonly offset: number;
  /** Its bytes in the file. */
  readonly length: number;
  /** Its bytes of text, 0 to 65,536 (ISIZE). */
  readonly textLength: number;
}

export interface BgzfCompressOptions extends ReadOptions {
  /** Deflate level, 0 (stored) to 9 (smallest); default 6. */
  readonly level?: number;
  /** Told of every block as it is written. */
  readonly onBlock?: (block: BgzfBlock) => void;
}

/** Compresses `source` to BGZF in memory, cut into blocks as bgzip cuts them, with the end-of-file block. The source is taken as it is: bytes that are gzip already are compressed again. */
export async function bgzfCompress(source: ByteSource, options: BgzfCompressOptions = {}): Promise<Uint8Array> {
  return collect(bgzfCompressStream(source, options));
}

/** The same as a stream of blocks, for files larger than memory. */
export async function* bgzfCompressStream(source: ByteSource, options: BgzfCompressOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
  const level = options.level ?? 6;
  if (!(Number.isInteger(level) && level >= 0 && level <= 9)) throw new RangeError(`bgzfCompress: expected a level from 0 to 9, got ${level}; 6 is the default`);
  let offset = 0;
  const block = (text: Uint8Array) => {
    const bytes = text.length === 0 ? endOfFileBlock.slice() : deflateBlock(text, level);
    options.onBlock?.({ offset, length: bytes.length, textLength: text.length });
    offset += bytes.length;
    return bytes;
  };
  const pending = new Uint8Array(blockTextBytes);
  let used = 0;
  for await (const chunk of readSource(source, { ...options, reuse: true })) {
    for (let at = 0; at < chunk.length; ) {
      const piece = chunk.subarray(at, at + blockTextBytes - used);
      pending.set(piece, used);
      used += piece.length;
      at += piece.length;
      if (used === blockTextBytes) {
        yield block(pending);
        used = 0;
      }
    }
  }
  if (used > 0) yield block(pending.subarray(0, used));
  yield block(new Uint8Array(0));
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const list: Uint8Array[] = [];
  for await (const chunk of chunks) list.push(chunk);
  return concat(list);
}

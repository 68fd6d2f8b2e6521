// The .gzi index of bgzip -r and samtools faidx: where each block begins in the file and in the text.
import { splitBlocks } from './bgzfBlocks';
import { readSource, type ByteSource, type ReadOptions } from './byteSource';
import { FormatError } from './formatError';

/** Starts of the blocks, ascending, the first block (0, 0) included; the empty block at the end is not. */
export interface GziIndex {
  /** In bytes of the file. */
  readonly blockOffsets: Float64Array;
  /** In bytes of the text. */
  readonly textOffsets: Float64Array;
}

/**
 * Reads a `.gzi` file: a count, then pairs of offsets, all u64 little-endian, without the first block.
 * @throws FormatError for another length than the count says, and for offsets that do not grow.
 */
export function parseGzi(bytes: Uint8Array): GziIndex {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const stated = bytes.length < 8 ? NaN : Number(view.getBigInt64(0, true));
  const count = Math.max(0, stated); // bgzip 1.16 writes -1 for a file without text
  if (!(stated >= -1) || bytes.length !== 8 + 16 * count) throw fail(!(stated >= -1) ? 'a count of blocks' : `${8 + 16 * count} bytes for ${count} blocks`, `${bytes.length} bytes`, 0);
  const blockOffsets = new Float64Array(count + 1);
  const textOffsets = new Float64Array(count + 1);
  for (let i = 1; i <= count; i++) {
    const at = 16 * i - 8;
    blockOffsets[i] = Number(view.getBigUint64(at, true));
    textOffsets[i] = Number(view.getBigUint64(at + 8, true));
    if (!(blockOffsets[i] > blockOffsets[i - 1] && textOffsets[i] >= textOffsets[i - 1] && blockOffsets[i] <= Number.MAX_SAFE_INTEGER)) throw fail('offsets that grow', `block ${blockOffsets[i]}, text ${textOffsets[i]}`, at);
  }
  return { blockOffsets, textOffsets };
}

const fail = (expected: string, got: string, offset: number) => new FormatError(`parseGzi: expected ${expected}, got ${got}; make the index again with createGzi or bgzip -r`, { format: 'gzi', offset });

/** The bytes of a `.gzi` file, equal to htslib's. But: no blocks are 0 of them, where bgzip 1.16 writes -1. */
export function serializeGzi({ blockOffsets, textOffsets }: GziIndex): Uint8Array {
  const count = Math.max(0, blockOffsets.length - 1);
  const bytes = new Uint8Array(8 + 16 * count);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(count), true);
  for (let i = 1; i <= count; i++) {
    view.setBigUint64(16 * i - 8, BigInt(blockOffsets[i]), true);
    view.setBigUint64(16 * i, BigInt(textOffsets[i]), true);
  }
  return bytes;
}

/**
 * Makes the index of a BGZF file in one pass over its block headers; nothing is inflated.
 * @throws FormatError (`bgzf`, with `offset`) for a cut block, a missing end-of-file block, or what is not BGZF.
 */
export async function createGzi(source: ByteSource, options: ReadOptions = {}): Promise<GziIndex> {
  const blockOffsets: number[] = [0];
  const textOffsets: number[] = [0];
  let text = 0;
  for await (const { offset, bytes } of splitBlocks(readSource(source, { ...options, reuse: true }))) {
    const textLength = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4, 4).getUint32(0, true);
    if (text > 0 && textLength > 0) { // empty blocks are not worth a jump, and the first text is found from 0
      blockOffsets.push(offset);
      textOffsets.push(text);
    }
    text += textLength;
  }
  return { blockOffsets: Float64Array.from(blockOffsets), textOffsets: Float64Array.from(textOffsets) };
}

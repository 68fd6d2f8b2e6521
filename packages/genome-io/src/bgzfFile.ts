// Random access into BGZF: by position in the text through a .gzi, or by virtual offset as .tbi, .csi and .bai store them.
import { inflateBlock } from './bgzfBlocks';
import { blockLength, longestBlock } from './bgzfHeader';
import type { FileHandleLike, ReadOptions } from './byteSource';
import { FormatError } from './formatError';
import { createGzi, parseGzi, type GziIndex } from './gzi';
import { openRandomAccess, type RandomAccessFile, type RandomAccessOptions, type RandomAccessSource } from './randomAccess';
import { textMemory } from './textMemory';

/** The text of a BGZF file by position: a {@link FileHandleLike} itself, so whatever reads plain files reads this. */
export interface BgzfFile extends RandomAccessFile {
  /** The index in use; `serializeGzi` writes it. */
  gzi(): Promise<GziIndex>;
  /** Up to `length` bytes of text from a virtual offset, and the virtual offset after them; fewer only at the end. Needs no index. */
  readVirtual(virtualOffset: bigint, length: number, options?: ReadOptions): Promise<{ bytes: Uint8Array; next: bigint }>;
}

export interface BgzfFileOptions extends RandomAccessOptions {
  /** The `.gzi` index: its bytes, where to read them, or already parsed. Without it the block headers are read once, when first needed. */
  readonly gzi?: GziIndex | RandomAccessSource;
  /** Inflated text kept for later reads, in bytes; default 16 MiB. */
  readonly cacheBytes?: number;
}

/** A virtual offset: the block's place in the file times 65,536, plus the place in its text (SAM specification, section 4.1.1). */
export function toVirtualOffset(blockOffset: number, within: number): bigint {
  if (!Number.isSafeInteger(blockOffset) || blockOffset < 0 || blockOffset >= 2 ** 48 || !Number.isInteger(within) || within < 0 || within > 0xffff) {
    throw new RangeError(`toVirtualOffset: expected a block below 2^48 and 0 to 65535 within it, got ${blockOffset} and ${within}; check the index`);
  }
  return (BigInt(blockOffset) << 16n) | BigInt(within);
}

/** The two parts of a virtual offset. */
export function fromVirtualOffset(virtualOffset: bigint): { blockOffset: number; within: number } {
  return { blockOffset: Number(BigInt.asUintN(64, virtualOffset) >> 16n), within: Number(virtualOffset & 0xffffn) };
}

/**
 * Opens a BGZF file for reading by position in its text or by virtual offset. Every block that is read is checked.
 * @throws FormatError (`bgzf`, with `offset`) from the reads: a cut block, a wrong CRC-32 or length, an index of another file.
 */
export function openBgzf(source: RandomAccessSource, options: BgzfFileOptions = {}): BgzfFile {
  const file = openRandomAccess(source, options);
  let loaded: GziIndex | undefined;
  const blocks = blockCache(file, options.cacheBytes ?? 1 << 24, (offset) => (loaded ? bytesToNextBlock(loaded, offset) : longestBlock));
  let index: Promise<GziIndex> | undefined;
  let size: Promise<number> | undefined;
  const gzi = () => (index ??= loadGzi(file, options).then((all) => (loaded = all)).catch((error: unknown) => { index = undefined; throw error; }));
  const textSize = async () => {
    const { blockOffsets, textOffsets } = await gzi();
    let at = blockOffsets[blockOffsets.length - 1];
    let total = textOffsets[textOffsets.length - 1];
    for (;;) { // blocks after the last one of the index: that block itself and the empty one
      const block = await blocks(at, readStored(file, {}), ({ text, length }) => ({ text: text.length, length }));
      if (!block) return total;
      total += block.text;
      at += block.length;
    }
  };
  return {
    gzi,
    close: () => file.close(),
    stat: async () => ({ size: await (size ??= textSize()) }),
    async read(length, position, more = {}) {
      if (!Number.isSafeInteger(length) || length < 0 || !Number.isSafeInteger(position) || position < 0) {
        throw new RangeError(`read: expected whole numbers of 0 or more, got length ${length} and position ${position}; round them`);
      }
      const { blockOffsets, textOffsets } = await gzi();
      const block = lastAtOrBelow(textOffsets, position);
      const last = lastAtOrBelow(textOffsets, position + length - 1);
      const read = readStored(file, more, last > block ? blockOffsets[last] + bytesToNextBlock(await gzi(), blockOffsets[last]) : 0);
      return (await readFrom(blocks, read, blockOffsets[block], position - textOffsets[block], length)).bytes;
    },
    async readVirtual(virtualOffset, length, more = {}) {
      const { blockOffset, within } = fromVirtualOffset(virtualOffset);
      const { bytes, blockOffset: nextBlock, within: nextWithin } = await readFrom(blocks, readStored(file, more), blockOffset, within, length);
      return { bytes, next: toVirtualOffset(nextBlock, nextWithin) };
    },
  };
}

async function loadGzi(file: FileHandleLike, { gzi, signal }: BgzfFileOptions): Promise<GziIndex> {
  if (gzi === undefined) return createGzi(file, { signal });
  if (typeof gzi === 'object' && 'blockOffsets' in gzi) return gzi;
  return parseGzi(await readWhole(gzi, { signal }));
}

/** All bytes of a small file beside the data, such as an index. */
export async function readWhole(source: RandomAccessSource, options: RandomAccessOptions): Promise<Uint8Array> {
  const file = openRandomAccess(source, options);
  try {
    return await file.read((await file.stat()).size, 0);
  } finally {
    await file.close();
  }
}

/** A block's text and its bytes in the file. */
interface Block {
  readonly text: Uint8Array<ArrayBuffer>;
  readonly length: number;
}

/** What `use` makes of the block at `offset`, whose text is another's once it returns; undefined at the end of the file. */
type UseBlock = <T>(offset: number, read: ReadStored, use: (block: Block) => T) => Promise<T | undefined>;
type ReadStored = (length: number, position: number) => Promise<Uint8Array>;

/** `length` bytes of text from `within` the block at `offset`, over as many blocks as it takes. */
async function readFrom(blocks: UseBlock, read: ReadStored, offset: number, within: number, length: number) {
  let bytes = new Uint8Array(Math.min(length, 1 << 16));
  let used = 0;
  const copy = ({ text, length: blockBytes }: Block): boolean => {
    const piece = text.subarray(within, within + length - used);
    if (used + piece.length > bytes.length) { // grows with what is there: a caller may ask for more than the file holds
      const larger = new Uint8Array(Math.min(length, 2 * bytes.length));
      larger.set(bytes.subarray(0, used));
      bytes = larger;
    }
    bytes.set(piece, used);
    used += piece.length;
    within += piece.length;
    if (within < text.length) return false;
    within -= text.length;
    offset += blockBytes;
    return used < length || within > 0;
  };
  while (await blocks(offset, read, copy));
  return { bytes: bytes.subarray(0, used), blockOffset: offset, within };
}

/** Bytes up to the next block that the index names: the one at `offset` and empty ones after it. Where it names none, as many as a block can have, so that its length need not be asked for first. */
function bytesToNextBlock({ blockOffsets }: GziIndex, offset: number): number {
  const next = lastAtOrBelow(blockOffsets, offset) + 1;
  return next < blockOffsets.length ? Math.min(longestBlock, blockOffsets[next] - offset) : longestBlock;
}

/** The most that is read at once where a read goes over several blocks: few requests, and memory for few of them. */
const aheadBytes = 1 << 20;

/** Reads `file`, and with it what lies up to `until`, for who asks for that next. */
function readStored(file: FileHandleLike, options: ReadOptions, until = 0): ReadStored {
  let ahead: Uint8Array = new Uint8Array(0);
  let from = 0;
  let to = 0; // beyond the end of the file where `ahead` reaches it
  return async (length, position) => {
    if (position < from || position + length > to) {
      const most = Math.max(length, Math.min(until - position, aheadBytes));
      ahead = await file.read(most, position, options);
      from = position;
      to = position + most;
    }
    return ahead.subarray(position - from, position - from + length);
  };
}

interface CachedBlock {
  readonly loading: Promise<Block | undefined>;
  loaded?: Block | undefined;
  readers: number;
}

/** Blocks by offset, the least recently used dropped first. Several reads of one block share its promise. The memory of one that was dropped is that of the next: new memory cost a sixth of a fetch. */
function blockCache(file: FileHandleLike, cacheBytes: number, bytesAt: (offset: number) => number): UseBlock {
  const cache = new Map<number, CachedBlock>();
  const held = Math.max(1, Math.floor(cacheBytes / longestBlock));
  const memory = textMemory(true, longestBlock);
  const load = async (offset: number, read: ReadStored): Promise<Block | undefined> => {
    const most = bytesAt(offset);
    const bytes = await read(most, offset);
    if (bytes.length === 0 && offset >= (await file.stat()).size) return undefined;
    const length = blockLength(bytes, 0, offset);
    if (bytes.length === most && most < longestBlock && (length ?? longestBlock) > most) throw new FormatError(`bgzf: expected a block of at most ${most} bytes at byte ${offset}, as the index has it, got ${length ?? 'a longer one'}; the index belongs to another version of this file, or the file is damaged: make the index again with createGzi or bgzip -r`, { format: 'bgzf', offset });
    if (length === undefined || length > bytes.length) throw new FormatError(`bgzf: expected a complete block at byte ${offset}, got the end of the file after ${bytes.length} bytes; fetch the file again and compare its checksum`, { format: 'bgzf', offset });
    return { text: inflateBlock(bytes.subarray(0, length), offset, memory.take()), length };
  };
  const drop = (offset: number) => {
    const { loaded, readers } = cache.get(offset)!;
    cache.delete(offset);
    if (loaded && readers === 0) memory.giveBack(loaded.text);
  };
  const add = (offset: number, read: ReadStored): CachedBlock => {
    const block: CachedBlock = { loading: load(offset, read), readers: 0 };
    const forget = () => { if (cache.get(offset) === block) cache.delete(offset); }; // a file may grow
    block.loading.then((some) => { if (some) block.loaded = some; else forget(); }, forget);
    return block;
  };
  return async (offset, read, use) => {
    const known = cache.get(offset);
    const block = known ?? add(offset, read);
    cache.delete(offset);
    cache.set(offset, block);
    if (cache.size > held) drop(cache.keys().next().value!);
    block.readers++;
    try {
      // Another reader's may have failed because that one gave up.
      const some = block.loaded ?? await (known ? known.loading.catch(() => load(offset, read)) : block.loading);
      return some && use(some);
    } finally {
      block.readers--;
    }
  };
}

/** The place of the last of the ascending `values` that is not above `wanted`. */
function lastAtOrBelow(values: Float64Array, wanted: number): number {
  let low = 0;
  let high = values.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (values[middle] <= wanted) low = middle;
    else high = middle;
  }
  return low;
}

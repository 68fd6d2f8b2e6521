/** One long sequence in blocks that overlap: what a thread makes of a block, and how neighbours become one encoding. */
import type { AsciiEncoder } from '../encodeAscii';
import { findJoint, firstTokenFrom, OVERLAP } from '../joint';
import { createTokenBuffer, reserve, type TokenBuffer } from '../tokenBuffer';
import type { Encoding } from '../tokenizer';

/**
 * Memory of a block, which goes to a thread and comes back, so that nothing is copied. It is not shared: V8 copies to and from shared memory byte by byte
 * where source and target are not aligned alike, seven to ten times as slow, and pages share memory only where they are cross-origin isolated.
 */
export interface BlockMemory {
  readonly letters: Uint8Array;
  /** Grows in the thread to what a block needs, and stays. */
  readonly tokens: TokenBuffer;
}

/** A block to encode: the first `length` letters in the memory, ASCII that begins at base `start`. */
export interface BlockWork {
  readonly memory: BlockMemory;
  readonly length: number;
  readonly start: number;
  readonly upper: boolean;
  readonly withOffsets: boolean;
}

/** The tokens of a block, and where the first and the last of them stand in the sequence. */
export interface Block {
  readonly ids: Uint32Array;
  readonly offsets: Uint32Array | undefined;
  /** The first tokens, at least those of the first `OVERLAP` bases where they could be placed, and the last ones. */
  readonly head: Encoding;
  readonly tail: Encoding;
}

/** A block whose tokens are in the memory of the work. */
export interface BlockDone extends Block { readonly memory: BlockMemory }

export const createBlockMemory = (length: number): BlockMemory => ({ letters: new Uint8Array(length), tokens: createTokenBuffer() });

/** What goes along with a message. */
export const buffersOf = ({ letters, tokens: { ids, offsets } }: BlockMemory): ArrayBuffer[] => [letters, ids, ...(offsets ? [offsets] : [])].map(({ buffer }) => buffer as ArrayBuffer);

/** @returns undefined for what is not plain: see `AsciiEncoder` */
export function encodeBlock({ encodeAscii }: AsciiEncoder, { memory, length, start, upper, withOffsets }: BlockWork): BlockDone | undefined {
  const letters = memory.letters.subarray(0, length), { tokens } = memory;
  tokens.length = 0;
  tokens.offsets = withOffsets ? tokens.offsets ?? new Uint32Array(2 * tokens.ids.length) : undefined;
  if (!encodeAscii(letters, upper, tokens, start)) return undefined;
  const ids = tokens.ids.subarray(0, tokens.length), offsets = tokens.offsets?.subarray(0, 2 * tokens.length);
  if (offsets) return { memory, ids, offsets, head: { ids, offsets }, tail: part({ ids, offsets }, Math.max(0, ids.length - BORDER), ids.length) };
  return { memory, ids, offsets, ...placeBorders(ids, letters, start, (piece, at) => {
    const border = createTokenBuffer(true);
    encodeAscii(piece, upper, border, at);
    return { ids: border.ids.slice(0, border.length), offsets: border.offsets!.slice(0, 2 * border.length) };
  }) };
}

export const asBlock = (encoding: Encoding): Block => ({ ...encoding, head: encoding, tail: encoding });

const BORDER = 2 * OVERLAP;

/**
 * Where the first and last tokens stand, at two thousandths of the cost of finding it for all: those of a short piece that begins with the block and equal its
 * first ones stand where they do, and so do those of a piece that ends with it.
 */
function placeBorders(ids: Uint32Array, bytes: Uint8Array, start: number, encode: (piece: Uint8Array, start: number) => Encoding): Pick<Block, 'head' | 'tail'> {
  const { length } = bytes, headEnd = Math.min(length, BORDER), tailStart = Math.max(0, length - BORDER);
  const head = encode(bytes.subarray(0, headEnd), start), tail = encode(bytes.subarray(tailStart), start + tailStart), before = ids.length - tail.ids.length;
  // A run of unknown letters that a piece cuts may be a shorter token there.
  const lastWhole = headEnd < length ? head.ids.length - 1 : head.ids.length, firstWhole = tailStart > 0 ? 1 : 0;
  let equal = 0, same = tail.ids.length;
  while (equal < lastWhole && head.ids[equal] === ids[equal]) equal++;
  while (same > firstWhole && tail.ids[same - 1] === ids[before + same - 1]) same--;
  return { head: part(head, 0, equal), tail: part(tail, same, tail.ids.length) };
}

const view = ({ ids, offsets }: Encoding, from: number): Encoding => ({ ids: ids.subarray(from), offsets: offsets.subarray(2 * from) });
const part = ({ ids, offsets }: Encoding, from: number, to: number): Encoding => ({ ids: ids.slice(from, to), offsets: offsets.slice(2 * from, 2 * to) });

/**
 * Takes blocks in their order and appends each to those before it, at the first token that both hold at the same place.
 * @param encode - encodes bases `[start, end)`, for blocks that share none; that a thread's work is lost costs time only
 */
export function createBlockJoiner(out: TokenBuffer, encode: (start: number, end: number) => Encoding): (block: Block, start: number, end: number) => void {
  const first = out.length;
  let tail: Encoding = { ids: new Uint32Array(), offsets: new Uint32Array() }; // the last tokens of `out`

  const append = (block: Block, left: number, right: number) => {
    const count = block.ids.length - right, placed = block.tail.ids.length;
    reserve(out, left + count);
    out.ids.set(block.ids.subarray(right), left);
    out.offsets?.set(block.offsets!.subarray(2 * right), 2 * left);
    out.length = left + count;
    tail = view(block.tail, placed - Math.min(placed, count, BORDER));
  };
  const join = (block: Block, tailFrom: number): boolean => {
    const joint = findJoint(tail, tailFrom, block.head, 0, 0);
    if (joint) append(block, out.length - tail.ids.length + joint.left, joint.right);
    return joint !== undefined;
  };
  return (block, start, end) => {
    if (start === 0) return append(block, first, 0);
    if (join(block, firstTokenFrom(tail, start))) return;
    const before = tail.ids.length > 0 ? tail.offsets[0] : 0; // from the start of a token the same tokens follow, but for the last ones
    if (before === 0 || !join(asBlock(encode(before, end)), 0)) append(asBlock(encode(0, end)), first, 0);
  };
}

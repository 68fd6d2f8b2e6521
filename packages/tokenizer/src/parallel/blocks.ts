/** One long sequence in blocks that overlap: what a thread makes of a block, and how neighbours become one encoding. */
import type { AsciiEncoder } from '../encodeAscii';
import { findJoint, firstTokenFrom, OVERLAP } from '../joint';
import { createTokenBuffer, reserve, type TokenBuffer } from '../tokenBuffer';
import type { Encoding } from '../tokenizer';

/** A block to encode: ASCII that begins at base `start`, and where its tokens go. */
export interface BlockWork {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly upper: boolean;
  readonly withOffsets: boolean;
  /** Room in shared memory for as many tokens as bytes; undefined where there is none, and the tokens are sent. */
  readonly shared: { readonly ids: Uint32Array; readonly offsets: Uint32Array } | undefined;
}

/** The tokens of a block, and where the first and the last of them stand in the sequence. */
export interface Block {
  readonly ids: Uint32Array;
  readonly offsets: Uint32Array | undefined;
  /** The first tokens, at least those of the first `OVERLAP` bases where they could be placed, and the last ones. */
  readonly head: Encoding;
  readonly tail: Encoding;
}

/** Memory of blocks up to a length. Without shared memory, as in pages that are not cross-origin isolated, it is copied with the messages. */
export function createBlockMemory(length: number): Pick<BlockWork, 'bytes' | 'shared'> {
  if (typeof SharedArrayBuffer === 'undefined') return { bytes: new Uint8Array(length), shared: undefined };
  const memory = new SharedArrayBuffer(13 * length); // of which about 4 are ever touched
  return { shared: { offsets: new Uint32Array(memory, 0, 2 * length), ids: new Uint32Array(memory, 8 * length, length) }, bytes: new Uint8Array(memory, 12 * length, length) };
}

/** @returns undefined for what is not plain: see `AsciiEncoder` */
export function encodeBlock({ encodeAscii }: AsciiEncoder, { bytes, start, upper, withOffsets, shared }: BlockWork): Block | undefined {
  const out = createTokenBuffer(withOffsets);
  if (shared) {
    out.ids = shared.ids;
    if (withOffsets) out.offsets = shared.offsets;
  }
  if (!encodeAscii(bytes, upper, out, start)) return undefined;
  const ids = out.ids.subarray(0, out.length), offsets = out.offsets?.subarray(0, 2 * out.length);
  if (offsets) return asBlock({ ids, offsets });
  return { ids, offsets, ...placeBorders(ids, bytes, start, (piece, at) => {
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
    tail = part(block.tail, placed - Math.min(placed, count, BORDER), placed); // a copy: the block's memory is used again
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

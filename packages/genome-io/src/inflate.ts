// Deflate data of BGZF blocks inflated in WebAssembly: as fast in a browser as in Node, and no stream object for a block. Where it is not allowed, blocks take the slow path of bgzfBlocks.ts.
import { unfilled } from './bytes';
import { inflateWasm } from './inflate.generated';

/** The most that a block holds, as data and as text. */
const blockBytes = 1 << 16;
const tableBytes = 1 << 16;
const padding = 64;
const inputAt = tableBytes;
const outputAt = inputAt + blockBytes + padding;
const scratchAt = outputAt + blockBytes + padding;
/** What the CRC-32 needs beyond the text's length. */
const scratchBytes = blockBytes + 2 * 300 * 16;

type Functions = Record<'prepare' | 'inflate' | 'crc32', (...args: number[]) => number>;

/** Inflates `bytes` from `from` to `to` into `text` at `at`, where it must fill `length` bytes with this CRC-32. @returns whether it did; `text` is changed only then */
export type Inflate = (bytes: Uint8Array, from: number, to: number, text: Uint8Array, at: number, length: number, sum: number) => boolean;

function load(): Inflate {
  const memory = new WebAssembly.Memory({ initial: Math.ceil((scratchAt + scratchBytes) / 2 ** 16) });
  const module = new WebAssembly.Module(Uint8Array.from(atob(inflateWasm), (character) => character.charCodeAt(0)));
  const { prepare, inflate, crc32 } = new WebAssembly.Instance(module, { env: { memory } }).exports as Functions;
  const held = new Uint8Array(memory.buffer);
  prepare(scratchAt);
  return (bytes, from, to, text, at, length, sum) => {
    if (to - from > blockBytes || length > blockBytes) return false;
    held.set(bytes.subarray(from, to), inputAt);
    const end = outputAt + length;
    if (inflate(inputAt, inputAt + to - from, outputAt, end) === 0 || crc32(outputAt, end, scratchAt) >>> 0 !== sum) return false;
    text.set(held.subarray(outputAt, end), at);
    return true;
  };
}

/** Neighbouring blocks of a BGZF file that lie together in memory. */
export interface Run {
  readonly bytes: Uint8Array;
  /** Of each block, in bytes of the file. */
  readonly lengths: readonly number[];
  /** Of all blocks together, as they state it. */
  readonly textLength: number;
}

/**
 * The text of a run, every block checked; undefined where one is damaged, and where there is no inflater.
 * @param into - memory for the text, where it is long enough
 */
export function inflateRun({ bytes, lengths, textLength }: Run, into?: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined {
  const inflate = inflater();
  if (!inflate) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const text = into && into.length >= textLength ? into.subarray(0, textLength) : unfilled(textLength);
  let used = 0;
  let at = 0;
  for (const length of lengths) {
    const end = at + length - 8;
    const here = view.getUint32(end + 4, true);
    if (bytes[at + 3] !== 4 || used + here > textLength || !inflate(bytes, at + 12 + view.getUint16(at + 10, true), end, text, used, here, view.getUint32(end, true))) return undefined;
    used += here;
    at += length;
  }
  return used === textLength ? text : undefined;
}

let shared: Inflate | false | undefined;

/** The inflater of this thread; undefined without WebAssembly or its vectors, or under a Content-Security-Policy without 'wasm-unsafe-eval'. */
export function inflater(): Inflate | undefined {
  if (shared === undefined) {
    try {
      shared = load();
    } catch {
      shared = false;
    }
  }
  return shared || undefined;
}

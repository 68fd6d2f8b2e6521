// What a thread does of a BGZF file that several inflate: it takes the next blocks, reads them by itself and inflates them. The reader's thread touches neither (inflateFile.ts).
import { longestBlock, longestRun, statedLength, wholeBlocks } from './bgzfHeader';
import { inflateRun, type Run } from './inflate';
import { nodeModule } from './nodeModule';

/** A file that threads share. */
export interface SharedFile {
  readonly fd: number;
  /** Whose turn it is to read (the first 32-bit word, see {@link turns}), and where the next blocks begin (the second 64-bit word). */
  readonly memory: SharedArrayBuffer;
}

/** Nobody reads; somebody does; nobody shall any more. */
export const turns = { free: 0, taken: 1, closed: 2 } as const;

/** Neighbouring blocks of the file, from `offset` on, and their text. */
export interface Stretch {
  readonly offset: number;
  readonly length: number;
  readonly text: Uint8Array<ArrayBuffer>;
}

/** A thread that waits longer, in ms, does without: the one before it broke down, or the disk is so slow that fewer suffice. */
const longestWait = 1000;

/** Gives the next stretch of a file, its text in `into` where that is long enough; undefined where it is damaged, at the last block, and once the file is closed: what remains is for the reader's thread, which knows what to say of it. */
export function stretchReader(): (file: SharedFile, into?: Uint8Array<ArrayBuffer>) => Stretch | undefined {
  const bytes = new Uint8Array(longestRun);
  let wanted = longestRun;
  return ({ fd, memory }, into) => {
    const turn = new Int32Array(memory, 0, 1);
    const place = new Float64Array(memory, 8, 1);
    for (let before; (before = Atomics.compareExchange(turn, 0, turns.free, turns.taken)) !== turns.free; ) {
      if (before === turns.closed || Atomics.wait(turn, 0, turns.taken, longestWait) === 'timed-out') return undefined;
    }
    let run: Run | undefined;
    const offset = place[0];
    try {
      const count = nodeModule('node:fs')!.readSync(fd, bytes, 0, wanted, offset);
      const { lengths, textLength, end, next } = wholeBlocks(bytes.subarray(0, count), 0, 0);
      run = { lengths, textLength, bytes: bytes.subarray(0, end) };
      if (count < wanted && end === count) run = withoutLast(run);
      wanted = next === 'whole' ? Math.min(longestRun, end + longestBlock) : longestRun; // as the one before: three quarters of what is read at once may be left for the next
      place[0] += run.bytes.length;
    } catch { /* the reader's thread will meet it too */ } finally {
      Atomics.compareExchange(turn, 0, turns.taken, turns.free);
      Atomics.notify(turn, 0, 1);
    }
    const text = run && run.lengths.length > 0 ? inflateRun(run, into) : undefined;
    return text && { offset, length: run!.bytes.length, text };
  };
}

/** The same but for the last block: that of a file is for the reader's thread. */
function withoutLast({ lengths, textLength, bytes }: Run): Run {
  const end = bytes.length - (lengths.at(-1) ?? 0);
  return { lengths: lengths.slice(0, -1), textLength: end < bytes.length ? textLength - statedLength(bytes, bytes.length) : textLength, bytes: bytes.subarray(0, end) };
}

import { longestText } from './bgzfHeader';
import { unfilled } from './bytes';

/**
 * Memory for texts of BGZF, `bytes` each. With `reuse` it is that of texts that nobody reads any more: memory that is new costs a sixth of inflating into it (a page fault for each 4 KiB, and collecting it later, which took the reader of two threads 40 ms of 290).
 * Without, there is none, and every text gets its own.
 */
export function textMemory(reuse: boolean, bytes = longestText) {
  const unused: Uint8Array<ArrayBuffer>[] = [];
  return {
    take: (): Uint8Array<ArrayBuffer> | undefined => (reuse ? unused.pop() ?? unfilled(bytes) : undefined),
    /** Nobody reads `text` any more. One that was transferred elsewhere is gone. */
    giveBack({ buffer }: Uint8Array<ArrayBuffer>): void {
      if (reuse && buffer.byteLength >= bytes) unused.push(new Uint8Array(buffer));
    },
  };
}

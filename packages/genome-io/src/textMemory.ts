import { longestText } from './bgzfHeader';
import { unfilled } from './bytes';

/**
 * Memory for texts of BGZF. With `reuse` it is that of texts that nobody reads any more: 1 MiB that is new to the process costs a quarter of inflating it (a page fault for each 4 KiB, and collecting it later).
 * Without, there is none, and every text gets its own.
 */
export function textMemory(reuse: boolean) {
  const unused: Uint8Array<ArrayBuffer>[] = [];
  return {
    take: (): Uint8Array<ArrayBuffer> | undefined => (reuse ? unused.pop() ?? unfilled(longestText) : undefined),
    /** Nobody reads `text` any more. One that was transferred elsewhere is gone. */
    giveBack({ buffer }: Uint8Array<ArrayBuffer>): void {
      if (reuse && buffer.byteLength >= longestText) unused.push(new Uint8Array(buffer));
    },
  };
}

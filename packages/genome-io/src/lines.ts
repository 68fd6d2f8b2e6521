import { readBytes, type ByteSource, type ReadChunksOptions, type ReadOptions } from './byteSource';
import { concat } from './bytes';
import { FormatError } from './formatError';

/** Line feed and carriage return. */
const lineFeed = 10;
const carriageReturn = 13;

/** Longest line that readers of text believe: a VCF row of 100,000 samples and the longest nanopore read are a few MB. */
export const longestLine = 1 << 28;

/**
 * The text of `source` as blocks of whole lines: every block but the last ends with a line feed. Readers then work on bytes in place, without a string or an array per line.
 * @param options - with `reuse`, a block is valid only until the next one is asked for
 * @param tooLong - called when a line has more than {@link longestLine} bytes; must throw
 */
export async function* lineBlocks(source: ByteSource, options: ReadChunksOptions, tooLong: () => never): AsyncGenerator<Uint8Array, void, undefined> {
  let pending: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of readBytes(source, options)) {
    const end = chunk.lastIndexOf(lineFeed) + 1;
    if (end > 0) {
      const first = pending.length === 0 ? 0 : chunk.indexOf(lineFeed) + 1; // a line over two chunks is a block of its own, so that the others need no copy
      if (first > 0) yield concat([...pending, chunk.subarray(0, first)], length + first);
      pending = [];
      length = 0;
      if (end > first) yield chunk.subarray(first, end);
    }
    if (end < chunk.length) {
      pending.push(new Uint8Array(chunk.subarray(end))); // slice of Node's Buffer copies nothing
      length += chunk.length - end;
      if (length > longestLine) tooLong();
    }
  }
  if (length > 0) yield concat(pending, length);
}

/** Where the line that begins at `from` ends, without its line end, and where the next one begins. */
export function lineEnd(block: Uint8Array, from: number): { end: number; next: number } {
  const feed = block.indexOf(lineFeed, from);
  const stop = feed < 0 ? block.length : feed;
  return { end: stop > from && block[stop - 1] === carriageReturn ? stop - 1 : stop, next: feed < 0 ? block.length : feed + 1 };
}

/** The lines of a table as text, for formats whose files are small beside the genomes they speak of. */
export async function* textLines(source: ByteSource, options: ReadOptions, op: string, format: string): AsyncGenerator<{ text: string; line: number }, void, undefined> {
  let line = 0;
  const fail = (expected: string, got: string, remedy: string, cause?: unknown): never => {
    throw new FormatError(`${op}: expected ${expected} at line ${line}, got ${got}; ${remedy}`, { format, line, cause });
  };
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const block of lineBlocks(source, { ...options, reuse: true }, () => { line++; return fail(`lines of at most ${longestLine} bytes`, 'a longer one', 'check the format of the file'); })) {
    for (let at = 0; at < block.length; ) {
      const { end, next } = lineEnd(block, at);
      line++;
      let text = '';
      try {
        text = decoder.decode(block.subarray(at, end));
      } catch (cause) {
        fail('text in UTF-8', 'other bytes', 'convert the file, for example with iconv', cause);
      }
      yield { text, line };
      at = next;
    }
  }
}

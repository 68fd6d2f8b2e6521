import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { isBadInput, sentenceOf, UsageError } from './command';

/** Bad input with the name of the file that it came from; any other error as it is. */
export const naming = (path: string, error: unknown): unknown => (isBadInput(error) ? new UsageError(sentenceOf(error, path), { cause: error }) : error);

/** What a file that the user named holds, read by `parse`. @throws UsageError with the file's name */
export function readUserFile<T>(path: string, parse: (contents: Buffer) => T): T {
  try {
    return parse(readFileSync(path));
  } catch (error) {
    throw naming(path, error);
  }
}

export const isGzip = (start: Uint8Array): boolean => start[0] === 0x1f && start[1] === 0x8b;

/** Bytes of a small file, without the gzip around them. */
export function unpacked(bytes: Buffer): Buffer {
  if (!isGzip(bytes)) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (cause) {
    throw new UsageError(`expected a whole gzip file, got one that cannot be unpacked (${(cause as Error).message}); fetch it again and compare its checksum`, { cause });
  }
}

import { nodeModules } from './files';

/** Bytes that are read piece by piece, so that a large file is never held whole. */
export interface ByteSource {
  /** For messages: a file name or an address. */
  readonly name: string;
  readonly byteLength: number;
  /** The bytes from `begin` up to `end`, possibly as a view: nobody writes into them. */
  read(begin: number, end: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** @throws RangeError for a range that does not lie in the source */
export function checkRange({ name, byteLength }: Pick<ByteSource, 'name' | 'byteLength'>, begin: number, end: number): void {
  if (!(Number.isSafeInteger(begin) && Number.isSafeInteger(end) && begin >= 0 && begin <= end && end <= byteLength)) throw new RangeError(`read: expected a range within the ${byteLength} bytes of ${name}, got ${begin} to ${end}`);
}

/** Bytes in memory. */
export function bytesSource(file: Uint8Array, name = 'the file'): ByteSource {
  const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength); // a Buffer's slice() would not copy
  const source: ByteSource = {
    name,
    byteLength: bytes.byteLength,
    async read(begin, end) {
      checkRange(source, begin, end);
      return bytes.subarray(begin, end);
    },
    async close() {},
  };
  return source;
}

/** A file, in Node. */
export async function fileSource(path: string): Promise<ByteSource> {
  const { fs } = nodeModules('loadPretrained');
  const handle = await fs.promises.open(path);
  const { size } = await handle.stat();
  const source: ByteSource = {
    name: path,
    byteLength: size,
    async read(begin, end) {
      checkRange(source, begin, end);
      const bytes = new Uint8Array(end - begin);
      for (let at = 0; at < bytes.length; ) {
        const { bytesRead } = await handle.read(bytes, at, Math.min(bytes.length - at, 2 ** 30), begin + at);
        if (!bytesRead) throw new RangeError(`read: expected ${size} bytes in ${path}, got ${begin + at}; the file has become shorter`);
        at += bytesRead;
      }
      return bytes;
    },
    close: () => handle.close(),
  };
  return source;
}

/** Opens what is in a source, which is closed if it is not that. */
export async function openOrClose<T>(source: ByteSource, open: (source: ByteSource) => Promise<T>): Promise<T> {
  try {
    return await open(source);
  } catch (error) {
    await source.close();
    throw error;
  }
}

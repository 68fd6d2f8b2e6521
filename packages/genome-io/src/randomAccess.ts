// Bytes by position: from memory, a Blob, a file of Node, HTTP ranges, or a handle as generic-filehandle2 has them.
import type { ByteSource, FileHandleLike } from './byteSource';
import { concat } from './bytes';
import { rangeOf, request, type HttpOptions } from './http';
import { nodeModule } from './nodeModule';

/** A {@link FileHandleLike} that is ours to close. Reads beyond the end give fewer bytes; reads may run side by side. */
export interface RandomAccessFile extends FileHandleLike {
  close(): Promise<void>;
}

/** Where a source is read by position: all of {@link ByteSource} but streams, which cannot go back. */
export type RandomAccessSource = Exclude<ByteSource, ReadableStream<Uint8Array>>;

export type RandomAccessOptions = HttpOptions;

/**
 * Opens `source` for reading by position. Nothing is decompressed: see `openBgzf` for that.
 * @throws TypeError for streams and for what is no source; a RangeError from `read` for a negative or fractional position or length; an Error for servers that ignore ranges or whose file changed in between.
 */
export function openRandomAccess(source: RandomAccessSource, options: RandomAccessOptions = {}): RandomAccessFile {
  const file = open(source, options);
  return {
    stat: () => file.stat(),
    close: () => file.close(),
    async read(length, position, { signal = options.signal } = {}) {
      if (!Number.isSafeInteger(length) || length < 0 || !Number.isSafeInteger(position) || position < 0) {
        throw new RangeError(`read: expected whole numbers of 0 or more, got length ${length} and position ${position}; round them`);
      }
      signal?.throwIfAborted();
      return length === 0 ? new Uint8Array(0) : file.read(length, position, { signal });
    },
  };
}

function open(source: RandomAccessSource, options: RandomAccessOptions): RandomAccessFile {
  if (typeof source === 'string') {
    if (/^\s*[>@;]/.test(source) || source.includes('\n')) {
      throw new TypeError(`openRandomAccess: expected a path or an address, got sequence data (a string that begins with ${JSON.stringify(source.slice(0, 12))}); pass new TextEncoder().encode(text)`);
    }
    return /^https?:\/\//i.test(source) ? fromUrl(new URL(source), options) : fromPath(source);
  }
  if (source instanceof Uint8Array) return fromBytes(source);
  if (source instanceof URL) return source.protocol === 'file:' ? fromPath(source) : fromUrl(source, options);
  if (source instanceof Blob) return fromBlob(source);
  if (typeof source === 'object' && source !== null && 'read' in source && 'stat' in source) {
    return { stat: () => source.stat(), read: (length, position, more) => source.read(length, position, more), close: () => Promise.resolve() };
  }
  const kind = source !== null && typeof source === 'object' && 'getReader' in source ? 'a stream' : source === null ? 'null' : typeof source;
  throw new TypeError(`openRandomAccess: expected a path, URL, Blob, Uint8Array or an object with read() and stat(), got ${kind}; a stream cannot be read by position: collect it first`);
}

const fromBytes = (bytes: Uint8Array): RandomAccessFile => ({
  stat: () => Promise.resolve({ size: bytes.length }),
  read: (length, position) => Promise.resolve(bytes.subarray(position, position + length)),
  close: () => Promise.resolve(),
});

const fromBlob = (blob: Blob): RandomAccessFile => ({
  stat: () => Promise.resolve({ size: blob.size }),
  read: async (length, position) => new Uint8Array(await blob.slice(position, position + length).arrayBuffer()),
  close: () => Promise.resolve(),
});

/** Up to here a read waits for the disk itself: 113,000 fetches of 300 bases a second against 27,000 through the thread pool. Longer reads go there. */
const synchronousBytes = 1 << 18;

function fromPath(path: string | URL): RandomAccessFile {
  const fs = nodeModule('node:fs');
  if (!fs) throw new TypeError(`openRandomAccess: expected a URL, Blob or Uint8Array, got the path ${JSON.stringify(String(path))}, and there is no file system here; pass a File`);
  let descriptor: number | undefined;
  const opened = () => (descriptor ??= fs.openSync(path, 'r'));
  return {
    stat: async () => ({ size: fs.fstatSync(opened()).size }),
    read: async (length, position) => {
      const bytes = new Uint8Array(Math.min(length, length <= synchronousBytes ? length : Math.max(0, fs.fstatSync(opened()).size - position)));
      if (length > synchronousBytes) return bytes.subarray(0, await readAsync(fs, opened(), bytes, position));
      let used = 0;
      for (let count = -1; count !== 0 && used < bytes.length; used += count) count = fs.readSync(opened(), bytes, used, bytes.length - used, position + used);
      return bytes.subarray(0, used);
    },
    close: async () => {
      if (descriptor !== undefined) fs.closeSync(descriptor);
      descriptor = undefined;
    },
  };
}

async function readAsync(fs: typeof import('node:fs'), descriptor: number, bytes: Uint8Array, position: number): Promise<number> {
  let used = 0;
  while (used < bytes.length) {
    const count = await new Promise<number>((resolve, reject) => fs.read(descriptor, bytes, used, bytes.length - used, position + used, (error, read) => (error ? reject(error) : resolve(read))));
    if (count === 0) break;
    used += count;
  }
  return used;
}

function fromUrl(url: URL, options: RandomAccessOptions): RandomAccessFile {
  let size: number | undefined;
  let tag: string | null | undefined;
  /** As many bytes as the server gives at once. */
  const readSome = async (length: number, position: number, signal: AbortSignal | undefined): Promise<Uint8Array> => {
    if (size !== undefined && position >= size) return new Uint8Array(0);
    const last = position + length - 1;
    const { response, bytes } = await request(url, { range: `bytes=${position}-${last}` }, { ...options, signal }, async (response) => {
      if (response.status === 206) return { response, bytes: new Uint8Array(await response.arrayBuffer()) };
      await response.body?.cancel(); // what is no range is not read at all
      return { response, bytes: new Uint8Array(0) };
    });
    if (response.status === 416) {
      const [, total] = /^bytes \*\/(\d+)$/.exec(response.headers.get('content-range') ?? '') ?? [];
      size ??= total === undefined ? undefined : Number(total);
      if (size === undefined || position < size) throw new Error(`read: expected ${url.href} to have bytes from ${position}, got 416 ${response.statusText}; check the address`);
      return new Uint8Array(0);
    }
    const range = rangeOf(response);
    if (response.status !== 206 || range?.first !== position || range.last < position || range.last > last) {
      const header = response.headers.get('content-range');
      const answer = response.status !== 206 ? `${response.status} ${response.statusText}` : header === null ? '206 without a Content-Range' : `the range ${header}`;
      const remedy = response.status === 200 ? 'this server ignores Range (or hides Content-Range from other origins): read the whole file with readBytes' : header === null && response.status === 206 ? 'let the server show it to other origins (Access-Control-Expose-Headers: Content-Range, ETag), or read the whole file with readBytes' : 'check the address and the rights';
      throw new Error(`read: expected ${url.href} to answer bytes ${position}-${last} (206), got ${answer}; ${remedy}`);
    }
    const etag = response.headers.get('etag');
    if ((size !== undefined && size !== range.size) || (tag !== undefined && tag !== etag)) throw new Error(`read: expected ${url.href} to stay as it was opened, got another size or ETag; open it again`);
    size = range.size;
    tag = etag;
    if (bytes.length !== range.last - position + 1) throw new Error(`read: expected ${range.last - position + 1} bytes from ${url.href}, got ${bytes.length}; try again`);
    return bytes;
  };
  const read: RandomAccessFile['read'] = async (length, position, { signal = options.signal } = {}) => {
    const first = await readSome(length, position, signal);
    const pieces = [first];
    for (let used = first.length; used < length && position + used < (size ?? 0); ) { // a server may give less than it was asked for
      const more = await readSome(length - used, position + used, signal);
      pieces.push(more);
      used += more.length;
    }
    return pieces.length === 1 ? first : concat(pieces);
  };
  return {
    read,
    async stat() {
      if (size === undefined) await read(1, 0, {});
      return { size: size ?? 0 };
    },
    close: () => Promise.resolve(),
  };
}

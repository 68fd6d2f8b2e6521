// Every way to hand bytes to a reader becomes one stream of chunks. Nothing is read before the consumer asks for it,
// and a consumer that stops early closes the file, cancels the stream or aborts the request.
import { inflateBlocks } from './bgzfBlocks';
import { startsAsBgzf } from './bgzfHeader';
import { unfilled } from './bytes';
import { FormatError } from './formatError';
import { gunzip } from './gunzip';
import { defaultRetries, pause, rangeOf, request, type HttpOptions } from './http';
import type { FileOfBlocks } from './inflateFile';
import { nodeModule } from './nodeModule';

/** Random access as generic-filehandle2 defines it: anything with these two methods will do. */
export interface FileHandleLike {
  /** Up to `length` bytes from `position`; fewer only at the end of the file. */
  read(length: number, position: number, options?: ReadOptions): Promise<Uint8Array>;
  stat(): Promise<{ size: number }>;
}

/** A path (Node only) or http(s) address as a string, a URL (http, https, file, data, blob), a Blob or File, the bytes themselves, a stream of bytes, or a file handle. */
export type ByteSource = string | URL | Blob | Uint8Array | ReadableStream<Uint8Array> | FileHandleLike;

export interface ReadOptions {
  /** Stops the reading; the consumer's next step throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface ReadBytesOptions extends HttpOptions {
  /** Threads that inflate BGZF, in Node; default as many as the machine runs at once, up to 4. With 1 the calling thread does it. */
  readonly threads?: number;
}

export interface ReadChunksOptions extends ReadBytesOptions {
  /** Chunks are valid only until the next one is asked for: their memory is used again, which spares new pages and the collecting of old ones. For who copies, counts or writes them; default false, and every chunk is the consumer's own. */
  readonly reuse?: boolean;
}

const pieceBytes = 1 << 18;
/** Files of Node are read in larger pieces: each goes to another thread and back, and 61 MB from the page cache took 28 ms in pieces of 256 KiB, 16 in these. */
const filePieceBytes = 1 << 20;

/**
 * The bytes of `source`, decompressed when they begin with gzip's magic number (any number of members) or are BGZF; names are never looked at.
 * @returns chunks of one byte or more, the consumer's own, or with `reuse` valid until the next one is asked for.
 * @throws TypeError when `source` is none of the kinds of {@link ByteSource}; FormatError for damaged gzip and for other compressions.
 */
export function readBytes(source: ByteSource, options: ReadChunksOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
  checkThreads('readBytes', options.threads);
  return decompress(readSource(source, options), source, options);
}

export function checkThreads(op: string, threads: number | undefined): void {
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) throw new RangeError(`${op}: expected a whole number of threads from 1, got ${threads}; leave it out for the default`);
}

/** The bytes of `source` as they are stored. */
export function readSource(source: ByteSource, options: Omit<ReadChunksOptions, 'threads'>): AsyncGenerator<Uint8Array, void, undefined> {
  const { signal, reuse = false } = options;
  if (typeof source === 'string') return fromString(source, options);
  if (source instanceof Uint8Array) return fromArray(source, signal);
  if (source instanceof URL) return source.protocol === 'file:' ? fromPath(source, signal, reuse) : fromUrl(source, options);
  if (source instanceof Blob) return fromStream(() => source.stream(), signal);
  if (typeof source === 'object' && source !== null) {
    if ('getReader' in source) return fromStream(() => source, signal);
    if ('read' in source && 'stat' in source) return fromHandle(source, signal);
  }
  throw new TypeError(`readBytes: expected a path, URL, Blob, Uint8Array, ReadableStream or an object with read() and stat(), got ${source === null ? 'null' : typeof source}; open the file first`);
}

const isAddress = (text: string) => /^https?:\/\//i.test(text);

function fromString(text: string, options: ReadChunksOptions) {
  if (/^\s*[>@;]/.test(text) || text.includes('\n')) {
    throw new TypeError(`readBytes: expected a path or an address, got sequence data (a string that begins with ${JSON.stringify(text.slice(0, 12))}); pass new TextEncoder().encode(text)`);
  }
  return isAddress(text) ? fromUrl(new URL(text), options) : fromPath(text, options.signal, options.reuse ?? false);
}

/** `source` as threads can read it: a regular file of Node, or undefined. */
export async function fileOfBlocks(source: ByteSource, { signal }: ReadOptions): Promise<FileOfBlocks | undefined> {
  const fs = nodeModule('node:fs');
  const path = typeof source === 'string' ? (isAddress(source) ? undefined : source) : source instanceof URL && source.protocol === 'file:' ? source : undefined;
  if (!fs || path === undefined || !(await fs.promises.stat(path)).isFile()) return undefined;
  return { path, signal, from: (offset) => fromPath(path, signal, true, offset) };
}

/** @param start - other than 0 only for regular files: pipes have no places */
async function* fromPath(path: string | URL, signal: AbortSignal | undefined, reuse: boolean, start = 0) {
  const fs = nodeModule('node:fs');
  if (!fs) throw new TypeError(`readBytes: expected a URL, Blob, Uint8Array or stream, got the path ${JSON.stringify(String(path))}, and there is no file system here; fetch the file or pass a File`);
  const file = await called<number>((done) => { fs.open(path, 'r', done); }); // a number: a FileHandle that a consumer forgets makes Node warn
  let position = start;
  const read = (memory: Uint8Array<ArrayBuffer>) => {
    const reading = called<number>((done) => { fs.read(file, memory, 0, memory.length, start > 0 ? position : null, done); }).then((count) => ({ memory, count }));
    reading.catch(() => undefined); // whoever waits for it hears of it
    return reading;
  };
  let reading = read(unfilled(filePieceBytes));
  let other = unfilled(filePieceBytes);
  try {
    for (;;) {
      const { memory, count } = await reading;
      signal?.throwIfAborted();
      if (count === 0) return;
      position += count;
      reading = read(other); // while the consumer is at work
      yield reuse || count === memory.length ? memory.subarray(0, count) : memory.slice(0, count);
      other = reuse ? memory : unfilled(filePieceBytes);
    }
  } finally {
    await reading.catch(() => undefined);
    await called<void>((done) => { fs.close(file, done); });
  }
}

/** What a function of Node with a callback gives. */
function called<T>(start: (done: (error: Error | null, value: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => { start((error, value) => { if (error) reject(error); else resolve(value); }); });
}

/** A body that breaks off goes on where it stopped, if the server gives ranges of the same version of the file: one with the same strong ETag. */
async function* fromUrl(url: URL, options: ReadBytesOptions) {
  const { retries = defaultRetries, signal } = options;
  let position = 0;
  let tag: string | undefined;
  for (let attempt = 0; ; attempt++) {
    const response = await request(url, position > 0 ? { range: `bytes=${position}-` } : {}, options, (answer) => Promise.resolve(answer));
    const { status, statusText, headers, body } = response;
    const isRest = status === 206 && rangeOf(response)?.first === position && headers.get('etag') === tag;
    if (position === 0 ? !response.ok : !isRest) {
      await body?.cancel();
      throw new Error(position === 0 ? `readBytes: expected ${url.href} to answer 200, got ${status} ${statusText}; check the address` : `readBytes: expected ${url.href} to go on from byte ${position} with the same ETag, got ${status} ${statusText}; fetch the file first`);
    }
    if (!body) return;
    if (position === 0) tag = headers.has('content-encoding') ? undefined : /^".*"$/.exec(headers.get('etag') ?? '')?.[0]; // places in an encoded body are none in the file
    const { size } = rangeOf(response) ?? {};
    const chunks = fromStream(() => body, signal);
    let cause: unknown;
    try {
      for (;;) {
        const { done, value } = await chunks.next();
        if (done && (size === undefined || position >= size)) return;
        if (done) break; // the server gives less at once
        position += value.length;
        attempt = 0;
        yield value;
      }
    } catch (error) {
      cause = error;
    } finally {
      await chunks.return();
    }
    signal?.throwIfAborted();
    if (attempt >= retries || (position > 0 && tag === undefined)) throw new Error(`readBytes: expected all of ${url.href}, got a connection that broke off after ${position} bytes${attempt >= retries ? '' : ', and no strong ETag with which to go on'}; try again, or fetch the file first`, { cause });
    if (cause) await pause(attempt, signal);
  }
}

async function* fromArray(bytes: Uint8Array, signal: AbortSignal | undefined) {
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    signal?.throwIfAborted();
    yield bytes.subarray(at, at + pieceBytes);
  }
}

async function* fromStream(open: () => ReadableStream<Uint8Array>, signal: AbortSignal | undefined) {
  const reader = open().getReader();
  let finished = false;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const { done, value } = await reader.read();
      if (done) break;
      if (!(value instanceof Uint8Array)) throw new TypeError(`readBytes: expected a stream of Uint8Array, got ${typeof value}; pipe text through a TextEncoderStream`);
      if (value.length > 0) yield value;
    }
    finished = true;
  } finally {
    if (!finished) await reader.cancel().catch(() => undefined); // a stream that failed reports through read(), not here
    reader.releaseLock();
  }
}

async function* fromHandle(handle: FileHandleLike, signal: AbortSignal | undefined) {
  const { size } = await handle.stat();
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`readBytes: expected stat() to give a size of 0 bytes or more, got ${size}; check the file handle`);
  for (let position = 0; position < size; ) {
    signal?.throwIfAborted();
    const wanted = Math.min(pieceBytes, size - position);
    const bytes = await handle.read(wanted, position, { signal });
    if (bytes.length === 0 || bytes.length > wanted) throw new RangeError(`readBytes: expected read() to give 1 to ${wanted} bytes at ${position} of ${size}, got ${bytes.length}; the file changed or the handle is at fault`);
    position += bytes.length;
    yield bytes;
  }
}

/** The first bytes of what people mistake for plain text or gzip. */
const foreign: readonly (readonly [name: string, magic: readonly number[]])[] = [
  ['Zstandard', [0x28, 0xb5, 0x2f, 0xfd]], ['xz', [0xfd, 0x37, 0x7a, 0x58]], ['bzip2', [0x42, 0x5a, 0x68]], ['zip', [0x50, 0x4b, 0x03, 0x04]],
  ['UTF-16 text', [0xff, 0xfe]], ['UTF-16 text', [0xfe, 0xff]],
];

async function* decompress(chunks: AsyncGenerator<Uint8Array, void, undefined>, source: ByteSource, options: ReadChunksOptions): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    const head: number[] = [];
    const held: Uint8Array[] = [];
    while (head.length < 16) { // nearly always once
      const { done, value } = await chunks.next();
      if (done) break;
      held.push(options.reuse && value.length < 16 ? new Uint8Array(value) : value);
      head.push(...value.subarray(0, 16 - head.length));
    }
    const startsWith = (magic: readonly number[]) => magic.every((byte, i) => head[i] === byte);
    const other = foreign.find(([, magic]) => startsWith(magic));
    if (other) throw new FormatError(`readBytes: expected plain text or gzip, got ${other[0]}; convert it first`, { format: 'gzip' });
    const all = rejoin(held, chunks);
    const texts = startsAsBgzf(Uint8Array.from(head)) ? inflateBlocks(all, options.threads, await fileOfBlocks(source, options), options.reuse) : startsWith([0x1f, 0x8b]) ? gunzip(options.reuse ? copies(all) : all) : all;
    for await (const text of texts) {
      yield text;
      options.signal?.throwIfAborted(); // the source is not asked while there is text of what it gave before
    }
  } finally {
    await chunks.return();
  }
}

async function* rejoin(held: readonly Uint8Array[], rest: AsyncGenerator<Uint8Array, void, undefined>) {
  yield* held;
  yield* rest;
}

/** For readers that look at a chunk after they asked for the next, as Node's streams do. */
async function* copies(chunks: AsyncIterable<Uint8Array>) {
  for await (const chunk of chunks) yield new Uint8Array(chunk);
}

// Gzip (RFC 1952) with any number of members, every checksum verified: Node's zlib where there is one, fflate elsewhere.
// fflate inflates but verifies neither CRC32 nor length, so the portable path does that itself. Both paths refuse bytes after the last member.
import { Gunzip } from 'fflate';
import { concat } from './bytes';
import { crc32Portable } from './crc32';
import { FormatError } from './formatError';
import { nodeModule } from './nodeModule';

type Chunks = AsyncIterable<Uint8Array>;

const damaged = (found: string, cause?: unknown) =>
  new FormatError(`gunzip: expected complete gzip members and nothing else, got ${found}; fetch the file again and compare its checksum`, { format: 'gzip', cause });

/** Inflates a stream of gzip members as it is read. */
export function gunzip(chunks: Chunks): AsyncGenerator<Uint8Array, void, undefined> {
  const zlib = nodeModule('node:zlib');
  const stream = nodeModule('node:stream');
  return zlib && stream ? gunzipNode(chunks, zlib, stream) : gunzipPortable(chunks);
}

async function* gunzipNode(chunks: Chunks, zlib: typeof import('node:zlib'), stream: typeof import('node:stream')): AsyncGenerator<Uint8Array, void, undefined> {
  let fed = 0;
  async function* counted() {
    for await (const chunk of chunks) {
      fed += chunk.length;
      yield chunk;
    }
  }
  const inflater = zlib.createGunzip({ chunkSize: 1 << 18 });
  const source = stream.Readable.from(counted());
  const feeding = stream.promises.pipeline(source, inflater).catch(() => undefined); // a failure also ends the loop below, which reports it
  try {
    yield* inflater as AsyncIterable<Uint8Array>;
    if (inflater.bytesWritten < fed) throw damaged('bytes after the last member');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!code?.startsWith('Z_')) throw error; // the source's own failure
    throw damaged(code === 'Z_BUF_ERROR' ? 'a file that ends too early' : `damage (${message})`, error);
  } finally {
    inflater.destroy();
    source.destroy();
    await feeding;
  }
}

/** Compressed bytes given to fflate at once: it keeps one copy of the rest per member, so larger pieces cost time on files of many small members. */
const pieceBytes = 1 << 14;
const headerReach = 1 << 17; // a gzip header with its longest extra field and a 64 KiB name

/** The same in plain JavaScript, for browsers. */
export async function* gunzipPortable(chunks: Chunks): AsyncGenerator<Uint8Array, void, undefined> {
  let output: Uint8Array[] = [];
  let recent: Uint8Array = new Uint8Array(0); // the last compressed bytes: trailers are read from here
  let read = 0;
  let crc = 0;
  let length = 0;
  const inflater = new Gunzip((data) => {
    crc = crc32Portable(data, crc);
    length = (length + data.length) >>> 0;
    if (data.length > 0) output.push(data);
  });
  const checkTrailer = (memberEnd: number) => {
    const at = memberEnd - 8 - (read - recent.length);
    if (at < 0 || recent.length - at < 8) throw damaged('a member without its checksum');
    const trailer = new DataView(recent.buffer, recent.byteOffset + at, 8);
    if (trailer.getUint32(0, true) !== crc || trailer.getUint32(4, true) !== length) throw damaged('a checksum that differs from the data');
    crc = length = 0;
  };
  inflater.onmember = checkTrailer;
  const push = (piece: Uint8Array, last: boolean) => {
    try {
      inflater.push(piece, last);
    } catch (error) {
      throw error instanceof FormatError ? error : damaged(last ? 'a file that ends too early' : `damage (${(error as Error).message})`, error);
    }
  };
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.length; from += pieceBytes) {
      const piece = chunk.subarray(from, from + pieceBytes);
      recent = concat([recent.subarray(Math.max(0, recent.length - headerReach)), piece]);
      read += piece.length;
      push(piece, false);
      yield* output;
      output = [];
    }
  }
  push(new Uint8Array(0), true);
  yield* output;
  checkTrailer(read);
}

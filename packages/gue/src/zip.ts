import { FormatError, openRandomAccess, type RandomAccessFile, type RandomAccessSource } from '@genomelm/genome-io';

/** A zip file (PKWARE APPNOTE 6.3.3), read by position: only the directory and the files asked for are fetched, which over HTTP saves the rest. */
export interface ZipFile {
  /** Of the files inside, with `/`. */
  readonly names: readonly string[];
  /** The bytes of a file inside, inflated as they come; the checksum is compared at the end. */
  read(name: string, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, undefined>;
  close(): Promise<void>;
}

interface Entry { readonly method: number; readonly crc: number; readonly compressed: number; readonly offset: number }

const endSize = 22;
const longestComment = 65535;
const pieceBytes = 1 << 20;

/** @throws FormatError for what is no zip file, encrypted, larger than 4 GiB (ZIP64) or packed in another way than stored or deflated */
export async function openZip(source: RandomAccessSource, name = String(source)): Promise<ZipFile> {
  const file = openRandomAccess(source);
  const entries = await readDirectory(file, name);
  return {
    names: [...entries.keys()],
    close: () => file.close(),
    async *read(entryName, signal) {
      const entry = entries.get(entryName);
      if (!entry) throw new FormatError(`openZip: expected a file ${entryName} in ${name}, got none; see names`, { format: 'zip' });
      let crc = 0;
      for await (const chunk of inflate(file, entry, signal)) {
        crc = crc32(chunk, crc);
        yield chunk;
      }
      if (crc !== entry.crc) throw new FormatError(`openZip: expected the checksum ${entry.crc} for ${entryName} in ${name}, got ${crc}; fetch the file again`, { format: 'zip' });
    },
  };
}

async function readDirectory(file: RandomAccessFile, name: string): Promise<Map<string, Entry>> {
  const fail = (expected: string, got: string): never => {
    throw new FormatError(`openZip: expected ${expected}, got ${got} in ${name}; fetch the file again, or unpack it`, { format: 'zip' });
  };
  const { size } = await file.stat();
  const tailStart = Math.max(0, size - endSize - longestComment);
  const tail = await file.read(size - tailStart, tailStart);
  let at = tail.length - endSize;
  while (at >= 0 && !(tail[at] === 0x50 && tail[at + 1] === 0x4b && tail[at + 2] === 5 && tail[at + 3] === 6)) at--;
  if (at < 0) fail('the end of a zip file', 'none');
  const end = viewOf(tail.subarray(at));
  const [count, length, start] = [end.getUint16(10, true), end.getUint32(12, true), end.getUint32(16, true)];
  if (count === 0xffff || start === 0xffffffff) fail('less than 4 GiB', 'ZIP64');
  const directory = await file.read(length, start);
  const view = viewOf(directory);
  const entries = new Map<string, Entry>();
  for (let i = 0, p = 0; i < count; i++) {
    if (p + 46 > directory.length || view.getUint32(p, true) !== 0x02014b50) fail(`${count} entries in the directory`, String(i));
    const [nameLength, extra, comment] = [28, 30, 32].map((field) => view.getUint16(p + field, true));
    const entryName = new TextDecoder().decode(directory.subarray(p + 46, p + 46 + nameLength));
    if (view.getUint16(p + 8, true) & 1) fail('open files', `the encrypted ${entryName}`);
    entries.set(entryName, { method: view.getUint16(p + 10, true), crc: view.getUint32(p + 16, true), compressed: view.getUint32(p + 20, true), offset: view.getUint32(p + 42, true) });
    p += 46 + nameLength + extra + comment;
  }
  return entries;
}

async function* inflate(file: RandomAccessFile, { method, compressed, offset }: Entry, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void, undefined> {
  if (method !== 0 && method !== 8) throw new FormatError(`openZip: expected a stored or deflated file, got method ${method}; pack it with zip's defaults`, { format: 'zip' });
  const header = viewOf(await file.read(30, offset, { signal }));
  const start = offset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
  let read = 0;
  const stored = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      signal?.throwIfAborted();
      const chunk = await file.read(Math.min(pieceBytes, compressed - read), start + read, { signal });
      read += chunk.length;
      if (chunk.length) controller.enqueue(chunk as Uint8Array<ArrayBuffer>);
      if (read >= compressed || chunk.length === 0) controller.close();
    },
  });
  const reader = (method === 8 ? stored.pipeThrough(new DecompressionStream('deflate-raw')) : stored).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        signal?.throwIfAborted();
        throw new FormatError('openZip: expected deflated data, got damaged bytes; fetch the file again', { format: 'zip', cause });
      });
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView => new DataView(buffer, byteOffset, byteLength);

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

function crc32(bytes: Uint8Array, before: number): number {
  let crc = ~before;
  for (let i = 0; i < bytes.length; i++) crc = crcTable[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

// The part of zip (PKWARE APPNOTE 6.3.10) that torch.save uses: stored entries, with zip64 sizes. Anything else is refused by name.
import { FormatError } from '../errors';
import type { ByteSource } from './byteSource';

export interface ZipFile {
  readonly names: readonly string[];
  /** An entry's bytes, their CRC checked. */
  read(name: string): Promise<Uint8Array>;
  /** Size of an entry, or undefined where there is none of that name. */
  sizeOf(name: string): number | undefined;
}

interface Entry {
  readonly name: string;
  readonly header: number;
  readonly size: number;
  readonly crc: number;
  /** Where the next entry, or the directory, begins. */
  limit: number;
}

const refuse = (expected: string, got: unknown): never => {
  throw new FormatError(`readZip: expected ${expected}, got ${String(got)}; the file is damaged or was not written by torch.save`, { format: 'zip' });
};

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Reads the directory at the end of the file; entries are read when they are asked for. @throws FormatError */
export async function readZip(source: ByteSource): Promise<ZipFile> {
  const { begin, end, count } = await findDirectory(source);
  const entries = parseDirectory(await source.read(begin, end), count, begin);
  return {
    names: [...entries.keys()],
    sizeOf: (name) => entries.get(name)?.size,
    async read(name) {
      const entry = entries.get(name) ?? refuse(`an entry ${JSON.stringify(name)}`, 'none');
      const start = await startOf(source, entry);
      if (start + entry.size > entry.limit) return refuse(`${entry.name} to end before byte ${entry.limit}`, start + entry.size);
      const bytes = await source.read(start, start + entry.size);
      return crc32(bytes) === entry.crc ? bytes : refuse(`the CRC of ${entry.name} that the directory gives`, 'another');
    },
  };
}

/** The end record lies in the last 64 KiB; where its numbers are too small for the file, zip64's record stands before it. */
async function findDirectory(source: ByteSource): Promise<{ begin: number; end: number; count: number }> {
  const tailBegin = Math.max(0, source.byteLength - 65_557);
  const tail = viewOf(await source.read(tailBegin, source.byteLength));
  let at = tail.byteLength - 22;
  while (at >= 0 && tail.getUint32(at, true) !== 0x06054b50) at--;
  if (at < 0) return refuse('a zip file', `no end record in ${source.byteLength} bytes`);
  let [count, size, begin, end] = [tail.getUint16(at + 10, true), tail.getUint32(at + 12, true), tail.getUint32(at + 16, true), tailBegin + at];
  if (tail.getUint16(at + 4, true) || tail.getUint16(at + 8, true) !== count) return refuse('one volume', 'a part of several');
  if (at >= 20 && tail.getUint32(at - 20, true) === 0x07064b50) {
    end = Number(tail.getBigUint64(at - 12, true));
    if (end + 56 > tailBegin + at - 20) return refuse('a zip64 end record before its locator', `byte ${end}`);
    const record = viewOf(await source.read(end, end + 56));
    if (record.getUint32(0, true) !== 0x06064b50) return refuse('a zip64 end record', 'other bytes');
    [count, size, begin] = [32, 40, 48].map((offset) => Number(record.getBigUint64(offset, true)));
  }
  if (begin + size > end || count > size / 46) return refuse(`a directory of ${count} entries before byte ${end}`, `${size} bytes from ${begin}`);
  return { begin, end: begin + size, count };
}

function parseDirectory(bytes: Uint8Array, count: number, end: number): Map<string, Entry> {
  const view = viewOf(bytes);
  const entries = new Map<string, Entry>();
  for (let i = 0, at = 0; i < count; i++) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== 0x02014b50) return refuse(`entry ${i} of the directory`, 'other bytes');
    const [flags, method, crc] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true), view.getUint32(at + 16, true)];
    const [nameEnd, extraBytes, commentBytes] = [at + 46 + view.getUint16(at + 28, true), view.getUint16(at + 30, true), view.getUint16(at + 32, true)];
    const next = nameEnd + extraBytes + commentBytes;
    if (next > bytes.length) return refuse('the directory to hold its names', 'a longer one');
    const name = text(bytes.subarray(at + 46, nameEnd));
    const numbers = [view.getUint32(at + 20, true), view.getUint32(at + 24, true), view.getUint32(at + 42, true)];
    const [stored, size, header] = widen(numbers, bytes.subarray(nameEnd, nameEnd + extraBytes), name);
    if (flags & 1) return refuse(`${name} without a password`, 'an encrypted entry');
    if (method !== 0) return refuse(`${name} to be stored`, `compression method ${method}`);
    if (stored !== size) return refuse(`${name} to take ${size} bytes`, stored);
    if (entries.has(name)) return refuse('each name once', `${JSON.stringify(name)} twice`);
    entries.set(name, { name, header, size, crc, limit: end });
    at = next;
  }
  const sorted = [...entries.values()].sort((a, b) => a.header - b.header);
  sorted.forEach((entry, i) => {
    entry.limit = sorted[i + 1]?.header ?? end;
    if (entry.header + 30 + entry.size > entry.limit) refuse(`${entry.name} to end before byte ${entry.limit}, where the next entry begins`, entry.header + 30 + entry.size);
  });
  return entries;
}

/** Numbers of 2^32 - 1 stand in extra field 1 instead, in order (4.5.3). */
function widen([stored, size, header]: number[], extra: Uint8Array, name: string): number[] {
  const view = viewOf(extra);
  const wide: number[] = [];
  for (let at = 0; at + 4 <= extra.length; at += 4 + view.getUint16(at + 2, true)) {
    const end = Math.min(extra.length, at + 4 + view.getUint16(at + 2, true));
    if (view.getUint16(at, true) === 1) for (let value = at + 4; value + 8 <= end; value += 8) wide.push(Number(view.getBigUint64(value, true)));
  }
  // The directory names the size before the stored size in this field.
  const take = (value: number) => (value === 0xffffffff ? wide.shift() ?? refuse(`zip64 sizes of ${name}`, 'none') : value);
  const wideSize = take(size);
  return [take(stored), wideSize, take(header)];
}

/** Behind the local header, which must name the same entry. */
async function startOf(source: ByteSource, { name, header, limit }: Entry): Promise<number> {
  if (header + 30 > limit) return refuse(`the header of ${name} before byte ${limit}`, header);
  const view = viewOf(await source.read(header, header + 30));
  const [nameBytes, extraBytes] = [view.getUint16(26, true), view.getUint16(28, true)];
  const start = header + 30 + nameBytes + extraBytes;
  if (view.getUint32(0, true) !== 0x04034b50 || start > limit) return refuse(`the header of ${name} at byte ${header}`, 'other bytes');
  const named = text(await source.read(header + 30, header + 30 + nameBytes));
  return named === name ? start : refuse(`the entry ${JSON.stringify(name)} at byte ${header}`, JSON.stringify(named));
}

/** CRC-32 as zip has it (APPNOTE 4.4.7). */
export function crc32(bytes: Uint8Array): number {
  const table = Uint32Array.from({ length: 256 }, (_, i) => {
    let value = i;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    return value;
  });
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8);
  return ~crc >>> 0;
}

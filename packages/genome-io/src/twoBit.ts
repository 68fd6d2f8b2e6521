// 2bit, UCSC's format for genomes with random access (genome.ucsc.edu/FAQ/FAQformat.html#format7): both byte orders, 32-bit (version 0) and 64-bit offsets (version 1).
import type { ReadOptions } from './byteSource';
import { concat } from './bytes';
import { FormatError } from './formatError';
import { packSequence, unpackBases, type PackOptions, type Runs } from './packedSequence';
import { openRandomAccess, type RandomAccessFile, type RandomAccessOptions, type RandomAccessSource } from './randomAccess';
import { reverseComplement } from './sequence';
import { checkInterval, unknownContig, type SequenceFile } from './sequenceFile';

const signature = 0x1a412743;

interface Contig {
  readonly name: string;
  readonly length: number;
  readonly unknown: Runs;
  readonly masked: Runs;
  /** Where the packed bases begin. */
  readonly offset: number;
}

/**
 * Opens a 2bit file for random access; nothing is read before the first call. Soft-masked bases are lower case, unknown ones N.
 * @throws FormatError (`2bit`, with `offset`) from the calls, for what is no 2bit file, a file that was cut, counts and places beyond it.
 */
export function openTwoBit(source: RandomAccessSource, options: RandomAccessOptions = {}): SequenceFile {
  const file = openRandomAccess(source, options);
  const contigs = new Map<string, Promise<Contig>>();
  let opening: Promise<Index> | undefined;
  const opened = () => (opening ??= readIndex(file).catch((error: unknown) => { opening = undefined; throw error; }));
  const contigOf = async (name: string): Promise<Contig> => {
    const index = await opened();
    const offset = index.offsets.get(name) ?? unknownContig('openTwoBit', name, [...index.offsets.keys()]);
    const known = contigs.get(name);
    if (known) return known;
    const contig = readContig(file, index, name, offset);
    contigs.set(name, contig);
    contig.catch(() => contigs.delete(name));
    return contig;
  };
  return {
    close: () => file.close(),
    async contigs() {
      const list = [];
      const { offsets, littleEndian, size } = await opened();
      for (const [name, offset] of offsets) list.push({ name, length: await new Cursor(file, size, littleEndian, offset, 4).u32() });
      return list;
    },
    async fetch(name, start = 0, end, { strand = '+', clamp = false, signal } = {}) {
      const { length, offset, unknown, masked } = await contigOf(name);
      const interval = checkInterval('openTwoBit', name, length, start, end ?? length, clamp);
      if (interval.start === interval.end) return new Uint8Array(0);
      const first = interval.start >> 2;
      const count = Math.ceil(interval.end / 4) - first;
      const bases = await file.read(count, offset + first, { signal });
      if (bases.length < count) throw damaged(offset + first, `${count} bytes of bases of ${JSON.stringify(name)}`, `${bases.length} and the end of the file`);
      const sequence = unpackBases(bases, unknown, masked, interval.start, interval.end);
      return strand === '-' ? reverseComplement(sequence) : sequence;
    },
  };
}

const damaged = (offset: number, expected: string, got: string) =>
  new FormatError(`openTwoBit: expected ${expected} at byte ${offset}, got ${got}; fetch the file again or make it with faToTwoBit`, { format: '2bit', offset });

interface Index {
  readonly size: number;
  readonly littleEndian: boolean;
  readonly offsets: ReadonlyMap<string, number>;
}

/** Reads numbers one after another, fetching ahead. Counts are checked against the file's size before memory is asked for. */
class Cursor {
  private view: DataView = new DataView(new ArrayBuffer(0));
  private at = 0;

  constructor(private readonly file: RandomAccessFile, private readonly size: number, private readonly littleEndian: boolean, private position: number, private readonly ahead = 1 << 14) {}

  /** Where the next number stands. */
  get offset(): number {
    return this.position - this.view.byteLength + this.at;
  }

  private async need(count: number): Promise<number> {
    if (this.at + count > this.view.byteLength) {
      const from = this.offset;
      if (from + count > this.size) throw damaged(from, `${count} more bytes`, `the end of a file of ${this.size} bytes`);
      const bytes = await this.file.read(Math.min(Math.max(count, this.ahead), this.size - from), from);
      if (bytes.length < count) throw damaged(from, `${count} more bytes`, `${bytes.length}`);
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      this.position = from + bytes.length;
      this.at = 0;
    }
    this.at += count;
    return this.at - count;
  }

  u8 = async () => { const at = await this.need(1); return this.view.getUint8(at); };
  u32 = async () => { const at = await this.need(4); return this.view.getUint32(at, this.littleEndian); };
  u64 = async () => { const at = await this.need(8); return Number(this.view.getBigUint64(at, this.littleEndian)); };
  async bytes(count: number): Promise<Uint8Array> {
    const at = await this.need(count);
    return new Uint8Array(this.view.buffer, this.view.byteOffset + at, count);
  }

  /** Starts, then lengths, of runs within `length` bases. */
  async runs(length: number): Promise<Runs> {
    const place = this.offset;
    const count = await this.u32();
    const at = await this.need(8 * count);
    const runs = new Uint32Array(2 * count);
    for (let i = 0; i < count; i++) {
      const start = this.view.getUint32(at + 4 * i, this.littleEndian);
      const end = start + this.view.getUint32(at + 4 * (count + i), this.littleEndian);
      if (end > length || (i > 0 && start < runs[2 * i - 1])) throw damaged(place, `runs one after another within ${length} bases`, `${start} to ${end}`);
      runs[2 * i] = start;
      runs[2 * i + 1] = end;
    }
    return runs;
  }
}

async function readIndex(file: RandomAccessFile): Promise<Index> {
  const { size } = await file.stat();
  const head = await file.read(16, 0);
  if (head.length < 16) throw damaged(0, 'a header of 16 bytes', `a file of ${head.length}`);
  const magic = new DataView(head.buffer, head.byteOffset, 16);
  const littleEndian = magic.getUint32(0, true) === signature;
  if (!littleEndian && magic.getUint32(0) !== signature) throw damaged(0, 'the signature 1A412743 in either byte order', magic.getUint32(0).toString(16).padStart(8, '0'));
  const version = magic.getUint32(4, littleEndian);
  if (version > 1) throw damaged(4, 'version 0 or 1', `${version}`);
  const count = magic.getUint32(8, littleEndian);
  if (magic.getUint32(12, littleEndian) !== 0) throw damaged(12, '0', `${magic.getUint32(12, littleEndian)}`);
  const cursor = new Cursor(file, size, littleEndian, 16, 1 << 16);
  const offsets = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const at = cursor.offset;
    const name = new TextDecoder().decode(await cursor.bytes(await cursor.u8()));
    if (offsets.has(name)) throw damaged(at, 'every name once', `${JSON.stringify(name)} again`);
    offsets.set(name, await (version === 1 ? cursor.u64() : cursor.u32()));
  }
  return { size, littleEndian, offsets };
}

async function readContig(file: RandomAccessFile, { size, littleEndian }: Index, name: string, offset: number): Promise<Contig> {
  const cursor = new Cursor(file, size, littleEndian, offset);
  const length = await cursor.u32();
  const unknown = await cursor.runs(length);
  const masked = await cursor.runs(length);
  const reserved = await cursor.u32();
  if (reserved !== 0) throw damaged(cursor.offset - 4, '0 before the bases', `${reserved}`);
  if (cursor.offset + Math.ceil(length / 4) > size) throw damaged(cursor.offset, `${Math.ceil(length / 4)} bytes of bases of ${JSON.stringify(name)}`, `the end of a file of ${size} bytes`);
  return { name, length, unknown, masked, offset: cursor.offset };
}

export interface TwoBitOptions extends PackOptions, ReadOptions {
  /** Byte order; default little-endian, which is what faToTwoBit writes nearly everywhere. */
  readonly littleEndian?: boolean;
  /** 1 writes 64-bit offsets, for files of 4 GiB and more; default 0. */
  readonly version?: 0 | 1;
}

/**
 * The bytes of a 2bit file with these records, in their order. In memory: a quarter of a byte a base.
 * @throws RangeError for letters that two bits cannot hold (see {@link PackOptions}), names that are empty, longer than 255 bytes or come twice, and a file too large for version 0.
 */
export async function writeTwoBit(records: AsyncIterable<{ name: string; sequence: Uint8Array }> | Iterable<{ name: string; sequence: Uint8Array }>, options: TwoBitOptions = {}): Promise<Uint8Array> {
  const { littleEndian = true, version = 0, signal } = options;
  const names: Uint8Array[] = [];
  const bodies: Uint8Array[] = [];
  const seen = new Set<string>();
  for await (const { name, sequence } of records) {
    signal?.throwIfAborted();
    const bytes = new TextEncoder().encode(name);
    if (bytes.length === 0 || bytes.length > 255 || seen.has(name)) throw new RangeError(`writeTwoBit: expected names of 1 to 255 bytes that differ, got ${JSON.stringify(name)}${seen.has(name) ? ' again' : ''}; rename the record`);
    seen.add(name);
    names.push(bytes);
    bodies.push(recordBytes(sequence, options, littleEndian));
  }
  const pointer = version === 1 ? 8 : 4;
  const index = new Uint8Array(16 + names.reduce((sum, name) => sum + 1 + name.length + pointer, 0));
  const view = new DataView(index.buffer);
  [signature, version, names.length, 0].forEach((value, i) => view.setUint32(4 * i, value, littleEndian));
  let at = 16;
  let offset = index.length;
  for (const [i, name] of names.entries()) {
    if (version === 0 && offset > 0xffffffff) throw new RangeError(`writeTwoBit: expected a file below 4 GiB, got ${JSON.stringify(new TextDecoder().decode(name))} at byte ${offset}; pass {version: 1}`);
    index[at] = name.length;
    index.set(name, at + 1);
    at += 1 + name.length;
    if (version === 1) view.setBigUint64(at, BigInt(offset), littleEndian);
    else view.setUint32(at, offset, littleEndian);
    at += pointer;
    offset += bodies[i].length;
  }
  return concat([index, ...bodies]);
}

function recordBytes(sequence: Uint8Array, options: PackOptions, littleEndian: boolean): Uint8Array {
  const { length, bases, unknown, masked } = packSequence(sequence, options);
  const numbers = [length];
  for (const runs of [unknown, masked]) {
    numbers.push(runs.length / 2);
    for (let i = 0; i < runs.length; i += 2) numbers.push(runs[i]);
    for (let i = 0; i < runs.length; i += 2) numbers.push(runs[i + 1] - runs[i]);
  }
  numbers.push(0);
  const head = new DataView(new ArrayBuffer(4 * numbers.length));
  numbers.forEach((value, i) => head.setUint32(4 * i, value, littleEndian));
  return concat([new Uint8Array(head.buffer), bases]);
}

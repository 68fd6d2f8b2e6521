// The indexes .tbi (tabix) and .csi (SAM specification, CSIv1) of bgzipped tables: bins of a contig, and where in the file their lines are.
import { bgzfDecompress } from './bgzf';
import { FormatError } from './formatError';

/** A stretch of the file between two virtual offsets. */
export interface Chunk {
  readonly begin: bigint;
  readonly end: bigint;
}

interface ContigBins {
  readonly bins: ReadonlyMap<number, readonly Chunk[]>;
  /** Of each 16 kb, the first line that reaches it; .tbi only. */
  readonly linear: readonly bigint[];
}

export interface TabixIndex {
  readonly minShift: number;
  readonly depth: number;
  readonly contigs: ReadonlyMap<string, ContigBins>;
}

/**
 * Reads a `.tbi` or `.csi` file, told apart by their first bytes.
 * @throws FormatError for another file, and for one that was cut.
 */
export async function parseTabix(file: Uint8Array): Promise<TabixIndex> {
  const bytes = await bgzfDecompress(file);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 4;
  const fail = (expected: string, got: string): never => {
    throw new FormatError(`parseTabix: expected ${expected}, got ${got}; make the index again with tabix or bcftools index`, { format: 'tabix', offset: at });
  };
  const need = (count: number) => { if (!(count >= 0 && at + count <= bytes.length)) fail(`${count} more bytes at byte ${at} of the index`, `${bytes.length - at}`); at += count; return at - count; };
  const i32 = () => view.getInt32(need(4), true);
  const u64 = () => view.getBigUint64(need(8), true);
  const magic = String.fromCharCode(...bytes.subarray(0, 4));
  const isCsi = magic === 'CSI\u0001';
  if (!isCsi && magic !== 'TBI\u0001') fail('TBI or CSI at its beginning', JSON.stringify(magic));
  const [minShift, depth] = isCsi ? [i32(), i32()] : [14, 5];
  if (!(minShift > 0 && minShift < 32 && depth >= 0 && depth <= 10)) fail('a bin size and depth', `${minShift} and ${depth}`);
  const tbiContigs = isCsi ? 0 : i32();
  if (isCsi && i32() < 28) fail('the columns of a table, as tabix stores them', 'none: this index is of another kind of file');
  need(24); // format, columns, comment character and lines skipped: VCF's are fixed
  const nameBytes = i32();
  const from = need(nameBytes);
  const names = new TextDecoder().decode(bytes.subarray(from, from + nameBytes)).split('\0').slice(0, -1);
  const count = isCsi ? i32() : tbiContigs;
  if (count !== names.length) fail(`${names.length} contigs, as many as names`, `${count}`);
  const contigs = new Map<string, ContigBins>();
  for (const name of names) {
    const bins = new Map<number, Chunk[]>();
    for (let left = i32(); left > 0; left--) {
      const bin = view.getUint32(need(4), true);
      if (isCsi) need(8); // the first line that reaches the bin: chunks say enough
      const chunks: Chunk[] = [];
      for (let each = i32(); each > 0; each--) chunks.push({ begin: u64(), end: u64() });
      bins.set(bin, chunks);
    }
    const linear: bigint[] = [];
    if (!isCsi) for (let each = i32(); each > 0; each--) linear.push(u64());
    contigs.set(name, { bins, linear });
  }
  return { minShift, depth, contigs };
}

/** Where the lines lie that may overlap `start` to `end`, ascending and apart; empty for a contig without lines. */
export function chunksOf({ minShift, depth, contigs }: TabixIndex, contig: string, start: number, end: number): Chunk[] {
  const found = contigs.get(contig);
  if (!found || start >= end) return [];
  const earliest = found.linear[Math.min(Math.floor(start / 2 ** minShift), found.linear.length - 1)] ?? 0n;
  const chunks: Chunk[] = [];
  for (let level = 0, first = 0; level <= depth; first += 8 ** level, level++) {
    const size = 2 ** (minShift + 3 * (depth - level));
    const last = first + Math.min(Math.floor((end - 1) / size), 8 ** level - 1);
    for (const [bin, list] of found.bins) if (bin >= first + Math.floor(start / size) && bin <= last) chunks.push(...list.filter((chunk) => chunk.end > earliest));
  }
  chunks.sort((a, b) => (a.begin < b.begin ? -1 : a.begin > b.begin ? 1 : 0));
  const merged: { begin: bigint; end: bigint }[] = [];
  for (const { begin, end: stop } of chunks) {
    const before = merged.at(-1);
    if (before && begin <= before.end) before.end = stop > before.end ? stop : before.end;
    else merged.push({ begin, end: stop });
  }
  return merged;
}

// Region queries of bgzipped VCF through a tabix index.
import { openBgzf, readWhole } from './bgzfFile';
import type { ReadOptions } from './byteSource';
import { concat } from './bytes';
import type { RandomAccessOptions, RandomAccessSource } from './randomAccess';
import { unknownContig } from './sequenceFile';
import { chunksOf, parseTabix, type TabixIndex } from './tabix';
import { parseVcfRecord, readVcf, type VcfRecord } from './vcf';
import type { VcfHeader } from './vcfHeader';

export interface VcfFile {
  header(): Promise<VcfHeader>;
  /** The records that overlap `start` (0-based) to `end`, in the order of the file. A record's `line` is 0: its number in the file is not known. */
  query(contig: string, start: number, end: number, options?: ReadOptions): AsyncGenerator<VcfRecord, void, undefined>;
  close(): Promise<void>;
}

export interface VcfFileOptions extends RandomAccessOptions {
  /** The `.tbi` or `.csi` index. */
  readonly index: RandomAccessSource;
}

/**
 * Opens a bgzipped VCF file for queries by region; nothing is read before the first call.
 * @throws FormatError from the calls, for a damaged index or block and for what is no VCF; RangeError for an interval that is none and for a contig that neither the index nor the header names: an empty answer would look like a contig without variants.
 */
export function openVcf(source: RandomAccessSource, options: VcfFileOptions): VcfFile {
  const file = openBgzf(source, options);
  let opening: Promise<{ header: VcfHeader; index: TabixIndex }> | undefined;
  const load = async () => ({ header: await readHeader(file.readVirtual), index: await parseTabix(await readWhole(options.index, options)) });
  const opened = () => (opening ??= load().catch((error: unknown) => { opening = undefined; throw error; }));
  return {
    header: async () => (await opened()).header,
    close: () => file.close(),
    async *query(contig, start, end, more = {}) {
      if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || start > end) throw new RangeError(`openVcf: expected whole numbers with 0 <= start <= end, got ${start} and ${end}; positions are 0-based and half-open`);
      const { header, index } = await opened();
      if (!index.contigs.has(contig) && !header.contigs.has(contig)) unknownContig('openVcf', contig, [...new Set([...index.contigs.keys(), ...header.contigs.keys()])], 'see header()');
      for (const { begin, end: stop } of chunksOf(index, contig, start, end)) {
        for await (const line of linesOf(file.readVirtual, begin, stop, more)) {
          const record = parseVcfRecord(header, 0, line);
          if (record.contig !== contig || record.start >= end) break; // sorted: nothing more of this stretch overlaps
          if (record.end > start) yield record;
        }
      }
    },
  };
}

type ReadVirtual = ReturnType<typeof openBgzf>['readVirtual'];
const pieceBytes = 1 << 16;

async function readHeader(read: ReadVirtual): Promise<VcfHeader> {
  const pieces: Uint8Array[] = [];
  for (let at = 0n; ; ) {
    const { bytes, next } = await read(at, pieceBytes);
    pieces.push(bytes);
    at = next;
    const text = concat(pieces);
    const columns = new TextDecoder('latin1').decode(text).search(/(?:^|\n)[^#]/);
    if (columns < 0 && bytes.length > 0) continue;
    return readVcf(columns < 0 ? text : text.subarray(0, columns + 1)).header();
  }
}

/** The lines that begin from `begin` on and before `stop`. */
async function* linesOf(read: ReadVirtual, begin: bigint, stop: bigint, options: ReadOptions): AsyncGenerator<Uint8Array, void, undefined> {
  let rest = new Uint8Array(0) as Uint8Array;
  for (let at = begin, length = pieceBytes; at < stop; ) {
    const { bytes: piece, next } = await read(at, length, options);
    if (piece.length === 0) break;
    if (next > stop && next >> 16n !== stop >> 16n) { // past the block that holds the end: nearer, please
      if (length === 1) break; // the index points into no block
      length >>= 1;
      continue;
    }
    const bytes = next > stop ? piece.subarray(0, piece.length - Number(next - stop)) : piece;
    at = next > stop ? stop : next;
    rest = rest.length === 0 ? bytes : concat([rest, bytes]);
    let from = 0;
    for (let feed; (feed = rest.indexOf(10, from)) >= 0; from = feed + 1) {
      const end = feed > from && rest[feed - 1] === 13 ? feed - 1 : feed;
      if (end > from) yield rest.slice(from, end);
    }
    rest = rest.subarray(from);
  }
  if (rest.length > 0) yield rest;
}

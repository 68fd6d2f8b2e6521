// Random access into FASTA by contig and interval: plain or BGZF, from a path, memory, a Blob, HTTP ranges or a file handle.
import { openBgzf, readWhole } from './bgzfFile';
import { startsAsBgzf } from './bgzfHeader';
import { checkThreads, type ReadBytesOptions, type ReadOptions } from './byteSource';
import { copyBytes } from './bytes';
import { createFastaIndex, parseFai, type FastaIndex, type FastaIndexEntry } from './faidx';
import { FormatError } from './formatError';
import type { GziIndex } from './gzi';
import { nodeModule } from './nodeModule';
import { openRandomAccess, type RandomAccessFile, type RandomAccessOptions, type RandomAccessSource } from './randomAccess';
import { scanner } from './scan';
import { reverseComplement } from './sequence';
import { checkInterval, unknownContig, type SequenceFile } from './sequenceFile';

export interface FastaFile extends SequenceFile {
  contigs(): Promise<FastaIndex>;
}

export interface FastaFileOptions extends RandomAccessOptions, Pick<ReadBytesOptions, 'threads'> {
  /** The `.fai` index: its text or bytes' source, or already parsed. Without it: the file of that name beside a path, where there is one; else one pass over the file makes it, with `threads` where it is BGZF. */
  readonly fai?: FastaIndex | RandomAccessSource;
  /** The `.gzi` index of a BGZF file, found in the same way. */
  readonly gzi?: GziIndex | RandomAccessSource;
}

/**
 * Opens a FASTA file for random access; nothing is read before the first call.
 * @throws FormatError from `fetch` and `contigs` for gzip that is not BGZF, a damaged block or index, an index that belongs to another file (noticed by its line ends).
 */
export function openFasta(source: RandomAccessSource, options: FastaFileOptions = {}): FastaFile {
  checkThreads('openFasta', options.threads);
  const stored = openRandomAccess(source, options);
  let opening: Promise<{ text: RandomAccessFile; index: FastaIndex; byName: ReadonlyMap<string, FastaIndexEntry> }> | undefined;
  const opened = () => (opening ??= load(source, stored, options).catch((error: unknown) => { opening = undefined; throw error; }));
  return {
    contigs: async () => (await opened()).index,
    close: () => stored.close(),
    async fetch(contig, start = 0, end, { strand = '+', clamp = false, signal } = {}) {
      const { text, byName } = await opened();
      const entry = byName.get(contig) ?? unknownContig('openFasta', contig, [...byName.keys()]);
      const interval = checkInterval('openFasta', contig, entry.length, start, end ?? entry.length, clamp);
      const sequence = await fetchBases(text, entry, interval.start, interval.end, { signal });
      return strand === '-' ? reverseComplement(sequence) : sequence;
    },
  };
}

async function load(source: RandomAccessSource, stored: RandomAccessFile, options: FastaFileOptions) {
  const head = await stored.read(16, 0);
  const isBgzf = startsAsBgzf(head);
  if (!isBgzf && head[0] === 31 && head[1] === 139) throw new FormatError('openFasta: expected plain text or BGZF, got gzip, which cannot be entered in the middle; gunzip it and compress it with bgzfCompress or bgzip', { format: 'fasta' });
  const gzi = options.gzi ?? beside(source, '.gzi');
  const text = isBgzf ? openBgzf(stored, { ...options, ...(gzi === undefined ? {} : { gzi }) }) : stored;
  const fai = options.fai ?? beside(source, '.fai');
  const index = Array.isArray(fai) ? (fai as FastaIndex) : fai === undefined ? await createFastaIndex(stored, options) : parseFai(await readWhole(fai as RandomAccessSource, options));
  return { text, index, byName: new Map(index.map((entry) => [entry.name, entry])) };
}

/** The file with `suffix` beside a local path; undefined where there is none. */
function beside(source: RandomAccessSource, suffix: string): string | URL | undefined {
  const fs = nodeModule('node:fs');
  const isLocal = typeof source === 'string' ? !/^https?:\/\//i.test(source) : source instanceof URL && source.protocol === 'file:';
  if (!fs || !isLocal) return undefined;
  const path = source instanceof URL ? new URL(`${source.href}${suffix}`) : `${source as string}${suffix}`;
  return fs.existsSync(path) ? path : undefined;
}

/** From here on lines are joined by the scanner. */
const longFetch = 1 << 14;

/** The residues of `bytes`, if there are as many and nothing else but line ends. */
function joinLines(bytes: Uint8Array, length: number): Uint8Array | undefined {
  const scan = scanner();
  scan?.forget();
  const sequence = new Uint8Array(length);
  let used = 0;
  for (let at = 0; scan && at < bytes.length; ) {
    const { next, residues } = scan.joinLines(bytes, at, bytes.length);
    if (next === at || used + residues.length > length) return undefined;
    sequence.set(residues, used);
    used += residues.length;
    at = next;
  }
  return used === length ? sequence : undefined;
}

async function fetchBases(text: RandomAccessFile, entry: FastaIndexEntry, start: number, end: number, options: ReadOptions): Promise<Uint8Array> {
  if (start === end) return new Uint8Array(0);
  const { offset, lineBases, lineWidth } = entry;
  const byteOf = (base: number) => offset + Math.floor(base / lineBases) * lineWidth + (base % lineBases);
  const first = byteOf(start);
  const bytes = await text.read(byteOf(end - 1) + 1 - first, first, options);
  const joined = end - start >= longFetch ? joinLines(bytes, end - start) : undefined;
  const sequence = joined ?? new Uint8Array(end - start);
  const foreign = (got: string) => new FormatError(`openFasta: expected lines of ${lineBases} bases for ${JSON.stringify(entry.name)}, got ${got}; the index belongs to another version of this file: make it again`, { format: 'fai' });
  if (bytes.length !== byteOf(end - 1) + 1 - first) throw foreign('the end of the file');
  const gap = lineWidth - lineBases;
  let at = 0;
  for (let used = 0, room = lineBases - (start % lineBases); used < sequence.length; room = lineBases) {
    const count = Math.min(room, sequence.length - used);
    if (!joined) copyBytes(bytes, at, sequence, used, count);
    used += count;
    at += count + gap;
    if (used < sequence.length && bytes[at - 1] !== 10) throw foreign('a line that does not end there');
  }
  if (sequence.includes(10) || sequence.includes(62)) throw foreign('a line that ends earlier');
  return sequence;
}

// GFF3 (Sequence Ontology, specification 1.26): features one a line; what joins them (ID, Parent) is left to the reader of the records.
import type { ByteSource, ReadOptions } from './byteSource';
import { FormatError } from './formatError';
import { textLines } from './lines';

export interface GffRecord {
  readonly contig: string;
  readonly source: string | undefined;
  /** A term of the Sequence Ontology, for example `gene`, `CDS`, `repeat_region`. */
  readonly type: string;
  /** 0-based. */
  readonly start: number;
  /** Half-open. */
  readonly end: number;
  readonly score: number | undefined;
  /** `?` where it matters and is not known; undefined for a dot. */
  readonly strand: '+' | '-' | '?' | undefined;
  /** Bases before the first whole codon, for CDS. */
  readonly phase: 0 | 1 | 2 | undefined;
  /** Values of each tag, decoded; `ID`, `Name`, `Parent` and the other capitals are the specification's. */
  readonly attributes: ReadonlyMap<string, readonly string[]>;
  /** 1-based line of the file. */
  readonly line: number;
}

/**
 * Streams the features of a GFF3 file, plain or compressed. Comments and directives are skipped; sequences after `##FASTA` (or a line that begins with >) end the reading: `readFasta` reads them.
 * @throws FormatError (`gff`, with the line) for other than nine columns, positions that are no whole numbers from 1, an end before its start, a strand or phase that is none, attributes that are not tag=value, and for GTF and GFF2.
 */
export async function* readGff(source: ByteSource, options: ReadOptions = {}): AsyncGenerator<GffRecord, void, undefined> {
  for await (const { text, line } of textLines(source, options, 'readGff', 'gff')) {
    if (text.startsWith('##FASTA') || text.startsWith('>')) return;
    const fail = (expected: string, got: string, remedy = 'correct the line'): never => {
      throw new FormatError(`readGff: expected ${expected} at line ${line}, got ${got}; ${remedy}`, { format: 'gff', line });
    };
    const version = /^##gff-version\s+(\S+)/.exec(text);
    if (version && !/^3(?:\.|$)/.test(version[1])) fail('GFF version 3', version[1], 'convert the file');
    if (text.startsWith('#') || text.trim() === '') continue;
    const columns = text.split('\t');
    if (columns.length !== 9) fail('9 columns with tabs between', `${columns.length}`);
    const [contig, origin, type, start, end, score, strand, phase] = columns.slice(0, 8).map((column) => (column.includes('%') ? decodeOr(column, fail) : column));
    if (contig === '' || contig === '.' || type === '') fail('a contig and a type', JSON.stringify(`${contig} ${type}`));
    if (!/^\d+$/.test(start) || !/^\d+$/.test(end) || Number(start) < 1 || Number(start) > Number(end) || !Number.isSafeInteger(Number(end))) fail('whole numbers from 1 with start <= end', JSON.stringify(`${start} ${end}`));
    if (score !== '.' && (score.trim() === '' || Number.isNaN(Number(score)))) fail('a score or .', JSON.stringify(score));
    if (!['+', '-', '?', '.'].includes(strand)) fail('the strand +, -, ? or .', JSON.stringify(strand));
    if (!['0', '1', '2', '.'].includes(phase)) fail('the phase 0, 1, 2 or .', JSON.stringify(phase));
    yield {
      contig, source: origin === '.' ? undefined : origin, type, start: Number(start) - 1, end: Number(end), score: score === '.' ? undefined : Number(score),
      strand: strand === '.' ? undefined : (strand as '+' | '-' | '?'), phase: phase === '.' ? undefined : (Number(phase) as 0 | 1 | 2), attributes: parseAttributes(columns[8], fail), line,
    };
  }
}

type Fail = (expected: string, got: string, remedy?: string) => never;

function parseAttributes(text: string, fail: Fail): ReadonlyMap<string, readonly string[]> {
  const attributes = new Map<string, readonly string[]>();
  if (text === '.') return attributes;
  for (const part of text.split(';')) {
    if (part.trim() === '') continue;
    const equals = part.indexOf('=');
    if (equals < 1) fail('attributes as tag=value with ; between', JSON.stringify(part.slice(0, 60)), 'GTF and GFF2 write them otherwise: convert the file');
    const tag = decodeOr(part.slice(0, equals).trim(), fail);
    if (attributes.has(tag)) fail('every tag once', JSON.stringify(tag), 'several values are written with commas');
    attributes.set(tag, part.slice(equals + 1).split(',').map((value) => decodeOr(value, fail)));
  }
  return attributes;
}

function decodeOr(text: string, fail: Fail): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text.replace(/%[0-9A-Fa-f]{2}/g, (code) => {
      const byte = parseInt(code.slice(1), 16);
      return byte < 128 ? String.fromCharCode(byte) : fail('percent codes of UTF-8', JSON.stringify(text.slice(0, 60)));
    });
  }
}

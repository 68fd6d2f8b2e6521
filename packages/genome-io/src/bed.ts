// BED as UCSC (genome.ucsc.edu/FAQ/FAQformat.html#format1) and the GA4GH specification of 2021 define it, three columns and more.
import type { ByteSource, ReadOptions } from './byteSource';
import { FormatError } from './formatError';
import { textLines } from './lines';

export interface BedRecord {
  readonly contig: string;
  /** 0-based. */
  readonly start: number;
  /** Half-open. */
  readonly end: number;
  /** Column 4; undefined where the file has fewer columns or a dot. */
  readonly name: string | undefined;
  /** Column 5 as a number; undefined where it is none. */
  readonly score: number | undefined;
  /** Column 6; undefined for a dot. */
  readonly strand: '+' | '-' | undefined;
  /** The columns after the sixth, as they stand. */
  readonly rest: readonly string[];
  /** 1-based line of the file. */
  readonly line: number;
}

/**
 * Streams the intervals of a BED file, plain or compressed; columns with tabs, or where there is none with blanks, between. Empty lines, comments (#), `track` and `browser` lines are skipped.
 * @throws FormatError (`bed`, with the line) for fewer than three columns, positions that are no whole numbers, an end before its start, a strand other than + - and dot.
 */
export async function* readBed(source: ByteSource, options: ReadOptions = {}): AsyncGenerator<BedRecord, void, undefined> {
  for await (const { text, line } of textLines(source, options, 'readBed', 'bed')) {
    if (text.trim() === '' || /^(?:#|(?:track|browser)(?:\s|$))/.test(text)) continue;
    const fail = (expected: string, got: string): never => {
      throw new FormatError(`readBed: expected ${expected} at line ${line}, got ${got}; correct the line`, { format: 'bed', line });
    };
    const columns = text.includes('\t') ? text.split('\t') : text.trim().split(/\s+/);
    const [contig, start, end, name, score, strand] = columns;
    if (columns.length < 3 || contig === '') fail('contig, start and end', JSON.stringify(text.slice(0, 60)));
    if (!/^\d+$/.test(start) || !/^\d+$/.test(end) || Number(start) > Number(end) || !Number.isSafeInteger(Number(end))) fail('whole numbers with start <= end', JSON.stringify(`${start} ${end}`));
    if (strand !== undefined && strand !== '+' && strand !== '-' && strand !== '.' && strand !== '') fail('the strand +, - or .', JSON.stringify(strand));
    const number = score === undefined || score === '' ? NaN : Number(score);
    yield {
      contig, start: Number(start), end: Number(end), name: name === '.' || name === '' ? undefined : name, score: Number.isNaN(number) ? undefined : number,
      strand: strand === '+' || strand === '-' ? strand : undefined, rest: columns.slice(6), line,
    };
  }
}

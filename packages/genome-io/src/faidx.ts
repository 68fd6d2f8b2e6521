// The .fai index of samtools faidx: where each sequence begins and how its lines are cut, so that a base's byte can be computed.
import { readBytes, type ByteSource, type ReadBytesOptions } from './byteSource';
import { FormatError } from './formatError';
import { blank, carriageReturn, endOfResidues, kinds, longestHeader, newline, show, wordsOf } from './residues';

/** One row of a `.fai` file. */
export interface FastaIndexEntry {
  readonly name: string;
  /** In bases. */
  readonly length: number;
  /** Of the first base, in bytes of the decompressed text. */
  readonly offset: number;
  /** Bases on a full line. */
  readonly lineBases: number;
  /** Bytes of a full line with its end. */
  readonly lineWidth: number;
}

/** The rows in the order of the file. */
export type FastaIndex = readonly FastaIndexEntry[];

const greaterThan = 62;

/**
 * Makes the index of a FASTA file, plain, gzip or BGZF, in one pass. Row for row what `samtools faidx` writes: the name is the header's first word, and a record without bases has no row (unless an empty line of CR LF follows its header). But: samtools refuses a file that ends with such a record.
 * @throws FormatError, with the line, for lines of differing length within a record, blanks between bases, bytes that are no residue, a name that comes twice, text before the first `>`.
 */
export async function createFastaIndex(source: ByteSource, options: ReadBytesOptions = {}): Promise<FastaIndex> {
  const indexer = new Indexer();
  for await (const chunk of readBytes(source, { ...options, reuse: true })) indexer.push(chunk);
  return indexer.end();
}

/** The state between two chunks, which may be cut anywhere. */
class Indexer {
  private readonly rows: FastaIndexEntry[] = [];
  private readonly names = new Set<string>();
  private line = 1;
  private place: 'lineStart' | 'header' | 'sequence' = 'lineStart';
  private consumed = 0;
  private header: number[] = [];
  private open: { offset: number; length: number; lineBases: number; lineWidth: number } | undefined;
  /** A shorter or empty line was seen: only empty lines and the next record may follow. */
  private closed = true;
  private bases = 0;
  private lineStart = 0;
  private trailing = false;

  push(chunk: Uint8Array): void {
    const words = wordsOf(chunk);
    for (let at = 0; at < chunk.length; ) {
      if (this.place === 'lineStart') {
        this.lineStart = this.consumed + at;
        this.bases = 0;
        this.trailing = false;
        this.place = 'sequence';
        if (chunk[at] === greaterThan) {
          this.finishRecord();
          this.place = 'header';
          at++;
        }
      } else at = this.place === 'header' ? this.readHeader(chunk, at) : this.readLine(chunk, words, at);
    }
    this.consumed += chunk.length;
  }

  end(): FastaIndex {
    if (this.place === 'sequence') this.endLine(this.consumed + 1); // htslib counts a line end even where the file lacks it
    if (this.place !== 'header') this.finishRecord();
    return this.rows;
  }

  private readHeader(chunk: Uint8Array, from: number): number {
    let at = from;
    while (at < chunk.length && chunk[at] !== newline) this.header.push(chunk[at++]);
    if (this.header.length > longestHeader) this.fail(`a header of at most ${longestHeader} bytes`, 'a longer one', 'check that this is a FASTA file');
    if (at === chunk.length) return at;
    this.line++;
    this.place = 'lineStart';
    this.closed = false;
    this.open = { offset: this.consumed + at + 1, length: 0, lineBases: 0, lineWidth: 0 };
    return at + 1;
  }

  private readLine(chunk: Uint8Array, words: ReturnType<typeof wordsOf>, from: number): number {
    let at = from;
    for (;;) {
      const start = at;
      at = endOfResidues(chunk, words, at, chunk.length);
      if (at > start && this.trailing) this.fail('blanks at the ends of lines only', `${show(chunk[start])} after one`, 'remove the blanks: bases are found by counting bytes');
      this.bases += at - start;
      if (at === chunk.length) return at;
      if (chunk[at] === newline) {
        this.endLine(this.consumed + at + 1);
        this.line++;
        this.place = 'lineStart';
        return at + 1;
      }
      if (kinds[chunk[at]] !== blank && chunk[at] !== carriageReturn) this.fail('residues (letters, * - or .)', show(chunk[at]), 'remove comments, numbers and damage');
      this.trailing = true;
      at++;
    }
  }

  private endLine(end: number): void {
    const { bases, open } = this;
    if (bases === 0) {
      if (open && open.length === 0 && end - this.lineStart === 2) open.lineWidth = 2; // htslib gives a row to a record whose first line is CR LF alone
      this.closed = true;
      return;
    }
    if (!open) this.fail("'>' before anything else", 'other text', 'remove what stands before the first record, or check that this is a FASTA file');
    const width = end - this.lineStart;
    if (open.lineBases === 0) {
      open.lineBases = bases;
      open.lineWidth = width;
    }
    if (this.closed || bases > open.lineBases || width > open.lineWidth) {
      this.fail(`lines of ${open.lineBases} bases and ${open.lineWidth} bytes up to the last one of a record`, this.closed ? 'another line after a shorter or empty one' : `${bases} bases and ${width} bytes`, 'write the file again with lines of one length, for example with samtools faidx -n 60');
    }
    this.closed = bases < open.lineBases || width < open.lineWidth;
    open.length += bases;
  }

  private finishRecord(): void {
    const { open } = this;
    this.open = undefined;
    const header = this.header;
    this.header = [];
    if (!open || (open.length === 0 && open.lineWidth === 0)) return;
    const name = decodeName(header) ?? this.fail('names in UTF-8', 'other bytes', 'convert the file, for example with iconv');
    if (this.names.has(name)) this.fail('every name once', `${JSON.stringify(name)} again in the record before`, 'rename one of them');
    this.names.add(name);
    this.rows.push({ name, ...open });
  }

  private fail(expected: string, got: string, remedy: string): never {
    throw new FormatError(`createFastaIndex: expected ${expected}, got ${got} at line ${this.line}; ${remedy}`, { format: 'fasta', line: this.line });
  }
}

function decodeName(header: readonly number[]): string | undefined {
  try {
    return /^[ \t\v\f\r]*([^ \t\v\f\r]*)/.exec(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(header)))![1];
  } catch {
    return undefined;
  }
}

/** The text of a `.fai` file: name, length, offset, bases and bytes a line, with tabs between. */
export function serializeFai(index: FastaIndex): string {
  return index.map(({ name, length, offset, lineBases, lineWidth }) => `${name}\t${length}\t${offset}\t${lineBases}\t${lineWidth}\n`).join('');
}

/**
 * Reads a `.fai` file.
 * @throws FormatError, with the line, for other than five columns, numbers that cannot be, a name that comes twice.
 */
export function parseFai(file: string | Uint8Array): FastaIndex {
  const text = typeof file === 'string' ? file : new TextDecoder().decode(file);
  const names = new Set<string>();
  const rows: FastaIndexEntry[] = [];
  for (const [i, row] of text.split(/\r?\n/).entries()) {
    if (row === '') continue;
    const fail = (expected: string, got: string) => new FormatError(`parseFai: expected ${expected} at line ${i + 1}, got ${got}; make the index again with createFastaIndex or samtools faidx`, { format: 'fai', line: i + 1 });
    const [name, ...columns] = row.split('\t');
    const [length, offset, lineBases, lineWidth] = columns.map((column) => (/^\d+$/.test(column) ? Number(column) : NaN));
    if (columns.length !== 4) throw fail('5 columns', `${columns.length + 1}`);
    if (![length, offset, lineBases, lineWidth].every(Number.isSafeInteger) || lineWidth < lineBases || (length > 0 && lineBases === 0)) throw fail('length, offset, bases and bytes a line', JSON.stringify(columns.join(' ')));
    if (names.has(name)) throw fail('every name once', `${JSON.stringify(name)} again`);
    names.add(name);
    rows.push({ name, length, offset, lineBases, lineWidth });
  }
  return rows;
}

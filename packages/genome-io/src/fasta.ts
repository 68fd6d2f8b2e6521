// FASTA as found in the wild: one pass over the bytes, no string per line, memory for one record at a time.
import { ByteCollector } from './byteCollector';
import { readBytes, type ByteSource, type ReadBytesOptions } from './byteSource';
import { FormatError } from './formatError';
import { blank, carriageReturn, endOfResidues, kinds, longestHeader, newline, show, wordsOf } from './residues';
import { scanner } from './scan';

export interface FastaRecord {
  /** The header up to the first space or tab; empty when the header is. */
  readonly name: string;
  /** The rest of the header. */
  readonly description: string;
  /** Residues as ASCII, case kept, line ends and blanks removed. The array is the consumer's own. */
  readonly sequence: Uint8Array;
}

export interface FastaOptions extends ReadBytesOptions {
  /** Longest sequence accepted, in residues; default 2^32 - 1, the longest array of Node 20. A lower limit guards against hostile files. */
  readonly maxSequenceLength?: number;
}

/**
 * Streams the records of a FASTA file (Pearson and Lipman 1988; as NCBI describes it). Plain or gzip, LF or CRLF, with or without a last line end; empty lines are skipped; an empty file has no records.
 * Reading follows the consumer: leaving the loop early closes the source.
 * @throws FormatError (`fasta` or `gzip`, with the line) for text before the first `>`, bytes that are no residue, `>` inside a line, a NUL byte, a lone carriage return, a header over 1 MiB or not in UTF-8, damaged gzip.
 */
export function readFasta(source: ByteSource, options: FastaOptions = {}): AsyncGenerator<FastaRecord, void, undefined> {
  const longest = options.maxSequenceLength ?? 2 ** 32 - 1;
  if (!(Number.isInteger(longest) && longest >= 0)) throw new RangeError(`readFasta: expected maxSequenceLength to be a whole number of residues, got ${longest}; leave it out for the default`);
  return records(readBytes(source, { ...options, reuse: true }), longest);
}

/** A piece of a record: `name` and `description` are those of its header. */
export interface FastaChunk extends FastaRecord {
  /** Where `sequence` begins in the record, 0-based, in residues. */
  readonly start: number;
  /** Whether the record ends with this piece. */
  readonly last: boolean;
}

export interface FastaChunkOptions extends ReadBytesOptions {
  /** Residues a piece; only the last one of a record is shorter. Default 2^20. */
  readonly chunkLength?: number;
}

/**
 * The same for contigs larger than memory: every record as pieces of equal length, of which one is in memory at a time. A record without residues is one empty piece.
 * @throws FormatError as {@link readFasta} does; RangeError for a chunkLength below 1.
 */
export function readFastaChunks(source: ByteSource, options: FastaChunkOptions = {}): AsyncGenerator<FastaChunk, void, undefined> {
  const chunkLength = options.chunkLength ?? 1 << 20;
  if (!(Number.isInteger(chunkLength) && chunkLength >= 1)) throw new RangeError(`readFastaChunks: expected chunkLength to be a whole number of residues from 1, got ${chunkLength}; leave it out for the default`);
  return pieces(readBytes(source, { ...options, reuse: true }), chunkLength, chunkLength);
}

async function* records(chunks: AsyncIterable<Uint8Array>, longest: number): AsyncGenerator<FastaRecord, void, undefined> {
  for await (const { name, description, sequence } of pieces(chunks, longest, Infinity)) yield { name, description, sequence };
}

async function* pieces(chunks: AsyncIterable<Uint8Array>, longest: number, chunkLength: number): AsyncGenerator<FastaChunk, void, undefined> {
  const parser = new FastaParser(longest, chunkLength);
  try {
    for await (const chunk of chunks) yield* parser.push(chunk);
  } catch (error) {
    if (!(error instanceof FormatError) || error.line !== undefined) throw error;
    throw new FormatError(`${error.message} (noticed at line ${parser.line} of the text)`, { format: error.format, line: parser.line, cause: error });
  }
  yield* parser.end();
}

const greaterThan = 62;
const byteOrderMark = [0xef, 0xbb, 0xbf];

type Words = ReturnType<typeof wordsOf>;

/** The state between two chunks, which may be cut anywhere. A class because a record is open across calls. */
class FastaParser {
  line = 1;
  private place: 'lineStart' | 'header' | 'sequence' = 'lineStart';
  private open = false;
  private headerLine = 0;
  private afterReturn = false;
  private markBytes = 0;
  /** Bytes of the file before this chunk, and up to the start of this line: for columns in messages. */
  private consumed = 0;
  private lineStart = 0;
  private readonly scanner = scanner();
  private readonly header: ByteCollector;
  private readonly sequence: ByteCollector;

  /** Of the open record: its name once a piece was given out, and how many residues were. */
  private title: Pick<FastaRecord, 'name' | 'description'> | undefined;
  private given = 0;

  constructor(private readonly longest: number, private readonly chunkLength: number) {
    this.header = new ByteCollector(longestHeader, () => this.fail(`a header of at most ${longestHeader} bytes`, 'a longer one', 'check that this is a FASTA file'));
    this.sequence = new ByteCollector(longest, () => this.fail(`a sequence of at most ${longest} residues`, 'a longer one', 'raise maxSequenceLength if that is right'));
  }

  *push(chunk: Uint8Array): Generator<FastaChunk, void, undefined> {
    const words = wordsOf(chunk);
    this.scanner?.forget();
    for (let at = 0; at < chunk.length; ) {
      const byte = chunk[at];
      if (byte === newline) {
        this.afterReturn = false;
        this.place = 'lineStart';
        this.line++;
        this.lineStart = this.consumed + ++at;
      } else if (this.afterReturn) {
        this.fail('a line feed after the carriage return', show(byte), 'convert the line ends to LF or CRLF', at);
      } else if (byte === carriageReturn) {
        this.afterReturn = true;
        at++;
      } else if (this.place === 'lineStart' && byte === greaterThan && this.markBytes % byteOrderMark.length === 0) {
        if (this.open) yield this.take(true);
        this.open = true;
        this.headerLine = this.line;
        this.place = 'header';
        at++;
      } else if (this.place === 'header') {
        at = this.readHeader(chunk, at);
      } else if (this.open) {
        if (this.sequence.length === this.chunkLength) yield this.take(false); // only now is it known that the record goes on
        const next = this.readLines(chunk, at);
        if (next === at) this.place = 'sequence';
        at = next === at ? this.readSequence(chunk, words, at) : next;
      } else {
        at = this.readPreamble(chunk, at);
      }
    }
    this.consumed += chunk.length;
  }

  *end(): Generator<FastaChunk, void, undefined> {
    if (this.open) yield this.take(true);
  }

  private take(last: boolean): FastaChunk {
    this.title ??= this.titleOf(this.decodeHeader(this.header.take()));
    const { title, given: start } = this;
    const sequence = this.sequence.take();
    this.given = last ? 0 : start + sequence.length;
    if (last) this.title = undefined;
    return { ...title, start, sequence, last };
  }

  private titleOf(header: string) {
    const [, name, description] = /^([^ \t]*)[ \t]*([^]*?)[ \t]*$/.exec(header)!;
    return { name, description };
  }

  private decodeHeader(bytes: Uint8Array): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (cause) {
      throw new FormatError(`readFasta: expected headers in UTF-8, got other bytes at line ${this.headerLine}; convert the file, for example with iconv`, { format: 'fasta', line: this.headerLine, cause });
    }
  }

  private readHeader(chunk: Uint8Array, from: number): number {
    let at = from;
    for (; at < chunk.length && chunk[at] !== newline && chunk[at] !== carriageReturn; at++) {
      if (chunk[at] === 0) this.fail('text', 'a NUL byte', 'the file is binary or damaged', at);
    }
    this.header.append(chunk, from, at);
    return at;
  }

  /** Lines of residues, together; `from` where there is no scanner or no residue. */
  private readLines(chunk: Uint8Array, from: number): number {
    const to = Math.min(chunk.length, from + Math.min(this.chunkLength, this.longest) - this.sequence.length);
    if (!this.scanner || to <= from) return from;
    const { next, residues, lines, lineStart } = this.scanner.joinLines(chunk, from, to);
    this.sequence.append(residues, 0, residues.length);
    this.line += lines;
    if (lineStart !== undefined) this.lineStart = this.consumed + lineStart;
    if (next > from) this.place = next === lineStart ? 'lineStart' : 'sequence';
    return next;
  }

  private readSequence(chunk: Uint8Array, words: Words, from: number): number {
    const to = Math.min(chunk.length, from + this.chunkLength - this.sequence.length);
    const at = endOfResidues(chunk, words, from, to);
    this.sequence.append(chunk, from, at);
    if (at === to || chunk[at] === newline || chunk[at] === carriageReturn) return at;
    if (kinds[chunk[at]] === blank) return at + 1;
    return this.fail('residues (letters, * - or .)', show(chunk[at]), chunk[at] === greaterThan ? 'a header starts its own line' : 'remove comments, numbers and damage', at);
  }

  private readPreamble(chunk: Uint8Array, at: number): number {
    const byte = chunk[at];
    if (this.line === 1 && this.place === 'lineStart' && byte === byteOrderMark[this.markBytes]) this.markBytes++;
    else if (kinds[byte] !== blank || this.markBytes % byteOrderMark.length !== 0) this.fail("'>' before anything else", show(byte), 'remove what stands before the first record, or check that this is a FASTA file', at);
    return at + 1;
  }

  private fail(expected: string, got: string, remedy: string, at?: number): never {
    const column = at === undefined ? '' : `, column ${this.consumed + at - this.lineStart + 1}`;
    throw new FormatError(`readFasta: expected ${expected} at line ${this.line}${column}, got ${got}; ${remedy}`, { format: 'fasta', line: this.line });
  }
}

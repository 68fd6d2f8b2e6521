// FASTQ as Cock et al. (2010, Nucleic Acids Research 38:1767) define it: three encodings of quality, sequences and qualities over any number of lines.
import type { ByteSource, ReadBytesOptions } from './byteSource';
import { concat } from './bytes';
import { FormatError } from './formatError';
import { lineBlocks, lineEnd, longestLine } from './lines';
import { oneByOne, type Batch } from './oneByOne';
import { carriageReturn, keep, kinds, show } from './residues';
import { readWords, scanner, type Reads } from './scan';

/** How a quality is written: `sanger` is PHRED + 33 (also Illumina 1.8 and later), `illumina-1.3` PHRED + 64 (to 1.7), `solexa` the Solexa score + 64 (before 1.3). */
export type QualityEncoding = 'sanger' | 'illumina-1.3' | 'solexa';

const encodings = {
  sanger: { offset: 33, lowest: 0, highest: 93 },
  'illumina-1.3': { offset: 64, lowest: 0, highest: 62 },
  solexa: { offset: 64, lowest: -5, highest: 62 },
} as const;

export interface FastqRecord {
  /** The title up to the first space or tab. */
  readonly name: string;
  /** The rest of the title. */
  readonly description: string;
  /** Residues as ASCII, case kept. The consumer's own, to be changed at will; short reads are views of one ArrayBuffer of 8 KiB, so copy what you keep or transfer of few. */
  readonly sequence: Uint8Array;
  /** As many bytes, as they stand in the file; {@link qualityScores} makes numbers of them. */
  readonly quality: Uint8Array;
}

export interface FastqOptions extends ReadBytesOptions {
  /** What the qualities may be; default `sanger`. The encodings overlap, so a file does not tell by itself. */
  readonly encoding?: QualityEncoding;
}

/**
 * Streams the records of a FASTQ file, plain, gzip or BGZF, LF or CRLF, in any number of lines a record; empty lines between records are skipped.
 * @throws FormatError (`fastq`, with the line) for qualities more or fewer than residues, bytes outside the encoding, a `+` line that repeats another title, blanks in sequences, and a file that ends within a record.
 */
export function readFastq(source: ByteSource, options: FastqOptions = {}): AsyncGenerator<FastqRecord, void, undefined> {
  return oneByOne(readBatches(source, options));
}

async function* readBatches(source: ByteSource, options: FastqOptions): AsyncGenerator<Batch<FastqRecord>, void, undefined> {
  const parser = new FastqParser(encodingOf('readFastq', options.encoding ?? 'sanger'));
  for await (const block of lineBlocks(source, { ...options, reuse: true }, () => parser.fail(`lines of at most ${longestLine} bytes`, 'a longer one', 'check that this is a FASTQ file'))) yield* parser.push(block);
  const last = parser.end();
  if (last) yield [last];
}

function encodingOf(op: string, name: QualityEncoding) {
  if (!Object.hasOwn(encodings, name)) throw new TypeError(`${op}: expected the encoding ${Object.keys(encodings).join(', ')}, got ${String(name)}; recent files are 'sanger'`);
  return encodings[name];
}

/** The state between two blocks of lines. */
class FastqParser {
  private line = 0;
  private titleLine = 0;
  private place: 'between' | 'sequence' | 'quality' = 'between';
  private title: Uint8Array = new Uint8Array(0);
  private sequence: Uint8Array[] = [];
  private quality: Uint8Array[] = [];
  private residues = 0;
  private scores = 0;
  private readonly scanner = scanner();
  private readonly lowest: number;
  private readonly highest: number;

  constructor({ offset, lowest, highest }: (typeof encodings)[QualityEncoding]) {
    this.lowest = offset + lowest;
    this.highest = offset + highest;
  }

  /** Gives the records that end in `block`, which must stay as it is until the next one is asked for; those before damage come first. */
  *push(block: Uint8Array): Generator<Batch<FastqRecord>, void, undefined> {
    this.scanner?.forget();
    for (let at = 0; at < block.length; ) {
      const records: FastqRecord[] = [];
      let plain: Reads | undefined;
      let failure: { error: unknown } | undefined;
      try {
        ({ at, plain } = this.readOthers(block, at, records));
      } catch (error) {
        failure = { error };
      }
      if (records.length > 0) yield records;
      if (failure) throw failure.error;
      if (plain) yield new PlainRecords(block, plain);
    }
  }

  /** Adds records to `records` up to those that the scanner finds. @returns these, and where the next one begins */
  private readOthers(block: Uint8Array, from: number, records: FastqRecord[]): { at: number; plain?: Reads } {
    for (let at = from; at < block.length; ) {
      if (block[at] === 64 && (this.place === 'between' || (this.place === 'quality' && this.residues > 0 && this.scores >= this.residues))) {
        if (this.place === 'quality') records.push(this.take(64));
        const plain = this.scanner?.findReads(block, at, this.lowest, this.highest);
        if (plain && plain.count > 0) {
          this.line += 4 * plain.count;
          return { at: plain.next, plain };
        }
      }
      const { end, next } = lineEnd(block, at);
      this.line++;
      if (this.place === 'sequence') this.readSequence(block, at, end);
      else {
        // A record is complete once it has enough qualities, except that an empty one still has an empty line.
        if (this.place === 'quality' && (this.scores < this.residues || (this.residues === 0 && at === end))) this.readQuality(block, at, end);
        else if (end > at) {
          if (this.place === 'quality') records.push(this.take(block[at]));
          this.readTitle(block, at, end);
        }
        if (this.place === 'quality' && this.scores > this.residues) this.tooMany(this.scores);
      }
      at = next;
    }
    return { at: block.length };
  }

  end(): FastqRecord | undefined {
    if (this.place === 'between') return undefined;
    if (this.place === 'sequence' && this.title.includes(carriageReturn)) this.fail('a line feed after the carriage return', 'the end of the file', 'convert the line ends to LF or CRLF');
    if (this.place === 'sequence') this.fail("a line that begins with '+' after the sequence", 'the end of the file', 'fetch the file again: it was cut');
    if (this.scores < this.residues) this.fail(`${this.residues} qualities`, `${this.scores} and the end of the file`, 'fetch the file again: it was cut');
    return this.take(undefined);
  }

  private readTitle(block: Uint8Array, at: number, end: number): void {
    if (block[at] !== 64) this.fail("a title that begins with '@'", show(block[at]), 'check that this is a FASTQ file');
    this.title = copyOf(block, at + 1, end);
    this.titleLine = this.line;
    this.place = 'sequence';
    this.sequence = [];
    this.quality = [];
    this.residues = this.scores = 0;
  }

  private readSequence(block: Uint8Array, at: number, end: number): void {
    if (at < end && block[at] === 43) {
      if (end > at + 1 && !sameBytes(block, at + 1, end, this.title)) this.fail("'+' alone or with the title of the record", 'another title', 'records were mixed up or cut');
      this.place = 'quality';
      return;
    }
    for (let i = at; i < end; i++) if (kinds[block[i]] !== keep) this.fail('residues (letters, * - or .)', `${show(block[i])} in column ${i - at + 1}`, 'remove blanks and damage');
    this.sequence.push(copyOf(block, at, end));
    this.residues += end - at;
  }

  private readQuality(block: Uint8Array, at: number, end: number): void {
    const { lowest, highest } = this;
    for (let i = at; i < end; i++) {
      if (block[i] < lowest || block[i] > highest) this.fail(`qualities from byte ${lowest} to ${highest}`, `${show(block[i])} in column ${i - at + 1}`, 'remove blanks and damage, or choose another encoding');
    }
    this.quality.push(copyOf(block, at, end));
    this.scores += end - at;
  }

  private tooMany(scores: number): never {
    return this.fail(`${this.residues} qualities, as many as residues,`, `${scores} or more`, 'the record is damaged');
  }

  /** @param following - the first byte of the next line, undefined at the end of the file */
  private take(following: number | undefined): FastqRecord {
    if (following !== undefined && following !== 64) this.tooMany(this.scores + 1);
    this.place = 'between';
    const join = (parts: Uint8Array[], length: number) => (parts.length === 1 ? parts[0] : concat(parts, length));
    return { ...wordsOfTitle(this.decodeTitle()), sequence: join(this.sequence, this.residues), quality: join(this.quality, this.scores) };
  }

  private decodeTitle(): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.title);
    } catch (cause) {
      throw new FormatError(`readFastq: expected titles in UTF-8, got other bytes at line ${this.titleLine}; convert the file, for example with iconv`, { format: 'fastq', line: this.titleLine, cause });
    }
  }

  fail(expected: string, got: string, remedy: string): never {
    throw new FormatError(`readFastq: expected ${expected} at line ${this.line}, got ${got}; ${remedy}`, { format: 'fastq', line: this.line });
  }
}

const titleDecoder = new TextDecoder();

/** Bytes of records that share one array: few, so that a record which is kept keeps little else (Node's Buffers share 8 KiB). */
const sharedBytes = 1 << 13;

/** Records that the scanner found, each made when it is asked for: made beforehand they outlive collections of new memory, which then copies them (a tenth of reading). */
class PlainRecords implements Batch<FastqRecord> {
  readonly length: number;
  private readonly rows: Int32Array;
  private readonly titles: string;
  private shared = new Uint8Array(0);
  private sharedFrom = 0;

  constructor(private readonly block: Uint8Array, { count, rows, titles }: Reads) {
    this.length = count;
    this.rows = rows;
    this.titles = titleDecoder.decode(titles);
  }

  at(index: number): FastqRecord {
    const { rows, titles } = this;
    const row = readWords * index;
    const sequence = rows[row + 1];
    const quality = rows[row + 2];
    const length = rows[row + 4];
    if (sequence < this.sharedFrom || quality + length > this.sharedFrom + this.shared.length) this.share(row);
    const title = rows[row];
    const nameEnd = title + rows[row + 5];
    const titleEnd = title + rows[row + 3];
    const name = titles.slice(title, nameEnd);
    const description = nameEnd === titleEnd ? '' : isBlank(titles, nameEnd + 1) || isBlank(titles, titleEnd - 1) ? wordsOfTitle(titles.slice(title, titleEnd)).description : titles.slice(nameEnd + 1, titleEnd);
    const { buffer } = this.shared;
    return { name, description, sequence: new Uint8Array(buffer, sequence - this.sharedFrom, length), quality: new Uint8Array(buffer, quality - this.sharedFrom, length) };
  }

  /** Copies the record at `row` and those after it that share an array with it. */
  private share(row: number): void {
    const { block, rows } = this;
    const from = rows[row + 1];
    let last = row;
    while (last + readWords < rows.length && rows[last + readWords + 2] + rows[last + readWords + 4] - from <= sharedBytes) last += readWords;
    this.shared = copyOf(block, from, rows[last + 2] + rows[last + 4]);
    this.sharedFrom = from;
  }
}

/** A Buffer's slice would be a view. */
function copyOf(block: Uint8Array, from: number, to: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(to - from);
  copy.set(block.subarray(from, to));
  return copy;
}

const isBlank = (title: string, at: number) => title.charCodeAt(at) === 32 || title.charCodeAt(at) === 9;

/** The first word, and what follows the blanks after it. */
function wordsOfTitle(title: string): { name: string; description: string } {
  let nameEnd = 0;
  while (nameEnd < title.length && !isBlank(title, nameEnd)) nameEnd++;
  let start = nameEnd;
  while (start < title.length && isBlank(title, start)) start++;
  let end = title.length;
  while (end > start && isBlank(title, end - 1)) end--;
  return { name: title.slice(0, nameEnd), description: title.slice(start, end) };
}

function sameBytes(block: Uint8Array, from: number, to: number, other: Uint8Array): boolean {
  if (to - from !== other.length) return false;
  for (let i = from; i < to; i++) if (block[i] !== other[i - from]) return false;
  return true;
}

/**
 * The scores that `quality` writes: PHRED, or Solexa scores for `solexa` (from -5).
 * @throws RangeError for a byte outside the encoding.
 */
export function qualityScores(quality: Uint8Array, encoding: QualityEncoding = 'sanger'): Int8Array {
  const { offset, lowest, highest } = encodingOf('qualityScores', encoding);
  return Int8Array.from(quality, (byte, i) => {
    if (byte < offset + lowest || byte > offset + highest) throw new RangeError(`qualityScores: expected bytes from ${offset + lowest} to ${offset + highest} (${encoding}), got ${byte} at ${i}; choose another encoding`);
    return byte - offset;
  });
}

/**
 * Writes the same qualities in another encoding, rounded to whole scores and cut at what it can hold (62 where it starts at 64), as the Open Bioinformatics Foundation's projects agreed.
 * Between Solexa scores S and PHRED P: P = 10 log10(10^(S/10) + 1); PHRED 0 becomes -5.
 */
export function convertQuality(quality: Uint8Array, from: QualityEncoding, to: QualityEncoding): Uint8Array {
  const { offset, lowest, highest } = encodingOf('convertQuality', to);
  return Uint8Array.from(qualityScores(quality, from), (score) => {
    const phred = from === 'solexa' && to !== 'solexa' ? 10 * Math.log10(10 ** (score / 10) + 1) : score;
    const converted = to === 'solexa' && from !== 'solexa' ? (phred <= 0 ? lowest : 10 * Math.log10(10 ** (phred / 10) - 1)) : phred;
    return offset + Math.min(highest, Math.max(lowest, Math.round(converted)));
  });
}

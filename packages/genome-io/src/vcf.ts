// VCF 4.1 to 4.5 (samtools.github.io/hts-specs): records keep their bytes and are parsed field by field when asked. POS is 1-based here and nowhere else.
import type { ByteSource, ReadChunksOptions } from './byteSource';
import { FormatError } from './formatError';
import { lineBlocks, lineEnd, longestLine } from './lines';
import { oneByOne } from './oneByOne';
import { columnWords, scanner } from './scan';
import { parseVcfHeader, reserved, structuralInfo, type VcfDefinition, type VcfHeader } from './vcfHeader';
import { alleleEnd } from './vcfAllele';
import { expandLocal } from './vcfLocalAlleles';
import { decode, VcfBlock } from './vcfBlock';
import { scanGenotypes, type VcfGenotypes } from './vcfGenotypes';
import { VcfValidator } from './vcfValidate';

/** `true` for a flag; null for `.`; an array where the definition's number is not 1. */
export type VcfValue = true | string | number | null | readonly (string | number | null)[];

export interface VcfGenotype {
  /** 0 is REF, 1 the first of `alt`, -1 missing; one entry a haplotype. */
  readonly alleles: readonly number[];
  /** Whether all of them are separated by `|`; true for a single one. */
  readonly phased: boolean;
}

/** A data line. Every property is parsed when first read, and throws a FormatError where the line does not hold it. */
export interface VcfRecord {
  readonly header: VcfHeader;
  /** 1-based line of the file. */
  readonly line: number;
  readonly contig: string;
  /** 0-based: POS - 1; -1 for the telomere's POS 0. */
  readonly start: number;
  /** 0-based, half-open end of what the record speaks of on the reference: by END where one is stated, which up to 4.3 holds for any alleles; by SVLEN or LEN where an allele is symbolic (see `alleleEnd`), else by the length of REF. */
  readonly end: number;
  readonly ids: readonly string[];
  readonly ref: string;
  /** Empty for `.`; symbolic alleles, breakends and `*` as they stand. */
  readonly alt: readonly string[];
  /** The end of what one ALT allele (from 0) replaces; `end` is the largest of them. */
  alleleEnd(index: number): number;
  /** Undefined for `.`. */
  readonly qual: number | undefined;
  /** `['PASS']`, the filters that failed, or empty for `.`. */
  readonly filters: readonly string[];
  /** Keys of INFO in their order. */
  readonly infoKeys: readonly string[];
  /** The value of an INFO key, typed as the header or the specification defines it (a string where neither does); undefined when absent. */
  info(key: string): VcfValue | undefined;
  /** Keys of FORMAT. */
  readonly format: readonly string[];
  /** The genotype of a sample by its place in `header.samples`; undefined without GT. */
  genotype(sample: number): VcfGenotype | undefined;
  /**
   * The genotypes of all samples at once, without a string for any: the way to read panels. Undefined without GT.
   * @param reuse - what this gave for an earlier record and is no longer needed: its arrays are written over where they fit, which saves half the time of a panel of 60 samples
   */
  genotypes(reuse?: VcfGenotypes): VcfGenotypes | undefined;
  /** A sample's value of a FORMAT key, typed like `info`; undefined when absent or dropped at the end. Where only its local form stands (LAD for AD, with LAA), it is put back to all alleles. */
  sample(sample: number, key: string): VcfValue | undefined;
  /** The line as it stands. */
  toString(): string;
}

/** The records of a file in their order, once; leaving the loop closes the source. */
export interface VcfReader extends AsyncIterable<VcfRecord> {
  header(): Promise<VcfHeader>;
}

export interface VcfOptions extends ReadChunksOptions {
  /** Records are valid only until the next one is asked for: their memory is used again, as that of chunks in `readBytes`. Default false, and every record is the consumer's own. */
  readonly reuse?: boolean;
  /** Check every line against the specification of the version that the file states, and throw at the first breach. Without it only what is needed to parse is checked. */
  readonly validate?: boolean;
}

/**
 * Reads a VCF file, plain, gzip or BGZF, as a stream.
 * @throws FormatError (`vcf`, with the line) for a missing header, too few columns, fields that cannot be parsed; with `validate` for all that the specification forbids, naming its section.
 */
export function readVcf(source: ByteSource, options: VcfOptions = {}): VcfReader {
  const records = oneByOne(readBatches(source, options));
  let opening: Promise<VcfHeader> | undefined;
  const open = () => (opening ??= records.next().then(({ value }) => value as VcfHeader));
  const opened = () => opening !== undefined;
  return {
    header: open,
    [Symbol.asyncIterator]: () => ({
      next: () => (opened() ? records.next() : open().then(() => records.next())) as Promise<IteratorResult<VcfRecord, undefined>>,
      return: async () => {
        await records.return();
        return { done: true, value: undefined };
      },
    }),
  };
}

/** The header, then the records, in batches. */
async function* readBatches(source: ByteSource, options: VcfOptions): AsyncGenerator<(VcfHeader | VcfRecord)[], void, undefined> {
  const parser = new VcfParser(options.validate ?? false);
  for await (const block of lineBlocks(source, options, () => parser.fail(`lines of at most ${longestLine} bytes`, 'a longer one', 'check that this is a VCF file', parser.line + 1))) {
    const batch: (VcfHeader | VcfRecord)[] = [];
    try {
      parser.push(block, batch);
    } catch (error) {
      yield batch; // what stands before the breach
      throw error;
    }
    yield batch;
  }
  parser.end();
}

/** The state between two blocks of lines. */
class VcfParser {
  line = 0;
  private readonly headerLines: string[] = [];
  private header: VcfHeader | undefined;
  private validator: VcfValidator | undefined;
  private terminated = true;
  private isMarked = false;

  constructor(private readonly validate: boolean) {}

  fail(expected: string, got: string, remedy: string, line = this.line): never {
    throw new FormatError(`readVcf: expected ${expected} at line ${line}, got ${got}; ${remedy}`, { format: 'vcf', line });
  }

  push(block: Uint8Array, batch: (VcfHeader | VcfRecord)[]): void {
    const shared = new VcfBlock(block);
    scanner()?.forget();
    for (let at = 0; at < block.length; ) {
      const { count, rows, next } = findColumns(block, at);
      for (let row = 0; row < count * columnWords; row += columnWords) this.pushLine(new LazyRecord(this.header!, ++this.line, block, at, rows, row, shared), at + rows[row + columnWords - 1] === block.length, batch);
      at = next;
    }
    this.terminated = block[block.length - 1] === lineFeed;
  }

  private pushLine(record: LazyRecord, last: boolean, batch: (VcfHeader | VcfRecord)[]): void {
    if (this.header === undefined) this.pushHeader(record.toString(), batch);
    else if (!record.isEmpty) {
      record.check();
      this.validator?.check(record);
      batch.push(record);
    } else if (!last) this.validator?.emptyLine(this.line);
  }

  private pushHeader(line: string, batch: (VcfHeader | VcfRecord)[]): void {
    if (this.line === 1) this.isMarked = line.startsWith(byteOrderMark);
    const text = this.line === 1 && this.isMarked ? line.slice(1) : line;
    if (!text.startsWith('#')) this.fail('meta-information lines (##) and then #CHROM', JSON.stringify(text.slice(0, 40)), 'check that this is a VCF file; bcftools view converts BCF');
    this.headerLines.push(text);
    if (text.startsWith('##')) return;
    this.header = parseVcfHeader(this.headerLines);
    if (this.validate) this.validator = new VcfValidator(this.header, this.headerLines);
    if (this.isMarked) this.validator?.byteOrderMark();
    batch.push(this.header);
  }

  end(): void {
    if (!this.terminated) this.validator?.unterminatedLine(this.line);
    if (this.header === undefined) this.fail('a line that begins with #CHROM', 'the end of the file', 'check that the file is complete', Math.max(1, this.line));
  }
}

/** As {@link Scanner.findColumns} has it; line by line where there is no scanner, and for a line beyond its window. */
function findColumns(block: Uint8Array, at: number): { count: number; rows: Int32Array; next: number } {
  const found = scanner()?.findColumns(block, at);
  if (found && found.count > 0) return found;
  const { end, next } = lineEnd(block, at);
  return { count: 1, rows: columnsOfLine(block, at, end, next), next };
}

/** One row of the table of columns: see scan.wasm.ts. */
function columnsOfLine(bytes: Uint8Array, from: number, to: number, next: number): Int32Array {
  const row = new Int32Array(columnWords).fill(to + 1 - from, 0, 10);
  let count = 0;
  for (let at = from; count < 10; ) {
    row[count++] = at - from;
    const found = bytes.indexOf(tab, at);
    if (found < 0 || found >= to) break;
    at = found + 1;
  }
  row[10] = to - from;
  row[11] = next - from;
  return row;
}

const byteOrderMark = '\ufeff';
const tab = 9;
const colon = 58;
const lineFeed = 10;

/** The record of the line `bytes`, without its end. */
export function parseVcfRecord(header: VcfHeader, line: number, bytes: Uint8Array): VcfRecord {
  const record = new LazyRecord(header, line, bytes, 0, columnsOfLine(bytes, 0, bytes.length, bytes.length), 0, new VcfBlock(bytes));
  record.check();
  return record;
}

class LazyRecord implements VcfRecord {
  private samplesFrom: Int32Array | undefined;

  /** @param rows - columns of lines, counted from `base`; this one's begin at `row` */
  constructor(readonly header: VcfHeader, readonly line: number, private readonly bytes: Uint8Array, private readonly base: number, private readonly rows: Int32Array, private readonly row: number, private readonly block: VcfBlock) {}

  private get from(): number { return this.base + this.rows[this.row]; }
  private get to(): number { return this.base + this.rows[this.row + 10]; }
  /** Where one of the first ten columns begins; the one before it ends a byte earlier. */
  private startOf(column: number): number { return this.base + this.rows[this.row + column]; }
  get isEmpty(): boolean { return this.from === this.to; }

  /** At least 8 columns. */
  check(): void {
    if (this.startOf(7) <= this.to) return;
    let count = 1;
    while (this.startOf(count) <= this.to) count++;
    this.fail('at least 8 columns with tabs between', `${count}`, 'the line is cut, or has blanks instead of tabs');
  }

  fail(expected: string, got: string, remedy = 'correct the line'): never {
    throw new FormatError(`readVcf: expected ${expected} at line ${this.line}, got ${got}; ${remedy}`, { format: 'vcf', line: this.line });
  }

  toString() { return new TextDecoder('utf-8', { ignoreBOM: true }).decode(this.bytes.subarray(this.from, this.to)); }
  private column(i: number): string { return decode(this.bytes, this.startOf(i), i === 9 ? this.to : this.startOf(i + 1) - 1); }
  get columnCount(): number { return this.startOf(8) > this.to ? 8 : this.startOf(9) > this.to ? 9 : 9 + this.sampleStarts().length; }
  get contig(): string { return this.block.contigOf(this.bytes, this.from, this.startOf(1) - 1); }
  get start(): number {
    let position = 0;
    const end = this.startOf(2) - 1;
    let at = this.startOf(1);
    for (let digit; at < end && (digit = this.bytes[at] - 48) >= 0 && digit <= 9; at++) position = 10 * position + digit;
    return at === end && at > this.startOf(1) ? position - 1 : this.fail('POS as a whole number', JSON.stringify(this.column(1)));
  }
  get ids(): readonly string[] { return list(this.column(2), ';'); }
  get ref(): string { return this.column(3); }
  get alt(): readonly string[] { return list(this.column(4), ','); }
  get qual(): number | undefined {
    const text = this.column(5);
    return text === '.' ? undefined : parseFloatOf(text) ?? this.fail('QUAL as a number or .', JSON.stringify(text));
  }
  get filters(): readonly string[] { return list(this.column(6), ';'); }
  get infoText(): string { return this.column(7); }
  get infoKeys(): readonly string[] { return list(this.infoText, ';').map((field) => field.split('=', 1)[0]).filter((key) => key !== ''); }
  get format(): readonly string[] { return this.startOf(8) > this.to ? [] : list(this.column(8), ':'); }

  get end(): number {
    const { start, alt, ref } = this;
    const ends = alt.map((_, i) => alleleEnd(this, i));
    if (alt.length === 0 || (this.header.minorVersion ?? 2) < 4) { // a block of a gVCF without any other allele; and up to 4.3 END says it whatever the alleles are (1.6.1)
      const stated = this.info('END');
      if (typeof stated === 'number') return Math.max(start + ref.length, stated);
    }
    return Math.max(start + ref.length, ...ends);
  }
  alleleEnd(index: number): number {
    if (!(Number.isInteger(index) && index >= 0 && index < this.alt.length)) throw new RangeError(`readVcf: expected an ALT allele from 0 to ${this.alt.length - 1}, got ${index}; see alt`);
    return alleleEnd(this, index);
  }

  info(key: string): VcfValue | undefined {
    const text = this.infoText;
    for (let at = 0; at < text.length; ) {
      const stop = text.indexOf(';', at) < 0 ? text.length : text.indexOf(';', at);
      if (text.startsWith(key, at) && (at + key.length === stop || text[at + key.length] === '=')) {
        const definition = this.header.info.get(key) ?? reserved(this.header.minorVersion ?? 2).info.get(key) ?? structuralInfo.get(key);
        return at + key.length === stop ? true : this.typed(text.slice(at + key.length + 1, stop), definition, key);
      }
      at = stop + 1;
    }
    return undefined;
  }

  private typed(text: string, definition: VcfDefinition | undefined, key: string): VcfValue {
    if (definition?.type === 'Flag') return true;
    const decodes = (this.header.minorVersion ?? 2) >= 3;
    const one = (value: string): string | number | null => {
      if (value === '.') return null;
      if (definition?.type === 'Integer' || definition?.type === 'Float') return parseFloatOf(value) ?? this.fail(`${key} as ${definition.type}`, JSON.stringify(value));
      return decodes ? value.replace(/%(3A|3B|3D|25|2C|0D|0A|09)/gi, (code) => String.fromCharCode(parseInt(code.slice(1), 16))) : value;
    };
    if (text === '' && (definition?.id === 'LAA' || /^L[ARG]$/.test(definition?.number ?? ''))) return []; // local lists of a sample that is REF only
    return definition === undefined || definition.number === '1' ? one(text) : text.split(',').map(one);
  }

  /** Where each sample's column begins. */
  private sampleStarts(): Int32Array {
    if (this.samplesFrom) return this.samplesFrom;
    const starts: number[] = [];
    for (let at = this.startOf(9); at <= this.to; ) {
      starts.push(at);
      const next = this.bytes.indexOf(tab, at);
      if (next < 0 || next >= this.to) break;
      at = next + 1;
    }
    return (this.samplesFrom = Int32Array.from(starts));
  }

  sampleText(sample: number): string {
    const starts = this.sampleStarts();
    if (!(Number.isInteger(sample) && sample >= 0 && sample < this.header.samples.length)) throw new RangeError(`readVcf: expected a sample from 0 to ${this.header.samples.length - 1}, got ${sample}; see header.samples`);
    if (sample >= starts.length) this.fail(`${this.header.samples.length} samples`, `${starts.length}`, 'the line is cut');
    return decode(this.bytes, starts[sample], sample + 1 < starts.length ? starts[sample + 1] - 1 : this.to);
  }

  sample(sample: number, key: string): VcfValue | undefined {
    const place = this.format.indexOf(key);
    if (place < 0) return this.fromLocal(sample, key);
    const text = this.sampleText(sample).split(':')[place];
    return text === undefined ? undefined : this.typed(text, this.formatDefinition(key), key);
  }

  private formatDefinition(key: string): VcfDefinition | undefined { return this.header.format.get(key) ?? reserved(this.header.minorVersion ?? 2).format.get(key); }

  /** `AD` from `LAD` and `LAA`, and so on. */
  private fromLocal(sample: number, key: string): VcfValue | undefined {
    const number = this.formatDefinition(`L${key}`)?.number;
    if ((number !== 'LA' && number !== 'LR' && number !== 'LG') || !this.format.includes(`L${key}`) || !this.format.includes('LAA')) return undefined;
    const values = this.sample(sample, `L${key}`);
    if (!Array.isArray(values) || (values.length === 1 && values[0] === null)) return values;
    const laa = this.sampleText(sample).split(':')[this.format.indexOf('LAA')];
    const local = laa === '' || laa === '.' ? [] : laa.split(',').map(Number);
    if (!local.every((allele) => Number.isInteger(allele) && allele >= 1 && allele <= this.alt.length)) this.fail(`LAA of whole numbers from 1 to ${this.alt.length}`, JSON.stringify(laa));
    return expandLocal(values as readonly (string | number | null)[], number, local, this.alt.length, this.genotype(sample)?.alleles.length ?? 2, (genotypes) => this.fail('at most 2^20 genotypes', `${genotypes}`));
  }

  genotypes(reuse?: VcfGenotypes): VcfGenotypes | undefined {
    if (!this.hasGenotypes) return undefined;
    const none = (sample: number) => this.fail('GT of every sample as alleles with / or | between', JSON.stringify(this.sampleText(sample).slice(0, 20)));
    return scanGenotypes(this.bytes, this.startOf(9), this.to, this.header.samples.length, this.block, reuse, none);
  }

  /** Whether GT is the first key of FORMAT. */
  private get hasGenotypes(): boolean {
    const at = this.startOf(8);
    return at <= this.to && this.bytes[at] === 71 && this.bytes[at + 1] === 84 && (at + 2 >= this.startOf(9) - 1 || this.bytes[at + 2] === colon);
  }

  genotype(sample: number): VcfGenotype | undefined {
    if (!this.hasGenotypes) return undefined;
    const text = this.sampleText(sample).split(':', 1)[0];
    const match = /^[/|]?(?:\.|\d+)(?:[/|](?:\.|\d+))*$/.test(text) ? text : this.fail('GT as alleles with / or | between', JSON.stringify(text));
    const alleles = match.replace(/^[/|]/, '').split(/[/|]/).map((allele) => (allele === '.' ? -1 : Number(allele)));
    const { alt } = this;
    for (const allele of alleles) if (allele > alt.length) this.fail(`alleles up to ${alt.length}`, `${allele} in GT`, 'ALT lacks an allele');
    return { alleles, phased: !match.slice(1).includes('/') && !match.startsWith('/') };
  }
}

const list = (text: string, separator: string): string[] => (text === '.' || text === '' ? [] : text.includes(separator) ? text.split(separator) : [text]);

/** A number as the specification writes it, with Inf and NaN; undefined for other text. */
function parseFloatOf(text: string): number | undefined {
  if (/^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(text)) return Number(text);
  const special = /^([-+]?)(inf(?:inity)?|nan)$/i.exec(text);
  return special ? (special[2].toLowerCase() === 'nan' ? NaN : special[1] === '-' ? -Infinity : Infinity) : undefined;
}

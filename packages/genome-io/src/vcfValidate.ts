// What the VCF specification forbids, checked line by line; every message names its section.
import { FormatError } from './formatError';
import { checkMetaLine, formatKey, infoKey, unprintable } from './vcfValidateMeta';
import { reserved, type VcfDefinition, type VcfHeader } from './vcfHeader';
import { checkLocalFormat, checkStructural, countLocalAlleles, countModifications, modificationDefinition, modifiedBase } from './vcfValidateStructural';
import { checkRepeats } from './vcfValidateRepeats';
import { checkLocalValues, checkPhaseSets } from './vcfValidateSample';
import type { VcfRecord } from './vcf';

const bases = /^[ACGTN]+$/i;
const breakend = /^(?:[ACGTN.]+([[\]])(?:<[^\s,<>]+>|[^\s,<>[\]]+):\d+\1|([[\]])(?:<[^\s,<>]+>|[^\s,<>[\]]+):\d+\2[ACGTN.]+)$/i;
const singleBreakend = /^(?:\.[ACGTN]+|[ACGTN]+\.)$/i;
const symbolic = /^<[^\s,<>]+>$/;
const float = /^(?:[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?inf(?:inity)?|[-+]?nan)$/i;
/** Since 4.3 a point is followed by a digit (section 1.3). */
const isFloat = (value: string, minor: number) => float.test(value) && (minor < 3 || !/\.(?:$|e)/i.test(value));
const notNegative = new Set(['AC', 'AN', 'DP', 'END', 'MQ0', 'NS']);

/** What the checks look at in a data line. */
interface CheckedRecord extends VcfRecord {
  readonly columnCount: number;
  readonly infoText: string;
  sampleText(sample: number): string;
}

/** The state between the lines of one file: where it is, and which variants were near. */
export class VcfValidator {
  private readonly minor: number;
  private readonly finished = new Set<string>();
  private contig: string | undefined;
  private start = -Infinity;
  /** Trimmed alleles by place, so that one variant written twice is found; places behind are dropped. */
  private readonly near = new Map<string, number>();

  constructor(private readonly header: VcfHeader, lines: readonly string[]) {
    this.minor = header.minorVersion ?? 2;
    for (const [i, line] of header.meta.entries()) checkMetaLine(lines[i], line, this.minor, (expected, got, section) => this.fail(line.line, expected, got, section));
    const again = header.meta.find(({ key, line }) => key === 'fileformat' && line > 1);
    if (again) this.fail(again.line, 'fileformat once, on the first line', 'another', this.minor < 3 ? '1.2.1' : '1.4.1');
    if (this.minor >= 3) this.checkIds();
    if (header.minorVersion === undefined) this.fail(1, '##fileformat=VCFv4.1 to 4.5', JSON.stringify(lines[0].slice(0, 40)), this.minor < 3 ? '1.2.1' : '1.4.1');
    const columnLine = lines.length;
    if (/\tFORMAT$/.test(lines[columnLine - 1])) this.fail(columnLine, 'samples after FORMAT', 'none', this.headerSection);
    const repeated = header.samples.find((name, i) => name === '' || header.samples.indexOf(name) !== i);
    if (repeated !== undefined) this.fail(columnLine, 'sample names that differ', JSON.stringify(repeated), this.headerSection);
  }

  /** Since 4.3 every structured line has an ID, once among the lines of its key. */
  private checkIds(): void {
    const seen = new Set<string>();
    for (const { key, fields, line } of this.header.meta) {
      if (!fields) continue;
      const id = fields.get('ID');
      if (!id) this.fail(line, `${key} with an ID`, 'none', '1.4');
      if (seen.has(`${key} ${id}`)) this.fail(line, `every ID of ${key} once`, JSON.stringify(id), '1.4');
      seen.add(`${key} ${id}`);
    }
  }

  private get headerSection() { return this.minor < 3 ? '1.3' : '1.5'; }
  private get dataSection() { return this.minor < 3 ? '1.4' : '1.6'; }

  private fail(line: number, expected: string, got: string, section: string): never {
    throw new FormatError(`readVcf: expected ${expected} at line ${line}, got ${got}; VCF 4.${this.minor}, section ${section}, forbids it`, { format: 'vcf', line });
  }

  /** Of any version, but only since 4.3 it is forbidden. */
  byteOrderMark(): void {
    if (this.minor >= 3) this.fail(1, 'no byte order mark', 'one', '1.2');
  }

  emptyLine(line: number): never {
    return this.fail(line, 'a data line', 'an empty one', this.dataSection);
  }

  /** Since 4.3 the last line has an end too. */
  unterminatedLine(line: number): void {
    if (this.minor >= 3) this.fail(line, 'a line end after the last line', 'the end of the file', '1.6');
  }

  check(record: CheckedRecord): void {
    const fixed = (expected: string, got: string) => this.fail(record.line, expected, JSON.stringify(got), `${this.dataSection}.1`);
    const expectedColumns = this.header.samples.length === 0 ? 8 : 9 + this.header.samples.length;
    if (record.columnCount !== expectedColumns) fixed(`${expectedColumns} columns`, `${record.columnCount}`);
    if (this.minor >= 3 && unprintable.test(record.toString())) this.fail(record.line, 'no control characters', JSON.stringify(record.toString().slice(0, 60)), '1.2');
    this.checkFixed(record, fixed);
    this.checkOrder(record, fixed);
    this.checkInfo(record, fixed);
    const failStructural = (expected: string, got: string, section: string) => this.fail(record.line, expected, got, section);
    if (this.minor >= 4) checkStructural(record, this.minor, failStructural);
    if (this.minor >= 4) checkRepeats(record, failStructural);
    if (this.header.samples.length > 0) this.checkSamples(record);
  }

  private checkFixed(record: CheckedRecord, fixed: (expected: string, got: string) => never): void {
    const [contig, , id, ref, alt, qual, filter] = record.toString().split('\t', 7);
    if (!(this.minor < 3 ? /^(?:<[^\s:,<>]+>|[^\s:,<>]+)$/ : /^(?:<[^\s,<>]+>|[0-9A-Za-z!#$%&+./:;?@^_|~-][0-9A-Za-z!#$%&*+./:;=?@^_|~-]*)$/).test(contig)) fixed('CHROM without blanks, commas and unpaired brackets', contig);
    void record.start;
    if (id !== '.' && !/^[^\s;]+(?:;[^\s;]+)*$/.test(id)) fixed('identifiers without blanks, with semicolons between, as ID', id);
    if (this.minor >= 3 && hasRepeats(id.split(';'))) fixed('identifiers once each', id);
    if (!bases.test(ref)) fixed('REF of A, C, G, T, N', ref);
    const alleles = alt.split(',');
    for (const allele of alleles) {
      const fine = bases.test(allele) || breakend.test(allele) || singleBreakend.test(allele) || symbolic.test(allele) || allele === '*' || (allele === '.' && alleles.length === 1);
      if (!fine) fixed('ALT alleles of A, C, G, T, N, symbolic, breakends or *', allele);
    }
    if (qual !== '.' && (!isFloat(qual, this.minor) || qual.startsWith('-'))) fixed('QUAL as a number of 0 or more', qual);
    if (this.minor >= 3 && hasRepeats(filter.split(';'))) fixed('filters once each', filter);
    if (filter !== '.' && filter !== 'PASS' && (!/^[^\s;,]+(?:;[^\s;,]+)*$/.test(filter) || filter.split(';').some((name) => name === '0' || name === '.'))) fixed('PASS, . or names of filters with semicolons between', filter);
  }

  private checkOrder(record: CheckedRecord, fixed: (expected: string, got: string) => never): void {
    const { start } = record;
    const contig = record.contig.replace(/^<(.*)>$/, '$1'); // brackets say where the contig is described, not that it is another
    if (contig !== this.contig) {
      if (this.finished.has(contig)) fixed('the records of a contig together', `${contig} again`);
      if (this.contig !== undefined) this.finished.add(this.contig);
      this.contig = contig;
      this.near.clear();
    } else if (start < this.start) fixed(`records by POS, ${this.start + 1} or more`, `${start + 1}`);
    if (start > this.start) for (const [key, place] of this.near) if (place < start) this.near.delete(key);
    this.start = start;
    for (const key of new Set(record.alt.filter((allele) => bases.test(allele)).map((allele) => trimmed(start, record.ref.toUpperCase(), allele.toUpperCase())))) {
      if (this.near.has(key)) fixed('every variant once', `${contig}:${key} again`);
      this.near.set(key, Number(key.split(' ', 1)[0]));
    }
  }

  private checkInfo(record: CheckedRecord, fixed: (expected: string, got: string) => never): void {
    const text = record.infoText;
    if (text === '.') return;
    const seen = new Set<string>();
    const alternatives = record.alt.length;
    for (const field of text.split(';')) {
      const equals = field.indexOf('=');
      const key = equals < 0 ? field : field.slice(0, equals);
      if (!(this.minor < 3 ? /^[^\s;=,]+$/ : infoKey).test(key)) fixed('INFO keys without blanks', field);
      if (seen.has(key)) fixed('INFO keys once', key);
      seen.add(key);
      if (this.minor < 3 && /\s/.test(field)) fixed('INFO without blanks', field);
      const declared = this.header.info.get(key);
      const own = key === 'SB' && !declared ? undefined : reserved(this.minor).info.get(key); // four numbers since 4.3, one before: undeclared it may be either
      const definition = declared ?? own;
      const value = equals < 0 ? undefined : field.slice(equals + 1);
      if (this.minor >= 3 && value !== undefined && /^[^"].*=/.test(value)) fixed('= in values of INFO as %3D', field);
      if (definition?.type === 'Flag' || definition?.number === '0') {
        if (value !== undefined && value !== '0' && value !== '1') fixed(`the flag ${key} without a value`, field);
        continue;
      }
      if (definition && value === undefined) fixed(`${key} with a value`, field);
      if (!definition || value === undefined || value === '.') continue;
      const values = /^".*"$/.test(value) ? [value] : value.split(',');
      const wanted = countOf(definition.number, alternatives, undefined);
      if (wanted !== undefined && values.length !== wanted) fixed(`${wanted} values of ${key} (Number=${definition.number})`, value);
      if (key === 'END' && Number(value) <= record.start) fixed('END at POS or after it', value);
      for (const each of values) {
        if (!hasType(each, definition.type, this.minor)) fixed(`${key} of type ${definition.type}`, value);
        if (own && each !== '.' && (notNegative.has(key) ? Number(each) < 0 : key === 'AF' ? Number(each) < 0 || Number(each) > 1 : key === 'CIGAR' && !/^(?:\d+[MIDNSHPX=])+$/.test(each))) fixed(`${key} as the specification defines it`, value);
      }
    }
  }

  private checkSamples(record: CheckedRecord): void {
    const genotypeSection = `${this.dataSection}.2`;
    const fail = (expected: string, got: string) => this.fail(record.line, expected, JSON.stringify(got), genotypeSection);
    const { format } = record;
    if (format.length === 0 && this.header.samples.every((_, sample) => record.sampleText(sample) === '.')) return; // FORMAT is missing, and so is every sample
    for (const [i, key] of format.entries()) {
      if (!(this.minor < 3 ? /^[0-9A-Za-z]+$/ : formatKey).test(key)) fail('FORMAT keys of letters and digits', format.join(':'));
      if (key === 'GT' && i > 0) fail('GT as the first key', format.join(':'));
      if (format.indexOf(key) !== i) fail('FORMAT keys once', key);
    }
    const definitions = format.map((key) => this.header.format.get(key) ?? reserved(this.minor).format.get(key) ?? modificationDefinition(key, this.minor));
    const alternatives = record.alt.length;
    const laa = this.minor >= 5 ? format.indexOf('LAA') : -1;
    if (this.minor >= 5) checkLocalFormat(format, (key) => /^L[ARG]$/.test(this.header.format.get(key)?.number ?? ''), (expected, got, section) => this.fail(record.line, expected, JSON.stringify(got), section));
    for (let sample = 0; sample < this.header.samples.length; sample++) {
      const values = record.sampleText(sample).split(':');
      if (values.length > format.length) fail(`at most ${format.length} values a sample`, values.join(':'));
      let ploidy: number | undefined = 2;
      if (format[0] === 'GT') {
        const text = values[0];
        if (!(this.minor < 4 ? /^(?:\.|\d+)(?:[/|](?:\.|\d+))*$/ : /^[/|]?(?:\.|\d+)(?:[/|](?:\.|\d+))*$/).test(text)) fail('GT as alleles with / or | between', text);
        const alleles = text.replace(/^[/|]/, '').split(/[/|]/);
        if (alleles.some((allele) => allele !== '.' && Number(allele) > Math.max(1, alternatives))) fail(`alleles up to ${alternatives}`, text);
        ploidy = text === '.' ? undefined : alleles.length;
      }
      if (this.minor >= 4) checkPhaseSets(format, values, fail);
      if (laa >= 0) this.checkLocal(format, values, values[laa] ?? '.', alternatives, ploidy ?? 2, fail);
      const local = laa < 0 ? 0 : countLocalAlleles(values[laa], alternatives, (expected, got) => fail(expected, got));
      for (const [i, value] of values.entries()) {
        const definition = definitions[i];
        if (!definition || i < (format[0] === 'GT' ? 1 : 0)) continue;
        const base = definition.number === 'M' ? modifiedBase(definition.id) : undefined;
        if (base !== undefined && format[0] !== 'GT' && !/^[.,]*$/.test(value)) fail('GT beside base modifications', format.join(':'));
        this.checkSample(value, definition, alternatives, local, ploidy, base === undefined ? undefined : countModifications(base, values[0], [record.ref, ...record.alt]), fail);
      }
    }
  }

  private checkLocal(format: readonly string[], values: readonly string[], laa: string, alternatives: number, ploidy: number, fail: (expected: string, got: string) => never): void {
    countLocalAlleles(laa, alternatives, fail);
    for (const [i, key] of format.entries()) {
      const at = format.indexOf(`L${key}`);
      const { number } = this.header.format.get(`L${key}`) ?? reserved(this.minor).format.get(`L${key}`) ?? {};
      if (at >= 0 && (number === 'LA' || number === 'LR' || number === 'LG')) checkLocalValues(key, values[i] ?? '.', values[at] ?? '.', number, laa, alternatives, ploidy, fail);
    }
  }

  private checkSample(text: string, { id, number, type }: VcfDefinition, alternatives: number, local: number, ploidy: number | undefined, modifications: number | undefined, fail: (expected: string, got: string) => never): void {
    if (text === '.' || (text === '' && this.minor >= 5 && /^(?:LAA|L[ARG])$/.test(id === 'LAA' ? id : number))) return;
    const values = text.split(',');
    const isLocal = /^L[ARG]$/.test(number);
    const wanted = number === 'M' ? modifications : /^L?G$/.test(number) && ploidy === undefined ? undefined : countOf(isLocal ? number[1] : number, isLocal ? local : alternatives, ploidy ?? 2, isLocal);
    if (wanted !== undefined && values.length !== wanted) fail(`${wanted} values of ${id} (Number=${number})`, text);
    for (const value of values) if (!hasType(value, type, this.minor)) fail(`${id} of type ${type}`, text);
    if (id === 'PS' && type === 'Integer' && Number(text) < 0) fail('PS of 0 or more', text);
    if (number === 'M' && type === 'Float' && values.some((value) => Number(value) < 0 || Number(value) > 1)) fail(`${id} from 0 to 1`, text);
  }
}

/** How many values a Number asks for; undefined where any count will do. INFO has no ploidy, so G is open there. */
function countOf(number: string, alternatives: number, ploidy: number | undefined, isLocal = false): number | undefined {
  if (/^\d+$/.test(number)) return Number(number);
  if (alternatives === 0 && !isLocal) return undefined; // with ALT missing some programs count it as an allele and some do not
  if (number === 'A') return alternatives;
  if (number === 'R') return alternatives + 1;
  if (number === 'P') return ploidy;
  if (number !== 'G' || ploidy === undefined) return undefined;
  let count = 1; // genotypes of `ploidy` alleles out of alternatives + 1, order ignored
  for (let i = 1; i <= ploidy; i++) count = (count * (alternatives + i)) / i;
  return count;
}

/** Whole numbers have 32 bits since 4.3, and the eight smallest are BCF's own (section 1.3). */
const isInteger = (value: string, minor: number) => /^[-+]?\d+$/.test(value) && (minor < 3 || (Number(value) >= -(2 ** 31) + 8 && Number(value) < 2 ** 31));
const hasRepeats = (values: readonly string[]) => new Set(values).size !== values.length;

function hasType(value: string, type: string, minor: number): boolean {
  if (value === '.') return true;
  return type === 'Integer' ? isInteger(value, minor) : type === 'Float' ? isFloat(value, minor) : type === 'Character' ? [...value].length === 1 : true;
}

/** A variant without what REF and ALT share at their ends: place and both alleles. */
function trimmed(start: number, ref: string, alt: string): string {
  let end = 0;
  while (end < Math.min(ref.length, alt.length) - 1 && ref[ref.length - 1 - end] === alt[alt.length - 1 - end]) end++;
  let front = 0;
  while (front < Math.min(ref.length, alt.length) - end - 1 && ref[front] === alt[front]) front++;
  return `${start + front} ${ref.slice(front, ref.length - end)}>${alt.slice(front, alt.length - end)}`;
}

// The header of a VCF file: structured meta-information lines, samples, and the definitions that reserved keys have without being declared.
import { FormatError } from './formatError';

export type VcfType = 'Integer' | 'Float' | 'Flag' | 'Character' | 'String';

/** What an INFO or FORMAT key holds. */
export interface VcfDefinition {
  readonly id: string;
  /** A count, or `A` a value each ALT allele, `R` each allele, `G` each genotype, `.` any number; 4.4 and 4.5 add `P`, `M`, `LA`, `LR`, `LG`. */
  readonly number: string;
  readonly type: VcfType;
}

/** One `##` line. */
export interface VcfMetaLine {
  readonly key: string;
  /** What follows the `=`, as it stands. */
  readonly value: string;
  /** The fields of `<key=value,…>`, quotes and escapes removed, in their order; undefined for other lines. */
  readonly fields: ReadonlyMap<string, string> | undefined;
  /** Why a line that begins like a structured one is none. */
  readonly problem: string | undefined;
  readonly line: number;
}

export interface VcfHeader {
  /** Of 4.1 to 4.5: 1 to 5; undefined for files that state another version or none. They are read as 4.2. */
  readonly minorVersion: number | undefined;
  readonly meta: readonly VcfMetaLine[];
  readonly info: ReadonlyMap<string, VcfDefinition>;
  readonly format: ReadonlyMap<string, VcfDefinition>;
  /** Names, and lengths in bases where given, in the order of the file. */
  readonly contigs: ReadonlyMap<string, { readonly length: number | undefined }>;
  readonly samples: readonly string[];
}

const columns = ['#CHROM', 'POS', 'ID', 'REF', 'ALT', 'QUAL', 'FILTER', 'INFO'];

/** @param lines - all lines that begin with `#`, without their ends; the last one is the column line */
export function parseVcfHeader(lines: readonly string[]): VcfHeader {
  const names = lines.at(-1)!.split('\t');
  const wrong = columns.findIndex((column, i) => names[i] !== column);
  if (wrong >= 0 || (names.length > 8 && names[8] !== 'FORMAT')) {
    throw new FormatError(`readVcf: expected the columns ${columns.join(' ')} with tabs between (and FORMAT before samples) at line ${lines.length}, got ${JSON.stringify(names[wrong >= 0 ? wrong : 8] ?? 'the end of the line')}; correct the header`, { format: 'vcf', line: lines.length });
  }
  const meta = lines.slice(0, -1).map((text, i) => parseMetaLine(text, i + 1));
  const version = meta[0]?.key === 'fileformat' ? /^VCFv4\.([1-5])$/.exec(meta[0].value)?.[1] : undefined;
  const contigs = new Map<string, { length: number | undefined }>();
  for (const { key, fields } of meta) {
    if (key !== 'contig' || !fields?.has('ID')) continue;
    const length = fields.get('length');
    contigs.set(fields.get('ID')!, { length: length !== undefined && /^\d+$/.test(length) ? Number(length) : undefined });
  }
  return { minorVersion: version === undefined ? undefined : Number(version), meta, info: definitions(meta, 'INFO'), format: definitions(meta, 'FORMAT'), contigs, samples: names.slice(9) };
}

function definitions(meta: readonly VcfMetaLine[], key: 'INFO' | 'FORMAT'): ReadonlyMap<string, VcfDefinition> {
  const map = new Map<string, VcfDefinition>();
  for (const line of meta) {
    const id = line.fields?.get('ID');
    if (line.key === key && id !== undefined) map.set(id, { id, number: line.fields!.get('Number') ?? '.', type: (line.fields!.get('Type') ?? 'String') as VcfType });
  }
  return map;
}

function parseMetaLine(text: string, line: number): VcfMetaLine {
  const equals = text.indexOf('=');
  const key = equals < 0 ? text.slice(2) : text.slice(2, equals);
  const value = equals < 0 ? '' : text.slice(equals + 1);
  if (!value.startsWith('<') || key === 'pedigreeDB' || /^<"[^"]*">$/.test(value)) return { key, value, fields: undefined, problem: undefined, line };
  const fields = new Map<string, string>();
  const problem = parseFields(value, fields);
  return { key, value, fields, problem, line };
}

/** Fills `fields` from `<key=value,key="quoted",…>`; returns what is wrong with it, if anything. */
function parseFields(value: string, fields: Map<string, string>): string | undefined {
  const field = /([^=,<>"\s]+)=(?:"((?:[^"\\]|\\.)*)"|(\[[^\]"<>]*\]|(?:[^",<>][^,<>]*)?))(,|>)/y;
  field.lastIndex = 1;
  for (;;) {
    const from = field.lastIndex;
    const match = field.exec(value);
    if (!match) return `fields key=value up to a closing >, got ${JSON.stringify(value.slice(from, from + 40))}`;
    const [, key, quoted, bare, end] = match;
    if (fields.has(key)) return `every field once, got ${key} again`;
    fields.set(key, quoted === undefined ? bare : quoted.replace(/\\(["\\])/g, '$1'));
    if (end === '>') return field.lastIndex === value.length ? undefined : `nothing after the closing >, got ${JSON.stringify(value.slice(field.lastIndex, field.lastIndex + 40))}`;
  }
}

/** Reserved keys: `id number type`, from the tables of sections 1.4.1 and 1.4.2 (4.1, 4.2) and 1.6 (4.3 and later). */
const reservedInfo = 'AA 1 String,AC A Integer,AF A Float,AN 1 Integer,BQ 1 Float,CIGAR A String,DB 0 Flag,DP 1 Integer,END 1 Integer,H2 0 Flag,H3 0 Flag,MQ 1 Float,MQ0 1 Integer,NS 1 Integer,SOMATIC 0 Flag,VALIDATED 0 Flag,1000G 0 Flag';
const reservedFormat = 'DP 1 Integer,EC A Integer,FT 1 String,GL G Float,GP G Float,GQ 1 Integer,GT 1 String,HQ 2 Integer,MQ 1 Integer,PL G Integer,PQ 1 Integer,PS 1 Integer';
const toMap = (text: string) => new Map(text.split(',').map((row) => row.split(' ')).map(([id, number, type]) => [id, { id, number, type: type as VcfType }]));
const alleleDepths = ',AD R Integer,ADF R Integer,ADR R Integer';
/** By minor version, 4.1 and 4.2 alike. */
export const reserved = (minorVersion: number) => (minorVersion < 3 ? early : minorVersion === 3 ? middle : minorVersion === 4 ? late : latest);
const early = { info: toMap(reservedInfo), format: toMap(`${reservedFormat},GLE G String`) };
const middle = { info: toMap(`${reservedInfo}${alleleDepths},SB 4 Integer`), format: toMap(`${reservedFormat}${alleleDepths},PP G Integer`) };
/** Section 3: keys of structural variants, one value a ALT allele since 4.4. */
const structuralByAllele = ',SVLEN A Integer,SVCLAIM A String,HOMLEN A Integer,HOMSEQ A String,BKPTID A String,MATEID A String,PARID A String,EVENT A String,EVENTTYPE A String,RN A Integer';
const lateFormat = `${reservedFormat}${alleleDepths},PP G Integer,PSL P String,PSO P Integer,PSQ P Integer`;
const late = { info: toMap(`${reservedInfo}${alleleDepths},SB 4 Integer${structuralByAllele}`), format: toMap(lateFormat) };
/** The table of 4.5 calls LGL and LGP whole numbers although GL and GP are not: they are read as Float, which holds both. */
const latest = { info: late.info, format: toMap(`${lateFormat},LEN 1 Integer,LAA . Integer,LAD LR Integer,LADF LR Integer,LADR LR Integer,LEC LA Integer,LGL LG Float,LGP LG Float,LPL LG Integer,LPP LG Integer`) };

/** Structural variants have keys of their own, whose declared numbers vary between programs; they are read so when undeclared. */
export const structuralInfo = toMap('IMPRECISE 0 Flag,NOVEL 0 Flag,SVTYPE 1 String,SVLEN . Integer,CIPOS 2 Integer,CIEND 2 Integer,MATEID . String,EVENT 1 String,HOMLEN . Integer,HOMSEQ . String');

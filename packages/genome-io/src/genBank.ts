// GenBank flat files (NCBI release notes, section 3) with the INSDC feature table (definition 11.3): sequence, features with their locations, qualifiers.
import { ByteCollector } from './byteCollector';
import type { ByteSource, ReadOptions } from './byteSource';
import { concat } from './bytes';
import { FormatError } from './formatError';
import { textLines } from './lines';
import { reverseComplement } from './sequence';

/** A stretch of a location. */
export interface GenBankSpan {
  /** 0-based. */
  readonly start: number;
  /** Half-open; equal to `start` for a place between two bases (`5^6`). */
  readonly end: number;
  readonly strand: '+' | '-';
  /** Whether the feature goes on before `start` (`<5`) or after `end` (`>9`). */
  readonly openStart: boolean;
  readonly openEnd: boolean;
  /** Of another entry (`J00194.1:1..9`); undefined for this one. */
  readonly accession: string | undefined;
}

export interface GenBankFeature {
  /** For example `gene`, `CDS`, `repeat_region`. */
  readonly type: string;
  /** As it stands in the file, without line ends. */
  readonly location: string;
  /** In the order in which they are joined, each on its strand. */
  readonly spans: readonly GenBankSpan[];
  /** Whether the spans are joined end to end (`join`, or a single one) or only listed (`order`, and `bond` of proteins). */
  readonly isJoined: boolean;
  /** Values by name, quotes removed; a qualifier without a value (`/pseudo`) has an empty one. */
  readonly qualifiers: ReadonlyMap<string, readonly string[]>;
  /** 1-based line of the file. */
  readonly line: number;
}

export interface GenBankRecord {
  /** The LOCUS name. */
  readonly name: string;
  /** The first accession. */
  readonly accession: string | undefined;
  /** Accession with version. */
  readonly version: string | undefined;
  readonly definition: string;
  readonly organism: string | undefined;
  readonly isCircular: boolean;
  readonly features: readonly GenBankFeature[];
  /** Residues as ASCII, case kept (lower case in most files); empty where the entry has none (CONTIG and WGS name others). */
  readonly sequence: Uint8Array;
}

type Fail = (expected: string, got: string) => never;
interface Qualifier { readonly name: string; value: string; isQuoted: boolean }
interface Draft { name: string; length: number; isCircular: boolean; header: Map<string, string>; features: { type: string; location: string; qualifiers: Qualifier[]; line: number }[]; sequence: ByteCollector; hasOrigin: boolean }

/**
 * Streams the entries of a GenBank file, plain or compressed.
 * @throws FormatError (`genbank`, with the line) for text outside of an entry, an entry without its end (//), locations that are none, bases that are not as many as LOCUS says, and bytes that are no bases.
 */
export async function* readGenBank(source: ByteSource, options: ReadOptions = {}): AsyncGenerator<GenBankRecord, void, undefined> {
  let line = 0;
  const fail: Fail = (expected, got) => {
    throw new FormatError(`readGenBank: expected ${expected} at line ${line}, got ${got}; check that this is a GenBank flat file`, { format: 'genbank', line });
  };
  let draft: Draft | undefined;
  let section = '';
  for await (const { text, line: number } of textLines(source, options, 'readGenBank', 'genbank')) {
    line = number;
    if (draft === undefined) {
      if (text.startsWith('LOCUS')) [draft, section] = [openDraft(text, fail), 'LOCUS'];
      else if (text.trim() !== '' && line > 10) fail('LOCUS', JSON.stringify(text.slice(0, 40))); // releases begin with a header of ten lines
      continue;
    }
    if (text.startsWith('//')) {
      yield finishDraft(draft, fail);
      draft = undefined;
    } else if (/^[A-Z]/.test(text)) {
      section = text.split(/\s/, 1)[0];
      if (section === 'ORIGIN') draft.hasOrigin = true;
      else if (section !== 'FEATURES') draft.header.set(section, text.slice(12).trim());
    } else if (section === 'FEATURES') readFeatureLine(draft, text, line, fail);
    else if (section === 'ORIGIN') readBases(draft, text, fail);
    else if (/^ {2,3}\S/.test(text)) draft.header.set((section = text.trim().split(/\s/, 1)[0]), text.slice(12).trim());
    else draft.header.set(section, `${draft.header.get(section) ?? ''}\n${text.trim()}`.trim());
  }
  if (draft) fail('// at the end of an entry', 'the end of the file');
}

function openDraft(text: string, fail: Fail): Draft {
  const match = /^LOCUS\s+(\S+)\s+(\d+) +(?:bp|aa|rc)\b(.*)$/.exec(text) ?? fail('LOCUS with a name and a length', JSON.stringify(text.slice(0, 60)));
  return { name: match[1], length: Number(match[2]), isCircular: /\bcircular\b/.test(match[3]), header: new Map(), features: [], sequence: new ByteCollector(2 ** 32 - 1, () => fail('at most 2^32 - 1 bases', 'more')), hasOrigin: false };
}

function readFeatureLine({ features }: Draft, text: string, line: number, fail: Fail): void {
  const feature = /^ {5}(\S+)\s+(\S.*)$/.exec(text); // keys of other programs are longer than the 15 characters of NCBI's
  if (feature) {
    features.push({ type: feature[1], location: feature[2].trim(), qualifiers: [], line });
    return;
  }
  const value = text.trim();
  const open = features.at(-1) ?? (value === '' ? undefined : fail('a feature key in column 6', JSON.stringify(text.slice(0, 40))));
  if (!open) return;
  const last = open.qualifiers.at(-1);
  const qualifier = last?.isQuoted ? null : /^\/([^\s=]+)(?:=(.*))?$/.exec(value);
  if (qualifier) open.qualifiers.push({ name: qualifier[1], value: qualifier[2] ?? '', isQuoted: hasOddQuotes(qualifier[2] ?? '') });
  else if (last) {
    last.value += last.name === 'translation' ? value : ` ${value}`;
    last.isQuoted = last.isQuoted !== hasOddQuotes(value);
  } else open.location += value;
}

const hasOddQuotes = (text: string): boolean => (text.split('"').length & 1) === 0;

function readBases({ sequence }: Draft, text: string, fail: Fail): void {
  const bases = text.replace(/^\s*\d+/, '').replace(/\s+/g, '');
  if (!/^[A-Za-z*.-]*$/.test(bases)) fail('bases', JSON.stringify(bases.replace(/[A-Za-z*.-]/g, '').slice(0, 20)));
  const bytes = new TextEncoder().encode(bases);
  sequence.append(bytes, 0, bytes.length);
}

function finishDraft({ name, length, isCircular, header, features, sequence, hasOrigin }: Draft, fail: Fail): GenBankRecord {
  const bases = sequence.take();
  if (hasOrigin && bases.length > 0 && bases.length !== length) fail(`${length} bases, as LOCUS says`, `${bases.length}`);
  return {
    name, isCircular, sequence: bases, accession: header.get('ACCESSION')?.split(/\s/, 1)[0], version: header.get('VERSION')?.split(/\s/, 1)[0], definition: (header.get('DEFINITION') ?? '').replaceAll('\n', ' ').replace(/\.$/, ''), organism: organismOf(header.get('ORGANISM')),
    features: features.map(({ type, location, qualifiers, line }) => {
      const values = new Map<string, string[]>();
      for (const { name: key, value } of qualifiers) {
        const text = value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1).replaceAll('""', '"') : value;
        const before = values.get(key);
        if (before) before.push(text);
        else values.set(key, [text]);
      }
      return { type, location, line, qualifiers: values, isJoined: !/\b(?:order|bond)\(/.test(location), spans: parseLocation(location.replace(/\s+/g, ''), isCircular ? length : undefined, (got) => {
        throw new FormatError(`readGenBank: expected a location at line ${line}, got ${JSON.stringify(got.slice(0, 60))}; correct the feature`, { format: 'genbank', line });
      }) };
    }),
  };
}

/** The name, of one line or more; the lines of the lineage that follow it have semicolons or end with a full stop. */
function organismOf(text: string | undefined): string | undefined {
  const [name, ...lines] = text?.split('\n') ?? [];
  const lineage = lines.findIndex((line) => /;|\.$/.test(line));
  return text && [name, ...lines.slice(0, lineage < 0 ? lines.length : lineage)].join(' ');
}

const position = String.raw`([<>]?)(\d+|\(\d+\.\d+\)|one-of\([\d,]+\))`;
const base = new RegExp(String.raw`^(?:([\w.|-]+):)?${position}(?:(\.\.|\^|\.)${position})?$`);
/** One base; or of several that it may be (as files before 2006 say) the first or the last. */
const outermost = (text: string, which: 'min' | 'max') => Math[which](...text.match(/\d+/g)!.map(Number));

/**
 * Spans in the order in which they are joined: of a complement the last comes first.
 * @param circumference - of a circular molecule: there `5000..20` goes through the origin, which INSDC writes `join(5000..5386,1..20)` and programs for plasmids do not
 */
function parseLocation(text: string, circumference: number | undefined, fail: (got: string) => never, depth = 0): GenBankSpan[] {
  const call = /^(complement|join|order|bond)\((.*)\)$/.exec(text);
  if (call && depth < 20) {
    const spans = splitAtCommas(call[2]).map((part) => parseLocation(part, circumference, fail, depth + 1));
    if (call[1] !== 'complement') return spans.flat();
    if (spans.length !== 1) fail(text);
    return spans[0].reverse().map((span) => ({ ...span, strand: span.strand === '+' ? '-' : '+' }));
  }
  const match = base.exec(text) ?? fail(text);
  const [, accession, before, from, join, after, to = from] = match;
  const [start, end] = [outermost(from, 'min') - 1, outermost(to, 'max')];
  const openStart = before === '<';
  const openEnd = (after || (to === from ? before : '')) === '>';
  if (join === '..' && end <= start && end > 0 && circumference !== undefined && start < circumference && accession === undefined) return [{ start, end: circumference, strand: '+', openStart, openEnd: false, accession }, { start: 0, end, strand: '+', openStart: false, openEnd, accession }];
  if (start < 0 || (join === '^' ? false : end <= start)) fail(text);
  return [{ start: join === '^' ? start + 1 : start, end: join === '^' ? start + 1 : end, strand: '+', openStart, openEnd, accession }];
}

function splitAtCommas(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '(') depth++;
    else if (text[at] === ')') depth--;
    else if (text[at] === ',' && depth === 0) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  return [...parts, text.slice(from)];
}

/**
 * The bases of a feature: its spans end to end, each on its strand.
 * @throws RangeError for spans of another entry or beyond the sequence.
 */
export function featureSequence({ name, sequence }: Pick<GenBankRecord, 'name' | 'sequence'>, { spans, location }: Pick<GenBankFeature, 'spans' | 'location'>): Uint8Array {
  return concat(spans.map(({ start, end, strand, accession }) => {
    if (accession !== undefined || end > sequence.length) throw new RangeError(`featureSequence: expected spans within the ${sequence.length} bases of ${name}, got ${location}; fetch the other entry`);
    const bases = sequence.subarray(start, end);
    return strand === '-' ? reverseComplement(bases) : bases;
  }));
}

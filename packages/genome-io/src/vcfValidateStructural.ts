// What VCF 4.4 and 4.5 demand of structural variants and of alleles by sample; section numbers are theirs.
import { parseAllele } from './vcfAllele';
import type { VcfRecord } from './vcf';
import type { VcfDefinition } from './vcfHeader';

export type Fail = (expected: string, got: string, section: string) => void;
type Values = readonly (string | number | null)[];

/** The values of an INFO key, whether the header declares it or not; null for missing ones, undefined where all are. */
export function valuesOf(record: Pick<VcfRecord, 'info'>, key: string): Values | undefined {
  const value = record.info(key);
  const list = Array.isArray(value) ? (value as Values) : typeof value === 'string' ? value.split(',') : typeof value === 'number' ? [value] : [];
  const values = list.map((one) => (one === '.' || one === '' ? null : one));
  return values.every((one) => one === null) && values.length < 2 ? undefined : values;
}

const claims: Readonly<Record<string, readonly string[]>> = { DEL: ['D', 'J', 'DJ'], DUP: ['D', 'J', 'DJ'], CNV: ['D'], INV: ['J', 'DJ'], INS: ['J', 'DJ'] };

/** SVLEN, SVCLAIM, confidence intervals, mobile elements, copy numbers and END of a record of version 4.4 or later. */
export function checkStructural(record: VcfRecord, minor: number, fail: Fail): void {
  const alleles = record.alt.map(parseAllele);
  const lengths = valuesOf(record, 'SVLEN');
  const claim = valuesOf(record, 'SVCLAIM');
  const end = record.info('END');
  for (const [i, allele] of alleles.entries()) {
    if (allele?.kind !== 'symbolic' || !(allele.type in claims)) {
      if (allele?.kind === 'breakend' && claim?.[i] !== undefined && claim[i] !== null && claim[i] !== 'J') fail('SVCLAIM of J or . for a breakend', `${claim[i]}`, '3');
      if (allele?.kind === 'symbolic' && allele.type === 'BND') fail('breakends in their own notation', record.alt[i], '1.4.5');
      continue;
    }
    if (typeof lengths?.[i] !== 'number' && typeof end !== 'number') fail(`SVLEN for ${record.alt[i]}`, 'none', '3');
    const said = claim?.[i] ?? null; // the specification's own examples leave it out where it "must be specified"
    if (said !== null && !claims[allele.type].includes(String(said))) fail(`SVCLAIM of ${claims[allele.type].join(', ')} for ${record.alt[i]}`, String(said), '3');
  }
  for (const key of ['MEINFO', 'METRANS']) {
    const parts = valuesOf(record, key);
    if (parts && parts.length !== 4 * alleles.length) fail(`${4 * alleles.length} values of ${key}, four an ALT allele`, `${parts.length}`, '3');
  }
  for (const key of ['CIPOS', 'CIEND', 'CILEN', 'CICN'] as const) {
    const bounds = valuesOf(record, key);
    if (!bounds) continue;
    if (bounds.length !== 2 * alleles.length) fail(`${2 * alleles.length} values of ${key}, two an ALT allele`, `${bounds.length}`, '3');
    if (key === 'CIPOS' || key === 'CIEND') for (let i = 0; i < bounds.length; i += 2) if (Number(bounds[i] ?? 0) > 0 || Number(bounds[i + 1] ?? 0) < 0) fail(`intervals of ${key} that hold 0`, `${bounds[i]},${bounds[i + 1]}`, '3');
  }
  if (record.format.includes('CN')) {
    const copied = (lengths ?? []).filter((length, i) => { const allele = alleles[i]; return length !== null && allele?.kind === 'symbolic' && ['CNV', 'DEL', 'DUP'].includes(allele.type); });
    if (copied.some((length) => Math.abs(Number(length)) !== Math.abs(Number(copied[0])))) fail('one SVLEN of all <CNV>, <DEL> and <DUP> beside FORMAT CN', copied.join(), '4');
  }
  if (minor >= 5 && typeof end === 'number' && end !== record.end) fail(`END at ${record.end}, the last base that REF, SVLEN and LEN reach`, `${end}`, '1.6.1');
}

const localKey = /^L(?:AD|ADF|ADR|EC|GL|GP|PL|PP)$/;

/** Local alleles of 4.5: LAA stands before every local field, and lists ALT alleles of the record once each. */
export function checkLocalFormat(format: readonly string[], isLocal: (key: string) => boolean, fail: Fail): void {
  const first = format.findIndex((key) => localKey.test(key) || isLocal(key));
  const laa = format.indexOf('LAA');
  if (first >= 0 && laa < 0) fail(`LAA beside ${format[first]}`, format.join(':'), '1.6.2');
  if (laa >= 0 && laa !== (format[0] === 'GT' ? 1 : 0)) fail('LAA before all keys but GT', format.join(':'), '1.6.2');
}

/** How many alleles a sample's LAA lists; a missing one lists none. */
export function countLocalAlleles(text: string | undefined, alternatives: number, fail: Fail): number {
  if (text === undefined || text === '' || text === '.') return 0;
  const indices = text.split(',');
  if (indices.some((index) => !/^[1-9]\d*$/.test(index) || Number(index) > alternatives) || new Set(indices).size !== indices.length) fail(`LAA of different whole numbers from 1 to ${alternatives}`, text, '1.6.2');
  return indices.length;
}

const modificationKey = /^(?:DP|AD)?M(?:\d+|5mC|5hmC|5fC|5caC|5hmU|5fU|5caU|6mA|8oxoG|xao)([ACGTUN]?)$/;
const aliasBase: Readonly<Record<string, string>> = { '5mC': 'C', '5hmC': 'C', '5fC': 'C', '5caC': 'C', '5hmU': 'U', '5fU': 'U', '5caU': 'U', '6mA': 'A', '8oxoG': 'G' };

/** The base that a FORMAT key of base modifications speaks of (`M5mC`, `DPM27551C`, `MxaoN`), or undefined for other keys. */
export function modifiedBase(key: string): string | undefined {
  const alias = /^(?:DP|AD)?M(5mC|5hmC|5fC|5caC|5hmU|5fU|5caU|6mA|8oxoG)$/.exec(key);
  if (alias) return aliasBase[alias[1]];
  return modificationKey.exec(key)?.[1] || undefined;
}

/** What 4.5 reserves for base modifications: fractions (`M…`) and depths (`DPM…`, `ADM…`). */
export function modificationDefinition(key: string, minor: number): VcfDefinition | undefined {
  return minor < 5 || modifiedBase(key) === undefined ? undefined : { id: key, number: 'M', type: key.startsWith('M') ? 'Float' : 'Integer' };
}

const complement: Readonly<Record<string, string>> = { A: 'T', C: 'G', G: 'C', T: 'A' };

/** Values that Number=M asks for: bases on either strand of the genotype's alleles that can be modified; unphased copies of an allele count once. */
export function countModifications(base: string, genotype: string, alleles: readonly string[]): number {
  const target = base === 'U' ? 'T' : base;
  const of = (index: string): number => {
    const bases = index === '.' ? '' : (alleles[Number(index)] ?? '').toUpperCase();
    if (!/^[ACGTN]+$/.test(bases)) return 0;
    if (target === 'N') return 2 * bases.length;
    return [...bases].filter((letter) => letter === target || letter === complement[target]).length;
  };
  const prefix = /^[/|]/.test(genotype) ? genotype : `${genotype.includes('/') ? '/' : '|'}${genotype}`;
  const unphased = new Set<string>();
  let count = 0;
  for (const [, separator, index] of prefix.matchAll(/([/|])(\d+|\.)/g)) {
    if (separator === '/' && unphased.has(index)) continue;
    if (separator === '/') unphased.add(index);
    count += of(index);
  }
  return count;
}

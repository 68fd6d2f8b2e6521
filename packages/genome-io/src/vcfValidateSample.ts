// What VCF 4.4 and 4.5 demand of the fields of one sample that belong together (section 1.6.2).
import { expandLocal } from './vcfLocalAlleles';

type Fail = (expected: string, got: string) => void;

/** PS and PSL exclude each other, and alleles without a | before them are in no phase set of PSL. */
export function checkPhaseSets(format: readonly string[], values: readonly string[], fail: Fail): void {
  const list = values[format.indexOf('PSL')] ?? '.';
  if (/^[.,]*$/.test(list)) return;
  if ((values[format.indexOf('PS')] ?? '.') !== '.') fail('PS or PSL', values.join(':'));
  if (format[0] !== 'GT') return;
  const prefix = /^[/|]/.test(values[0]) ? '' : values[0].includes('/') ? '/' : '|';
  for (const [i, separator] of [...`${prefix}${values[0]}`.matchAll(/[/|]/g)].entries()) {
    if (separator[0] === '/' && (list.split(',')[i] ?? '.') !== '.') fail('PSL of . for alleles without phase', values.join(':'));
  }
}

/**
 * A field and its local form say the same, or one of them is missing.
 * @param number - of the local form: `LA`, `LR` or `LG`
 * @param laa - the sample's LAA
 */
export function checkLocalValues(key: string, full: string, local: string, number: 'LA' | 'LR' | 'LG', laa: string, alternatives: number, ploidy: number, fail: Fail): void {
  if (/^[.,]*$/.test(full) || /^[.,]*$/.test(local)) return;
  const of = /^\.?$/.test(laa) ? [] : laa.split(',').map(Number);
  const expanded = expandLocal(local.split(','), number, of, alternatives, ploidy, () => fail('at most 2^20 genotypes', local) as never);
  const values = full.split(',');
  if (expanded.some((value, i) => value !== null && value !== '.' && (values[i] ?? '.') !== '.' && value !== values[i])) fail(`L${key} as ${key} has it`, `${local} and ${full}`);
}

// Tandem repeats of VCF 4.4 and 4.5 (section 3): lists of a value for each repeat sequence of each `<CNV:TR>` allele, end to end.
import { valuesOf, type Fail } from './vcfValidateStructural';
import type { VcfRecord } from './vcf';

/** Lengths and contents of RUS, RUL, RUC, RB, RUB and of the confidence intervals CIRUC and CIRB. */
export function checkRepeats(record: Pick<VcfRecord, 'info' | 'alt'>, fail: Fail): void {
  const lists = new Map(['RUS', 'RUL', 'RUC', 'RB', 'RUB', 'CIRUC', 'CIRB'].map((key) => [key, valuesOf(record, key)]));
  const [units, lengths, counts, sizes] = ['RUS', 'RUL', 'RUC', 'RB', 'RUB'].map((key) => lists.get(key));
  const stated = valuesOf(record, 'RN');
  const repeats = stated ? stated.reduce<number>((sum, count) => sum + Number(count ?? 0), 0) : record.alt.filter((allele) => /^<CNV:TR[:>]/.test(allele)).length;
  for (const key of ['RUS', 'RUL', 'RUC', 'RB']) {
    const values = lists.get(key);
    if (values && values.length !== repeats) fail(`${repeats} values of ${key}, as many as RN says`, `${values.length}`, '3');
  }
  if (!units && !lengths && record.alt.some((allele) => /^<CNV:TR[:>]/.test(allele))) fail('RUS or RUL for <CNV:TR>', 'neither', '5.7');
  for (const [i, unit] of (units ?? []).entries()) {
    if (unit !== null && !/^[ACGTURYSWKMBDHVN]+$/i.test(String(unit))) fail('RUS of IUPAC codes', String(unit), '3');
    if (unit !== null && (lengths?.[i] ?? null) !== null && Number(lengths![i]) !== String(unit).length) fail(`RUL ${String(unit).length}, the length of RUS`, `${lengths![i]}`, '3');
  }
  for (const [key, of] of [['CIRUC', counts], ['CIRB', sizes]] as const) {
    const bounds = lists.get(key);
    if (!bounds) continue;
    if (bounds.length !== 2 * repeats) fail(`${2 * repeats} values of ${key}, two a repeat`, `${bounds.length}`, '3');
    for (let i = 0; i < bounds.length; i += 2) {
      if ((bounds[i] !== null || bounds[i + 1] !== null) && (of?.[i / 2] ?? null) === null) fail(`${key} where ${key.slice(2)} is known`, `${bounds[i]},${bounds[i + 1]}`, '3');
      if (Number(bounds[i] ?? 0) > 0 || Number(bounds[i + 1] ?? 0) < 0) fail(`intervals of ${key} that hold 0`, `${bounds[i]},${bounds[i + 1]}`, '3');
    }
  }
  const each = lists.get('RUB');
  if (!each) return;
  if (!counts?.every((count) => Number.isInteger(Number(count ?? 0)))) fail('whole numbers of RUC beside RUB', counts ? counts.join() : 'none', '3');
  const wanted = counts!.reduce<number>((sum, count) => sum + Number(count ?? 0), 0);
  if (each.length !== wanted) fail(`${wanted} values of RUB, one a repeat unit`, `${each.length}`, '3');
}

/** So many can be tested exactly, by trying all exchanges of sign. */
export const mostFamilies = 24;

/** A difference of two models on one task. */
export interface TaskDifference {
  /** Tasks of one family share their origin, and often sequences: their differences are not independent. */
  readonly family: string;
  readonly difference: number;
}

/** Are two models alike over families of tasks? */
export interface FamilyTest {
  /** In the order of their first tasks; `difference` is the mean over the family's tasks. */
  readonly families: readonly { readonly family: string; readonly tasks: number; readonly difference: number }[];
  /** Of the families, each counted once. */
  readonly meanDifference: number;
  /** Two-sided p-value of the sign-flip test: how often is the mean as far from 0 if each family's sign is a toss? Exact, at least 2 / 2^families. */
  readonly signFlipPValue: number;
  /** Two-sided p-value of Wilcoxon's signed-rank test over the families; exact, as scipy's `mode='exact'` where no two ranks tie. */
  readonly wilcoxonPValue: number;
}

/**
 * Tests the differences over families instead of tasks: GUE's 28 tasks are ten marks of one organism, six cuts of one promoter set and so on, and counting them as 28 independent witnesses would be wrong.
 * With few families little can be proven: six that all agree give p = 0.03.
 */
export function compareFamilies(differences: readonly TaskDifference[]): FamilyTest {
  const byFamily = new Map<string, number[]>();
  for (const { family, difference } of differences) byFamily.set(family, [...(byFamily.get(family) ?? []), difference]);
  if (byFamily.size === 0 || byFamily.size > mostFamilies) throw new RangeError(`compareFamilies: expected 1 to ${mostFamilies} families, got ${byFamily.size}; all exchanges of sign are tried`);
  const odd = differences.find(({ difference }) => !Number.isFinite(difference));
  if (odd) throw new RangeError(`compareFamilies: expected a difference of each task as a number, got ${odd.difference} in ${odd.family}; leave out tasks without a score`);
  const families = Array.from(byFamily, ([family, values]) => ({ family, tasks: values.length, difference: average(values) }));
  const values = families.map(({ difference }) => difference);
  return { families, meanDifference: average(values), signFlipPValue: flipSigns(values), wilcoxonPValue: flipSigns(signedRanks(values)) };
}

const average = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Share of all choices of signs for which |sum| is at least as large as the observed one. */
function flipSigns(values: readonly number[]): number {
  const observed = Math.abs(values.reduce((a, b) => a + b, 0)) * (1 - 1e-12);
  let asExtreme = 0;
  for (let signs = 0; signs < 2 ** values.length; signs++) {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += (signs >> i) & 1 ? values[i] : -values[i];
    if (Math.abs(sum) >= observed) asExtreme++;
  }
  return asExtreme / 2 ** values.length;
}

/** Ranks of the absolute values with the signs of the values; ties share their mean rank, zeros are left out. */
function signedRanks(values: readonly number[]): number[] {
  const nonzero = values.filter((value) => value !== 0);
  return nonzero.map((value) => {
    const below = nonzero.filter((other) => Math.abs(other) < Math.abs(value)).length;
    const equal = nonzero.filter((other) => Math.abs(other) === Math.abs(value)).length;
    return Math.sign(value) * (below + (equal + 1) / 2);
  });
}

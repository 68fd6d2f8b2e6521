/**
 * Adjusts the p-values of a family of tests by Holm's step-down procedure (Holm 1979): it controls the chance of any false rejection without assuming independence.
 * @returns adjusted p-values in the order given, each at most 1; reject where one lies below the level
 */
export function holm(pValues: ArrayLike<number>): number[] {
  const order = Array.from({ length: pValues.length }, (_, index) => index).sort((i, j) => pValues[i] - pValues[j]);
  const adjusted = new Array<number>(pValues.length);
  let largest = 0;
  order.forEach((index, rank) => {
    if (!(pValues[index] >= 0 && pValues[index] <= 1)) throw new RangeError(`holm: expected p-values from 0 to 1, got ${pValues[index]}; pass the tests' p-values`);
    largest = Math.max(largest, pValues[index] * (pValues.length - rank));
    adjusted[index] = Math.min(1, largest);
  });
  return adjusted;
}

/**
 * Adjusts the p-values of a family of tests so that the expected share of false ones among the rejected stays below the level (Benjamini and Hochberg 1995).
 * @param options.dependent - true for tests that depend on each other in any way (Benjamini and Yekutieli 2001); false suits independent or positively dependent ones
 * @returns adjusted p-values in the order given, each at most 1
 */
export function benjaminiHochberg(pValues: ArrayLike<number>, { dependent = false }: { readonly dependent?: boolean } = {}): number[] {
  const count = pValues.length;
  const order = Array.from({ length: count }, (_, index) => index).sort((i, j) => pValues[j] - pValues[i]);
  let harmonic = 1;
  if (dependent) for (let i = 2; i <= count; i++) harmonic += 1 / i;
  const adjusted = new Array<number>(count);
  let smallest = 1;
  order.forEach((index, fromLargest) => {
    if (!(pValues[index] >= 0 && pValues[index] <= 1)) throw new RangeError(`benjaminiHochberg: expected p-values from 0 to 1, got ${pValues[index]}; pass the tests' p-values`);
    smallest = Math.min(smallest, (pValues[index] * count * harmonic) / (count - fromLargest));
    adjusted[index] = smallest;
  });
  return adjusted;
}

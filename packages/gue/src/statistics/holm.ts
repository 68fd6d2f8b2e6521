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

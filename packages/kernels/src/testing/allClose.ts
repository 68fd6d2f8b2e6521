/** `max|actual - expected| / max|expected|` over a tensor: the error measure of this project. NaN and infinities must stand at the same places. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  let [worst, largest] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(actual[i], expected[i]) || actual[i] === expected[i]) {
      if (Number.isFinite(expected[i])) largest = Math.max(largest, Math.abs(expected[i]));
      continue;
    }
    if (!Number.isFinite(actual[i]) || !Number.isFinite(expected[i])) return Infinity;
    worst = Math.max(worst, Math.abs(actual[i] - expected[i]));
    largest = Math.max(largest, Math.abs(expected[i]));
  }
  return worst === 0 ? 0 : worst / Math.max(largest, Number.MIN_VALUE);
}

/** Throws unless the relative error is at most `tolerance`; says by how much and what. */
export function allClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what = 'values'): void {
  const error = relativeError(actual, expected);
  if (!(error <= tolerance)) throw new Error(`allClose: expected ${what} within ${tolerance} of the reference, got a relative error of ${error} over ${expected.length} elements`);
}

/**
 * Share of the bases that lie in perfect tandem repeats: `minCopies` copies or more of a unit of up to `maxPeriod` bases, one behind the other (the last may be cut short).
 * Upstream's filter of generated sequences, without its regular expression. Case counts.
 */
export function tandemRepeatFraction(sequence: string, { maxPeriod = 100, minCopies = 3 }: { readonly maxPeriod?: number; readonly minCopies?: number } = {}): number {
  const { length } = sequence;
  if (!length) return 0;
  const change = new Int32Array(length + 1); // +1 where a repeat begins, -1 behind its end
  for (let period = 1; period <= Math.min(maxPeriod, Math.floor(length / minCopies)); period++) {
    let matches = 0;
    for (let i = period; i <= length; i++) {
      if (i < length && sequence.charCodeAt(i) === sequence.charCodeAt(i - period)) matches++;
      else {
        if (matches >= (minCopies - 1) * period) {
          change[i - matches - period]++;
          change[i]--;
        }
        matches = 0;
      }
    }
  }
  let [depth, covered] = [0, 0];
  for (let i = 0; i < length; i++) if ((depth += change[i]) > 0) covered++;
  return covered / length;
}

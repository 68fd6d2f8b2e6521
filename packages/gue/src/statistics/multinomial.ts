/** From so many units on, one binomial draw of how often their kind comes up takes less time than drawing them one by one (measured: 90 ns against 6 ns each). */
const heavy = 16;

/**
 * Draws units with replacement, as many as there are, and counts how often each kind comes up: multinomial numbers.
 * Kinds of many units get theirs one after the other as binomial numbers of the draws that are left; what then remains is drawn unit by unit.
 * @param ofKind - `[kinds]`, units of each kind
 * @returns a function that fills `[kinds]` numbers that add up to the number of units
 */
export function createMultinomial(ofKind: readonly number[]): (random: () => number, drawn: Float64Array) => void {
  const total = ofKind.reduce((sum, units) => sum + units, 0);
  const kinds = ofKind.map((_, kind) => kind);
  const heavyKinds = kinds.filter((kind) => ofKind[kind] >= heavy);
  const kindOfLightUnit = Uint32Array.from(kinds.filter((kind) => ofKind[kind] < heavy).flatMap((kind) => new Array<number>(ofKind[kind]).fill(kind)));
  const binomial = createBinomial(total);
  return (random, drawn) => {
    drawn.fill(0);
    let draws = total;
    let units = total;
    for (const kind of heavyKinds) {
      drawn[kind] = ofKind[kind] === units ? draws : binomial(random, draws, ofKind[kind] / units);
      draws -= drawn[kind];
      units -= ofKind[kind];
    }
    for (; draws > 0; draws--) drawn[kindOfLightUnit[(random() * units) | 0]]++;
  };
}

/**
 * Binomial numbers for up to `most` trials: by counting few trials, by inversion where few successes are expected, and otherwise by transformed rejection
 * (Hoermann 1993, "The generation of binomial random variates", algorithm BTRS; the acceptance compares with the probabilities themselves, from a table of logarithms of factorials).
 */
export function createBinomial(most: number): (random: () => number, trials: number, p: number) => number {
  const logFactorial = new Float64Array(most + 1);
  for (let n = 2; n <= most; n++) logFactorial[n] = logFactorial[n - 1] + Math.log(n);

  const rejection = (random: () => number, n: number, p: number): number => {
    const deviation = Math.sqrt(n * p * (1 - p));
    const b = 1.15 + 2.53 * deviation;
    const a = -0.0873 + 0.0248 * b + 0.01 * p;
    const centre = n * p + 0.5;
    const sure = 0.92 - 4.2 / b;
    const alpha = (2.83 + 5.1 / b) * deviation;
    const logOdds = Math.log(p / (1 - p));
    const mode = Math.floor((n + 1) * p);
    const logAtMode = -logFactorial[mode] - logFactorial[n - mode];
    for (;;) {
      const u = random() - 0.5;
      const v = random();
      const us = 0.5 - Math.abs(u);
      const k = Math.floor(((2 * a) / us + b) * u + centre);
      if (us >= 0.07 && v <= sure) return k;
      if (!(k >= 0 && k <= n)) continue;
      if (Math.log((v * alpha) / (a / (us * us) + b)) <= (k - mode) * logOdds - logFactorial[k] - logFactorial[n - k] - logAtMode) return k;
    }
  };
  const atMostHalf = (random: () => number, n: number, p: number): number => {
    if (n < 8) {
      let successes = 0;
      for (let trial = 0; trial < n; trial++) if (random() < p) successes++;
      return successes;
    }
    return n * p < 10 ? inversion(random, n, p) : rejection(random, n, p);
  };
  return (random, trials, p) => (p <= 0.5 ? atMostHalf(random, trials, p) : trials - atMostHalf(random, trials, 1 - p));
}

/** Walks up the cumulative probabilities until they pass a uniform number. */
function inversion(random: () => number, n: number, p: number): number {
  const odds = p / (1 - p);
  const none = (1 - p) ** n;
  for (;;) {
    let u = random();
    let probability = none;
    for (let k = 0; k <= n; k++) {
      if (u < probability) return k;
      u -= probability;
      probability *= ((n - k) / (k + 1)) * odds;
    }
  }
}

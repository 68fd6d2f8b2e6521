import { checkPairs } from '../metrics/confusion';
import { chiSquareTail } from './normal';

/** McNemar's test of two models on the same items. */
export interface McNemar {
  /** Items that a got right and b wrong. */
  readonly onlyA: number;
  /** Items that b got right and a wrong. */
  readonly onlyB: number;
  /** Exact two-sided binomial p-value. */
  readonly pValue: number;
  /** The same with half the weight on the observed table: less conservative with few discordant items (Fagerland et al. 2013). */
  readonly midPValue: number;
  /** Edwards' chi-square with continuity correction, and its p-value. */
  readonly chiSquare: number;
  readonly chiSquarePValue: number;
}

/** Do two models get equally many items right? Only items on which they differ count (McNemar 1947). */
export function mcnemar({ labels, a, b }: { readonly labels: ArrayLike<number>; readonly a: ArrayLike<number>; readonly b: ArrayLike<number> }): McNemar {
  checkPairs('mcnemar', labels, a);
  checkPairs('mcnemar', labels, b);
  let onlyA = 0;
  let onlyB = 0;
  for (let item = 0; item < labels.length; item++) {
    if (a[item] === labels[item] && b[item] !== labels[item]) onlyA++;
    if (b[item] === labels[item] && a[item] !== labels[item]) onlyB++;
  }
  return mcnemarOfCounts(onlyA, onlyB);
}

/** @param onlyA - items that a got right and b wrong @param onlyB - the other way round */
export function mcnemarOfCounts(onlyA: number, onlyB: number): McNemar {
  const discordant = onlyA + onlyB;
  const fewer = Math.min(onlyA, onlyB);
  const { density, cumulative } = fairBinomial(fewer, discordant);
  const chiSquare = discordant === 0 ? 0 : (Math.abs(onlyA - onlyB) - 1) ** 2 / discordant;
  return {
    onlyA, onlyB, pValue: Math.min(1, 2 * cumulative), midPValue: Math.min(1, 2 * cumulative - density),
    chiSquare, chiSquarePValue: chiSquareTail(chiSquare),
  };
}

/** The chance of exactly, and of at most, `heads` heads in `tosses` fair tosses. The largest term in logarithms, the others by their ratios. */
function fairBinomial(heads: number, tosses: number): { density: number; cumulative: number } {
  let logDensity = -tosses * Math.LN2;
  for (let k = 1; k <= heads; k++) logDensity += Math.log((tosses - k + 1) / k);
  const density = Math.exp(logDensity);
  let term = density;
  let cumulative = density;
  for (let k = heads; k > 0; k--) cumulative += term *= k / (tosses - k + 1);
  return { density, cumulative };
}

/**
 * One slope per head, `[numHeads]`, for `attention` (Press et al. 2022, arXiv 2108.12409, and its published code for head counts that are no power of two):
 * 2^(-8 i / p) for the largest power of two p ≤ numHeads, then every second slope of 2p heads. Twelve heads: ½ … 2⁻⁸, then 2^-0.5, 2^-1.5, 2^-2.5, 2^-3.5.
 */
export function alibiSlopes(numHeads: number): Float32Array {
  if (!Number.isInteger(numHeads) || numHeads < 1) throw new RangeError(`alibiSlopes: expected a positive number of heads, got ${numHeads}`);
  const power = 2 ** Math.floor(Math.log2(numHeads));
  const slope = (i: number, heads: number) => 2 ** ((-8 * (i + 1)) / heads);
  return Float32Array.from({ length: numHeads }, (_, i) => (i < power ? slope(i, power) : slope(2 * (i - power), 2 * power)));
}

/**
 * The sum in the order of numpy's `add.reduce` on a contiguous array (numpy/core/src/umath/loops_utils.h.src, `pairwise_sum`):
 * plain below 8 values, 8 interleaved accumulators up to 128, halves at a multiple of 8 above. With it the metrics equal scikit-learn's to the last bit.
 */
export function pairwiseSum(values: ArrayLike<number>, start = 0, length = values.length - start): number {
  if (length < 8) {
    let sum = 0;
    for (let i = start; i < start + length; i++) sum += values[i];
    return sum;
  }
  if (length > 128) {
    const half = Math.floor(length / 2) - (Math.floor(length / 2) % 8);
    return pairwiseSum(values, start, half) + pairwiseSum(values, start + half, length - half);
  }
  const part = new Float64Array(8);
  for (let lane = 0; lane < 8; lane++) part[lane] = values[start + lane];
  const whole = length - (length % 8);
  for (let i = 8; i < whole; i += 8) for (let lane = 0; lane < 8; lane++) part[lane] += values[start + i + lane];
  let sum = part[0] + part[1] + (part[2] + part[3]) + (part[4] + part[5] + (part[6] + part[7]));
  for (let i = whole; i < length; i++) sum += values[start + i];
  return sum;
}

export function mean(values: ArrayLike<number>): number {
  return pairwiseSum(values) / values.length;
}

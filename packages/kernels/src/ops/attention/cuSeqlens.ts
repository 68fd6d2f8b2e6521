/** Checks cumulative sequence lengths: `[0, …, totalTokens]`, never falling. */
export function checkCuSeqlens(op: string, name: string, cuSeqlens: Int32Array, totalTokens: number): void {
  if (cuSeqlens.length < 1 || cuSeqlens[0] !== 0) throw new RangeError(`${op}: expected ${name} to begin with 0, got [${cuSeqlens.subarray(0, 4).join(', ')}]; it holds sums of the lengths before each sequence`);
  for (let s = 1; s < cuSeqlens.length; s++) {
    if (cuSeqlens[s] < cuSeqlens[s - 1]) throw new RangeError(`${op}: expected ${name} never to fall, got ${cuSeqlens[s]} after ${cuSeqlens[s - 1]} at ${s}; it holds sums of lengths`);
  }
  const last = cuSeqlens[cuSeqlens.length - 1];
  if (last !== totalTokens) throw new RangeError(`${op}: expected ${name} to end at totalTokens ${totalTokens}, got ${last}; pack the batch with packBatch()`);
}

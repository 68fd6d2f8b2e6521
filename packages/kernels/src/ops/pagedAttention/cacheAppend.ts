import { apply, type Op } from '../../op';
import { toBfloat16, toFloat16 } from '../../half';
import { checkFloats, checkShape } from '../check';
import { storeStep } from '../cast/cast';
import { cacheLayout } from './pages';
import { array, input, one, partsFor } from '../../devices/wasm/plan';
import { storageCode } from '../../devices/wasm/storage';
import { sizeOf, type Tensor } from '../../tensor';

/**
 * Writes `rows [tokens, numKvHeads, headDim]` into a paged cache `[pages · 16, numKvHeads, headDim]` in place, rounded to its type (float32, float16 or bfloat16).
 * @param slots - one for each row, each another one: page · 16 + place in the page
 */
export const cacheAppend = (cache: Tensor, rows: Tensor, slots: ArrayLike<number>): void => void apply(cacheAppendOp, [cache, rows], { slots: Int32Array.from(slots) });

const cacheAppendOp: Op<{ readonly slots: Int32Array }> = {
  name: 'cacheAppend',
  mutates: [0],
  infer([cache, rows], { slots }) {
    const { pages, numKvHeads, headDim } = cacheLayout('cacheAppend', 'cache', cache);
    checkFloats('cacheAppend', { rows });
    checkShape('cacheAppend', 'rows', rows, [slots.length, numKvHeads, headDim]);
    const outside = slots.find((slot) => slot < 0 || slot >= 16 * pages);
    if (outside !== undefined) throw new RangeError(`cacheAppend: expected slots in [0, ${16 * pages}), got ${outside}`);
    if (new Set(slots).size < slots.length) throw new RangeError('cacheAppend: expected each slot once, got one of them twice');
    return [];
  },
  reference([cache, rows], _outputs, { slots }, [{ dtype }]) {
    const stored = dtype === 'float16' ? toFloat16(rows) : dtype === 'bfloat16' ? toBfloat16(rows) : rows;
    const width = rows.length / slots.length;
    slots.forEach((slot, row) => cache.set(stored.subarray(row * width, (row + 1) * width), slot * width));
  },
  wasm: ([cache, rows], _outputs, { slots }) => one('cacheAppend', [input(0), input(1), array(slots)], [slots.length, sizeOf(rows) / Math.max(1, slots.length), storageCode[cache.dtype as 'float32']], partsFor(2 * sizeOf(rows))),
  webgpu: ([cache, rows], _outputs, { slots }) => ({ steps: [storeStep({ input: 1 }, { input: 0 }, cache.dtype, sizeOf(rows) / Math.max(1, slots.length), slots)] }),
};

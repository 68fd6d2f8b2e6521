import { apply, type Op } from '../../op';
import { toBfloat16, toFloat16 } from '../../half';
import { checkFloats, checkShape, integers } from '../check';
import { storeStep } from '../cast/cast';
import { cacheLayout, slotRuns } from './pages';
import { array, input, one, partsFor } from '../../devices/wasm/plan';
import { storageCode } from '../../devices/wasm/storage';
import { fits, mostElements, show, wrapped } from '../../devices/webgpu/windows';
import { bytesPerElement, sizeOf, type Tensor } from '../../tensor';

/**
 * Writes `rows [tokens, numKvHeads, headDim]` into a paged cache `[pages · 16, numKvHeads, headDim]` in place, rounded to its type (float32, float16 or bfloat16).
 * @param slots - one for each row, each another one: page · 16 + place in the page
 */
export const cacheAppend = (cache: Tensor, rows: Tensor, slots: ArrayLike<number>): void => void apply(cacheAppendOp, [cache, rows], { slots: integers('cacheAppend', 'slots', slots) });

const cacheAppendOp: Op<{ readonly slots: Int32Array }> = {
  name: 'cacheAppend',
  mutates: [0],
  infer([cache, rows], { slots }) {
    const { pages, numKvHeads, headDim } = cacheLayout('cacheAppend', 'cache', cache);
    checkFloats('cacheAppend', { rows });
    checkShape('cacheAppend', 'rows', rows, [slots.length, numKvHeads, headDim]);
    const outside = slots.find((slot) => slot < 0 || slot >= 16 * pages);
    if (outside !== undefined) throw new RangeError(`cacheAppend: expected slots in [0, ${16 * pages}), got ${outside}; give the cache more pages`);
    if (new Set(slots).size < slots.length) throw new RangeError('cacheAppend: expected each slot once, got one of them twice');
    return [];
  },
  reference([cache, rows], _outputs, { slots }, [{ dtype }]) {
    const stored = dtype === 'float16' ? toFloat16(rows) : dtype === 'bfloat16' ? toBfloat16(rows) : rows;
    const width = rows.length / slots.length;
    slots.forEach((slot, row) => cache.set(stored.subarray(row * width, (row + 1) * width), slot * width));
  },
  wasm: ([cache, rows], _outputs, { slots }) => one('cacheAppend', [input(0), input(1), array(slots)], [slots.length, sizeOf(rows) / Math.max(1, slots.length), storageCode[cache.dtype as 'float32']], partsFor(2 * sizeOf(rows))),
  webgpu([cache, rows], _outputs, { slots }, limits) {
    const width = sizeOf(rows) / Math.max(1, slots.length);
    if (fits([cache, rows], limits)) return { steps: [storeStep({ input: 1 }, { input: 0 }, cache.dtype, width, slots)] };
    const most = Math.min(...[cache, rows].map((spec) => Math.floor(mostElements(spec, limits) / width)));
    return {
      steps: slotRuns(slots, most).map(({ begin, end, low, high }) => {
        const [from, to] = [show({ input: 1 }, rows, begin * width, end * width, limits), show({ input: 0 }, cache, low * width, (high + 1) * width, limits)];
        const first = to.view.window?.first ?? 0;
        return storeStep(from.view, to.view, cache.dtype, width, slots.subarray(begin, end), { xStart: wrapped(begin * width + from.start), yStart: wrapped(-first / (4 / bytesPerElement(cache.dtype))) });
      }),
    };
  },
};

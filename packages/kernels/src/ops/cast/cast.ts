import { apply, checkTensors, type Bind, type Dispatch, type Op, type View } from '../../op';
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from '../../half';
import { byElements, linearGrid } from '../check';
import { describeSpec, sizeOf, type Data, type DType, type Tensor } from '../../tensor';
import { input, one, output, partsFor } from '../../devices/wasm/plan';
import { storageCode } from '../../devices/wasm/storage';
import loadRows from './loadRows.wgsl';
import storeRows from './storeRows.wgsl';

/**
 * The elements of `x [...]` as another type, of the same shape: any type to float32, and float32 to float16 or bfloat16, rounded to nearest, ties to even (subnormal numbers, infinities and NaN are kept).
 * No gradient flows through it: stored types hold weights that do not learn, and caches.
 */
export function cast(x: Tensor, dtype: 'float32' | 'float16' | 'bfloat16'): Tensor {
  checkTensors('cast', [x]);
  return x.dtype === dtype ? x : apply(castOp, [x], { dtype })[0];
}

/** The numbers that stored elements stand for, for definitions. */
export const numbersOf = (data: Data, dtype: DType): Data => (dtype === 'float16' ? fromFloat16(data) : dtype === 'bfloat16' ? fromBfloat16(data) : data);

/** WGSL has codes of its own for integers of 32 bits. */
const shaderCode: Readonly<Record<DType, number>> = { ...storageCode, int32: 4, uint32: 5 };

/** A single row, in slot 0. */
const oneRow = Int32Array.of(0);

/** The rows of float32 `x`, rounded to the type of `y`, each into its slot of `y`; row 0 and slot 0 lie at `xStart` (in elements) and `yStart` (in words). */
export function storeStep(x: View, y: View, dtype: DType, width: number, slots: Int32Array, { xStart = 0, yStart = 0 } = {}): Dispatch {
  const words = dtype === 'float32' ? width : Math.ceil(width / 2);
  return { shader: storeRows, constants: { TO: shaderCode[dtype] }, params: { rows: slots.length, width, xStart, yStart }, arrays: { slots }, bind: [x, y], workgroups: linearGrid(slots.length * words) };
}

/** `count` elements of stored `x [rows, width]` as float32: all of them, or those of the rows that `ids` name, which may be `rows` rows from `firstRow` on whose row 0 lies at `xStart`. */
export const loadStep = (x: View, y: Bind, dtype: DType, { firstRow = 0, xStart = 0, ...params }: { readonly count: number; readonly rows: number; readonly width: number; readonly firstRow?: number; readonly xStart?: number }, ids?: Bind): Dispatch => (
  { shader: loadRows, constants: { FROM: shaderCode[dtype], GATHERED: ids ? 1 : 0 }, params: { ...params, firstRow, xStart }, bind: [x, ids ?? x, y], workgroups: linearGrid(params.count) });

const castOp: Op<{ readonly dtype: string }> = {
  name: 'cast',
  rowwise: byElements(0),
  infer([x], { dtype }) {
    const known = dtype === 'float32' || ((dtype === 'float16' || dtype === 'bfloat16') && x.dtype === 'float32');
    if (!known) throw new TypeError(`cast: expected a cast to float32, or from float32 to float16 or bfloat16, got ${describeSpec(x)} to ${dtype}; ${x.dtype === 'float32' ? 'quantizeRows() makes int8' : 'cast to float32 first'}`);
    return [{ dtype: dtype as DType, shape: x.shape }];
  },
  reference([x], [y], { dtype }, [spec]) {
    y.set(dtype === 'float16' ? toFloat16(x) : dtype === 'bfloat16' ? toBfloat16(x) : numbersOf(x, spec.dtype));
  },
  wasm([x], [y]) {
    const [count, parts] = [sizeOf(x), partsFor(2 * sizeOf(x))];
    if (x.dtype === 'int32' || x.dtype === 'uint32') return one('convert', [input(0), output(0)], [count, x.dtype === 'int32' ? 1 : 0], parts);
    return x.dtype === 'float32' ? one('narrow', [input(0), output(0)], [count, storageCode[y.dtype as 'float16']], parts) : one('widen', [input(0), output(0)], [count, storageCode[x.dtype]], parts);
  },
  webgpu([x], [y]) {
    const count = sizeOf(x);
    return { steps: [x.dtype === 'float32' ? storeStep({ input: 0 }, { output: 0 }, y.dtype, count, oneRow) : loadStep({ input: 0 }, { output: 0 }, x.dtype, { count, rows: 1, width: count })] };
  },
};

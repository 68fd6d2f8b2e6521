import { apply, type Op } from '../../op';
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from '../../half';
import { linearGrid } from '../check';
import { describeSpec, sizeOf, type Data, type DType, type Tensor } from '../../tensor';
import { input, one, output, partsFor } from '../../devices/wasm/plan';
import { storageCode } from '../../devices/wasm/storage';
import narrowShader from './narrow.wgsl';
import widenShader from './widen.wgsl';

/**
 * The elements of `x [...]` as another type, of the same shape: any type to float32, and float32 to float16 or bfloat16, rounded to nearest, ties to even (subnormal numbers, infinities and NaN are kept).
 * No gradient flows through it: stored types hold weights that do not learn, and caches.
 */
export const cast = (x: Tensor, dtype: 'float32' | 'float16' | 'bfloat16'): Tensor => (x.dtype === dtype ? x : apply(castOp, [x], { dtype })[0]);

/** The numbers that stored elements stand for, for definitions. */
export const numbersOf = (data: Data, dtype: DType): Data => (dtype === 'float16' ? fromFloat16(data) : dtype === 'bfloat16' ? fromBfloat16(data) : data);

/** WGSL has codes of its own for integers of 32 bits. */
const shaderCode: Readonly<Record<DType, number>> = { ...storageCode, int32: 4, uint32: 5 };

const castOp: Op<{ readonly dtype: string }> = {
  name: 'cast',
  infer([x], { dtype }) {
    const known = dtype === 'float32' || ((dtype === 'float16' || dtype === 'bfloat16') && x.dtype === 'float32');
    if (!known) throw new TypeError(`cast: expected a cast to float32, or from float32 to float16 or bfloat16, got ${describeSpec(x)} to ${dtype}; cast to float32 first`);
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
    const [count, bind] = [sizeOf(x), [{ input: 0 }, { output: 0 }]];
    if (x.dtype === 'float32') return { steps: [{ shader: narrowShader, constants: { TO: shaderCode[y.dtype] }, params: { count }, bind, workgroups: linearGrid(Math.ceil(count / 2)) }] };
    return { steps: [{ shader: widenShader, constants: { FROM: shaderCode[x.dtype] }, params: { count }, bind, workgroups: linearGrid(count) }] };
  },
};

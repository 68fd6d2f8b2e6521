import { allocate } from './op';
import { fill } from './ops/elementwise/elementwise';
import { toBfloat16, toFloat16 } from './half';
import { createRandom } from './random';
import { sizeOf, storageTypes, type Data, type DType, type Tensor } from './tensor';
import type { Device } from './device';

/**
 * A tensor with these elements. Without `dtype`, numbers and floats become float32, Int32Array int32, Uint32Array uint32, Int8Array int8.
 * As float16 or bfloat16, numbers are rounded to the nearest; a Uint16Array is taken as their bits.
 */
export function tensor(device: Device, data: Data | readonly number[], shape: readonly number[] = [data.length], { dtype = typeOf(data) }: { readonly dtype?: DType } = {}): Tensor {
  if (sizeOf({ dtype, shape }) !== data.length) throw new RangeError(`tensor: expected ${sizeOf({ dtype, shape })} elements for shape [${shape.join(', ')}], got ${data.length}; give the shape of the data`);
  const stored = dtype === 'float32' || data instanceof storageTypes[dtype] ? data : dtype === 'float16' ? toFloat16(data) : dtype === 'bfloat16' ? toBfloat16(data) : storageTypes[dtype].from(data);
  const made = allocate(device, { dtype, shape: [...shape] });
  device.write(made, Array.isArray(stored) ? Float64Array.from(stored) : (stored as Data));
  return made;
}

function typeOf(data: Data | readonly number[]): DType {
  if (data instanceof Uint16Array) throw new TypeError('tensor: expected a dtype for a Uint16Array, got none; say { dtype: \'float16\' } or { dtype: \'bfloat16\' }');
  return data instanceof Int32Array ? 'int32' : data instanceof Uint32Array ? 'uint32' : data instanceof Int8Array ? 'int8' : 'float32';
}

/** float32 zeros, of this shape, `[...]`. */
export const zeros = (device: Device, shape: readonly number[]): Tensor => fill(allocate(device, { dtype: 'float32', shape: [...shape] }), 0);

/** float32 ones, of this shape, `[...]`. */
export const ones = (device: Device, shape: readonly number[]): Tensor => fill(allocate(device, { dtype: 'float32', shape: [...shape] }), 1);

/** Normal numbers with mean 0, of this shape, `[...]`, drawn on the host: the same (seed, stream) gives the same float32 values on every device. */
export function randomNormal(device: Device, shape: readonly number[], { standardDeviation = 0.02, seed, stream = 0 }: { standardDeviation?: number; seed: number; stream?: number }): Tensor {
  const random = createRandom(seed, stream);
  return draw(device, shape, () => random.normal() * standardDeviation);
}

/** Numbers of the same chance between `low` and `high`, of this shape, `[...]`, drawn on the host: the same (seed, stream) gives the same float32 values on every device. */
export function randomUniform(device: Device, shape: readonly number[], { low = 0, high = 1, seed, stream = 0 }: { low?: number; high?: number; seed: number; stream?: number }): Tensor {
  const random = createRandom(seed, stream);
  return draw(device, shape, () => low + (high - low) * random.uniform());
}

/** In row-major order. A loop: `Float32Array.from` takes as long again as the numbers. */
function draw(device: Device, shape: readonly number[], next: () => number): Tensor {
  const values = new Float32Array(sizeOf({ dtype: 'float32', shape }));
  for (let i = 0; i < values.length; i++) values[i] = next();
  return tensor(device, values, shape);
}

/** Of weights `[outputs, ..., inputs]`, how many numbers an output sums, and how many outputs an input reaches. */
function fans([outputs, ...rest]: readonly number[]): { fanIn: number; fanOut: number } {
  const fanIn = rest.reduce((product, axis) => product * axis, 1);
  return { fanIn, fanOut: (outputs * fanIn) / (rest.at(-1) || 1) };
}

/** Weights `[outputs, ..., inputs]` before a rectifier or GELU: normal, variance `2 / fanIn` (He et al. 2015, arXiv 1502.01852). */
export const heNormal = (device: Device, shape: readonly number[], options: { seed: number; stream?: number }): Tensor =>
  randomNormal(device, shape, { ...options, standardDeviation: Math.sqrt(2 / Math.max(1, fans(shape).fanIn)) });

/** Weights `[outputs, ..., inputs]` before tanh or a softmax: uniform, variance `2 / (fanIn + fanOut)` (Glorot and Bengio 2010). */
export function glorotUniform(device: Device, shape: readonly number[], options: { seed: number; stream?: number }): Tensor {
  const { fanIn, fanOut } = fans(shape);
  const high = Math.sqrt(6 / Math.max(1, fanIn + fanOut));
  return randomUniform(device, shape, { ...options, low: -high, high });
}

/** The elements of `t [...]`, in row-major order: Float32Array for float32 (Float64Array on `reference`), the bits of 16-bit types as Uint16Array. The only place where the caller waits for the device. */
export const read = (t: Tensor): Promise<Data> => t.device.read(t);

import { allocate } from './op';
import { fill } from './ops/elementwise/elementwise';
import { createRandom } from './random';
import { sizeOf, type Data, type Tensor } from './tensor';
import type { Device } from './device';

/** A tensor with these elements. Numbers and floats become float32, Int32Array int32, Uint32Array uint32. */
export function tensor(device: Device, data: Data | readonly number[], shape: readonly number[] = [data.length]): Tensor {
  const dtype = data instanceof Int32Array ? 'int32' : data instanceof Uint32Array ? 'uint32' : 'float32';
  if (sizeOf({ dtype, shape }) !== data.length) throw new RangeError(`tensor: expected ${sizeOf({ dtype, shape })} elements for shape [${shape.join(', ')}], got ${data.length}`);
  const made = allocate(device, { dtype, shape: [...shape] });
  device.write(made, Array.isArray(data) ? Float64Array.from(data) : (data as Data));
  return made;
}

/** float32 zeros. */
export const zeros = (device: Device, shape: readonly number[]): Tensor => fill(allocate(device, { dtype: 'float32', shape: [...shape] }), 0);

/** float32 ones. */
export const ones = (device: Device, shape: readonly number[]): Tensor => fill(allocate(device, { dtype: 'float32', shape: [...shape] }), 1);

/** Normal numbers with mean 0, drawn on the host: the same (seed, stream) gives the same float32 values on every device. */
export function randomNormal(device: Device, shape: readonly number[], { standardDeviation = 0.02, seed, stream = 0 }: { standardDeviation?: number; seed: number; stream?: number }): Tensor {
  const random = createRandom(seed, stream);
  return tensor(device, Float32Array.from({ length: sizeOf({ dtype: 'float32', shape }) }, () => random.normal() * standardDeviation), shape);
}

/** Numbers of the same chance between `low` and `high`, drawn on the host: the same (seed, stream) gives the same float32 values on every device. */
export function randomUniform(device: Device, shape: readonly number[], { low = 0, high = 1, seed, stream = 0 }: { low?: number; high?: number; seed: number; stream?: number }): Tensor {
  const random = createRandom(seed, stream);
  return tensor(device, Float32Array.from({ length: sizeOf({ dtype: 'float32', shape }) }, () => low + (high - low) * random.uniform()), shape);
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

/** The elements, in row-major order. The only place where the caller waits for the device. */
export const read = (t: Tensor): Promise<Data> => t.device.read(t);

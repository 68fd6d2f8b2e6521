import { apply, type Op } from '../../op';
import { byElements, checkFloats, linearGrid } from '../check';
import { threefry2x32 } from '../../random';
import shader from './dropout.wgsl';
import { sizeOf, type Tensor } from '../../tensor';
import { input, one, output, partsFor } from '../../devices/wasm/plan';

/** Where in the sequence of random numbers a dropout stands: element i of any device, batch or recomputation gets the same number. */
export interface DropoutKey {
  readonly seed: number;
  /** The training step. */
  readonly step: number;
  /** A number of its own for every dropout of the model. */
  readonly layer: number;
}

/** Zeroes elements of `x [...]` with probability `rate` and scales the others by 1 / (1 - rate) (Srivastava et al. 2014). Rate 0 returns its argument. */
export function dropout(x: Tensor, rate: number, { seed, step, layer }: DropoutKey): Tensor {
  if (!(rate >= 0 && rate < 1)) throw new RangeError(`dropout: expected a rate in [0, 1), got ${rate}; 0 drops nothing`);
  return rate === 0 ? x : apply(dropoutOp, [x], { rate, seed, step, layer, first: 0 })[0];
}

interface DropoutAttributes extends DropoutKey {
  readonly rate: number;
  /** Which element of the whole is the first here, an even number. */
  readonly first: number;
}

/** An element is dropped when its 32 random bits are below this. */
export const dropThreshold = (rate: number): number => Math.round(rate * 2 ** 32);

/** Elements 2i and 2i + 1 take the two words of Threefry with key (seed, layer) and counter (i, step). Linear in x, so its own gradient. */
const dropoutOp: Op<DropoutAttributes> = {
  name: 'dropout',
  rowwise: ([x], attributes) => ({ ...byElements(0)([x]), part: (first) => ({ ...attributes, first }) }),
  infer([x]) {
    checkFloats('dropout', { x });
    return [x];
  },
  reference([x], [y], { rate, seed, step, layer, first }) {
    const threshold = dropThreshold(rate);
    const kept = 1 / (1 - rate);
    for (let i = 0; i < x.length; i += 2) {
      const bits = threefry2x32(seed, layer, (first + i) / 2, step);
      for (let j = 0; j < 2 && i + j < x.length; j++) y[i + j] = bits[j] < threshold ? 0 : x[i + j] * kept;
    }
  },
  wasm: ([x], _outputs, { rate, seed, step, layer }) => one('dropout', [input(0), output(0)], [sizeOf(x), Math.min(dropThreshold(rate), 2 ** 32 - 1), 1 / (1 - rate), seed, layer, step], partsFor(4 * sizeOf(x))),
  webgpu([x], _outputs, { rate, seed, step, layer, first }) {
    const count = sizeOf(x);
    const params = { count, firstPair: first / 2, seed: seed >>> 0, layer: layer >>> 0, step: step >>> 0, threshold: Math.min(dropThreshold(rate), 2 ** 32 - 1), kept: 1 / (1 - rate) };
    return { steps: [{ shader, params, bind: [{ input: 0 }, { output: 0 }], workgroups: linearGrid(Math.ceil(count / 2)) }] };
  },
  backward: (d, _saved, attributes) => apply(dropoutOp, [d], attributes),
};

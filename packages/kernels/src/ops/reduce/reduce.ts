// Sums and maxima over axes.
import { apply, type Op } from '../../op';
import { reshape } from '../../grad';
import { scope } from '../../scope';
import { arithmetic, broadcastTo } from '../broadcast/arithmetic';
import { checkFloats, linearGrid } from '../check';
import { scale } from '../elementwise/elementwise';
import { sumRows } from '../sum/sum';
import { float32, sizeOf, type Tensor } from '../../tensor';
import { input, one, output, partsFor } from '../../devices/wasm/plan';
import shader from './reduce.wgsl';

export interface ReduceOptions {
  /** From 0, or from the end below zero; by default all. */
  readonly axes?: readonly number[];
  /** Leaves axes of 1 in their place; by default they vanish. */
  readonly keepDims?: boolean;
}

/** The arithmetic mean over axes. Of no elements it is NaN. */
export function mean(x: Tensor, options: ReduceOptions = {}): Tensor {
  return scope<Tensor>(() => {
    const total = reduce('sum', x, options);
    return scale(total, sizeOf(total) / sizeOf(x));
  });
}

/** The largest element over axes; NaN where there is one. Its gradient is shared by all that are equal to it. Of no elements it is -Infinity. */
export const max = (x: Tensor, options: ReduceOptions = {}): Tensor => reduce('max', x, options);

/** Runs of neighbouring axes are reduced one after another, the last first. */
export function reduce(operator: 'sum' | 'max', x: Tensor, { axes = x.shape.map((_, axis) => axis), keepDims = false }: ReduceOptions): Tensor {
  const rank = x.shape.length;
  const wanted = new Set(axes.map((axis) => (axis < 0 ? axis + rank : axis)));
  for (const axis of wanted) if (!Number.isInteger(axis) || axis < 0 || axis >= rank) throw new RangeError(`${operator}: expected axes of [${x.shape.join(', ')}], got ${axes.join(', ')}`);
  const shape = x.shape.flatMap((length, axis) => (wanted.has(axis) ? (keepDims ? [1] : []) : [length]));
  return scope<Tensor>(() => {
    let y = x;
    for (let end = rank; end > 0; end--) {
      if (!wanted.has(end - 1)) continue;
      let first = end - 1;
      while (wanted.has(first - 1)) first--;
      const size = (from: number, to: number) => x.shape.slice(from, to).reduce((product, length) => product * length, 1);
      const inner = sizeOf(y) && size(first, end) ? sizeOf(y) / size(0, first) / size(first, end) : x.shape.slice(end).reduce((product, length, i) => product * (wanted.has(end + i) ? 1 : length), 1);
      y = reduceRun(operator, reshape(y, [size(0, first), size(first, end), inner]));
      end = first + 1;
    }
    return y.shape.length === shape.length && y.shape.every((length, i) => length === shape[i]) ? y : reshape(y, shape);
  });
}

/** A sum of columns is shared between threads by rows: `sumRows`. */
function reduceRun(operator: 'sum' | 'max', x: Tensor): Tensor {
  const [outer, count, inner] = x.shape;
  return operator === 'sum' && outer === 1 && inner > 1 ? sumRows(reshape(x, [count, inner])) : apply(reduceOp, [x], { operator })[0];
}

/** `x [outer, count, inner]` → `[outer, inner]`. */
const reduceOp: Op<{ readonly operator: string }> = {
  name: 'reduce',
  saves: (_needs, { operator }) => (operator === 'max' ? { inputs: [0], outputs: [0] } : {}),
  infer([x], { operator }) {
    checkFloats(operator, { x });
    return [float32(x.shape[0], x.shape[2])];
  },
  reference([x], [y], { operator }, [{ shape: [, count, inner] }]) {
    y.fill(operator === 'max' ? -Infinity : 0);
    x.forEach((value: number, i: number) => {
      const to = Math.floor(i / (count * inner)) * inner + (i % inner);
      y[to] = operator === 'max' ? Math.max(y[to], value) : y[to] + value;
    });
  },
  wasm: ([x], _outputs, { operator }) => one('reduce', [input(0), output(0)], [...x.shape, operator === 'max' ? 1 : 0], partsFor(sizeOf(x))),
  webgpu([x], [y], { operator }) {
    const [, count, inner] = x.shape;
    return { steps: sizeOf(y) ? [{ shader, constants: { MAX: operator === 'max' ? 1 : 0 }, params: { size: sizeOf(y), count, inner, minusInfinity: -Infinity }, bind: [{ input: 0 }, { output: 0 }], workgroups: linearGrid(sizeOf(y)), work: sizeOf(x) }] : [] };
  },
  backward(d, { inputs: [x], outputs: [y], specs: [{ shape: [outer, count, inner] }] }, { operator }) {
    const whole = [outer, count, inner], thin = [outer, 1, inner];
    if (operator === 'sum') return [broadcastTo(reshape(d, thin), whole)];
    return [scope<Tensor>(() => {
      const equal = arithmetic('equal', x, reshape(y, thin));
      return arithmetic('mul', equal, arithmetic('div', reshape(d, thin), reduce('sum', equal, { axes: [1], keepDims: true })));
    })];
  },
};

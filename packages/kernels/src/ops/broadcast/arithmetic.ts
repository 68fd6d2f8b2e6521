// Arithmetic of tensors whose shapes differ in axes of 1, as in numpy, and sums and maxima over axes: each is the gradient of the other.
import { apply, checkTensors, type Op } from '../../op';
import { reshape } from '../../grad';
import { scope } from '../../scope';
import { checkFloats } from '../check';
import { scale } from '../elementwise/elementwise';
import { float32, sizeOf, type Tensor, type TensorSpec } from '../../tensor';
import { array, input, one, output, partsFor } from '../../devices/wasm/plan';
import { arithmeticPlan, reducePlan } from './webgpu';
import { tableOf, walkOf, type Walk } from './walk';

export type Operator = 'add' | 'sub' | 'mul' | 'div' | 'first' | 'equal';

/** As kernels know them. `first` is a alone, `equal` 1 where a is b and else 0. */
const codes: Readonly<Record<Operator, number>> = { add: 0, sub: 1, mul: 2, div: 3, first: 4, equal: 5 };

const functions: Readonly<Record<Operator, (a: number, b: number) => number>> = {
  add: (a, b) => a + b, sub: (a, b) => a - b, mul: (a, b) => a * b, div: (a, b) => a / b, first: (a) => a, equal: (a, b) => (a === b ? 1 : 0),
};

/** Axes are compared from the last one on; one of two that differ must be 1, or missing. */
export function broadcastShape(op: string, a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const [x, y] = [a, b].map((shape) => shape[axis - rank + shape.length] ?? 1);
    if (x !== y && x !== 1 && y !== 1) throw new RangeError(`${op}: expected a and b of one shape, got [${a.join(', ')}] and [${b.join(', ')}]; axes that differ must be 1`);
    return x === 1 ? y : x;
  });
}

/** `a ∘ b` over shapes that broadcast. */
export function arithmetic(operator: Operator, a: Tensor, b: Tensor): Tensor {
  checkTensors(operator, [a, b]);
  return apply({ ...arithmeticOp, name: operator }, [a, b], { operator })[0];
}

/** `x [...]` repeated along its axes of 1, and along new ones in front, to this shape: `[3, 1]` to `[2, 3, 5]`. */
export function broadcastTo(x: Tensor, shape: readonly number[]): Tensor {
  checkTensors('broadcastTo', [x]);
  const fits = broadcastShape('broadcastTo', x.shape, shape).every((length, axis) => length === shape[axis]) && x.shape.length <= shape.length;
  if (!fits) throw new RangeError(`broadcastTo: expected axes of 1 or of the wanted length, got [${x.shape.join(', ')}] for [${shape.join(', ')}]; reshape() it first`);
  return apply(repeatOp, [x], { shape: Int32Array.from(shape) })[0];
}

/** The sum of a gradient over the axes along which a tensor of this shape was repeated. */
function sumTo(d: Tensor, shape: readonly number[]): Tensor {
  const added = d.shape.length - shape.length;
  const axes = d.shape.flatMap((length, axis) => (axis < added || shape[axis - added] !== length ? [axis] : []));
  const total = axes.length ? reduce('sum', d, { axes }) : d;
  return total.shape.length === shape.length && total.shape.every((length, i) => length === shape[i]) ? total : reshape(total, shape);
}

/** Calls `f` with the place of each element of the output, in order, and with where it comes from in each input. */
function walk({ lengths, strides }: Walk, f: (to: number, from: number[]) => void): void {
  const count = lengths.reduce((product, length) => product * length, 1);
  for (let to = 0; to < count; to++) {
    const from = strides.map(() => 0);
    for (let axis = lengths.length - 1, rest = to; axis >= 0; rest = Math.floor(rest / lengths[axis--])) strides.forEach((own, i) => { from[i] += (rest % lengths[axis]) * own[axis]; });
    f(to, from);
  }
}

/** One kernel serves both ops: to repeat is to take the first of two. */
function calls(specs: readonly TensorSpec[], [y]: readonly TensorSpec[], operator: Operator) {
  const walked = walkOf(specs.map(({ shape }) => shape), y.shape);
  const rank = walked.lengths.length, inner = walked.lengths[rank - 1];
  return one('arithmetic', [input(0), input(1 % specs.length), output(0), array(tableOf(specs.length > 1 ? walked : { ...walked, strides: [walked.strides[0], walked.strides[0]] }))], [sizeOf(y) / Math.max(1, inner), inner, rank, codes[operator]], sizeOf(y) ? partsFor(2 * sizeOf(y)) : 1);
}

/** Goes by the name of its operator, in errors, reports and times. */
const arithmeticOp: Omit<Op<{ readonly operator: string }>, 'name'> = {
  saves: ([needsA, needsB], { operator }) => ({ inputs: operator === 'mul' || operator === 'div' ? [...(needsB ? [0] : []), ...(needsA || operator === 'div' ? [1] : [])] : [] }),
  infer([a, b], { operator }) {
    checkFloats(operator, { a, b });
    return [float32(...broadcastShape(operator, a.shape, b.shape))];
  },
  reference([a, b], [y], { operator }, [aSpec, bSpec, ySpec]) {
    const f = functions[operator as Operator];
    walk(walkOf([aSpec.shape, bSpec.shape], ySpec.shape), (to, [i, j]) => { y[to] = f(a[i], b[j]); });
  },
  wasm: (inputs, outputs, { operator }) => calls(inputs, outputs, operator as Operator),
  webgpu: (inputs, [y], { operator }, limits) => arithmeticPlan(inputs, y, codes[operator as Operator], limits),
  backward(d, { inputs: [a, b], specs }, { operator }, [needsA, needsB]) {
    const to = (gradient: Tensor, i: number) => sumTo(gradient, specs[i].shape);
    const minusOne = () => arithmetic('sub', arithmetic('sub', d, d), d);
    switch (operator) {
      case 'add': return [needsA ? to(d, 0) : null, needsB ? to(d, 1) : null];
      case 'sub': return [needsA ? to(d, 0) : null, needsB ? to(minusOne(), 1) : null];
      case 'mul': return [needsA ? to(arithmetic('mul', d, b), 0) : null, needsB ? to(arithmetic('mul', d, a), 1) : null];
      case 'div': return [needsA ? to(arithmetic('div', d, b), 0) : null, needsB ? to(arithmetic('div', arithmetic('mul', minusOne(), arithmetic('div', a, b)), b), 1) : null];
      default: return [null, null];
    }
  },
};

const repeatOp: Op<{ readonly shape: Int32Array }> = {
  name: 'broadcastTo',
  infer([x], { shape }) {
    checkFloats('broadcastTo', { x });
    return [float32(...shape)];
  },
  reference([x], [y], _attributes, [xSpec, ySpec]) {
    walk(walkOf([xSpec.shape], ySpec.shape), (to, [i]) => { y[to] = x[i]; });
  },
  wasm: (inputs, outputs) => calls(inputs, outputs, 'first'),
  webgpu: (inputs, [y], _attributes, limits) => arithmeticPlan(inputs, y, codes.first, limits),
  backward: (d, { specs: [{ shape }] }) => [sumTo(d, shape)],
};

/** Which axes a reduction takes away. */
export interface ReduceOptions {
  /** From 0, or from the end below zero; by default all. */
  readonly axes?: readonly number[];
  /** Leaves axes of 1 in their place; by default they vanish. */
  readonly keepDims?: boolean;
}

/** The arithmetic mean of `x [...]` over axes → the other axes, `[]` for all. Of no elements it is NaN. */
export function mean(x: Tensor, options: ReduceOptions = {}): Tensor {
  checkTensors('mean', [x]);
  return scope<Tensor>(() => {
    const total = reduce('sum', x, options);
    return scale(total, sizeOf(total) / sizeOf(x));
  });
}

/** The largest element of `x [...]` over axes → the other axes, `[]` for all; NaN where there is one. Its gradient is shared by all that are equal to it. Of no elements it is -Infinity. */
export const max = (x: Tensor, options: ReduceOptions = {}): Tensor => reduce('max', x, options);

/** Runs of neighbouring axes are reduced one after another, the last first. */
export function reduce(operator: 'sum' | 'max', x: Tensor, { axes, keepDims = false }: ReduceOptions): Tensor {
  checkTensors(operator, [x]);
  const rank = x.shape.length;
  const wanted = new Set((axes ?? x.shape.map((_, axis) => axis)).map((axis) => (axis < 0 ? axis + rank : axis)));
  for (const axis of wanted) if (!Number.isInteger(axis) || axis < 0 || axis >= rank) throw new RangeError(`${operator}: expected axes of [${x.shape.join(', ')}], got ${[...wanted].join(', ')}; count from 0, or from the end below zero`);
  const shape = x.shape.flatMap((length, axis) => (wanted.has(axis) ? (keepDims ? [1] : []) : [length]));
  return scope<Tensor>(() => {
    let y = x;
    for (let end = rank; end > 0; end--) {
      if (!wanted.has(end - 1)) continue;
      let first = end - 1;
      while (wanted.has(first - 1)) first--;
      const size = (from: number, to: number) => x.shape.slice(from, to).reduce((product, length) => product * length, 1);
      const inner = sizeOf(y) && size(first, end) ? sizeOf(y) / size(0, first) / size(first, end) : x.shape.slice(end).reduce((product, length, i) => product * (wanted.has(end + i) ? 1 : length), 1);
      [y] = apply({ ...reduceOp, name: operator }, [reshape(y, [size(0, first), size(first, end), inner])], { operator });
      end = first + 1;
    }
    return y.shape.length === shape.length && y.shape.every((length, i) => length === shape[i]) ? y : reshape(y, shape);
  });
}

/** `x [outer, count, inner]` → `[outer, inner]`. */
const reduceOp: Omit<Op<{ readonly operator: string }>, 'name'> = {
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
  webgpu: ([x], [y], { operator }, limits) => reducePlan(x, y, operator === 'max' ? 1 : 0, limits),
  backward(d, { inputs: [x], outputs: [y], specs: [{ shape: [outer, count, inner] }] }, { operator }) {
    const whole = [outer, count, inner], thin = [outer, 1, inner];
    if (operator === 'sum') return [broadcastTo(reshape(d, thin), whole)];
    return [scope<Tensor>(() => {
      const equal = arithmetic('equal', x, reshape(y, thin));
      return arithmetic('mul', equal, arithmetic('div', reshape(d, thin), reduce('sum', equal, { axes: [1], keepDims: true })));
    })];
  },
};

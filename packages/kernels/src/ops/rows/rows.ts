import { apply, type Op } from '../../op';
import { checkType, linearGrid } from '../check';
import { bytesOf, bytesPerElement, describeSpec, float32, sizeOf, type Tensor, type TensorSpec } from '../../tensor';
import { call, input, one, output } from '../../devices/wasm/plan';
import { fits, mostElements, show, spans, wrapped } from '../../devices/webgpu/windows';
import shader from './rows.wgsl';
import type { Limits } from '../../device';
import type { Dispatch } from '../../op';

/** The tensors one below the other: `[rows, ...]`, equal but for the first axis; float32, int32 or uint32, all of one type. */
export const concat = (tensors: readonly Tensor[]): Tensor => {
  if (!tensors.length) throw new RangeError('concat: expected at least one tensor, got none');
  return apply(concatOp, tensors, {})[0];
};

/** A copy of rows `start` to `end` (exclusive) of `x [rows, ...]`, in float32, int32 or uint32. */
export const slice = (x: Tensor, start: number, end: number = x.shape[0]): Tensor => apply(sliceOp, [x], { start, end })[0];

/** Elements of one row of the first axis. */
const rowSize = ({ shape: [, ...rest] }: TensorSpec): number => sizeOf(float32(...rest));

/** Elements of 32 bits, of one type. */
function checkWords(op: string, x: TensorSpec, dtype = x.dtype): void {
  if (bytesPerElement(x.dtype) !== 4) throw new TypeError(`${op}: expected float32, int32 or uint32, got ${describeSpec(x)}; cast it first`);
  checkType(op, 'x', x, dtype);
}

/** What the shader does: y[to + i] = x[from + i - shift] for i in [shift, shift + length), else 0, for `count` elements. */
interface Piece {
  readonly count: number;
  readonly to?: number;
  readonly from?: number;
  readonly shift?: number;
  readonly length?: number;
}

/** The copy, as much at a time as can be bound. */
const copies = (index: number, x: TensorSpec, y: TensorSpec, limits: Limits, { count, to = 0, from = 0, shift = 0, length = count }: Piece): Dispatch[] =>
  spans(count, fits([x, y], limits) ? count : mostElements(y, limits)).map(([begin, end]) => {
    const [first, last] = [shift, shift + length].map((at) => Math.min(Math.max(at, begin), end)); // of what is no zero
    const at = from + first - shift;
    const [source, target] = [show({ input: index }, x, at, at + last - first, limits), show({ output: 0 }, y, to + begin, to + end, limits)];
    return { shader, params: { count: end - begin, to: wrapped(to + begin + target.start), first: wrapped(at + source.start), shift: first - begin, length: last - first }, bind: [source.view, target.view], workgroups: linearGrid(end - begin) };
  });

export const concatOp: Op = {
  name: 'concat',
  infer(inputs) {
    inputs.forEach((x) => checkWords('concat', x, inputs[0].dtype));
    const [{ dtype, shape: [, ...rest] }] = inputs;
    inputs.forEach(({ shape }, i) => {
      if (!shape.length || shape.length !== rest.length + 1 || rest.some((length, axis) => shape[axis + 1] !== length)) throw new RangeError(`concat: expected tensors of shape [rows, ${rest.join(', ')}], got, as input ${i}, [${shape.join(', ')}]; reshape() it, or give another`);
    });
    return [{ dtype, shape: [inputs.reduce((rows, { shape: [own] }) => rows + own, 0), ...rest] }];
  },
  reference(inputs, [y]) {
    let to = 0;
    for (const x of inputs) {
      y.set(x, to);
      to += x.length;
    }
  },
  wasm(inputs) {
    let to = 0;
    const steps = inputs.map((x, i) => {
      const step = call('copyInto', [input(i), output(0)], [0, to, bytesOf(x)], 1);
      to += bytesOf(x);
      return step;
    });
    return { steps };
  },
  webgpu(inputs, [y], _attributes, limits) {
    let to = 0;
    const steps = inputs.flatMap((x, i) => {
      const own = copies(i, x, y, limits, { count: sizeOf(x), to });
      to += sizeOf(x);
      return own;
    });
    return { steps };
  },
  backward(d, { specs }, _attributes, needs) {
    let start = 0;
    return specs.map(({ shape: [rows] }, i) => {
      start += rows;
      return needs[i] ? slice(d, start - rows, start) : null;
    });
  },
};

interface Range {
  readonly start: number;
  readonly end: number;
}

const sliceOp: Op<Range> = {
  name: 'slice',
  infer([x], { start, end }) {
    checkWords('slice', x);
    const { shape: [rows, ...rest] } = x;
    if (!x.shape.length) throw new RangeError('slice: expected x of shape [rows, ...], got []');
    if (![start, end].every(Number.isInteger) || start < 0 || end < start || end > rows) throw new RangeError(`slice: expected 0 ≤ start ≤ end ≤ ${rows} rows, got ${start} and ${end}; slice() takes rows of the first axis`);
    return [{ dtype: x.dtype, shape: [end - start, ...rest] }];
  },
  reference([x], [y], { start }, [spec]) {
    y.set(x.subarray(start * rowSize(spec), start * rowSize(spec) + y.length));
  },
  wasm: ([x], [y], { start }) => one('copyInto', [input(0), output(0)], [4 * start * rowSize(x), 0, bytesOf(y)], 1),
  webgpu: ([x], [y], { start }, limits) => ({ steps: copies(0, x, y, limits, { count: sizeOf(y), from: start * rowSize(x) }) }),
  backward: (d, { specs: [{ shape: [rows] }] }, { start }) => [apply(padRowsOp, [d], { start, rows })[0]],
};

/** The gradient of `slice`: d between rows of zeros. */
const padRowsOp: Op<{ readonly start: number; readonly rows: number }> = {
  name: 'padRows',
  infer: ([{ shape: [, ...rest] }], { rows }) => [float32(rows, ...rest)],
  reference([d], [y], { start }, [spec]) {
    y.fill(0);
    y.set(d, start * rowSize(spec));
  },
  wasm: ([d], [y], { start }) => one('padInto', [input(0), output(0)], [4 * start * rowSize(d), bytesOf(d), bytesOf(y)], 1),
  webgpu: ([d], [y], { start }, limits) => ({ steps: copies(0, d, y, limits, { count: sizeOf(y), shift: start * rowSize(d), length: sizeOf(d) }) }),
};

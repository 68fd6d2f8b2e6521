// The WebGPU plans of arithmetic and reductions: in parts where a tensor is more than the GPU binds.
import { sizeOf, type TensorSpec } from '../../tensor';
import { linearGrid } from '../check';
import { fits, mostElements, show, spans, wrapped } from '../../devices/webgpu/windows';
import { tableOf, walkOf, type Walk } from './walk';
import shader from './arithmetic.wgsl';
import reduceShader from './reduce.wgsl';
import type { Limits } from '../../device';
import type { Dispatch, Plan } from '../../op';

/** A part of a walk that can be bound, and where it begins in each input and in the output. */
interface Box extends Walk {
  readonly starts: readonly number[];
}

/** The walk in as few parts as there can be, along its first axes; a part of no tensor spans more than `most` elements. The last strides are the output's. */
function* boxesOf({ lengths: [length, ...lengths], strides }: Walk, most: number, starts: readonly number[]): Generator<Box> {
  const inner = strides.map(([, ...rest]) => rest);
  const extents = inner.map((own) => own.reduce((extent, stride, axis) => extent + (lengths[axis] - 1) * stride, 1));
  const step = Math.min(...strides.map(([stride], i) => (extents[i] > most ? 0 : stride ? 1 + Math.floor((most - extents[i]) / stride) : length)));
  const from = (at: number) => starts.map((start, i) => start + at * strides[i][0]);
  if (step > 0 || !lengths.length) for (const [first, end] of spans(length, step)) yield { lengths: [end - first, ...lengths], strides, starts: from(first) };
  else for (let at = 0; at < length; at++) yield* boxesOf({ lengths, strides: inner }, most, from(at));
}

/** Repeating, of one input, is the operator that takes the first of two. */
export function arithmeticPlan(specs: readonly TensorSpec[], y: TensorSpec, operator: number, limits: Limits): Plan<Dispatch> {
  const inputs = [0, 1 % specs.length], tensors = [...inputs.map((i) => specs[i]), y];
  const most = fits(tensors, limits) ? Infinity : mostElements(y, limits);
  if (!sizeOf(y)) return { steps: [] };
  return {
    steps: Array.from(boxesOf(walkOf(tensors.map(({ shape }) => shape), y.shape), most, [0, 0, 0]), ({ lengths, strides, starts }) => {
      const count = lengths.reduce((product, length) => product * length, 1);
      const shown = starts.map((start, i) => show(i < 2 ? { input: inputs[i] } : { output: 0 }, tensors[i], start, start + strides[i].reduce((extent, stride, axis) => extent + (lengths[axis] - 1) * stride, 1), limits));
      const [aStart, bStart, yStart] = starts.map((start, i) => wrapped(start + shown[i].start));
      return { shader, constants: { OPERATOR: operator }, params: { count, rank: lengths.length, aStart, bStart, yStart }, arrays: { table: tableOf({ lengths, strides: strides.slice(0, 2) }) }, bind: shown.map(({ view }) => view), workgroups: linearGrid(count) };
    }),
  };
}

/** Over as many outer rows at a time as can be bound; a single one beyond that in ranges of its middle axis, and of its columns, one after another. */
export function reducePlan(x: TensorSpec, y: TensorSpec, MAX: number, limits: Limits): Plan<Dispatch> {
  const [outer, count, inner] = x.shape;
  const most = fits([x, y], limits) ? Infinity : mostElements(x, limits);
  const dispatch = (rows: number, length: number, columns: number, atX: number, atY: number, continues: number): Dispatch => {
    const [source, target] = [show({ input: 0 }, x, atX, atX + rows * length * columns, limits), show({ output: 0 }, y, atY, atY + rows * columns, limits)];
    return {
      shader: reduceShader, constants: { MAX }, params: { size: rows * columns, count: length, inner: columns, xStart: wrapped(atX + source.start), yStart: wrapped(atY + target.start), continues, minusInfinity: -Infinity },
      bind: [source.view, target.view], workgroups: linearGrid(rows * columns), work: rows * length * columns,
    };
  };
  const size = Math.max(1, count) * inner;
  if (size <= most) return { steps: size ? spans(outer, Math.floor(most / size)).map(([first, end]) => dispatch(end - first, count, inner, first * count * inner, first * inner, 0)) : [] };
  const ranges = spans(Math.max(1, count), Math.floor(most / inner)), columns = spans(inner, most); // one row at a time where the columns are in parts
  const ofRow = (row: number) => columns.flatMap(([left, right]) => ranges.map(([first, end]) => dispatch(1, Math.min(count, end) - first, right - left, (row * count + first) * inner + left, row * inner + left, first ? 1 : 0)));
  return { steps: Array.from({ length: outer }, (_, row) => ofRow(row)).flat() };
}

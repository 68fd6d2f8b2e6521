// The WebGPU plan of segmentMean and of its gradient: a table of pieces, each a whole segment, or as much of one as can be bound.
import type { TensorSpec } from '../../tensor';
import { linearGrid } from '../check';
import { fits, mostElements, show } from '../../devices/webgpu/windows';
import shader from './segmentMean.wgsl';
import type { Limits } from '../../device';
import type { Dispatch, Plan } from '../../op';

/** Rows `start` to `end` of a segment that begins at `first` and has so many tokens. */
interface Piece {
  readonly segment: number;
  readonly first: number;
  readonly start: number;
  readonly end: number;
  readonly tokens: number;
}

/** Pieces of at most so many rows, in runs that can be bound together. No run has two pieces of one segment, and a segment without rows is a piece too. */
function runsOf(cuSeqlens: Int32Array, mostRows: number): Piece[][] {
  const runs: Piece[][] = [];
  for (let segment = 0; segment + 1 < cuSeqlens.length; segment++) {
    const [first, last] = [cuSeqlens[segment], cuSeqlens[segment + 1]];
    for (let start = first; start === first || start < last; start += mostRows) {
      const piece: Piece = { segment, first, start, end: Math.min(last, start + mostRows), tokens: Math.max(1, last - first) }, run = runs.at(-1);
      if (run && piece.end - run[0].start <= mostRows && segment - run[0].segment < mostRows) run.push(piece);
      else runs.push([piece]);
    }
  }
  return runs;
}

/** `x` and `y` of the forward pass or, `backward`, dY and dX. */
export function segmentMeanPlan(x: TensorSpec, y: TensorSpec, cuSeqlens: Int32Array, backward: boolean, limits: Limits): Plan<Dispatch> {
  const { shape: [, width] } = x, [many, few] = backward ? [y, x] : [x, y];
  const mostRows = fits([x, y], limits) ? Infinity : Math.max(1, Math.floor(mostElements(x, limits) / width));
  const steps = runsOf(cuSeqlens, mostRows).map((run): Dispatch => {
    const [first, last] = [run[0], run.at(-1)!];
    const rows = show(backward ? { output: 0 } : { input: 0 }, many, first.start * width, last.end * width, limits);
    const segments = show(backward ? { input: 0 } : { output: 0 }, few, first.segment * width, (last.segment + 1) * width, limits);
    return {
      shader, constants: { BACKWARD: backward ? 1 : 0 }, params: { count: run.length * width, width, rowsStart: rows.start, segmentsStart: segments.start },
      arrays: { pieces: Int32Array.from(run.flatMap((piece) => [piece.segment, piece.start, piece.end, piece.tokens, piece.start > piece.first ? 1 : 0])) },
      bind: backward ? [segments.view, rows.view] : [rows.view, segments.view], workgroups: linearGrid(run.length * width), work: (last.end - first.start) * width,
    };
  });
  return { steps };
}

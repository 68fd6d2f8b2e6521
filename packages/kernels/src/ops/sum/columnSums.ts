// Sums over rows on webgpu: columns alone would leave a GPU idle where rows are many, so slices of rows are summed side by side and then added up in order.
import { linearGrid, rowsOf } from '../check';
import { float32, sizeOf, type TensorSpec } from '../../tensor';
import addSlices from './addSlices.wgsl';
import type { Bind, Dispatch, Plan } from '../../op';

/** Rows that a workgroup sums: fewer cost more to add up than they gain. */
const rowsPerSlice = 512;
const mostSlices = 64;

interface ColumnSums {
  /** Reads `rows`, `width` and `slice`, with 16 columns a workgroup: x and z of the grid count these, y slices. */
  readonly shader: string;
  readonly constants?: Readonly<Record<string, number>>;
  readonly reads: readonly Bind[];
}

/** `x` has the rows; every output is one row of sums. */
export function columnSums(x: TensorSpec, outputs: readonly TensorSpec[], { shader, constants = {}, reads }: ColumnSums): Plan<Dispatch> {
  const { rows, width } = rowsOf(x);
  const slices = Math.min(mostSlices, Math.max(1, Math.ceil(rows / rowsPerSlice)));
  const targets = outputs.map((_, i): Bind => (slices > 1 ? { scratch: i } : { output: i }));
  const [across, beyond] = linearGrid(width, 16);
  const sums: Dispatch = { shader, constants, params: { rows, width, slice: Math.max(1, Math.ceil(rows / slices)) }, bind: [...reads, ...targets], workgroups: [across, slices, beyond] };
  if (slices === 1) return { steps: [sums] };
  return { scratch: outputs.map(() => float32(slices, width)), steps: [sums, ...outputs.flatMap((output, i) => addUp(targets[i], { output: i }, slices, sizeOf(output)))] };
}

/** y = the sum of so many slices of `count` numbers, in order. */
export const addUp = (x: Bind, y: Bind, slices: number, count: number): Dispatch[] => [{ shader: addSlices, params: { count, slices }, bind: [x, y], workgroups: linearGrid(count) }];

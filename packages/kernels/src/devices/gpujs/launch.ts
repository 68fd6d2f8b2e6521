// What a kernel for gpu.js is: text that computes one element, and what it reads.
import type { Bind, HostArray, Plan } from '../../op';
import type { TensorSpec } from '../../tensor';

/** Lengths of the axes, the fastest first: `this.thread.x`, `y` and `z`. */
export type Size = readonly [x: number, y?: number, z?: number];

/** An argument of the kernel, indexed `[z][y][x]` by these lengths whatever the tensor's own shape. */
export interface Read {
  readonly from: Bind | { readonly array: HostArray };
  readonly size: Size;
}

/** One launch. `text` is a function in gpu.js's part of JavaScript; it returns the element of the output at `this.thread`. */
export interface Launch {
  readonly text: string;
  /** Compiled in, as `this.constants`: what seldom changes, such as widths. */
  readonly constants?: Readonly<Record<string, number>>;
  readonly reads: readonly Read[];
  readonly to: Bind;
  readonly size: Size;
}

/** Undefined where the kernel cannot. A method, so that a table may hold planners of ops with different attributes. */
export type Planner = { plan(inputs: readonly TensorSpec[], outputs: readonly TensorSpec[], attributes: object): Plan<Launch> | undefined }['plan'];

export const read = (from: Read['from'], ...size: Size): Read => ({ from, size });

/** Host numbers for a kernel, in rows of `width`. */
export const readArray = (array: HostArray, width = array.length): Read => read({ array }, width, array.length / width);

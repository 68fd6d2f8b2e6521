// How tensors whose shapes differ in axes of 1 are walked through together.

/** Axes of the output that belong together, and how far apart neighbours along them lie in each input (0: repeated). */
export interface Walk {
  readonly lengths: number[];
  readonly strides: number[][];
}

/** Neighbouring axes that every input walks through alike become one; there is at least one. */
export function walkOf(shapes: readonly (readonly number[])[], shape: readonly number[]): Walk {
  const lengths: number[] = [];
  const strides: number[][] = shapes.map(() => []);
  const ends = shapes.map(() => 1);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] === 1) continue;
    const own = shapes.map((from, i) => {
      const length = from[axis - shape.length + from.length] ?? 1;
      const stride = length === 1 ? 0 : ends[i];
      ends[i] *= length;
      return stride;
    });
    if (lengths.length && own.every((stride, i) => stride === strides[i][0] * lengths[0])) lengths[0] *= shape[axis];
    else {
      lengths.unshift(shape[axis]);
      own.forEach((stride, i) => strides[i].unshift(stride));
    }
  }
  return lengths.length ? { lengths, strides } : { lengths: [1], strides: shapes.map(() => [0]) };
}

/** As kernels read it: the lengths, then the strides of each input. */
export const tableOf = ({ lengths, strides }: Walk): Int32Array => Int32Array.from([...lengths, ...strides.flat()]);

import type { TensorSpec } from '../../tensor';

/** Windows over the second axis of `[batch, length, channels]`. */
export interface Windows {
  readonly size: number;
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
}

/** How many windows each sequence has. */
export const windowsOf = ({ shape: [, length] }: TensorSpec, { size, stride, padding, dilation }: Windows): number => Math.floor((length + 2 * padding - dilation * (size - 1) - 1) / stride) + 1;

/** Positive whole numbers (padding may be 0), and at least one window. */
export function checkWindows(op: string, x: TensorSpec, windows: Windows): void {
  for (const [name, value] of Object.entries(windows)) {
    const least = name === 'padding' ? 0 : 1;
    if (!Number.isInteger(value) || value < least) throw new RangeError(`${op}: expected ${name} as a whole number of at least ${least}, got ${value}; leave it out for the default`);
  }
  const { size, padding, dilation } = windows;
  if (windowsOf(x, windows) < 1) throw new RangeError(`${op}: expected sequences of at least ${dilation * (size - 1) + 1 - 2 * padding} elements, got ${x.shape[1]}; pad them`);
}

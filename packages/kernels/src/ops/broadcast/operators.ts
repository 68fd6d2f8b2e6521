import * as alike from '../elementwise/elementwise';
import { arithmetic } from './arithmetic';
import { isTensor, type Tensor } from '../../tensor';

function sameShape(op: string, a: Tensor, b: Tensor): boolean {
  if (!isTensor(a) || !isTensor(b)) throw new TypeError(`${op}: expected two tensors, got ${typeof a} and ${typeof b}; a number becomes one with tensor(device, [number]), and scale() multiplies by one`);
  return a.shape.length === b.shape.length && a.shape.every((length, i) => length === b.shape[i]);
}

/** `a [...] + b [...]`, float32, of one shape, or of shapes whose axes, from the last on, are equal or 1, as in numpy: `[4, 1]` and `[3]` → `[4, 3]`. */
export const add = (a: Tensor, b: Tensor): Tensor => (sameShape('add', a, b) ? alike.add(a, b) : arithmetic('add', a, b));

/** `a [...] - b [...]`, of shapes as in `add`. */
export const sub = (a: Tensor, b: Tensor): Tensor => (sameShape('sub', a, b) ? alike.sub(a, b) : arithmetic('sub', a, b));

/** `a [...] * b [...]`, element by element, of shapes as in `add`. */
export const mul = (a: Tensor, b: Tensor): Tensor => (sameShape('mul', a, b) ? alike.mul(a, b) : arithmetic('mul', a, b));

/** `a [...] / b [...]`, of shapes as in `add`. */
export const div = (a: Tensor, b: Tensor): Tensor => arithmetic('div', a, b);

import * as alike from '../elementwise/elementwise';
import { arithmetic } from './arithmetic';
import type { Tensor } from '../../tensor';

const sameShape = (a: Tensor, b: Tensor): boolean => a.shape.length === b.shape.length && a.shape.every((length, i) => length === b.shape[i]);

/** `a + b`, of one shape, or of shapes whose axes, from the last on, are equal or 1: as in numpy. */
export const add = (a: Tensor, b: Tensor): Tensor => (sameShape(a, b) ? alike.add(a, b) : arithmetic('add', a, b));

/** `a - b`, of shapes as in `add`. */
export const sub = (a: Tensor, b: Tensor): Tensor => (sameShape(a, b) ? alike.sub(a, b) : arithmetic('sub', a, b));

/** `a * b`, of shapes as in `add`. */
export const mul = (a: Tensor, b: Tensor): Tensor => (sameShape(a, b) ? alike.mul(a, b) : arithmetic('mul', a, b));

/** `a / b`, of shapes as in `add`. */
export const div = (a: Tensor, b: Tensor): Tensor => arithmetic('div', a, b);

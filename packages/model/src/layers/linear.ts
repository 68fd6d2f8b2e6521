import { linear as multiply, type Tensor } from '@genomelm/kernels';
import { spec, type SpecsOf } from '../parameters';

/** `weight [outputs, inputs]`, `bias [outputs]`. */
export type Linear = { readonly weight: Tensor; readonly bias?: Tensor };

export const linearSpecs = (outputs: number, inputs: number, { bias = true } = {}): SpecsOf<Linear> =>
  bias ? { weight: spec(outputs, inputs), bias: spec(outputs) } : { weight: spec(outputs, inputs) };

/** `x [rows, inputs]` → `[rows, outputs]`. */
export const linear = (x: Tensor, { weight, bias }: Linear): Tensor => multiply(x, weight, bias);

import { add, linear as multiply, type Tensor } from '@genomelm/kernels';
import { spec, type SpecsOf } from '../parameters';

/** `weight [outputs, inputs]`, `bias [outputs]`; `scales [outputs]` where the weight is of 8 bits (see `storeWeights`); while a low-rank adapter is trained, `lora_A [rank, inputs]` and `lora_B [outputs, rank]`, already scaled (see `withLora`). */
export type Linear = {
  readonly weight: Tensor;
  readonly bias?: Tensor;
  readonly scales?: Tensor;
  readonly lora_A?: { readonly weight: Tensor };
  readonly lora_B?: { readonly weight: Tensor };
};

export const linearSpecs = (outputs: number, inputs: number, { bias = true } = {}): SpecsOf<Linear> =>
  bias ? { weight: spec(outputs, inputs), bias: spec(outputs) } : { weight: spec(outputs, inputs) };

/** `x [rows, inputs]` → `[rows, outputs]`. */
export function linear(x: Tensor, { weight, bias, scales, lora_A, lora_B }: Linear): Tensor {
  const y = multiply(x, scales ? { values: weight, scales } : weight, bias);
  return lora_A && lora_B ? add(y, multiply(multiply(x, lora_A.weight), lora_B.weight)) : y;
}

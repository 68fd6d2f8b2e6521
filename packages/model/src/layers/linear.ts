import { add, linear as multiply, silu, type Tensor } from '@genomelm/kernels';
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

/** What follows the map: the activation, then `residual [rows, outputs]` added. One kernel does both, except beside an adapter. */
export interface LinearOptions {
  readonly activation?: 'silu';
  readonly residual?: Tensor;
}

/** `x [rows, inputs]` → `[rows, outputs]`. */
export function linear(x: Tensor, { weight, bias, scales, lora_A, lora_B }: Linear, options: LinearOptions = {}): Tensor {
  const stored = scales ? { values: weight, scales } : weight;
  if (!lora_A || !lora_B) return multiply(x, stored, bias, options);
  const y = add(multiply(x, stored, bias), multiply(multiply(x, lora_A.weight), lora_B.weight));
  const active = options.activation ? silu(y) : y;
  return options.residual ? add(active, options.residual) : active;
}

import { apply } from '../../op';
import { matmulOp } from './matmul';
import { quantizedLinear, type QuantizedRows } from './quantized';
import type { Tensor } from '../../tensor';

/**
 * `x [rows, inputs] · weightᵀ + bias` → `[rows, outputs]`; weight is `[outputs, inputs]` as in checkpoints, in float32, float16 or bfloat16, or of 8 bits by `quantizeRows`. Sums are in float32.
 * On wasm a row's result is the same, to the bit, whatever rows come with it.
 */
export function linear(x: Tensor, weight: Tensor | QuantizedRows, bias?: Tensor): Tensor {
  if ('values' in weight) return quantizedLinear(x, weight, bias);
  return apply(matmulOp, bias ? [x, weight, bias] : [x, weight], { transposeA: false, transposeB: true })[0];
}

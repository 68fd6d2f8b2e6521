import { apply, type Bind, type Op } from '../../op';
import { recorder } from '../../state';
import { scope } from '../../scope';
import { activationPlan, gelu, silu, tanh } from '../activation/activation';
import { activationCode, activations, type Activation } from '../activation/functions';
import { checkFloats, checkShape } from '../check';
import { add } from '../elementwise/elementwise';
import { eachElement } from '../elementwise/eachElement';
import { matmulCalls, matmulOp } from './matmul';
import { quantizedLinear, type QuantizedRows } from './quantized';
import type { Tensor } from '../../tensor';

/** What follows the map. */
export interface LinearOptions {
  /** Of the map: `activation(x · weightᵀ + bias)`. */
  readonly activation?: Activation;
  /** `[rows, outputs]`, added last. */
  readonly residual?: Tensor;
}

/**
 * `activation(x [rows, inputs] · weightᵀ + bias) + residual` → `[rows, outputs]`; weight is `[outputs, inputs]` as in checkpoints, in float32, float16 or bfloat16, or of 8 bits by `quantizeRows`. Sums are in float32.
 * On wasm a row's result is the same, to the bit, whatever rows come with it.
 */
export function linear(x: Tensor, weight: Tensor | QuantizedRows, bias?: Tensor, { activation, residual }: LinearOptions = {}): Tensor {
  const product = () => ('values' in weight ? quantizedLinear(x, weight, bias) : apply(matmulOp, bias ? [x, weight, bias] : [x, weight], transposes)[0]);
  if (!activation && !residual) return product();
  // While a gradient is recorded, the activation keeps its own input.
  if (recorder() || 'values' in weight) {
    return scope<Tensor>(() => {
      const y = activation ? functions[activation](product()) : product();
      return residual ? add(y, residual) : y;
    });
  }
  return apply(epilogueOp, [x, weight, ...(bias ? [bias] : []), ...(residual ? [residual] : [])], { activation: activation ?? '', hasBias: bias !== undefined, hasResidual: residual !== undefined })[0];
}

const functions: Readonly<Record<Activation, (x: Tensor) => Tensor>> = { gelu, silu, tanh };
const transposes = { transposeA: false, transposeB: true };

interface EpilogueAttributes {
  /** Empty for none. */
  readonly activation: string;
  readonly hasBias: boolean;
  readonly hasResidual: boolean;
}

/** Where bias and residual are among the inputs. */
const places = ({ hasBias, hasResidual }: EpilogueAttributes) => ({ bias: hasBias ? 2 : undefined, residual: hasResidual ? 2 + Number(hasBias) : undefined });

const sum = eachElement({ reads: ['a', 'b'], value: 'a[i] + b[i]' });

/** Its name is that of the product alone: packed weights serve both. */
const epilogueOp: Op<EpilogueAttributes> = {
  name: 'matmul',
  rowwise(inputs, attributes) {
    const { residual } = places(attributes);
    return { rows: inputs[0].shape[0], inputs: residual === undefined ? [0] : [0, residual] };
  },
  infer(inputs, attributes) {
    const [y] = matmulOp.infer(inputs.slice(0, attributes.hasBias ? 3 : 2), transposes);
    const { residual } = places(attributes);
    if (residual !== undefined) {
      checkFloats('linear', { residual: inputs[residual] });
      checkShape('linear', 'residual', inputs[residual], y.shape);
    }
    return [y];
  },
  reference(inputs, [y], attributes, specs) {
    const { activation, hasBias } = attributes, count = hasBias ? 3 : 2, { residual } = places(attributes);
    matmulOp.reference(inputs.slice(0, count), [y], transposes, [...specs.slice(0, count), specs.at(-1)!]);
    for (let i = 0; i < y.length; i++) y[i] = (activation ? activations[activation as Activation].value(y[i]) : y[i]) + (residual === undefined ? 0 : inputs[residual][i]);
  },
  wasm: ([x, weight], _outputs, attributes) => matmulCalls(x, weight, { ...transposes, ...places(attributes), activation: (attributes.activation || undefined) as Activation | undefined }),
  webgpu(inputs, [y], attributes, limits) {
    const { residual } = places(attributes);
    const { steps, scratch = [] } = matmulOp.webgpu!(inputs.slice(0, attributes.hasBias ? 3 : 2), [y], transposes, limits);
    const product: Bind = { scratch: scratch.length }, active: Bind = residual === undefined ? { output: 0 } : { scratch: scratch.length + 1 };
    const activated = attributes.activation ? activationPlan(y, { ACTIVATION: activationCode[attributes.activation as Activation], GATED: 0, BACKWARD: 0 }).steps.map((step) => ({ ...step, bind: [product, product, active] })) : [];
    const added = residual === undefined ? [] : sum([y, y], [y], {}).steps.map((step) => ({ ...step, bind: [attributes.activation ? active : product, { input: residual }, { output: 0 }] }));
    return { scratch: [...scratch, y, y], steps: [...steps.map((step) => ({ ...step, bind: step.bind.map((bind) => ('output' in bind ? product : bind)) })), ...activated, ...added] };
  },
};

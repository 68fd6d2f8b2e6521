import { apply, type Bind, type Op } from '../../op';
import { recorder } from '../../state';
import { scope } from '../../scope';
import { activationPlan, gelu, silu, tanh } from '../activation/activation';
import { activationCode, activations, type Activation } from '../activation/functions';
import { checkFloats, checkShape } from '../check';
import { add } from '../elementwise/elementwise';
import { eachElement } from '../elementwise/eachElement';
import { sumRows } from '../sum/sum';
import { float32, type Tensor } from '../../tensor';
import { matmul, matmulCalls, matmulOp, matmulSizes } from './matmul';
import { matmulPlan } from './webgpu';
import { quantizedLinear, type QuantizedRows } from './quantized';

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
  // While a gradient is recorded, the activation keeps its own input.
  if (isQuantized(weight) || (recorder() && (activation || residual))) {
    return scope<Tensor>(() => {
      const product = isQuantized(weight) ? quantizedLinear(x, weight, bias) : linear(x, weight, bias);
      const y = activation ? functions[activation](product) : product;
      return residual ? add(y, residual) : y;
    });
  }
  return apply(linearOp, [x, weight, ...(bias ? [bias] : []), ...(residual ? [residual] : [])], { activation: activation ?? '', hasBias: bias !== undefined, hasResidual: residual !== undefined })[0];
}

const isQuantized = (weight: Tensor | QuantizedRows): weight is QuantizedRows => typeof weight === 'object' && 'values' in weight;

const functions: Readonly<Record<Activation, (x: Tensor) => Tensor>> = { gelu, silu, tanh };
const transposes = { transposeA: false, transposeB: true };

interface LinearAttributes {
  /** Empty for none. */
  readonly activation: string;
  readonly hasBias: boolean;
  readonly hasResidual: boolean;
}

/** Where bias and residual are among the inputs. */
const places = ({ hasBias, hasResidual }: LinearAttributes) => ({ bias: hasBias ? 2 : undefined, residual: hasResidual ? 2 + Number(hasBias) : undefined });

const sum = eachElement({ reads: ['a', 'b'], value: 'a[i] + b[i]' });

const linearOp: Op<LinearAttributes> = {
  name: 'linear',
  saves: ([needsX, needsWeight]) => ({ inputs: [...(needsWeight ? [0] : []), ...(needsX ? [1] : [])] }),
  rowwise(inputs, attributes) {
    const { residual } = places(attributes);
    return attributes.activation || residual !== undefined ? { rows: inputs[0].shape[0], inputs: residual === undefined ? [0] : [0, residual] } : undefined; // what a product leaves is as large as y
  },
  infer(inputs, attributes) {
    const [x, weight] = inputs, at = places(attributes), [bias, residual] = [at.bias, at.residual].map((place) => (place === undefined ? undefined : inputs[place]));
    checkFloats('linear', { x, bias, residual });
    if (weight.dtype !== 'float16' && weight.dtype !== 'bfloat16') checkFloats('linear', { weight });
    const sizes = checkShape('linear', 'weight', weight, ['outputs', 'inputs'], checkShape('linear', 'x', x, ['rows', 'inputs']));
    if (bias) checkShape('linear', 'bias', bias, ['outputs'], sizes);
    if (residual) checkShape('linear', 'residual', residual, ['rows', 'outputs'], sizes);
    return [float32(sizes.rows, sizes.outputs)];
  },
  reference(inputs, [y], attributes, specs) {
    const { bias, residual } = places(attributes), columns = specs.at(-1)!.shape[1];
    matmulOp.reference(inputs.slice(0, 2), [y], transposes, specs);
    if (bias !== undefined) for (let i = 0; i < y.length; i++) y[i] += inputs[bias][i % columns];
    if (attributes.activation) for (let i = 0; i < y.length; i++) y[i] = activations[attributes.activation as Activation].value(y[i]);
    if (residual !== undefined) for (let i = 0; i < y.length; i++) y[i] += inputs[residual][i];
  },
  wasm: ([x, weight], _outputs, attributes) => matmulCalls(x, weight, { ...transposes, ...places(attributes), activation: (attributes.activation || undefined) as Activation | undefined }),
  webgpu(inputs, [y], attributes, limits) {
    const { bias, residual } = places(attributes);
    const plan = matmulPlan(inputs, { ...transposes, ...matmulSizes(inputs[0], inputs[1], transposes) }, limits, { bias });
    if (!attributes.activation && residual === undefined) return plan;
    const { steps, scratch = [] } = plan;
    const product: Bind = { scratch: scratch.length }, active: Bind = residual === undefined ? { output: 0 } : { scratch: scratch.length + 1 };
    const activated = attributes.activation ? activationPlan(y, { ACTIVATION: activationCode[attributes.activation as Activation], GATED: 0, BACKWARD: 0 }).steps.map((step) => ({ ...step, bind: [product, product, active] })) : [];
    const added = residual === undefined ? [] : sum([y, y], [y], {}).steps.map((step) => ({ ...step, bind: [attributes.activation ? active : product, { input: residual }, { output: 0 }] }));
    return { scratch: [...scratch, y, y], steps: [...steps.map((step) => ({ ...step, bind: step.bind.map((bind) => ('output' in bind ? product : bind)) })), ...activated, ...added] };
  },
  backward: (d, { inputs: [x, weight] }, _attributes, [needsX, needsWeight, needsBias]) => [needsX ? matmul(d, weight) : null, needsWeight ? matmul(d, x, { transposeA: true }) : null, needsBias ? sumRows(d) : null],
};

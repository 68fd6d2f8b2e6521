import { apply, type Dispatch, type Op, type Plan } from '../../op';
import { byElements, checkFloats, linearGrid, rowsOf } from '../check';
import { activationCode, activations, type Activation } from './functions';
import { input, one, output, partsFor } from '../../devices/wasm/plan';
import { sizeOf, type Tensor, type TensorSpec } from '../../tensor';
import shader from './activation.wgsl';

/** Gaussian error linear unit by erf (Hendrycks and Gimpel 2016, arXiv 1606.08415) of each element of `x [...]`. */
export const gelu = (x: Tensor): Tensor => apply(geluOp, [x], {})[0];

/** `x · sigmoid(x)` of each element of `x [...]`. */
export const silu = (x: Tensor): Tensor => apply(siluOp, [x], {})[0];

/** The hyperbolic tangent of each element of `x [...]`. */
export const tanh = (x: Tensor): Tensor => apply(tanhOp, [x], {})[0];

const activationOp = (name: Activation): Op => {
  const backwardOp = activationBackwardOp(name);
  return {
    name,
    rowwise: byElements(0),
    saves: () => ({ inputs: [0] }),
    infer([x]) {
      checkFloats(name, { x });
      return [x];
    },
    reference([x], [y]) {
      const { value } = activations[name];
      for (let i = 0; i < y.length; i++) y[i] = value(x[i]);
    },
    wasm: ([x]) => one('activation', [input(0), output(0)], [sizeOf(x), activationCode[name]], partsFor(4 * sizeOf(x))),
    webgpu: ([x]) => activationPlan(x, { ACTIVATION: activationCode[name], GATED: 0, BACKWARD: 0 }),
    backward: (d, { inputs: [x] }) => apply(backwardOp, [x, d], {}),
  };
};

const activationBackwardOp = (name: Activation): Op => ({
  name: `${name}Backward`,
  rowwise: byElements(0, 1),
  infer: ([x]) => [x],
  reference([x, d], [dX]) {
    const { derivative } = activations[name];
    for (let i = 0; i < dX.length; i++) dX[i] = d[i] * derivative(x[i]);
  },
  wasm: ([x]) => one('activationBackward', [input(0), input(1), output(0)], [sizeOf(x), activationCode[name]], partsFor(4 * sizeOf(x))),
  webgpu: ([x]) => activationPlan(x, { ACTIVATION: activationCode[name], GATED: 0, BACKWARD: 1 }),
});

const [geluOp, siluOp, tanhOp] = [activationOp('gelu'), activationOp('silu'), activationOp('tanh')];

/** One shader serves activations and gated units, forward `[x]` and backward `[x, d]`. `x` is the input; gated, its rows are twice as wide as those of f's argument. */
export function activationPlan(x: TensorSpec, constants: { readonly ACTIVATION: number; readonly GATED: number; readonly BACKWARD: number }): Plan<Dispatch> {
  const halves = 1 + constants.GATED;
  const [count, width] = [sizeOf(x) / halves, rowsOf(x).width / halves];
  return { steps: [{ shader, constants, params: { count, width }, bind: [{ input: 0 }, { input: constants.BACKWARD }, { output: 0 }], workgroups: linearGrid(count) }] };
}

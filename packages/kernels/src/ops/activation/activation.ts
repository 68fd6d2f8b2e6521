import { apply, type Op } from '../../op';
import { checkFloats } from '../check';
import { activations, type Activation } from './functions';
import type { Tensor } from '../../tensor';

/** Gaussian error linear unit by erf, elementwise. */
export const gelu = (x: Tensor): Tensor => apply(activationOp, [x], { activation: 'gelu' })[0];

/** `x · sigmoid(x)`, elementwise. */
export const silu = (x: Tensor): Tensor => apply(activationOp, [x], { activation: 'silu' })[0];

export const tanh = (x: Tensor): Tensor => apply(activationOp, [x], { activation: 'tanh' })[0];

interface Which {
  readonly activation: Activation;
}

const activationOp: Op<Which> = {
  name: 'activation',
  saves: () => ({ inputs: [0] }),
  infer([x], { activation }) {
    checkFloats(activation, { x });
    return [x];
  },
  reference([x], [y], { activation }) {
    const { value } = activations[activation];
    for (let i = 0; i < y.length; i++) y[i] = value(x[i]);
  },
  backward: (d, { inputs: [x] }, which) => apply(activationBackwardOp, [x, d], which),
};

const activationBackwardOp: Op<Which> = {
  name: 'activationBackward',
  infer: ([x]) => [x],
  reference([x, d], [dX], { activation }) {
    const { derivative } = activations[activation];
    for (let i = 0; i < dX.length; i++) dX[i] = d[i] * derivative(x[i]);
  },
};

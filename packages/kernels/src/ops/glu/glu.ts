// Gated linear units (Shazeer 2020, arXiv 2002.05202). The order is MosaicBERT's: the first half of each row is the gate, the second the value.
import { apply, type Op } from '../../op';
import { byRows, checkFloats, rowsOf } from '../check';
import { activationPlan } from '../activation/activation';
import { activationCode, activations } from '../activation/functions';
import { input, one, output, partsFor } from '../../devices/wasm/plan';
import { float32, type Tensor, type TensorSpec } from '../../tensor';

/** `x [..., 2 width]` → `[..., width]`: GELU (erf) of the first half times the second half. */
export const geglu = (x: Tensor): Tensor => apply(gegluOp, [x], {})[0];

/** `x [..., 2 width]` → `[..., width]`: SiLU of the first half times the second half. */
export const swiglu = (x: Tensor): Tensor => apply(swigluOp, [x], {})[0];

type Gate = 'gelu' | 'silu';

function halved(op: string, x: TensorSpec): TensorSpec {
  const { width } = rowsOf(x);
  if (width % 2) throw new RangeError(`${op}: expected an even last axis, got ${width}; it holds gate and value side by side`);
  return float32(...x.shape.slice(0, -1), width / 2);
}

const gluOp = (name: string, gate: Gate): Op => {
  const backwardOp = gluBackwardOp(`${name}Backward`, gate);
  return {
    name,
    rowwise: byRows(0),
    saves: () => ({ inputs: [0] }),
    infer([x]) {
      checkFloats(name, { x });
      return [halved(name, x)];
    },
    reference([x], [y], _attributes, [, output]) {
      const { width } = rowsOf(output);
      const { value } = activations[gate];
      for (let i = 0; i < y.length; i++) {
        const at = i + Math.floor(i / width) * width;
        y[i] = value(x[at]) * x[at + width];
      }
    },
    wasm(_inputs, [y]) {
      const { rows, width } = rowsOf(y);
      return one('glu', [input(0), output(0)], [rows, width, activationCode[gate]], partsFor(4 * rows * width));
    },
    webgpu: ([x]) => activationPlan(x, { ACTIVATION: activationCode[gate], GATED: 1, BACKWARD: 0 }),
    backward: (d, { inputs: [x] }) => apply(backwardOp, [x, d], {}),
  };
};

const gluBackwardOp = (name: string, gate: Gate): Op => ({
  name,
  rowwise: byRows(0, 1),
  infer: ([x]) => [x],
  reference([x, d], [dX], _attributes, [, output]) {
    const { width } = rowsOf(output);
    const { value, derivative } = activations[gate];
    for (let i = 0; i < d.length; i++) {
      const at = i + Math.floor(i / width) * width;
      dX[at] = d[i] * x[at + width] * derivative(x[at]);
      dX[at + width] = d[i] * value(x[at]);
    }
  },
  wasm([, d]) {
    const { rows, width } = rowsOf(d);
    return one('gluBackward', [input(0), input(1), output(0)], [rows, width, activationCode[gate]], partsFor(8 * rows * width));
  },
  webgpu: ([x]) => activationPlan(x, { ACTIVATION: activationCode[gate], GATED: 1, BACKWARD: 1 }),
});

const [gegluOp, swigluOp] = [gluOp('geglu', 'gelu'), gluOp('swiglu', 'silu')];

import { free } from '../scope';
import { scope } from '../scope';
import { valueAndGrad } from '../grad';
import { createReferenceDevice } from '../devices/reference';
import { leaves, mapTree, type Tree } from '../tree';
import { sizeOf, type Tensor } from '../tensor';
import type { Device } from '../device';

/**
 * Compares the gradients of a scalar function with central finite differences in float64, at about `samples` elements of every parameter.
 * @returns the largest |difference| / max(1, |numeric gradient|).
 */
export async function gradientCheck<P extends Tree>(makeParameters: (device: Device) => P, loss: (p: P) => Tensor, { samples = 12, delta = 1e-5 } = {}): Promise<number> {
  const device = createReferenceDevice();
  const p = makeParameters(device);
  const { grads } = scope<{ grads: P }>(() => ({ grads: valueAndGrad<P>(loss)(p).grads }) as never);
  let worst = 0;
  const parameters = leaves(p);
  for (const [n, gradient] of leaves(grads).entries()) {
    const parameter = parameters[n];
    const analytic = await device.read(gradient);
    const values = await device.read(parameter);
    const at = async (i: number, shift: number) => {
      const moved = values.slice();
      moved[i] += shift;
      device.write(parameter, moved);
      const value = scope<Tensor>(() => loss(p) as never);
      const [result] = await device.read(value);
      free(value);
      return result;
    };
    for (let i = 0; i < sizeOf(parameter); i += Math.max(1, Math.ceil(sizeOf(parameter) / samples))) {
      const numeric = ((await at(i, delta)) - (await at(i, -delta))) / (2 * delta);
      worst = Math.max(worst, Math.abs(numeric - analytic[i]) / Math.max(1, Math.abs(numeric)));
    }
    device.write(parameter, values);
  }
  free(mapTree(grads, (leaf) => leaf));
  await device.destroy();
  return worst;
}

import { rotary, tensor, type Device, type Tensor } from '@genomelm/kernels';
import type { DecoderConfig } from '../decoderConfig';

/** Turns each head of `x [tokens, heads, headDim]` by its token's position. */
export type Rotate = (x: Tensor) => Tensor;

/**
 * Cosines and sines of the angles at these positions, `[tokens, 2, headDim / 2]`, computed in float64, and only for these positions:
 * a step of decoding at position 50,000 needs one row, not a table of 50,000.
 * @param angles - where to put them
 */
export function rotaryAngles(positions: ArrayLike<number>, { headDim, ropeTheta }: Pick<DecoderConfig, 'headDim' | 'ropeTheta'>, angles: Float32Array = new Float32Array(positions.length * headDim)): Float32Array {
  const half = headDim / 2;
  for (let i = 0; i < half; i++) {
    const frequency = ropeTheta ** (-i / half);
    for (let row = 0; row < positions.length; row++) {
      angles[row * headDim + i] = Math.cos(positions[row] * frequency);
      angles[row * headDim + half + i] = Math.sin(positions[row] * frequency);
    }
  }
  return angles;
}

/** Rotary position embedding by the angles of each token (see `rotaryAngles`). */
export function rotaryBy(device: Device, angles: Float32Array, { headDim }: Pick<DecoderConfig, 'headDim'>): Rotate {
  const tokens = angles.length / headDim;
  const table = tensor(device, angles, [tokens, 2, headDim / 2]);
  const rows = tensor(device, Uint32Array.from({ length: tokens }, (_, row) => row));
  return (x) => rotary(x, table, rows);
}

import { rotary, tensor, type Device, type Tensor } from '@genomelm/kernels';
import type { DecoderConfig } from '../decoderConfig';

/** Turns each head of `x [tokens, heads, headDim]` by its token's position. */
export type Rotate = (x: Tensor) => Tensor;

/**
 * Rotary position embedding for tokens at these positions. The angles are computed in float64, and only for these positions:
 * a step of decoding at position 50,000 needs one row, not a table of 50,000.
 */
export function rotaryAt(device: Device, positions: Uint32Array, { headDim, ropeTheta }: Pick<DecoderConfig, 'headDim' | 'ropeTheta'>): Rotate {
  const half = headDim / 2;
  const angles = new Float32Array(positions.length * headDim);
  const frequencies = Float64Array.from({ length: half }, (_, i) => ropeTheta ** (-i / half));
  positions.forEach((position, row) => {
    for (let i = 0; i < half; i++) {
      angles[row * headDim + i] = Math.cos(position * frequencies[i]);
      angles[row * headDim + half + i] = Math.sin(position * frequencies[i]);
    }
  });
  const table = tensor(device, angles, [positions.length, 2, half]);
  const rows = tensor(device, positions.map((_, row) => row));
  return (x) => rotary(x, table, rows);
}

// Rotary position embedding (Su et al. 2021, arXiv 2104.09864) as in Llama and Mistral: element i of the first half of a head turns with element i of the second.
// But: sines and cosines come from a table made in float64, as an angle of 100,000 positions has three digits left in float32.
import { apply, checkTensors, type Op } from '../../op';
import { tensor } from '../../create';
import { byElements, checkFloats, checkShape, checkType, linearGrid } from '../check';
import { sizeOf, type Tensor } from '../../tensor';
import { input, one, output, partsFor } from '../../devices/wasm/plan';
import shader from './rotary.wgsl';
import type { Device } from '../../device';

/**
 * Cosines and sines for `rotary`, `[positions, 2, rotaryDim / 2]`: angle `position · base^(-2 i / rotaryDim)`, computed in float64.
 * @param rotaryDim - even; usually the head dimension
 */
export function rotaryTable(device: Device, { positions, rotaryDim, base = 10_000 }: { readonly positions: number; readonly rotaryDim: number; readonly base?: number }): Tensor {
  if (!Number.isInteger(rotaryDim) || rotaryDim < 2 || rotaryDim % 2) throw new RangeError(`rotaryTable: expected a positive even rotaryDim, got ${rotaryDim}; elements are turned in pairs`);
  const half = rotaryDim / 2;
  const table = new Float32Array(positions * rotaryDim);
  for (let i = 0; i < half; i++) {
    const frequency = base ** (-i / half);
    for (let position = 0; position < positions; position++) {
      table[position * rotaryDim + i] = Math.cos(position * frequency);
      table[position * rotaryDim + half + i] = Math.sin(position * frequency);
    }
  }
  return tensor(device, table, [positions, 2, half]);
}

/**
 * Turns each head of `x [tokens, heads, headDim]` by the angles of its token's row of `table` (see `rotaryTable`); `positions [tokens]` is uint32.
 * Of a head the first rotaryDim elements turn, and of the heads the first `heads` (by default all): with `[tokens, 3 · heads, headDim]`, a view of qkv, two thirds.
 * A position beyond the table gives NaN.
 */
export function rotary(x: Tensor, table: Tensor, positions: Tensor, { heads }: { readonly heads?: number } = {}): Tensor {
  checkTensors('rotary', [x, table, positions]);
  return apply(rotaryOp, [x, table, positions], { heads: heads ?? x.shape[1], sign: 1 })[0];
}

interface Turn {
  readonly heads: number;
  /** -1 turns back: a rotation's gradient is its inverse. */
  readonly sign: number;
}

const rotaryOp: Op<Turn> = {
  name: 'rotary',
  rowwise: byElements(2, 0),
  saves: () => ({ inputs: [1, 2] }),
  infer([x, table, positions], { heads }) {
    checkFloats('rotary', { x, table });
    checkType('rotary', 'positions', positions, 'uint32');
    const sizes = checkShape('rotary', 'x', x, ['tokens', 'heads', 'headDim']);
    checkShape('rotary', 'positions', positions, ['tokens'], sizes);
    const { half } = checkShape('rotary', 'table', table, ['positions', 2, 'half']);
    if (2 * half > sizes.headDim) throw new RangeError(`rotary: expected a table for at most headDim ${sizes.headDim} elements, got ${2 * half}; make it with a smaller rotaryDim`);
    if (!Number.isInteger(heads) || heads < 0 || heads > sizes.heads) throw new RangeError(`rotary: expected to turn 0 to ${sizes.heads} heads, got ${heads}; leave heads out to turn all`);
    return [x];
  },
  reference([x, table, positions], [y], { heads: turned, sign }, [{ shape: [tokens, heads, headDim] }, { shape: [rows, , half] }]) {
    y.set(x);
    for (let token = 0; token < tokens; token++) {
      const row = positions[token] < rows ? positions[token] * 2 * half : NaN;
      for (let head = 0; head < turned; head++) {
        const at = (token * heads + head) * headDim;
        for (let i = at; i < at + half; i++) {
          const [cosine, sine] = [table[row + i - at] ?? NaN, sign * (table[row + half + i - at] ?? NaN)];
          y[i] = x[i] * cosine - x[i + half] * sine;
          y[i + half] = x[i + half] * cosine + x[i] * sine;
        }
      }
    }
  },
  wasm: ([x, { shape: [rows, , half] }], _outputs, { heads, sign }) =>
    one('rotary', [input(0), input(1), input(2), output(0)], [...x.shape, rows, half, heads, sign], partsFor(2 * sizeOf(x))),
  webgpu([x, { shape: [rows, , half] }], _outputs, { heads: turned, sign }) {
    const [, heads, headDim] = x.shape;
    const count = sizeOf(x);
    return { steps: [{ shader, params: { count, heads, headDim, rows, half, turned, sign, nan: NaN }, bind: [{ input: 0 }, { input: 1 }, { input: 2 }, { output: 0 }], workgroups: linearGrid(count) }] };
  },
  backward: (d, { inputs: [, table, positions] }, { heads, sign }) => [apply(rotaryOp, [d, table, positions], { heads, sign: -sign })[0], null, null],
};

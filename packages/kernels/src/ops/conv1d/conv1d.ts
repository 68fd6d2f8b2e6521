// Convolution over sequences of channels, as one product: each window becomes a row. It costs size times the memory of x while it runs, and all the arithmetic is matmul's.
import { apply, checkTensors, type Dispatch, type Op, type Plan } from '../../op';
import { reshape } from '../../grad';
import { scope } from '../../scope';
import { byFirstAxis, checkFloats, checkShape, linearGrid } from '../check';
import { linear } from '../matmul/linear';
import { float32, sizeOf, type Tensor, type TensorSpec } from '../../tensor';
import { checkWindows, windowsOf, type Windows } from './windows';
import { input, one, output, partsFor } from '../../devices/wasm/plan';
import shader from './unfold.wgsl';

/** How windows lie, in positions. */
export interface Conv1dOptions {
  /** From one window to the next; by default 1. */
  readonly stride?: number;
  /** Zeros before and after each sequence; by default 0. */
  readonly padding?: number;
  /** From one element of a window to the next; by default 1. */
  readonly dilation?: number;
}

/**
 * `y[b, i] = bias + Σ over taps t of weight[:, t] · x[b, i · stride - padding + t · dilation]`: a cross-correlation, as in every framework.
 * @param x - `[batch, length, channels]`
 * @param weight - `[outputs, size, channels]`; a PyTorch checkpoint has `[outputs, channels, size]`
 * @param bias - `[outputs]`
 * @returns `[batch, floor((length + 2 · padding - dilation · (size - 1) - 1) / stride) + 1, outputs]`
 */
export function conv1d(x: Tensor, weight: Tensor, bias?: Tensor, { stride = 1, padding = 0, dilation = 1 }: Conv1dOptions = {}): Tensor {
  checkTensors('conv1d', [x, weight, ...(bias ? [bias] : [])]);
  checkFloats('conv1d', { x, weight, bias });
  const { channels } = checkShape('conv1d', 'x', x, ['batch', 'length', 'channels']);
  const { outputs, size } = checkShape('conv1d', 'weight', weight, ['outputs', 'size', channels]);
  if (bias) checkShape('conv1d', 'bias', bias, [outputs]);
  const windows: Windows = { size, stride, padding, dilation };
  checkWindows('conv1d', x, windows);
  return scope<Tensor>(() => {
    const rows = apply(unfoldOp, [x], windows)[0];
    return reshape(linear(rows, reshape(weight, [outputs, size * channels]), bias), [x.shape[0], windowsOf(x, windows), outputs]);
  });
}

const unfoldOp: Op<Windows> = {
  name: 'unfold',
  rowwise: byFirstAxis(0),
  infer: ([x], windows) => [float32(x.shape[0] * windowsOf(x, windows), windows.size * x.shape[2])],
  reference([x], [y], windows, [spec]) {
    const { size, stride, padding, dilation } = windows;
    const [batch, length, channels] = spec.shape;
    const count = windowsOf(spec, windows);
    y.fill(0);
    for (let row = 0; row < batch * count; row++) {
      for (let tap = 0; tap < size; tap++) {
        const position = (row % count) * stride - padding + tap * dilation;
        if (position < 0 || position >= length) continue;
        const at = (Math.floor(row / count) * length + position) * channels;
        y.set(x.subarray(at, at + channels), (row * size + tap) * channels);
      }
    }
  },
  wasm: ([x], [y], windows) => one('unfold', [input(0), output(0)], argumentsOf(x, windows), partsFor(sizeOf(y))),
  webgpu: ([x], _outputs, windows) => unfoldPlan(x, windows, 0),
  backward: (d, { specs: [{ shape: [batch, length, channels] }] }, windows) => [apply(foldOp, [d], { ...windows, batch, length, channels })[0]],
};

/** The gradient of `unfold`: each element of x sums what the windows that hold it bring, tap by tap. */
const foldOp: Op<Windows & { readonly batch: number; readonly length: number; readonly channels: number }> = {
  name: 'fold',
  rowwise: (_inputs, { batch }) => ({ rows: batch, inputs: [0] }),
  infer: (_inputs, { batch, length, channels }) => [float32(batch, length, channels)],
  reference([d], [dX], windows, [, spec]) {
    const { size, stride, padding, dilation } = windows;
    const [, length, channels] = spec.shape;
    const count = windowsOf(spec, windows);
    dX.fill(0);
    for (let i = 0; i < d.length; i++) {
      const [row, tap, channel] = [Math.floor(i / (size * channels)), Math.floor(i / channels) % size, i % channels];
      const position = (row % count) * stride - padding + tap * dilation;
      if (position >= 0 && position < length) dX[(Math.floor(row / count) * length + position) * channels + channel] += d[i];
    }
  },
  wasm: ([d], [x], windows) => one('fold', [input(0), output(0)], argumentsOf(x, windows), partsFor(sizeOf(d))),
  webgpu: (_inputs, [x], windows) => unfoldPlan(x, windows, 1),
};

const argumentsOf = (x: TensorSpec, windows: Windows): number[] => [...x.shape, windowsOf(x, windows), windows.size, windows.stride, windows.padding, windows.dilation];

function unfoldPlan(x: TensorSpec, { size, stride, padding, dilation }: Windows, BACKWARD: number): Plan<Dispatch> {
  const [batch, length, channels] = x.shape;
  const windows = windowsOf(x, { size, stride, padding, dilation });
  const count = BACKWARD ? sizeOf(x) : batch * windows * size * channels;
  return { steps: [{ shader, constants: { BACKWARD }, params: { count, length, channels, windows, size, stride, padding, dilation }, bind: [{ input: 0 }, { output: 0 }], workgroups: linearGrid(count) }] };
}

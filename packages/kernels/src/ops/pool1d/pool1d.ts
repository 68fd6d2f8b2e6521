// Pooling over sequences of channels.
import { apply, type Op } from '../../op';
import { scope } from '../../scope';
import { byFirstAxis, checkFloats, checkShape, linearGrid } from '../check';
import { checkWindows, windowsOf, type Windows } from '../conv1d/windows';
import { float32, sizeOf, type Tensor, type TensorSpec } from '../../tensor';
import { input, one, output, partsFor } from '../../devices/wasm/plan';
import averageShader from './averagePool1d.wgsl';
import maxShader from './maxPool1d.wgsl';
import maxBackwardShader from './maxPool1dBackward.wgsl';

/** How windows lie, in positions. */
export interface Pool1dOptions {
  readonly size: number;
  /** From one window to the next; by default `size`. */
  readonly stride?: number;
  /** Positions before and after each sequence that hold nothing, fewer than `size`; by default 0. */
  readonly padding?: number;
}

/** The largest element of each window of `x [batch, length, channels]`, channel by channel → `[batch, windows, channels]`. The gradient goes to the first of equals. A NaN is largest. */
export const maxPool1d = (x: Tensor, options: Pool1dOptions): Tensor => scope<Tensor>(() => apply(maxPoolOp, [x], windowsFrom(options))[0]);

/** The mean of each window of `x [batch, length, channels]` → `[batch, windows, channels]`, over the positions that exist: padding does not count. */
export const averagePool1d = (x: Tensor, options: Pool1dOptions): Tensor => apply(averagePoolOp, [x], windowsFrom(options))[0];

const windowsFrom = ({ size, stride = size, padding = 0 }: Pool1dOptions): Windows => ({ size, stride, padding, dilation: 1 });

function infer(op: string, x: TensorSpec, windows: Windows): TensorSpec {
  checkFloats(op, { x });
  const { batch, channels } = checkShape(op, 'x', x, ['batch', 'length', 'channels']);
  checkWindows(op, x, windows);
  if (windows.padding >= windows.size) throw new RangeError(`${op}: expected padding below size ${windows.size}, got ${windows.padding}; a window of padding alone has no elements`);
  return float32(batch, windowsOf(x, windows), channels);
}

/** Calls `f` for every element of the output, with its index, that of position 0 of its sequence and channel in x, the distance of positions, and the window's positions. */
function eachWindow(x: TensorSpec, windows: Windows, f: (to: number, base: number, channels: number, first: number, end: number) => void): void {
  const [batch, length, channels] = x.shape;
  const count = windowsOf(x, windows);
  for (let to = 0; to < batch * count * channels; to++) {
    const row = Math.floor(to / channels);
    const start = (row % count) * windows.stride - windows.padding;
    f(to, Math.floor(row / count) * length * channels + (to % channels), channels, Math.max(0, start), Math.min(length, start + windows.size));
  }
}

const argumentsOf = (x: TensorSpec, windows: Windows): number[] => [...x.shape, windowsOf(x, windows), windows.size, windows.stride, windows.padding];

const params = (x: TensorSpec, windows: Windows, count: number) => ({ count, length: x.shape[1], channels: x.shape[2], windows: windowsOf(x, windows), size: windows.size, stride: windows.stride, padding: windows.padding });

/** What the backward ops need to know of x. */
interface Shaped extends Windows {
  readonly batch: number;
  readonly length: number;
  readonly channels: number;
}

const shaped = ({ shape: [batch, length, channels] }: TensorSpec, windows: Windows): Shaped => ({ ...windows, batch, length, channels });

/** Output 1 holds the position of each maximum, int32. */
const maxPoolOp: Op<Windows> = {
  name: 'maxPool1d',
  rowwise: byFirstAxis(0),
  saves: () => ({ outputs: [1] }),
  infer([x], windows) {
    const y = infer('maxPool1d', x, windows);
    return [y, { dtype: 'int32', shape: y.shape }];
  },
  reference([x], [y, places], windows, [spec]) {
    eachWindow(spec, windows, (to, base, channels, first, end) => {
      [y[to], places[to]] = [-Infinity, first];
      for (let position = first; position < end; position++) {
        const value = x[base + position * channels];
        if (value > y[to] || Number.isNaN(value)) [y[to], places[to]] = [value, position];
      }
    });
  },
  wasm: ([x], [y], windows) => one('maxPool1d', [input(0), output(0), output(1)], argumentsOf(x, windows), partsFor(windows.size * sizeOf(y))),
  webgpu: ([x], [y], windows) => ({ steps: [{ shader: maxShader, params: { ...params(x, windows, sizeOf(y)), minusInfinity: -Infinity }, bind: [{ input: 0 }, { output: 0 }, { output: 1 }], workgroups: linearGrid(sizeOf(y)) }] }),
  backward: (d, { outputs: [, places], specs: [x] }, windows) => [apply(maxPoolBackwardOp, [d, places], shaped(x, windows))[0]],
};

const maxPoolBackwardOp: Op<Shaped> = {
  name: 'maxPool1dBackward',
  rowwise: byFirstAxis(0, 1),
  infer: (_inputs, { batch, length, channels }) => [float32(batch, length, channels)],
  reference([d, places], [dX], windows, [, , spec]) {
    dX.fill(0);
    eachWindow(spec, windows, (to, base, channels) => { dX[base + places[to] * channels] += d[to]; });
  },
  wasm: ([d], [x], windows) => one('maxPool1dBackward', [input(0), input(1), output(0)], argumentsOf(x, windows), partsFor(windows.size * sizeOf(d) + sizeOf(x))),
  webgpu: (_inputs, [x], windows) => ({ steps: [{ shader: maxBackwardShader, params: params(x, windows, sizeOf(x)), bind: [{ input: 0 }, { input: 1 }, { output: 0 }], workgroups: linearGrid(sizeOf(x)) }] }),
};

const averagePoolOp: Op<Windows> = {
  name: 'averagePool1d',
  rowwise: byFirstAxis(0),
  infer: ([x], windows) => [infer('averagePool1d', x, windows)],
  reference([x], [y], windows, [spec]) {
    y.fill(0);
    eachWindow(spec, windows, (to, base, channels, first, end) => {
      for (let position = first; position < end; position++) y[to] += x[base + position * channels] / (end - first);
    });
  },
  wasm: ([x], [y], windows) => one('averagePool1d', [input(0), output(0)], argumentsOf(x, windows), partsFor(windows.size * sizeOf(y))),
  webgpu: ([x], [y], windows) => ({ steps: [{ shader: averageShader, constants: { BACKWARD: 0 }, params: params(x, windows, sizeOf(y)), bind: [{ input: 0 }, { output: 0 }], workgroups: linearGrid(sizeOf(y)) }] }),
  backward: (d, { specs: [x] }, windows) => [apply(averagePoolBackwardOp, [d], shaped(x, windows))[0]],
};

const averagePoolBackwardOp: Op<Shaped> = {
  name: 'averagePool1dBackward',
  rowwise: byFirstAxis(0),
  infer: (_inputs, { batch, length, channels }) => [float32(batch, length, channels)],
  reference([d], [dX], windows, [, spec]) {
    dX.fill(0);
    eachWindow(spec, windows, (to, base, channels, first, end) => {
      for (let position = first; position < end; position++) dX[base + position * channels] += d[to] / (end - first);
    });
  },
  wasm: ([d], [x], windows) => one('averagePool1dBackward', [input(0), output(0)], argumentsOf(x, windows), partsFor(windows.size * sizeOf(d) + sizeOf(x))),
  webgpu: (_inputs, [x], windows) => ({ steps: [{ shader: averageShader, constants: { BACKWARD: 1 }, params: params(x, windows, sizeOf(x)), bind: [{ input: 0 }, { output: 0 }], workgroups: linearGrid(sizeOf(x)) }] }),
};

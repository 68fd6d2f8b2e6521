// Compiles and runs launches with gpu.js. The only file that knows it.
import { GPU, Input, type IKernelRunShortcut } from 'gpu.js';
import { functionTexts } from './functions';
import type { Launch, Size } from './launch';
import type { Data } from '../../tensor';

/** WebGL2, or gpu.js's own way to run the same kernels without a GPU. */
export type GpuJsMode = 'webgl2' | 'cpu';

export interface Launcher {
  /** Longest side of a texture; Infinity where there are none. */
  readonly maxTextureSize: number;
  launch(op: string, launch: Launch, arrays: readonly Data[], result: Float32Array): void;
  destroy(): Promise<void>;
}

/** A loop whose length is an argument ends by itself: this is only what GLSL asks for. */
const loopMaxIterations = 2 ** 30;

export function createLauncher(mode: GpuJsMode): Launcher {
  if (mode === 'webgl2' && !(GPU.isWebGL2Supported && GPU.isSinglePrecisionSupported)) {
    throw new Error('createGpuJsDevice: expected WebGL2 that renders to float32 textures (EXT_color_buffer_float), got none; use createDevice(), which is wasm here, or, for tests, { mode: \'cpu\' }');
  }
  const gpu = new GPU({ mode });
  for (const text of functionTexts) gpu.addFunction(text as never, { argumentTypes: { v: 'Number' }, returnType: 'Number' });
  const compiled = new Map<string, IKernelRunShortcut>();
  const maxTextureSize = mode === 'cpu' ? Infinity : (gpu.Kernel.features as unknown as { maxTextureSize: number }).maxTextureSize;

  // On the CPU gpu.js takes the width of the output for that of a dynamic argument: there, other widths are another kernel.
  const dynamicArguments = mode !== 'cpu';
  const compile = ({ text, constants = {}, reads }: Launch): IKernelRunShortcut => {
    const key = JSON.stringify([text, constants, dynamicArguments || reads.map(({ size }) => size.slice(0, -1))]);
    let kernel = compiled.get(key);
    if (!kernel) {
      kernel = gpu.createKernel(text, { constants, output: [1], precision: 'single', dynamicOutput: true, dynamicArguments }).setLoopMaxIterations(loopMaxIterations);
      compiled.set(key, kernel);
    }
    return kernel;
  };

  return {
    maxTextureSize,
    launch(op, launch, arrays, result) {
      if (!result.length) return;
      checkTextures(op, maxTextureSize, arrays, result);
      const kernel = compile(launch).setOutput([...launch.size] as number[]);
      const values = kernel(...arrays.map((array, i) => argument(array, launch.reads[i].size)));
      flattenInto(values as unknown as Nested, result, 0);
    },
    destroy: () => gpu.destroy(),
  };
}

/** What gpu.js takes for an array of these axes. There is no texture without elements: an axis of none is one, of zeros, as a kernel is compiled for the lengths that it sees first. */
function argument(array: Data, size: Size): Input {
  if (array.length) return new Input(array as never, [...size] as never);
  const least = size.map((length) => length || 1);
  return new Input(new Float32Array(least.reduce((product, length) => product * length)) as never, least as never);
}

/** Inputs hold four elements a texel, results one. */
function checkTextures(op: string, side: number, arrays: readonly Data[], result: Float32Array): void {
  const longest = Math.max(0, ...arrays.map(({ length }) => length));
  if (longest <= 4 * side * side && result.length <= side * side) return;
  throw new RangeError(`${op}: expected tensors that fit textures of ${side} × ${side} (results of at most ${side * side} elements, inputs of four times that), got ${longest} and a result of ${result.length}; use wasm or webgpu`);
}

type Nested = Float32Array | readonly Nested[];

/** gpu.js returns rows of rows. */
function flattenInto(values: Nested, result: Float32Array, at: number): number {
  if (values instanceof Float32Array) {
    result.set(values, at);
    return at + values.length;
  }
  for (const part of values) at = flattenInto(part, result, at);
  return at;
}

import { apply, type Op } from '../../op';
import { checkFloats, checkShape, integers } from '../check';
import { checkCuSeqlens } from '../attention/cuSeqlens';
import { float32, sizeOf, type Tensor } from '../../tensor';
import { array, input, one, output, partsFor } from '../../devices/wasm/plan';
import { segmentMeanPlan } from './webgpu';

/** The mean row of each sequence of a packed batch: `x [totalTokens, width]` → `[sequences, width]`. A sequence without tokens gives zeros. */
export const segmentMean = (x: Tensor, cuSeqlens: ArrayLike<number>): Tensor => apply(segmentMeanOp, [x], { cuSeqlens: integers('segmentMean', 'cuSeqlens', cuSeqlens) })[0];

interface Segments {
  readonly cuSeqlens: Int32Array;
}

const segmentMeanOp: Op<Segments> = {
  name: 'segmentMean',
  infer([x], { cuSeqlens }) {
    checkFloats('segmentMean', { x });
    const { width, tokens } = checkShape('segmentMean', 'x', x, ['tokens', 'width']);
    checkCuSeqlens('segmentMean', 'cuSeqlens', cuSeqlens, tokens);
    return [float32(cuSeqlens.length - 1, width)];
  },
  reference([x], [y], { cuSeqlens }, [{ shape: [, width] }]) {
    y.fill(0);
    for (let s = 0; s + 1 < cuSeqlens.length; s++) {
      for (let token = cuSeqlens[s]; token < cuSeqlens[s + 1]; token++) {
        for (let i = 0; i < width; i++) y[s * width + i] += x[token * width + i] / (cuSeqlens[s + 1] - cuSeqlens[s]);
      }
    }
  },
  wasm: ([x], [{ shape: [sequences, width] }], { cuSeqlens }) => one('segmentMean', [input(0), output(0), array(cuSeqlens)], [sequences, width], partsFor(sizeOf(x))),
  webgpu: ([x], [y], { cuSeqlens }, limits) => segmentMeanPlan(x, y, cuSeqlens, false, limits),
  backward: (d, _saved, segments) => apply(segmentMeanBackwardOp, [d], segments),
};

const segmentMeanBackwardOp: Op<Segments> = {
  name: 'segmentMeanBackward',
  infer: ([d], { cuSeqlens }) => [float32(cuSeqlens.at(-1)!, d.shape[1])],
  reference([d], [dX], { cuSeqlens }, [{ shape: [, width] }]) {
    for (let s = 0; s + 1 < cuSeqlens.length; s++) {
      for (let token = cuSeqlens[s]; token < cuSeqlens[s + 1]; token++) {
        for (let i = 0; i < width; i++) dX[token * width + i] = d[s * width + i] / (cuSeqlens[s + 1] - cuSeqlens[s]);
      }
    }
  },
  wasm: ([{ shape: [sequences, width] }], [dX], { cuSeqlens }) => one('segmentMeanBackward', [input(0), output(0), array(cuSeqlens)], [sequences, width], partsFor(sizeOf(dX))),
  webgpu: ([d], [dX], { cuSeqlens }, limits) => segmentMeanPlan(d, dX, cuSeqlens, true, limits),
};

import { apply, checkTensors, type Op } from '../../op';
import { accumulate } from '../elementwise/elementwise';
import { sumSquares } from '../sum/sum';
import { byElements, checkSame, checkShape, linearGrid } from '../check';
import { scope } from '../../scope';
import { leaves, type Tree } from '../../tree';
import shader from './adamW.wgsl';
import { sizeOf, type Tensor } from '../../tensor';
import { input, one, partsFor } from '../../devices/wasm/plan';

/** Defaults are those of torch. */
export interface AdamWOptions {
  readonly learningRate: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  /** Decoupled: the parameter shrinks by `learningRate * weightDecay` of itself. */
  readonly weightDecay?: number;
  /** Counts from 1; corrects the bias of the moments. */
  readonly step: number;
  /** Gradients are scaled by min(1, maxNorm / (norm + 1e-6)) with `squaredNorm`, as torch's clip_grad_norm_ does. */
  readonly clip?: { readonly squaredNorm: Tensor; readonly maxNorm: number };
}

/** One step of AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101, algorithm 2 with torch's order), in place on parameter and moments, all four `[...]` of one shape; moments begin as zeros. */
export function adamW(parameter: Tensor, gradient: Tensor, firstMoment: Tensor, secondMoment: Tensor, options: AdamWOptions): void {
  const { learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.01, step, clip } = options;
  const inputs = [parameter, gradient, firstMoment, secondMoment, ...(clip ? [clip.squaredNorm] : [])];
  apply(adamWOp, inputs, { learningRate, beta1, beta2, epsilon, weightDecay, correction1: 1 - beta1 ** step, correction2: 1 - beta2 ** step, maxNorm: clip?.maxNorm ?? 0 });
}

/** `Σ g²` over all tensors of a tree → `[]`; its root is the global gradient norm. It stays on the device. */
export function squaredNorm(tree: Tree): Tensor {
  return scope<Tensor>(() => {
    const tensors = leaves(tree);
    if (!tensors.length) throw new TypeError('squaredNorm: expected at least one tensor in the tree, got none; give a tensor, or a list or record of them');
    checkTensors('squaredNorm', tensors);
    const [first, ...others] = tensors.map(sumSquares);
    for (const other of others) accumulate(first, other);
    return first;
  });
}

interface AdamWAttributes {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly correction1: number;
  readonly correction2: number;
  readonly maxNorm: number;
}

const adamWOp: Op<AdamWAttributes> = {
  name: 'adamW',
  rowwise: byElements(0, 1, 2, 3),
  mutates: [0, 2, 3],
  infer([parameter, gradient, firstMoment, secondMoment, norm]) {
    checkSame('adamW', { parameter, gradient, firstMoment, secondMoment });
    if (norm) checkShape('adamW', 'squaredNorm', norm, []);
    return [];
  },
  reference([p, g, m, v, norm], _outputs, { learningRate, beta1, beta2, epsilon, weightDecay, correction1, correction2, maxNorm }) {
    const clip = norm ? Math.min(1, maxNorm / (Math.sqrt(norm[0]) + 1e-6)) : 1;
    for (let i = 0; i < p.length; i++) {
      const gradient = g[i] * clip;
      m[i] = beta1 * m[i] + (1 - beta1) * gradient;
      v[i] = beta2 * v[i] + (1 - beta2) * gradient * gradient;
      const step = (m[i] / correction1) / (Math.sqrt(v[i] / correction2) + epsilon);
      p[i] = p[i] * (1 - learningRate * weightDecay) - learningRate * step;
    }
  },
  wasm([p, , , , norm], _outputs, { learningRate, beta1, beta2, epsilon, weightDecay, correction1, correction2, maxNorm }) {
    const numbers = [learningRate, beta1, 1 - beta1, beta2, 1 - beta2, epsilon, 1 - learningRate * weightDecay, correction1, correction2, norm ? 1 : 0, maxNorm];
    return one('adamW', [input(0), input(1), input(2), input(3), input(norm ? 4 : 0)], [sizeOf(p), ...numbers], partsFor(4 * sizeOf(p)));
  },
  webgpu([p, , , , norm], _outputs, { weightDecay, ...numbers }) {
    const { learningRate, beta1, beta2 } = numbers;
    const params = { ...numbers, count: sizeOf(p), decay: 1 - learningRate * weightDecay, complement1: 1 - beta1, complement2: 1 - beta2 };
    return { steps: [{ shader, constants: { CLIPPED: norm ? 1 : 0 }, params, bind: [{ input: 0 }, { input: 1 }, { input: 2 }, { input: 3 }, { input: norm ? 4 : 1 }], workgroups: linearGrid(sizeOf(p)) }] };
  },
};

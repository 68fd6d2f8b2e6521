import { adamW, flatten, free, scope, squaredNorm, zeros, type Tensor, type Tree } from '@genomelm/kernels';

export interface OptimizerOptions {
  readonly beta1?: number | undefined;
  readonly beta2?: number | undefined;
  readonly epsilon?: number | undefined;
  /** For the weights that `decays` names, by default 0.01. */
  readonly weightDecay?: number | undefined;
  /** Gradients are scaled down to this global norm; 0 leaves them alone. Default 1. */
  readonly clipNorm?: number | undefined;
}

/** AdamW over a tree of parameters, with its moments on their device. */
export interface Optimizer {
  /** One update, in place. `gradients` is shaped like the parameters. Nothing waits: the norm stays on the device. */
  update(gradients: Tree, learningRate: number): void;
  /** Frees the moments. */
  dispose(): void;
}

/** Weights decay, biases and LayerNorm do not: transformers' Trainer on DNABERT-2. */
export const decays = (path: string): boolean => !/(^|\.)bias$|layernorm/i.test(path);

export function createOptimizer(parameters: Tree, { weightDecay = 0.01, clipNorm = 1, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: OptimizerOptions = {}): Optimizer {
  const moments = flatten(parameters).map(([path, leaf]) => ({ leaf, first: zeros(leaf.device, leaf.shape), second: zeros(leaf.device, leaf.shape), weightDecay: decays(path) ? weightDecay : 0 }));
  let step = 0;
  return {
    update(gradients, learningRate) {
      step++;
      scope<void>(() => {
        const clip = clipNorm > 0 ? { clip: { squaredNorm: squaredNorm(gradients), maxNorm: clipNorm } } : {};
        const list: Tensor[] = flatten(gradients).map(([, gradient]) => gradient);
        moments.forEach(({ leaf, first, second, weightDecay: decay }, i) => adamW(leaf, list[i], first, second, { learningRate, beta1, beta2, epsilon, weightDecay: decay, step, ...clip }));
      });
    },
    dispose: () => free(moments.flatMap(({ first, second }) => [first, second])),
  };
}

import { adamW, flatten, free, scope, sizeOf, squaredNorm, zeros, type Data, type Tensor, type Tree } from '@genomelm/kernels';

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
  /** Updates done so far, and the moments by the parameters' paths: what a checkpoint holds. The tensors stay the optimizer's. */
  state(): OptimizerState;
  /** Goes on from there. @throws RangeError for moments of other parameters */
  restore(state: { readonly step: number; readonly moments: ReadonlyMap<string, Data> }): void;
  /** Frees the moments. */
  dispose(): void;
}

export interface OptimizerState {
  readonly step: number;
  /** `first.<path>` and `second.<path>`. */
  readonly moments: ReadonlyMap<string, Tensor>;
}

/** Weights decay, biases and LayerNorm do not: transformers' Trainer on DNABERT-2. */
export const decays = (path: string): boolean => !/(^|\.)bias$|layernorm/i.test(path);

export function createOptimizer(parameters: Tree, { weightDecay = 0.01, clipNorm = 1, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: OptimizerOptions = {}): Optimizer {
  const moments = flatten(parameters).map(([path, leaf]) => ({ path, leaf, first: zeros(leaf.device, leaf.shape), second: zeros(leaf.device, leaf.shape), weightDecay: decays(path) ? weightDecay : 0 }));
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
    state: () => ({ step, moments: new Map(moments.flatMap(({ path, first, second }) => [[`first.${path}`, first], [`second.${path}`, second]] as const)) }),
    restore(state) {
      const writes = moments.flatMap(({ path, first, second }) => [[`first.${path}`, first], [`second.${path}`, second]] as const).map(([name, tensor]) => {
        const values = state.moments.get(name);
        if (values?.length !== sizeOf(tensor)) throw new RangeError(`optimizer: expected ${sizeOf(tensor)} numbers of ${name}, got ${values?.length ?? 'none'}; the checkpoint is of another model`);
        return () => tensor.device.write(tensor, values);
      });
      writes.forEach((write) => write());
      step = state.step;
    },
    dispose: () => free(moments.flatMap(({ first, second }) => [first, second])),
  };
}

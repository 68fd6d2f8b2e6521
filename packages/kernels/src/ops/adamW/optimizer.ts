import { zeros } from '../../create';
import type { Data, Tensor } from '../../tensor';
import { sizeOf } from '../../tensor';
import { free, scope } from '../../scope';
import { flatten, type Tree } from '../../tree';
import { adamW, squaredNorm } from './adamW';

/** As in `adamW`, for all parameters. */
export interface OptimizerOptions {
  readonly beta1?: number | undefined;
  readonly beta2?: number | undefined;
  readonly epsilon?: number | undefined;
  /** Decoupled, for the parameters that `decays` names; default 0.01. */
  readonly weightDecay?: number | undefined;
  /** Which parameters shrink, by their paths; by default all, as in torch. */
  readonly decays?: ((path: string) => boolean) | undefined;
  /** Gradients are scaled down to this global norm; 0, the default, leaves them alone. */
  readonly clipNorm?: number | undefined;
}

/** A tree of parameters and their moments. */
export interface Optimizer {
  /** One update, in place. `gradients` is shaped like the parameters. Nothing waits: the norm stays on the device. */
  update(gradients: Tree, learningRate: number): void;
  /** Updates done so far, and the moments by the parameters' paths: what a checkpoint holds. The tensors stay the optimizer's. */
  state(): OptimizerState;
  /** Goes on from there. @throws RangeError for moments of other parameters */
  restore(state: { readonly step: number; readonly moments: ReadonlyMap<string, Data> }): void;
  /** Frees the moments. The parameters stay. */
  dispose(): void;
}

/** What training goes on from. */
export interface OptimizerState {
  readonly step: number;
  /** `first.<path>` and `second.<path>`. */
  readonly moments: ReadonlyMap<string, Tensor>;
}

/** AdamW (`adamW`, for every tensor of a tree of parameters), with two moments of each beside it on its device: 8 bytes a parameter. */
export function AdamW(parameters: Tree, { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.01, decays = () => true, clipNorm = 0 }: OptimizerOptions = {}): Optimizer {
  const rows = flatten(parameters).map(([path, leaf]) => ({ path, leaf, first: zeros(leaf.device, leaf.shape), second: zeros(leaf.device, leaf.shape), weightDecay: decays(path) ? weightDecay : 0 }));
  const moments: ReadonlyMap<string, Tensor> = new Map(rows.flatMap(({ path, first, second }) => [[`first.${path}`, first], [`second.${path}`, second]] as const));
  let step = 0;
  return {
    update(gradients, learningRate) {
      const list = new Map(flatten(gradients));
      const missing = rows.find(({ path }) => !list.has(path));
      if (missing || list.size !== rows.length) throw new RangeError(`AdamW: expected gradients of ${rows.length} parameters, got ${list.size}${missing ? ` without ${missing.path}` : ''}; give it what valueAndGrad returned for the same tree`);
      step++;
      scope<void>(() => {
        const clip = clipNorm > 0 ? { clip: { squaredNorm: squaredNorm(gradients), maxNorm: clipNorm } } : {};
        for (const { path, leaf, first, second, weightDecay: decay } of rows) adamW(leaf, list.get(path)!, first, second, { learningRate, beta1, beta2, epsilon, weightDecay: decay, step, ...clip });
      });
    },
    state: () => ({ step, moments }),
    restore(state) {
      for (const [name, tensor] of moments) {
        const values = state.moments.get(name);
        if (values?.length !== sizeOf(tensor)) throw new RangeError(`AdamW: expected ${sizeOf(tensor)} numbers of ${name}, got ${values?.length ?? 'none'}; the checkpoint is of another model`);
      }
      for (const [name, tensor] of moments) tensor.device.write(tensor, state.moments.get(name)!);
      step = state.step;
    },
    dispose: () => free([...moments.values()]),
  };
}

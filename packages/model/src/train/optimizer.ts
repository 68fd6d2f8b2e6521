import { AdamW, type Optimizer, type OptimizerOptions, type Tree } from '@genomelm/kernels';

/** Weights decay, biases and the weights of norms do not: transformers' Trainer on DNABERT-2, and on Mistral, whose last norm is `model.norm`. */
export const decays = (path: string): boolean => !/(^|\.)bias$|layernorm|(^|\.)norm\./i.test(path);

/** AdamW with the settings of transformers' Trainer: gradients clipped to a norm of 1, decay for the weights that `decays` names. */
export const createOptimizer = (parameters: Tree, options: OptimizerOptions = {}): Optimizer => AdamW(parameters, { ...options, clipNorm: options.clipNorm ?? 1, decays: options.decays ?? decays });

import { layerNorm as normalize, type Tensor } from '@genomelm/kernels';
import { spec, type SpecsOf } from '../parameters';

/** `weight [width]`, `bias [width]`. */
export type LayerNorm = { readonly weight: Tensor; readonly bias: Tensor };

export const layerNormSpecs = (width: number): SpecsOf<LayerNorm> => ({ weight: spec(width), bias: spec(width) });

/** Over the last axis of `x [rows, width]`. */
export const layerNorm = (x: Tensor, { weight, bias }: LayerNorm, epsilon: number): Tensor => normalize(x, weight, bias, { epsilon });

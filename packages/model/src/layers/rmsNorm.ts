import { rmsNorm as normalize, type Tensor } from '@genomelm/kernels';
import { spec, type SpecsOf } from '../parameters';

/** `weight [width]`. */
export type RmsNorm = { readonly weight: Tensor };

export const rmsNormSpecs = (width: number): SpecsOf<RmsNorm> => ({ weight: spec(width) });

/** Over the last axis of `x [rows, width]`. */
export const rmsNorm = (x: Tensor, { weight }: RmsNorm, epsilon: number): Tensor => normalize(x, weight, { epsilon });

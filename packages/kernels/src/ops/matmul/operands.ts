// What the WebGPU kernels of products have in common: how their operands are stored, and bindings 1 to 5.
import { quadReader, quadWriter } from '../../devices/webgpu/quads';
import type { DType } from '../../tensor';

export interface Operands {
  /** b is stored as [n, k]. */
  readonly transposeB: boolean;
  /** Lines as stored are multiples of 4 long. */
  readonly wideA: boolean;
  readonly wideB: boolean;
  readonly wideY: boolean;
  readonly hasBias: boolean;
  /** Sums are multiplied by `scales [n]`, before the bias is added. */
  readonly hasScales?: boolean | undefined;
  readonly dtypeA?: DType | undefined;
  readonly dtypeB?: DType | undefined;
  readonly dtypeBias?: DType | undefined;
}

/** Readers `aQuad`, `bQuad`, `biasQuad` and, with scales, `scalesQuad`, and the writer `yPut`; `wideResults` is false where that one writes single elements. */
export const declareOperands = ({ wideA, wideB, wideY, hasScales, dtypeA, dtypeB, dtypeBias }: Operands, wideResults = wideY): string =>
  quadReader(1, { name: 'a', dtype: dtypeA, wide: wideA }) + quadReader(2, { name: 'b', dtype: dtypeB, wide: wideB }) + quadReader(3, { name: 'bias', dtype: dtypeBias, wide: wideY })
  + quadWriter(4, { name: 'y', wide: wideResults }) + (hasScales ? quadReader(5, { name: 'scales', wide: wideY }) : '');

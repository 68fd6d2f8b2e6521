// What the WebGPU kernels of products have in common: bindings 1 to 5, how the operands are stored, and which part of the product a dispatch is about.
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
  /** Sums are added to y: products over the places of k before these are there. */
  readonly adds?: boolean | undefined;
  readonly dtypeA?: DType | undefined;
  readonly dtypeB?: DType | undefined;
  readonly dtypeBias?: DType | undefined;
}

/** Readers `aQuad`, `bQuad`, `biasQuad` and, with scales, `scalesQuad`, and the writer `yPut`; `wideResults` is false where that one writes single elements. */
export const declareOperands = ({ wideA, wideB, wideY, hasScales, adds, dtypeA, dtypeB, dtypeBias }: Operands, wideResults = wideY): string =>
  quadReader(1, { name: 'a', dtype: dtypeA, wide: wideA, start: 'aStart' }) + quadReader(2, { name: 'b', dtype: dtypeB, wide: wideB, start: 'bStart' }) + quadReader(3, { name: 'bias', dtype: dtypeBias, wide: wideY })
  + quadWriter(4, { name: 'y', wide: wideResults }, adds) + (hasScales ? quadReader(5, { name: 'scales', wide: wideY }) : '');

/** Sizes of the whole product, the box of it that a dispatch computes (rows of a, columns of b, and places of k), and where element 0 of each tensor lies in what is shown of it. */
const fields = ['m', 'n', 'k', 'firstRow', 'endRow', 'firstColumn', 'endColumn', 'firstInner', 'endInner', 'slice', 'aStart', 'bStart', 'yStart'] as const;
export const paramsStruct = `struct Params { ${fields.map((name) => `${name}: u32`).join(', ')} }\n`;

/** The whole product, all of which is shown. */
export const wholeProduct = ({ m, n, k }: { readonly m: number; readonly n: number; readonly k: number }): Record<(typeof fields)[number], number> => (
  { m, n, k, firstRow: 0, endRow: m, firstColumn: 0, endColumn: n, firstInner: 0, endInner: k, slice: Math.max(1, k), aStart: 0, bStart: 0, yStart: 0 });

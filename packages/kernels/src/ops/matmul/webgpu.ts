// The WebGPU plans of matmul: which tile, and whether k is split, by how much of the GPU a product would fill.
import { isWide, remembered } from '../../devices/webgpu/quads';
import { float32, type TensorSpec } from '../../tensor';
import { splitRows } from '../check';
import { addUp } from '../sum/columnSums';
import { matrixBlock, matrixShader, type MatrixVariant } from './subgroupMatrix.wgsl';
import { maxVectorRows, vectorColumns, vectorShader } from './vector.wgsl';
import { tiles, tileShader, type Tile } from './tile.wgsl';
import type { Limits } from '../../device';
import type { Bind, Dispatch, Plan } from '../../op';

export interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** Workgroups that fill a large GPU: two for each of 132 multiprocessors. */
const enoughGroups = 264;
/** A slice of k shorter than this costs more to add up than it gains. */
const minSlice = 512;

/** The largest tile that fills the GPU, over slices of k where it must; a y that no tile fills is cut as far as k allows. */
function chooseTile({ m, n, k }: Product): { tile: Tile; slices: number } {
  const most = Math.max(1, Math.floor(k / minSlice));
  const choices = tiles.map((tile) => {
    const groups = Math.ceil(m / tile.blockM) * Math.ceil(n / tile.blockN);
    const slices = Math.min(most, Math.max(1, Math.ceil(enoughGroups / groups)));
    return { tile, slices, groups: groups * slices };
  });
  return choices.find(({ groups }) => groups >= enoughGroups) ?? choices.at(-1)!;
}

/** Multiply-adds below which matrix units lost to registers, as others measured on an A100. */
const enoughForMatrices = 2 ** 30;

const [tileText, vectorText, matrixText] = [remembered(tileShader), remembered(vectorShader), remembered((variant: MatrixVariant) => matrixShader(variant))];

/** Inputs beside the two factors, by position. */
interface Epilogue {
  readonly bias?: number | undefined;
  readonly scales?: number | undefined;
}

const storageOf = (inputs: readonly TensorSpec[], { m, n, k, transposeA, transposeB }: Product, { bias, scales }: Epilogue) => (
  { wideA: isWide(transposeA ? m : k), wideB: isWide(transposeB ? k : n), wideY: isWide(n), hasBias: bias !== undefined, hasScales: scales !== undefined, dtypeA: inputs[0].dtype, dtypeB: inputs[1].dtype, dtypeBias: inputs[bias ?? 0].dtype });
const operandsOf = ({ bias }: Epilogue): Bind[] => [{ input: 0 }, { input: 1 }, { input: bias ?? 0 }];

/** On matrix units. */
export function matrixPlan(inputs: readonly TensorSpec[], product: Product, { workPerDispatch }: Limits, epilogue: Epilogue): Plan<Dispatch> {
  const { m, n, k, transposeA, transposeB } = product;
  const shader = matrixText({ ...storageOf(inputs, product, epilogue), transposeA, transposeB });
  return { steps: splitRows(m, n * k, workPerDispatch, matrixBlock).map(({ firstRow, rows }) => (
    { shader, params: { m, n, k, firstRow }, bind: [...operandsOf(epilogue), { output: 0 }], workgroups: [Math.ceil(n / matrixBlock), Math.ceil(rows / matrixBlock), 1], work: rows * n * k })) };
}

export function matmulPlan(inputs: readonly TensorSpec[], product: Product, limits: Limits, epilogue: Epilogue = inputs.length > 2 ? { bias: 2 } : {}): Plan<Dispatch> {
  const { m, n, k, transposeA, transposeB } = product, { workPerDispatch, reducedPrecision } = limits, { scales } = epilogue;
  if (!m || !n) return { steps: [] };
  const storage = storageOf(inputs, product, epilogue);
  const operands = operandsOf(epilogue);
  const factors: Bind[] = scales === undefined ? [] : [{ input: scales }];
  if (m <= maxVectorRows && !transposeA) {
    const shader = vectorText({ ...storage, transposeB, rows: 2 ** Math.ceil(Math.log2(m)) });
    const columns = vectorColumns(transposeB);
    return { steps: splitRows(n, m * k, workPerDispatch, columns).map(({ firstRow, rows }) => (
      { shader, params: { m, n, k, firstColumn: firstRow }, bind: [...operands, { output: 0 }, ...factors], workgroups: [Math.ceil(rows / columns), 1, 1], work: rows * m * k })) };
  }
  if (reducedPrecision === 'subgroupMatrix' && scales === undefined && m * n * k >= enoughForMatrices && k > 128) return matrixPlan(inputs, product, limits, epilogue);
  const { tile, slices } = chooseTile(product);
  const slice = Math.max(1, Math.ceil(k / slices / tile.blockK)) * tile.blockK;
  const shader = tileText({ ...storage, tile, transposeA, transposeB, arithmetic: reducedPrecision === 'float16' ? 'f16' : 'f32' });
  const y: Bind = slices > 1 ? { scratch: 0 } : { output: 0 };
  const steps = splitRows(m, n * k, workPerDispatch, tile.blockM).map(({ firstRow, rows }): Dispatch => (
    { shader, params: { m, n, k, firstRow, slice }, bind: [...operands, y, ...factors], workgroups: [Math.ceil(n / tile.blockN), Math.ceil(rows / tile.blockM), slices], work: rows * n * k }));
  if (slices === 1) return { steps };
  return { scratch: [float32(slices, m, n)], steps: [...steps, ...addUp(y, { output: 0 }, slices, m * n)] };
}

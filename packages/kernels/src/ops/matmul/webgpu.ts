// The WebGPU plans of matmul: which tile, and whether k is split, by how much of the GPU a product would fill.
import { isWide, remembered } from '../../devices/webgpu/quads';
import { fits, mostElements, show, spans } from '../../devices/webgpu/windows';
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

/** The largest tile that fills the GPU, over slices of k where it must; a y that no tile fills is cut as far as k allows, and one whose slices cannot be bound together not at all. */
function chooseTile({ m, n, k }: Product, boxes: readonly Box[], limits: Limits): { tile: Tile; slices: number } {
  const most = boxes.length > 1 ? 1 : Math.max(1, Math.floor(Math.min(k / minSlice, mostElements(float32(), limits) / (m * n))));
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

const storageOf = (inputs: readonly TensorSpec[], { m, n, k, transposeA, transposeB }: Product, { bias, scales }: Epilogue, adds: boolean) => (
  { wideA: isWide(transposeA ? m : k), wideB: isWide(transposeB ? k : n), wideY: isWide(n), hasBias: bias !== undefined && !adds, hasScales: scales !== undefined, adds, dtypeA: inputs[0].dtype, dtypeB: inputs[1].dtype, dtypeBias: inputs[bias ?? 0].dtype });

type Span = readonly [first: number, end: number];

/** Rows of a, columns of b and places of k. */
type Box = readonly [rows: Span, columns: Span, inner: Span];

/** Boxes end at multiples of it along k, the depth of the deepest block of a kernel. */
const innerUnit = 32;

/** Columns of y that one dispatch may have, whatever the block. */
const mostColumns = 65535 * 32;

/** A product in boxes whose operands can be bound, by whole lines of each as it is stored. Boxes of the same rows and columns follow one another, over k in order. */
function boxesOf([a, b]: readonly TensorSpec[], { m, n, k, transposeA, transposeB }: Product, limits: Limits): Box[] {
  const along = (count: number, unit: number, operands: readonly (readonly [TensorSpec, number])[], most = Infinity): Span[] => {
    const bindable = operands.filter(([spec]) => !fits([spec], limits)).map(([spec, length]) => Math.floor(mostElements(spec, limits) / length / unit) * unit);
    return count ? spans(count, Math.max(unit, Math.min(most, ...bindable))) : [[0, 0]];
  };
  const [byRows, byInnerA] = transposeA ? [[], [[a, m] as const]] : [[[a, k] as const], []];
  const [byColumns, byInnerB] = transposeB ? [[[b, k] as const], []] : [[], [[b, n] as const]];
  const [rows, columns, inner] = [along(m, 4, [[float32(m, n), n], ...byRows]), along(n, 4, byColumns, mostColumns), along(k, innerUnit, [...byInnerA, ...byInnerB])];
  return rows.flatMap((ofRows) => columns.flatMap((ofColumns) => inner.map((ofInner): Box => [ofRows, ofColumns, ofInner])));
}

const lengthOf = ([first, end]: Span): number => end - first;

interface Kernel {
  /** Its sums are written, or added to those over the places of k before. */
  readonly text: (adds: boolean) => string;
  /** What a workgroup computes. */
  readonly block: readonly [rows: number, columns: number];
  /** What a dispatch of too much work is cut along. */
  readonly cut: 'rows' | 'columns';
  readonly slices?: number;
  readonly slice?: number;
}

/** One dispatch for each box, or for each part of one that a device runs in time. */
function overBoxes(inputs: readonly TensorSpec[], y: Bind, product: Product, limits: Limits, { bias, scales }: Epilogue, boxes: readonly Box[], { text, block, cut, slices = 1, slice = Math.max(1, product.k) }: Kernel): Dispatch[] {
  const { m, n, k, transposeA, transposeB } = product;
  const axis = cut === 'rows' ? 0 : 1;
  const inTime = boxes.flatMap((box) => splitRows(lengthOf(box[axis]), lengthOf(box[1 - axis]) * lengthOf(box[2]), limits.workPerDispatch, block[axis])
    .map((part): Box => { const own: Span = [box[axis][0] + part.firstRow, box[axis][0] + part.firstRow + part.rows]; return axis ? [box[0], own, box[2]] : [own, box[1], box[2]]; }));
  const lines = (bind: Bind, spec: TensorSpec, [first, end]: Span, length: number) => show(bind, spec, first * length, end * length, limits);
  return inTime.map(([rows, columns, inner]): Dispatch => {
    const a = lines({ input: 0 }, inputs[0], ...(transposeA ? [inner, m] as const : [rows, k] as const));
    const b = lines({ input: 1 }, inputs[1], ...(transposeB ? [columns, k] as const : [inner, n] as const));
    const to = slices > 1 ? { view: y, start: 0 } : lines(y, float32(m, n), rows, n);
    return {
      shader: text(inner[0] > 0),
      params: { m, n, k, firstRow: rows[0], endRow: rows[1], firstColumn: columns[0], endColumn: columns[1], firstInner: inner[0], endInner: inner[1], slice, aStart: a.start, bStart: b.start, yStart: to.start },
      bind: [a.view, b.view, bias === undefined ? a.view : { input: bias }, to.view, ...(scales === undefined ? [] : [{ input: scales }])],
      workgroups: [Math.ceil(lengthOf(columns) / block[1]), Math.ceil(lengthOf(rows) / block[0]), slices],
      work: lengthOf(rows) * lengthOf(columns) * lengthOf(inner),
    };
  });
}

/** On matrix units. */
export function matrixPlan(inputs: readonly TensorSpec[], product: Product, limits: Limits, epilogue: Epilogue, boxes = boxesOf(inputs, product, limits)): Plan<Dispatch> {
  const { transposeA, transposeB } = product;
  const text = (adds: boolean) => matrixText({ ...storageOf(inputs, product, epilogue, adds), transposeA, transposeB });
  return { steps: overBoxes(inputs, { output: 0 }, product, limits, epilogue, boxes, { text, block: [matrixBlock, matrixBlock], cut: 'rows' }) };
}

export function matmulPlan(inputs: readonly TensorSpec[], product: Product, limits: Limits, epilogue: Epilogue = {}): Plan<Dispatch> {
  const { m, n, k, transposeA, transposeB } = product, { reducedPrecision } = limits;
  if (!m || !n) return { steps: [] };
  const boxes = boxesOf(inputs, product, limits);
  if (m <= maxVectorRows && !transposeA) {
    const text = (adds: boolean) => vectorText({ ...storageOf(inputs, product, epilogue, adds), transposeB, rows: 2 ** Math.ceil(Math.log2(m)) });
    return { steps: overBoxes(inputs, { output: 0 }, product, limits, epilogue, boxes, { text, block: [m, vectorColumns(transposeB)], cut: 'columns' }) };
  }
  if (reducedPrecision === 'subgroupMatrix' && epilogue.scales === undefined && m * n * k >= enoughForMatrices && k > 128) return matrixPlan(inputs, product, limits, epilogue, boxes);
  const { tile, slices } = chooseTile(product, boxes, limits);
  const text = (adds: boolean) => tileText({ ...storageOf(inputs, product, epilogue, adds), tile, transposeA, transposeB, arithmetic: reducedPrecision === 'float16' ? 'f16' : 'f32' });
  const kernel: Kernel = { text, block: [tile.blockM, tile.blockN], cut: 'rows', slices, slice: Math.max(1, Math.ceil(k / slices / tile.blockK)) * tile.blockK };
  if (slices === 1) return { steps: overBoxes(inputs, { output: 0 }, product, limits, epilogue, boxes, kernel) };
  return { scratch: [float32(slices, m, n)], steps: [...overBoxes(inputs, { scratch: 0 }, product, limits, epilogue, boxes, kernel), ...addUp({ scratch: 0 }, { output: 0 }, slices, m * n)] };
}

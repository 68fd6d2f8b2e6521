// Guards for shape rules. Every message reads `<op>: expected <what>, got <value>; <remedy>`.
import { describeSpec, sizeOf, storageTypes, type DType, type TensorSpec } from '../tensor';
import type { Rowwise } from '../op';

/** A number stands for that axis length, a name for any; equal names must have equal lengths. */
export function checkShape(op: string, name: string, { shape }: TensorSpec, expected: readonly (number | string)[], sizes: Record<string, number> = {}): Record<string, number> {
  const fits = shape.length === expected.length && shape.every((length, i) => {
    const axis = expected[i];
    return length === (typeof axis === 'number' ? axis : (sizes[axis] ??= length));
  });
  if (!fits) {
    const wanted = expected.map((axis) => (typeof axis === 'string' && axis in sizes ? `${axis} ${sizes[axis]}` : axis)).join(', ');
    throw new RangeError(`${op}: expected ${name} of shape [${wanted}], got [${shape.join(', ')}]; reshape() it, or give another`);
  }
  return sizes;
}

export function checkType(op: string, name: string, spec: TensorSpec, dtype: DType): void {
  if (spec.dtype !== dtype) throw new TypeError(`${op}: expected ${name} as ${dtype}, got ${describeSpec(spec)}; ${dtype === 'float32' ? 'cast() makes float32' : `make it of ${storageTypes[dtype].name}`}`);
}

export function checkFloats(op: string, specs: Readonly<Record<string, TensorSpec | undefined>>): void {
  for (const [name, spec] of Object.entries(specs)) if (spec) checkType(op, name, spec, 'float32');
}

export function checkSame(op: string, specs: Readonly<Record<string, TensorSpec>>): void {
  const [[first, a], ...others] = Object.entries(specs);
  checkFloats(op, specs);
  for (const [name, b] of others) {
    if (a.shape.length !== b.shape.length || a.shape.some((length, i) => length !== b.shape[i])) throw new RangeError(`${op}: expected ${first} and ${name} of one shape, got [${a.shape.join(', ')}] and [${b.shape.join(', ')}]; reshape() one, or repeat it with broadcastTo()`);
  }
}

/** A list of whole numbers, as kernels take it. */
export function integers(op: string, name: string, values: ArrayLike<number>): Int32Array {
  return values instanceof Int32Array ? values : Int32Array.from(list(op, name, 'whole numbers', values, Number.isInteger));
}

/** A list of finite numbers, as kernels take it. */
export const numbers = (op: string, name: string, values: ArrayLike<number>): Float32Array => Float32Array.from(list(op, name, 'finite numbers', values, Number.isFinite));

/** Keys on one side that a query sees. More than any tensor has is no limit: kernels count in 32 bits. */
export function windowOf(op: string, name: string, keys: number): number {
  if (keys > 2 ** 30) return -1;
  if (!(Number.isInteger(keys) && keys >= -1)) throw new RangeError(`${op}: expected ${name} of whole numbers of keys, or -1 for no limit, got ${keys}; 0 sees the query's own position alone`);
  return keys;
}

function list(op: string, name: string, what: string, values: ArrayLike<number>, fits: (value: number) => boolean): ArrayLike<number> {
  if (typeof (values as ArrayLike<number> | undefined)?.length !== 'number') throw new TypeError(`${op}: expected ${name} as a list of ${what}, got ${String(values)}; give an array or a typed array`);
  for (let i = 0; i < values.length; i++) if (!fits(values[i])) throw new RangeError(`${op}: expected ${name} of ${what}, got ${values[i]} at ${i}; check how the list was made`);
  return values;
}

/** The last axis, and how many rows of it there are. */
export function rowsOf(spec: TensorSpec): { rows: number; width: number } {
  const width = spec.shape.at(-1) ?? 1;
  return { rows: width === 0 ? 0 : sizeOf(spec) / width, width };
}

/** Workgroups for `count` invocations of a shader with 64 a group: at most 65,535 along x, the rest along y. The shader computes `id.y * 65535 * 64 + id.x`. */
export function linearGrid(count: number, perGroup = 64): [number, number, number] {
  const groups = Math.max(1, Math.ceil(count / perGroup));
  return [Math.min(groups, 65535), Math.ceil(groups / 65535), 1];
}

/** Parts of `rows` that stay within the device's budget for one dispatch, and within 65,535 workgroups of `perGroup` rows. */
export function splitRows(rows: number, workPerRow: number, workPerDispatch: number, perGroup = 1): { firstRow: number; rows: number }[] {
  const groups = Math.max(1, Math.min(65535, Math.floor(workPerDispatch / Math.max(1, workPerRow) / perGroup)));
  const parts: { firstRow: number; rows: number }[] = [];
  for (let firstRow = 0; firstRow < rows; firstRow += groups * perGroup) parts.push({ firstRow, rows: Math.min(groups * perGroup, rows - firstRow) });
  return parts;
}

/** `rowwise` of ops without attributes that matter to it: rows are those of the first input named, over its last axis, or its single elements, or what its first axis counts. Optional inputs may be missing. */
const rowwise = (rows: (spec: TensorSpec) => number, adds: boolean) => (...cut: number[]) => (inputs: readonly TensorSpec[]): Rowwise => ({ rows: rows(inputs[cut[0]]), inputs: cut.filter((i) => i < inputs.length), adds });
export const byRows = rowwise((spec) => rowsOf(spec).rows, false);
export const byElements = rowwise(sizeOf, false);
export const byFirstAxis = rowwise(({ shape: [count] }) => count, false);
export const addingRows = rowwise((spec) => rowsOf(spec).rows, true);
export const addingElements = rowwise(sizeOf, true);

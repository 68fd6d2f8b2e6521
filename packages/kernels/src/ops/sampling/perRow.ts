/** One number for all rows, or one for each. */
export type PerRow = number | ArrayLike<number>;

export function perRow(op: string, values: PerRow, rows: number): number[] {
  if (typeof values === 'number') return new Array<number>(rows).fill(values);
  if (values.length !== rows) throw new RangeError(`${op}: expected one number, or one for each of ${rows} rows, got ${values.length}; one number serves all`);
  return Array.from(values);
}

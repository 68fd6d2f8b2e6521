/** Features of items, `[rows, columns]`, as far as a linear model needs them. */
export interface DesignMatrix {
  readonly rows: number;
  readonly columns: number;
  /** result = X weights. @param weights - `[columns, outputs]` @param result - `[rows, outputs]` */
  multiply(weights: Float64Array, outputs: number, result: Float64Array): void;
  /** result = X' values. @param values - `[rows, outputs]` @param result - `[columns, outputs]` */
  multiplyTransposed(values: Float64Array, outputs: number, result: Float64Array): void;
}

/**
 * Counts of features, row by row without the zeros; an entry of the matrix is its count times the row's scale. Four bytes an entry:
 * the 3- to 6-mers of all 73,335 training sequences of virus_covid are 140 million entries.
 */
export interface SparseCounts {
  readonly rows: number;
  /** At most 65,536. */
  readonly columns: number;
  /** `[rows + 1]` */
  readonly rowStarts: Uint32Array;
  readonly columnIndices: Uint16Array;
  readonly counts: Uint16Array;
  /** `[rows]` */
  readonly rowScales: Float64Array;
}

/** @param columnScales - `[columns]`, multiplies each column; the weights take it on, so that no entry is touched */
export function sparseMatrix(sparse: SparseCounts, columnScales: Float64Array): DesignMatrix {
  const { rows, columns, rowScales } = sparse;
  return {
    rows, columns,
    multiply(weights, outputs, result) {
      const scaled = scaleRows(weights.slice(), columnScales, outputs);
      if (outputs === 1) gatherOne(sparse, scaled, result);
      else gather(sparse, scaled, outputs, result);
      scaleRows(result, rowScales, outputs);
    },
    multiplyTransposed(values, outputs, result) {
      const scaled = scaleRows(values.slice(), rowScales, outputs);
      result.fill(0);
      if (outputs === 1) scatterOne(sparse, scaled, result);
      else scatter(sparse, scaled, outputs, result);
      scaleRows(result, columnScales, outputs);
    },
  };
}

/** Multiplies row i of `[rows, outputs]` by `scales[i]`, in place. */
export function scaleRows(values: Float64Array, scales: Float64Array, outputs: number): Float64Array {
  for (let row = 0, i = 0; row < scales.length; row++) for (let output = 0; output < outputs; output++) values[i++] *= scales[row];
  return values;
}

// Nearly all time of a fit goes into these four loops. Without the inner loop over outputs two classes take half as long.

function gatherOne({ rows, rowStarts, columnIndices, counts }: SparseCounts, weights: Float64Array, result: Float64Array): void {
  for (let row = 0, entry = 0; row < rows; row++) {
    const end = rowStarts[row + 1];
    let sum = 0;
    for (; entry < end; entry++) sum += counts[entry] * weights[columnIndices[entry]];
    result[row] = sum;
  }
}

function scatterOne({ rows, rowStarts, columnIndices, counts }: SparseCounts, values: Float64Array, result: Float64Array): void {
  for (let row = 0, entry = 0; row < rows; row++) {
    const end = rowStarts[row + 1];
    const value = values[row];
    for (; entry < end; entry++) result[columnIndices[entry]] += counts[entry] * value;
  }
}

function gather({ rows, rowStarts, columnIndices, counts }: SparseCounts, weights: Float64Array, outputs: number, result: Float64Array): void {
  result.fill(0);
  for (let row = 0; row < rows; row++)
    for (let entry = rowStarts[row]; entry < rowStarts[row + 1]; entry++) {
      const first = columnIndices[entry] * outputs;
      for (let output = 0; output < outputs; output++) result[row * outputs + output] += counts[entry] * weights[first + output];
    }
}

function scatter({ rows, rowStarts, columnIndices, counts }: SparseCounts, values: Float64Array, outputs: number, result: Float64Array): void {
  for (let row = 0; row < rows; row++)
    for (let entry = rowStarts[row]; entry < rowStarts[row + 1]; entry++) {
      const first = columnIndices[entry] * outputs;
      for (let output = 0; output < outputs; output++) result[first + output] += counts[entry] * values[row * outputs + output];
    }
}

/** @param values - `[rows, columns]` @param columnScales - `[columns]`, multiplies each column */
export function denseMatrix(values: Float64Array, columns: number, columnScales: Float64Array): DesignMatrix {
  const scaled = values.map((value, i) => value * columnScales[i % columns]);
  const rows = values.length / columns;
  return {
    rows, columns,
    multiply(weights, outputs, result) {
      result.fill(0);
      for (let row = 0; row < rows; row++)
        for (let column = 0; column < columns; column++)
          for (let output = 0; output < outputs; output++) result[row * outputs + output] += scaled[row * columns + column] * weights[column * outputs + output];
    },
    multiplyTransposed(factors, outputs, result) {
      result.fill(0);
      for (let row = 0; row < rows; row++)
        for (let column = 0; column < columns; column++)
          for (let output = 0; output < outputs; output++) result[column * outputs + output] += scaled[row * columns + column] * factors[row * outputs + output];
    },
  };
}

/** One over the standard deviation (n) of each column; 1 for a column that is constant up to rounding. @param forEachEntry - visits all entries that are not zero */
export function inverseDeviations(rows: number, columns: number, forEachEntry: (visit: (column: number, value: number) => void) => void): Float64Array {
  const sums = new Float64Array(columns);
  const squares = new Float64Array(columns);
  forEachEntry((column, value) => {
    sums[column] += value;
    squares[column] += value * value;
  });
  return sums.map((sum, column) => {
    const variance = squares[column] / rows - (sum / rows) ** 2;
    return variance <= 1e-12 * (squares[column] / rows) ? 1 : 1 / Math.sqrt(variance);
  });
}

/** The columns of one matrix followed by those of another, row by row. */
export function beside(left: DesignMatrix, right: DesignMatrix): DesignMatrix {
  let scratch = new Float64Array(0);
  return {
    rows: left.rows, columns: left.columns + right.columns,
    multiply(weights, outputs, result) {
      if (scratch.length !== result.length) scratch = new Float64Array(result.length);
      left.multiply(weights.subarray(0, left.columns * outputs), outputs, result);
      right.multiply(weights.subarray(left.columns * outputs), outputs, scratch);
      for (let i = 0; i < result.length; i++) result[i] += scratch[i];
    },
    multiplyTransposed(values, outputs, result) {
      left.multiplyTransposed(values, outputs, result.subarray(0, left.columns * outputs));
      right.multiplyTransposed(values, outputs, result.subarray(left.columns * outputs));
    },
  };
}

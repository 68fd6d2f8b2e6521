import type { DesignMatrix } from './designMatrix';
import { largest, minimize, type Iteration } from './minimize';

/** A fitted linear classifier. With two classes there is one output (the log-odds of class 1), otherwise one a class. */
export interface LogisticRegression {
  readonly classes: number;
  /** `[columns, outputs]`, then the intercepts `[outputs]`. */
  readonly coefficients: Float64Array;
  readonly iterations: number;
}

export interface LogisticRegressionProblem {
  readonly matrix: DesignMatrix;
  readonly labels: ArrayLike<number>;
  readonly classes: number;
  /** Inverse strength of the regularisation. */
  readonly C: number;
  /** Coefficients to start from; zeros unless given. The minimum is unique, so this only saves time. */
  readonly start?: Float64Array;
  /** Stops where the gradient has fallen to this share of that at zero; 1e-5 unless given. */
  readonly tolerance?: number;
  readonly maxIterations?: number;
}

export const outputsOf = (classes: number): number => (classes === 2 ? 1 : classes);

/**
 * Minimises 0.5 ||w||² + C Σ log-loss with intercepts free of the penalty: scikit-learn's `LogisticRegression(solver='lbfgs')`, multinomial beyond two classes.
 * The search moves in coordinates where the columns have mean zero. A free intercept takes up the difference, so the minimum is the same,
 * but it is reached in a third of the iterations: k-mer frequencies lie far from zero, and that common direction is all that a plain search sees at first.
 */
export function* fitLogisticRegression(problem: LogisticRegressionProblem): Generator<Iteration, LogisticRegression> {
  const { matrix, classes, start, tolerance = 1e-5, maxIterations = 1000 } = problem;
  const outputs = outputsOf(classes);
  const means = new Float64Array(matrix.columns);
  matrix.multiplyTransposed(new Float64Array(matrix.rows).fill(1 / matrix.rows), 1, means);
  const centred = { ...problem, matrix: centre(matrix, means) };
  const objective = (point: Float64Array, gradient: Float64Array) => penalizedLoss(centred, point, gradient);
  const zero = new Float64Array((matrix.columns + 1) * outputs);
  const gradientAtZero = new Float64Array(zero.length);
  objective(zero, gradientAtZero);
  const from = start ? moveIntercepts(start, means, outputs, 1) : zero;
  const minimum = yield* minimize(objective, from, { tolerance, scale: largest(gradientAtZero), maxIterations });
  return { classes, coefficients: moveIntercepts(minimum.point, means, outputs, -1), iterations: minimum.iteration };
}

/** X - 1 means', without ever writing it out. */
function centre(matrix: DesignMatrix, means: Float64Array): DesignMatrix {
  return {
    ...matrix,
    multiply(weights, outputs, result) {
      matrix.multiply(weights, outputs, result);
      const shift = weightedSums(weights, means, outputs);
      for (let i = 0; i < result.length; i++) result[i] -= shift[i % outputs];
    },
    multiplyTransposed(values, outputs, result) {
      matrix.multiplyTransposed(values, outputs, result);
      const totals = new Float64Array(outputs);
      for (let i = 0; i < values.length; i++) totals[i % outputs] += values[i];
      for (let column = 0, i = 0; column < means.length; column++) for (let output = 0; output < outputs; output++) result[i++] -= means[column] * totals[output];
    },
  };
}

/** means' weights, `[outputs]` */
function weightedSums(weights: Float64Array, means: Float64Array, outputs: number): Float64Array {
  const sums = new Float64Array(outputs);
  for (let column = 0, i = 0; column < means.length; column++) for (let output = 0; output < outputs; output++) sums[output] += means[column] * weights[i++];
  return sums;
}

function moveIntercepts(coefficients: Float64Array, means: Float64Array, outputs: number, sign: number): Float64Array {
  const moved = coefficients.slice();
  weightedSums(coefficients, means, outputs).forEach((sum, output) => (moved[means.length * outputs + output] += sign * sum));
  return moved;
}

/** The value, and the gradient `[columns, outputs]` followed by the intercepts' `[outputs]`. */
export function penalizedLoss({ matrix, labels, classes, C }: LogisticRegressionProblem, point: Float64Array, gradient: Float64Array): number {
  const outputs = outputsOf(classes);
  const weights = point.subarray(0, matrix.columns * outputs);
  const slopes = linearOutputs(matrix, point, outputs);
  const intercepts = gradient.subarray(weights.length).fill(0);
  let loss = 0;
  // Turns the outputs of each row into the loss's derivatives, in place.
  for (let row = 0; row < matrix.rows; row++) {
    loss += outputs === 1 ? binarySlope(slopes, row, labels[row]) : softmaxSlopes(slopes, row * outputs, outputs, labels[row]);
    for (let output = 0; output < outputs; output++) intercepts[output] += C * slopes[row * outputs + output];
  }
  const weightGradient = gradient.subarray(0, weights.length);
  matrix.multiplyTransposed(slopes, outputs, weightGradient);
  let penalty = 0;
  for (let i = 0; i < weights.length; i++) {
    weightGradient[i] = weights[i] + C * weightGradient[i];
    penalty += weights[i] * weights[i];
  }
  return penalty / 2 + C * loss;
}

function linearOutputs(matrix: DesignMatrix, point: Float64Array, outputs: number): Float64Array {
  const result = new Float64Array(matrix.rows * outputs);
  matrix.multiply(point.subarray(0, matrix.columns * outputs), outputs, result);
  const intercepts = point.subarray(matrix.columns * outputs);
  for (let i = 0; i < result.length; i++) result[i] += intercepts[i % outputs];
  return result;
}

function binarySlope(outputs: Float64Array, row: number, label: number): number {
  const margin = label === 1 ? outputs[row] : -outputs[row];
  const tail = Math.exp(-Math.abs(margin));
  const wrong = margin > 0 ? tail / (1 + tail) : 1 / (1 + tail);
  outputs[row] = label === 1 ? -wrong : wrong;
  return Math.log1p(tail) + Math.max(0, -margin);
}

function softmaxSlopes(values: Float64Array, first: number, classes: number, label: number): number {
  const target = values[first + label];
  const { max, sum } = softmaxInPlace(values, first, classes);
  values[first + label] -= 1;
  return max + Math.log(sum) - target;
}

function softmaxInPlace(values: Float64Array, first: number, classes: number): { max: number; sum: number } {
  let max = -Infinity;
  for (let k = 0; k < classes; k++) max = Math.max(max, values[first + k]);
  let sum = 0;
  for (let k = 0; k < classes; k++) sum += values[first + k] = Math.exp(values[first + k] - max);
  for (let k = 0; k < classes; k++) values[first + k] /= sum;
  return { max, sum };
}

/** Probabilities `[rows, classes]`. */
export function predictProbabilities({ classes, coefficients }: LogisticRegression, matrix: DesignMatrix): Float32Array {
  const outputs = outputsOf(classes);
  const values = linearOutputs(matrix, coefficients, outputs);
  if (outputs > 1) {
    for (let row = 0; row < matrix.rows; row++) softmaxInPlace(values, row * outputs, outputs);
    return Float32Array.from(values);
  }
  const probabilities = new Float32Array(2 * matrix.rows);
  values.forEach((logOdds, row) => {
    probabilities[2 * row] = 1 / (1 + Math.exp(logOdds));
    probabilities[2 * row + 1] = 1 / (1 + Math.exp(-logOdds));
  });
  return probabilities;
}

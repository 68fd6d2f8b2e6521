/** Where the minimiser stands after an iteration. */
export interface Iteration {
  readonly iteration: number;
  readonly value: number;
  /** Largest absolute component of the gradient. */
  readonly gradientNorm: number;
}

export interface Minimum extends Iteration {
  readonly point: Float64Array;
}

export interface MinimizeOptions {
  /** Stops where the gradient's largest component has fallen below this share of `scale`. */
  readonly tolerance: number;
  /** The size of a gradient that counts as large: that at zero, for example. */
  readonly scale: number;
  readonly maxIterations: number;
}

/** Writes the gradient at `point` into `gradient` and returns the value. */
export type Objective = (point: Float64Array, gradient: Float64Array) => number;

/** Pairs of steps and gradient changes that are remembered. */
const historyLength = 20;

/**
 * Minimises a smooth convex function by L-BFGS (Nocedal & Wright 2006, algorithm 7.5), float64. Yields after every iteration, so that the caller decides whether to go on.
 * It also stops where no step leads on in float64.
 */
export function* minimize(objective: Objective, start: Float64Array, { tolerance, scale, maxIterations }: MinimizeOptions): Generator<Iteration, Minimum> {
  const history: Pair[] = [];
  let point = start.slice();
  let gradient = new Float64Array(point.length);
  let value = objective(point, gradient);
  let iteration = 0;
  while (iteration < maxIterations && largest(gradient) > tolerance * scale) {
    const direction = descentDirection(gradient, history);
    const firstStep = history.length === 0 ? 1 / Math.sqrt(dot(gradient, gradient)) : 1;
    const found = lineSearch(objective, point, value, gradient, direction, firstStep);
    if (!found) break;
    const step = subtract(found.point, point);
    const change = subtract(found.gradient, gradient);
    const curvature = dot(step, change);
    if (curvature > 0) history.push({ step, change, curvature });
    if (history.length > historyLength) history.shift();
    ({ point, gradient, value } = found);
    iteration++;
    yield { iteration, value, gradientNorm: largest(gradient) };
  }
  return { iteration, value, gradientNorm: largest(gradient), point };
}

interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  readonly curvature: number;
}

/** Minus the inverse Hessian, as the history approximates it, times the gradient: the two-loop recursion. */
function descentDirection(gradient: Float64Array, history: readonly Pair[]): Float64Array {
  const direction = gradient.map((component) => -component);
  const weights: number[] = [];
  for (let i = history.length - 1; i >= 0; i--) {
    weights[i] = dot(history[i].step, direction) / history[i].curvature;
    addScaled(direction, history[i].change, -weights[i]);
  }
  const latest = history.at(-1);
  const scale = latest ? latest.curvature / dot(latest.change, latest.change) : 1;
  for (let i = 0; i < direction.length; i++) direction[i] *= scale;
  for (let i = 0; i < history.length; i++) addScaled(direction, history[i].step, weights[i] - dot(history[i].change, direction) / history[i].curvature);
  return direction;
}

/**
 * A step that meets the weak Wolfe conditions (1e-4, 0.9), by doubling and bisection (Lewis & Overton 2013, algorithm 4.6); undefined where float64 shows no descent.
 * Close to the minimum values differ by rounding only: there the slopes decide (Hager & Zhang 2005, equation 4).
 */
function lineSearch(objective: Objective, origin: Float64Array, value: number, gradient: Float64Array, direction: Float64Array, firstStep: number) {
  const slope = dot(gradient, direction);
  const rounding = 1e-12 * Math.abs(value);
  let [low, high, step] = [0, Infinity, firstStep];
  for (let trial = 0; trial < 40; trial++) {
    const point = origin.slice();
    addScaled(point, direction, step);
    const found = { point, gradient: new Float64Array(point.length), value: 0 };
    found.value = objective(point, found.gradient);
    const newSlope = dot(found.gradient, direction);
    const falls = found.value <= value + 1e-4 * step * slope || (found.value <= value + rounding && newSlope <= -0.9998 * slope);
    if (!falls) high = step;
    else if (newSlope < 0.9 * slope) low = step;
    else return found;
    step = high === Infinity ? 2 * low : (low + high) / 2;
  }
  return undefined;
}

export function largest(values: Float64Array): number {
  let result = 0;
  for (let i = 0; i < values.length; i++) {
    if (values[i] > result) result = values[i];
    else if (-values[i] > result) result = -values[i];
  }
  return result;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function addScaled(target: Float64Array, values: Float64Array, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i] += factor * values[i];
}

const subtract = (a: Float64Array, b: Float64Array): Float64Array => a.map((value, i) => value - b[i]);

// Scalar definitions in float64, shared by the activations and the gated units.

/** The error function to 1e-15: the series near zero, a continued fraction beyond (Abramowitz and Stegun 7.1.5, 7.1.14). */
export function erf(x: number): number {
  const z = Math.abs(x);
  if (Number.isNaN(x)) return NaN;
  if (z > 6) return Math.sign(x);
  if (z < 2.5) {
    let [term, total] = [z, z];
    for (let n = 1; Math.abs(term) > 1e-17 * total; n++) {
      term *= (-z * z) / n;
      total += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * total) / Math.sqrt(Math.PI);
  }
  let fraction = z;
  for (let n = 60; n > 0; n--) fraction = z + n / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-z * z) / (fraction * Math.sqrt(Math.PI)));
}

export type Activation = 'gelu' | 'silu' | 'tanh';

interface Definition {
  value(x: number): number;
  derivative(x: number): number;
}

const normalCdf = (x: number) => 0.5 * (1 + erf(x / Math.SQRT2));
const normalDensity = (x: number) => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** GELU by erf (Hendrycks and Gimpel 2016), not the tanh approximation: that differs by up to 3e-3 through a model. */
export const activations: Readonly<Record<Activation, Definition>> = {
  gelu: { value: (x) => x * normalCdf(x), derivative: (x) => normalCdf(x) + x * normalDensity(x) },
  silu: { value: (x) => x * sigmoid(x), derivative: (x) => sigmoid(x) * (1 + x * (1 - sigmoid(x))) },
  tanh: { value: Math.tanh, derivative: (x) => 1 - Math.tanh(x) ** 2 },
};

/** How kernels know an activation: a constant ACTIVATION in WGSL, an argument in WebAssembly. */
export const activationCode: Readonly<Record<Activation, number>> = { gelu: 0, silu: 1, tanh: 2 };

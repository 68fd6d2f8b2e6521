// Functions that kernels may call by name, in gpu.js's part of JavaScript. Single precision; the formulas are those of ops/activation/activation.wgsl.

/** Within 2e-7 (Abramowitz and Stegun 7.1.26); the tail keeps its relative precision. */
const normalCdf = `function normalCdf(v) {
  const z = Math.abs(v) * 0.70710678;
  const t = 1 / (1 + 0.3275911 * z);
  const upper = 0.5 * Math.exp(-z * z) * t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  if (v < 0) { return upper; }
  return 1 - upper;
}`;

const gelu = 'function gelu(v) { return v * normalCdf(v); }';

const silu = 'function silu(v) { return v / (1 + Math.exp(-v)); }';

/** Without overflow for large arguments, and without cancelling for small ones. */
const hyperbolic = `function hyperbolic(v) {
  const s = v * v;
  if (s < 0.04) { return v * (1 + s * (-0.33333333 + s * (0.13333333 + s * (-0.05396825 + s * 0.02186949)))); }
  const e = Math.exp(-2 * Math.abs(v));
  const size = (1 - e) / (1 + e);
  if (v < 0) { return -size; }
  return size;
}`;

export const functionTexts: readonly string[] = [normalCdf, gelu, silu, hyperbolic];

/** By the activation's name; empty for none. */
export const functionNames: Readonly<Record<string, string>> = { '': '', gelu: 'gelu', silu: 'silu', tanh: 'hyperbolic' };

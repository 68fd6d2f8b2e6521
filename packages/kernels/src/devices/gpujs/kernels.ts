// Plans of gpu.js launches, by the name of the op. An op that is not here has no kernel on gpujs.
import { matmulSizes } from '../../ops/matmul/matmul';
import { rowsOf } from '../../ops/check';
import { float32, sizeOf, type TensorSpec } from '../../tensor';
import { input, output, scratch } from '../wasm/plan';
import { attention } from './attention';
import { functionNames } from './functions';
import { read, readArray, type Launch, type Planner, type Read } from './launch';
import type { Plan } from '../../op';

/** Rows of the last axis. */
const rows = (index: number, spec: TensorSpec): Read => read(input(index), rowsOf(spec).width, rowsOf(spec).rows);
const row = (index: number, spec: TensorSpec): Read => read(input(index), sizeOf(spec));

const one = (launch: Omit<Launch, 'to'>): Plan<Launch> => ({ steps: [{ ...launch, to: output(0) }] });

/** `value` is of `a`, the first input's element, and of `b`, the second's, both at `this.thread`. */
const eachElement = (value: string) => (inputs: readonly TensorSpec[], [y]: readonly TensorSpec[]): Plan<Launch> => one({
  text: `function (${['left', 'right'].slice(0, inputs.length).join(', ')}) {
    const a = left[this.thread.y][this.thread.x];${inputs.length > 1 ? '\n    const b = right[this.thread.y][this.thread.x];' : ''}
    return ${value};
  }`,
  reads: inputs.map((spec, i) => rows(i, spec)), size: [rowsOf(y).width, rowsOf(y).rows],
});

/** Operators over shapes that broadcast go by the same names, and have no kernel. */
const ofOneShape = (planner: Planner): Planner => (inputs, outputs, attributes) => (inputs.every((spec) => sizeOf(spec) === sizeOf(outputs[0])) ? planner(inputs, outputs, attributes) : undefined);

const withRow = (operator: string): Planner => ([x, other]) => one({
  text: `function (x, other) { return x[this.thread.y][this.thread.x] ${operator} other[this.thread.x]; }`,
  reads: [rows(0, x), row(1, other)], size: [rowsOf(x).width, rowsOf(x).rows],
});

interface Product {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** Of `linear`, which never transposes a and always b. */
  readonly hasBias?: boolean;
  readonly hasResidual?: boolean;
  readonly activation?: string;
}

function matmul(inputs: readonly TensorSpec[], _outputs: readonly TensorSpec[], { transposeA = false, transposeB = true, hasBias = false, hasResidual = false, activation = '' }: Product): Plan<Launch> {
  const { m, n, k } = matmulSizes(inputs[0], inputs[1], { transposeA, transposeB });
  const last = inputs.length - 1;
  return one({
    text: `function (a, b${hasBias ? ', bias' : ''}${hasResidual ? ', residual' : ''}) {
      let total = ${hasBias ? 'bias[this.thread.x]' : '0'};
      for (let i = 0; i < this.constants.k; i++) { total += ${transposeA ? 'a[i][this.thread.y]' : 'a[this.thread.y][i]'} * ${transposeB ? 'b[this.thread.x][i]' : 'b[i][this.thread.x]'}; }
      return ${functionNames[activation]}(total)${hasResidual ? ' + residual[this.thread.y][this.thread.x]' : ''};
    }`,
    constants: { k }, size: [n, m],
    reads: [rows(0, inputs[0]), rows(1, inputs[1]), ...(hasBias ? [row(2, inputs[2])] : []), ...(hasResidual ? [rows(last, inputs[last])] : [])],
  });
}

/** Weights of 8 bits. */
const quantizedLinear: Planner = ([x, values, scales, bias]) => one({
  text: `function (x, values, scales${bias ? ', bias' : ''}) {
    let total = 0;
    for (let i = 0; i < this.constants.k; i++) { total += x[this.thread.y][i] * values[this.thread.x][i]; }
    return total * scales[this.thread.x]${bias ? ' + bias[this.thread.x]' : ''};
  }`,
  constants: { k: x.shape[1] }, size: [values.shape[0], x.shape[0]],
  reads: [rows(0, x), rows(1, values), row(2, scales), ...(bias ? [row(3, bias)] : [])],
});

const linear: Planner = (inputs, outputs, attributes) => (inputs[1].dtype === 'int8' ? quantizedLinear : matmul)(inputs, outputs, attributes);

const embedding: Planner = ([table, ids]) => one({
  text: `function (table, ids) {
    const id = ids[this.thread.y];
    if (id >= this.constants.rows) { return 0; }
    return table[id][this.thread.x];
  }`,
  constants: { rows: table.shape[0] }, reads: [rows(0, table), row(1, ids)], size: [table.shape[1], sizeOf(ids)],
});

const layerNorm: Planner = ([x, weight, bias], _outputs, attributes) => {
  const { width, rows: count } = rowsOf(x);
  const statistics = {
    text: `function (x) {
      let mean = 0;
      for (let i = 0; i < this.constants.width; i++) { mean += x[this.thread.y][i]; }
      mean = mean / this.constants.width;
      if (this.thread.x < 1) { return mean; }
      let squares = 0;
      for (let j = 0; j < this.constants.width; j++) { squares += (x[this.thread.y][j] - mean) * (x[this.thread.y][j] - mean); }
      return 1 / Math.sqrt(squares / this.constants.width + this.constants.epsilon);
    }`,
    constants: { width, ...attributes }, reads: [rows(0, x)], to: output(1), size: [2, count] as const,
  };
  const value = {
    text: `function (x, statistics, weight, bias) {
      return (x[this.thread.y][this.thread.x] - statistics[this.thread.y][0]) * statistics[this.thread.y][1] * weight[this.thread.x] + bias[this.thread.x];
    }`,
    reads: [rows(0, x), read(output(1), 2, count), row(1, weight), row(2, bias)], to: output(0), size: [width, count] as const,
  };
  return { steps: [statistics, value] };
};

/** The launches after a sum, if any, is at `x`. */
function rmsNormSteps(x: Read, weight: TensorSpec, spec: TensorSpec, attributes: object): Launch[] {
  const { width, rows: count } = rowsOf(spec);
  const inverses = {
    text: `function (x) {
      let squares = 0;
      for (let i = 0; i < this.constants.width; i++) { squares += x[this.thread.x][i] * x[this.thread.x][i]; }
      return 1 / Math.sqrt(squares / this.constants.width + this.constants.epsilon);
    }`,
    constants: { width, ...attributes }, reads: [x], to: output(1), size: [count] as const,
  };
  const value = {
    text: 'function (x, inverses, weight) { return x[this.thread.y][this.thread.x] * inverses[this.thread.y] * weight[this.thread.x]; }',
    reads: [x, read(output(1), count), row(1, weight)], to: output(0), size: [width, count] as const,
  };
  return [inverses, value];
}

const sumOfRows = eachElement('a + b');
const summed = (x: TensorSpec, to: Launch['to']): Launch[] => sumOfRows([x, x], [x]).steps.map((step) => ({ ...step, reads: [rows(0, x), rows(2, x)], to }));

const rmsNorm: Planner = ([x, weight, residual], _outputs, attributes) => {
  if (!residual) return { steps: rmsNormSteps(rows(0, x), weight, x, attributes) };
  return { scratch: [x], steps: [...summed(x, scratch(0)), ...rmsNormSteps({ ...rows(0, x), from: scratch(0) }, weight, x, attributes)] };
};

const addRmsNorm: Planner = ([x, weight], _outputs, attributes) => ({ steps: [...summed(x, output(2)), ...rmsNormSteps({ ...rows(0, x), from: output(2) }, weight, x, attributes)] });

function rotary([x, { shape: [positions, , half] }, { shape: [tokens] }]: readonly TensorSpec[], _outputs: readonly TensorSpec[], { heads: turned, sign }: { readonly heads: number; readonly sign: number }): Plan<Launch> {
  const [, heads, headDim] = x.shape;
  return one({
    text: `function (x, table, positions, missing) {
      const own = x[this.thread.z][this.thread.y][this.thread.x];
      if (this.thread.y >= this.constants.turned || this.thread.x >= 2 * this.constants.half) { return own; }
      const position = positions[this.thread.z];
      if (position >= this.constants.positions) { return missing[0]; }
      if (this.thread.x < this.constants.half) {
        return own * table[position][0][this.thread.x] - this.constants.sign * table[position][1][this.thread.x] * x[this.thread.z][this.thread.y][this.thread.x + this.constants.half];
      }
      return own * table[position][0][this.thread.x - this.constants.half] + this.constants.sign * table[position][1][this.thread.x - this.constants.half] * x[this.thread.z][this.thread.y][this.thread.x - this.constants.half];
    }`,
    constants: { turned, half, positions, sign }, size: [headDim, heads, tokens],
    reads: [read(input(0), headDim, heads, tokens), read(input(1), half, 2, positions), read(input(2), tokens), readArray(Float32Array.of(NaN))],
  });
}

const glu = (gate: string): Planner => (_inputs, [y]) => {
  const { width, rows: count } = rowsOf(y);
  return one({
    text: `function (x) { return ${functionNames[gate]}(x[this.thread.y][this.thread.x]) * x[this.thread.y][this.thread.x + this.constants.width]; }`,
    constants: { width }, reads: [read(input(0), 2 * width, count)], size: [width, count],
  });
};

/** The factor is an argument, lest every factor be compiled. */
const scale = ([x]: readonly TensorSpec[], _outputs: readonly TensorSpec[], { factor }: { readonly factor: number }): Plan<Launch> => one({
  text: 'function (x, factor) { return x[this.thread.y][this.thread.x] * factor[0]; }',
  reads: [rows(0, x), readArray(Float32Array.of(factor))], size: [rowsOf(x).width, rowsOf(x).rows],
});

const softmax: Planner = ([x]) => {
  const { width, rows: count } = rowsOf(x);
  const largest = `let max = x[this.thread.y][0];
      for (let i = 1; i < this.constants.width; i++) { if (x[this.thread.y][i] > max) { max = x[this.thread.y][i]; } }`;
  const statistics = {
    text: `function (x) {
      ${largest}
      if (this.thread.x < 1) { return max; }
      let total = 0;
      for (let j = 0; j < this.constants.width; j++) { total += Math.exp(x[this.thread.y][j] - max); }
      return total;
    }`,
    constants: { width }, reads: [rows(0, x)], to: scratch(0), size: [2, count] as const,
  };
  const value = {
    text: 'function (x, statistics) { return Math.exp(x[this.thread.y][this.thread.x] - statistics[this.thread.y][0]) / statistics[this.thread.y][1]; }',
    reads: [rows(0, x), read(scratch(0), 2, count)], to: output(0), size: [width, count] as const,
  };
  return { scratch: [float32(count, 2)], steps: [statistics, value] };
};

const segmentMean = ([x]: readonly TensorSpec[], _outputs: readonly TensorSpec[], { cuSeqlens }: { readonly cuSeqlens: Int32Array }): Plan<Launch> => one({
  text: `function (x, ends) {
    const first = ends[this.thread.y];
    const end = ends[this.thread.y + 1];
    let total = 0;
    for (let token = first; token < end; token++) { total += x[token][this.thread.x]; }
    return total / Math.max(1, end - first);
  }`,
  reads: [rows(0, x), readArray(cuSeqlens)], size: [x.shape[1], cuSeqlens.length - 1],
});

export const kernels: Readonly<Record<string, Planner>> = {
  matmul, linear, embedding, layerNorm, rmsNorm, addRmsNorm, rotary, attention, softmax, segmentMean, scale,
  ...Object.fromEntries(['gelu', 'silu', 'tanh'].map((name) => [name, eachElement(`${functionNames[name]}(a)`)])), geglu: glu('gelu'), swiglu: glu('silu'),
  add: ofOneShape(eachElement('a + b')), sub: ofOneShape(eachElement('a - b')), mul: ofOneShape(eachElement('a * b')), addRow: withRow('+'), mulRow: withRow('*'),
};

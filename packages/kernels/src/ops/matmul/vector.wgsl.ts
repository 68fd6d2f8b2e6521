// y = a b (+ bias) for few rows of a, as in decoding: all of the time goes into reading b, once.
// Grid: x over groups of columns from firstColumn. b stored as [n, k]: 4 columns, 32 lanes share each line of k. b stored as [k, n]: 32 columns in quads, 16 lanes share k.
// Workgroup memory: one vec4 for each of 128 lanes and each row. Accumulates in f32: lanes with a stride, then a tree.
// The order of a row's sums depends on n and k alone: a row of a batch has the bits that it has by itself.
import { unrolled } from '../../devices/webgpu/quads';
import { declareOperands, paramsStruct, type Operands } from './operands';

export const maxVectorRows = 8;

export interface VectorVariant extends Operands {
  /** Rows that are summed, 1, 2, 4 or 8; those beyond m repeat the last one. */
  readonly rows: number;
}

const lanes = 128;

/** Columns of y that a workgroup owns. */
export const vectorColumns = (transposeB: boolean): number => (transposeB ? 4 : 32);

export function vectorShader(variant: VectorVariant): string {
  const { rows, transposeB, wideY, hasBias, hasScales = false } = variant;
  const columns = vectorColumns(transposeB);
  const perLine = transposeB ? lanes / columns : lanes / (columns / 4); // lanes that share k
  const sums = transposeB
    ? `  for (var at = params.firstInner + share * 4u; at < params.endInner; at += ${perLine * 4}u) {
    let right = bQuad(column, at, params.endColumn, params.k);
${unrolled(rows, (r) => `    sum${r} += aQuad(min(${r}u, last), at, params.m, params.k) * right;\n`)}  }
`
    : `  for (var at = params.firstInner + share * 4u; at < params.endInner; at += ${perLine * 4}u) {
${unrolled(4, (i) => `    let right${i} = bQuad(at + ${i}u, column, params.endInner, params.n);\n`)}${unrolled(rows, (r) => `    let left${r} = aQuad(min(${r}u, last), at, params.m, params.k);\n    sum${r} += left${r}.x * right0 + left${r}.y * right1 + left${r}.z * right2 + left${r}.w * right3;\n`)}  }
`;
  // One lane of those that share k stores a row: the sum of a vec4 is one element of a [n, k] product, and four of a [k, n] one.
  const store = transposeB
    ? unrolled(rows, (r) => `    if (${r}u < params.m) { y[params.yStart + ${r}u * params.n + column] = dot(partial[${r * lanes}u + lane], vec4(1.0))${hasScales ? ' * scalesQuad(0u, column / 4u * 4u, 1u, params.n)[column % 4u]' : ''}${hasBias ? ' + biasQuad(0u, column / 4u * 4u, 1u, params.n)[column % 4u]' : ''}; }\n`)
    : unrolled(rows, (r) => `    if (${r}u < params.m) { yPut(params.yStart + ${r}u * params.n + column, params.n - column, partial[${r * lanes}u + lane]${hasScales ? ' * scalesQuad(0u, column, 1u, params.n)' : ''}${hasBias ? ' + biasQuad(0u, column, 1u, params.n)' : ''}); }\n`);
  return `${paramsStruct}@group(0) @binding(0) var<storage, read> params: Params;
${declareOperands(variant, wideY && !transposeB)}var<workgroup> partial: array<vec4<f32>, ${rows * lanes}>;

@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let share = lane % ${perLine}u;
  let column = params.firstColumn + group.x * ${columns}u + lane / ${perLine}u${transposeB ? '' : ' * 4u'};
  let last = params.m - 1u;
${unrolled(rows, (r) => `  var sum${r} = vec4(0.0);\n`)}${sums}${unrolled(rows, (r) => `  partial[${r * lanes}u + lane] = sum${r};\n`)}  for (var step = ${perLine / 2}u; step > 0u; step /= 2u) {
    workgroupBarrier();
    if (share < step) {
${unrolled(rows, (r) => `      partial[${r * lanes}u + lane] += partial[${r * lanes}u + lane + step];\n`)}    }
  }
  if (share == 0u && column < params.endColumn) {
${store}  }
}
`;
}

const both = [false, true];
/** What tools/checkWgsl.mjs compiles. */
export const variants = [
  ...[1, 2, 4, 8].flatMap((rows) => both.flatMap((transposeB) => both.map((wide) => ({ rows, transposeB, wideA: wide, wideB: wide, wideY: wide, hasBias: wide })))),
  ...both.map((wide) => ({ rows: 4, transposeB: false, wideA: wide, wideB: wide, wideY: wide, hasBias: false, adds: true })),
  ...both.map((wide) => ({ rows: 2, transposeB: true, wideA: wide, wideB: wide, wideY: wide, hasBias: wide, hasScales: true, dtypeB: 'int8' as const })),
  ...(['float16', 'bfloat16'] as const).flatMap((dtype) => both.map((wide) => ({ rows: 2, transposeB: true, wideA: wide, wideB: wide, wideY: wide, hasBias: true, dtypeA: dtype, dtypeB: dtype, dtypeBias: dtype }))),
].map((variant) => ({ name: JSON.stringify(variant), shader: vectorShader(variant) }));

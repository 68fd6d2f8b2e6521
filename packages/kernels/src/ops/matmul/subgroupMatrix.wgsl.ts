// y = a b (+ bias) on matrix units: operands rounded to f16, sums in f32. Opt-in, for GPUs with subgroups of 32 and f16 matrices of 16 x 16 x 16; see `reducedPrecision`.
// Grid: x over tiles of 128 columns from firstColumn, y over tiles of 128 rows from firstRow. Four subgroups in 2 x 2 own 64 x 64 elements each, as 16 matrices of sums (ONNX Runtime's layout for the same units).
// Workgroup memory: a panel of 128 x 32 of each operand as it is stored, in f16, lines padded by 8 against bank conflicts; 4 matrices on their way out: 24.5 KiB.
// Relative error about 1e-3 (f16 has 11 bits); magnitudes of a and b beyond 65,504 become infinite.
import { unrolled } from '../../devices/webgpu/quads';
import { declareOperands, paramsStruct, type Operands } from './operands';

const [block, threads, size] = [128, 128, 16];
export const matrixBlock = block;

export interface MatrixVariant extends Omit<Operands, 'hasScales'> {
  readonly transposeA: boolean;
}

/** A panel lies as its operand does: lines along k, or, `across`, lines of k. */
function panel(name: string, depth: number, across: boolean, end: string, length: string, first: string) {
  const stride = (across ? block : depth) + 8;
  const quads = (across ? block : depth) / 4;
  const [line, at] = [`i / ${quads}u`, `i % ${quads}u * 4u`];
  return {
    declare: `var<workgroup> ${name}Panel: array<f16, ${(across ? depth : block) * stride}>;\n`,
    fill: `    for (var i = lane; i < ${(block * depth) / 4}u; i += ${threads}u) {
      let value = vec4<f16>(${across ? `${name}Quad(inner + ${line}, ${first} + ${at}, params.endInner, ${length})` : `${name}Quad(${first} + ${line}, inner + ${at}, ${end}, params.k)`});
      let to = ${line} * ${stride}u + ${at};
${unrolled(4, (c) => `      ${name}Panel[to + ${c}u] = value.${'xyzw'[c]};\n`)}    }
`,
    /** Where the matrix of 16 that begins at this row or column and this place of k lies. */
    load: (type: string, from: string, k: string) => `subgroupMatrixLoad<${type}, ${across === (type === 'Left') ? 'col_major' : 'row_major'}>(&${name}Panel, ${across ? `${k} * ${stride}u + ${from}` : `(${from}) * ${stride}u + ${k}`}, ${stride}u)`,
  };
}

/** @param depth - of k in a panel, a multiple of 16 */
export function matrixShader(variant: MatrixVariant, depth = 32): string {
  const { transposeA, transposeB, hasBias } = variant;
  const a = panel('a', depth, transposeA, 'params.endRow', 'params.m', 'firstRow');
  const b = panel('b', depth, !transposeB, 'params.endColumn', 'params.n', 'firstColumn');
  return `enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;
${paramsStruct}alias Left = subgroup_matrix_left<f16, ${size}, ${size}>;
alias Right = subgroup_matrix_right<f16, ${size}, ${size}>;
alias Sum = subgroup_matrix_result<f32, ${size}, ${size}>;
@group(0) @binding(0) var<storage, read> params: Params;
${declareOperands(variant)}${a.declare}${b.declare}var<workgroup> out: array<f32, ${4 * size * size}>;

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_id) subgroup: u32, @builtin(subgroup_invocation_id) own: u32) {
  let firstRow = params.firstRow + group.y * ${block}u;
  let firstColumn = params.firstColumn + group.x * ${block}u;
  let row = subgroup / 2u * 64u;
  let column = subgroup % 2u * 64u;
${unrolled(4, (r) => unrolled(4, (c) => `  var sum${r}${c} = Sum(0.0);\n`))}  for (var inner = params.firstInner; inner < params.endInner; inner += ${depth}u) {
    workgroupBarrier();
${a.fill}${b.fill}    workgroupBarrier();
    for (var k = 0u; k < ${depth}u; k += ${size}u) {
${unrolled(4, (r) => `      let left${r} = ${a.load('Left', `row + ${r * size}u`, 'k')};\n`)}${unrolled(4, (c) => `      let right${c} = ${b.load('Right', `column + ${c * size}u`, 'k')};\n${unrolled(4, (r) => `      sum${r}${c} = subgroupMatrixMultiplyAccumulate(left${r}, right${c}, sum${r}${c});\n`)}`)}    }
  }
  let mine = subgroup * ${size * size}u;
${unrolled(4, (r) => unrolled(4, (c) => `  workgroupBarrier();
  subgroupMatrixStore<row_major>(&out, mine, sum${r}${c}, ${size}u);
  workgroupBarrier();
  store(firstRow + row + ${r * size}u, firstColumn + column + ${c * size}u, mine, own);
`))}}

// A matrix from workgroup memory to y: two quads a lane.
fn store(row: u32, column: u32, start: u32, own: u32) {
  for (var i = own; i < ${(size * size) / 4}u; i += 32u) {
    let toRow = row + i / 4u;
    let toColumn = column + i % 4u * 4u;
    if (toRow < params.endRow && toColumn < params.endColumn) {
      let at = start + i * 4u;
      let value = vec4(out[at], out[at + 1u], out[at + 2u], out[at + 3u])${hasBias ? ' + biasQuad(0u, toColumn, 1u, params.n)' : ''};
      yPut(params.yStart + toRow * params.n + toColumn, params.n - toColumn, value);
    }
  }
}
`;
}

const both = [false, true];
/** What tools/checkWgsl.mjs compiles. */
export const variants = both.flatMap((transposeA) => both.flatMap((transposeB) => both.map((wide): MatrixVariant => ({ transposeA, transposeB, wideA: wide, wideB: wide, wideY: wide, hasBias: wide }))))
  .map((variant) => ({ name: JSON.stringify(variant), shader: matrixShader(variant) }));

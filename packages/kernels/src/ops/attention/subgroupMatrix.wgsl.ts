// The forward pass of attention on matrix units: queries (scaled), keys, values and weights rounded to f16, scores, statistics and results in f32. Opt-in; see `reducedPrecision`.
// Grid and table `blocks` as in forward.wgsl.ts. A subgroup of 32 owns 16 query rows; two lanes share a row, and own half of its weights and of its results, in registers.
// Workgroup memory: queries, one tile of 32 keys or values, a stage for matrices on their way to the lanes, weights; all lines padded against bank conflicts. 36 KiB at a head of 64, 47.5 at 128.
// Relative error about 1e-3 (f16 has 11 bits). Online softmax over blocks of 32 keys in order.
import { fields, groupRows, helpers, offsets, operands, resultWriter, type Operand } from './blocks';
import { unrolled } from '../../devices/webgpu/quads';
import type { DType } from '../../tensor';

const size = 16, keys = 32;

export interface MatrixForwardVariant {
  /** A multiple of 16. */
  readonly headDim: number;
  /** Each owns 16 rows. */
  readonly subgroups: number;
  /** Columns of the results in the stage at once, a multiple of 16 that divides headDim. */
  readonly chunk: number;
  readonly dtypeQuery?: DType | undefined;
  readonly dtypeKey?: DType | undefined;
}

export const matrixRows = ({ subgroups }: Pick<MatrixForwardVariant, 'subgroups'>): number => size * subgroups;

const stageStride = ({ chunk }: Pick<MatrixForwardVariant, 'chunk'>): number => Math.max(keys, chunk) + 4;

export const matrixForwardBytes = (variant: Pick<MatrixForwardVariant, 'headDim' | 'subgroups' | 'chunk'>): number =>
  2 * (matrixRows(variant) + keys) * (variant.headDim + 8) + 4 * matrixRows(variant) * stageStride(variant) + 2 * matrixRows(variant) * (keys + 8);

/** Lines [first, end) of an operand into a panel of f16, padded by 8. */
export const fillPanel = ({ panel, name, lines, first, end, headDim, threads }: { panel: string; name: Operand['name']; lines: number; first: string; end: string; headDim: number; threads: number }): string => `  for (var i = lane; i < ${(lines * headDim) / 4}u; i += ${threads}u) {
    let line = i / ${headDim / 4}u;
    let depth = i % ${headDim / 4}u * 4u;
    var value = vec4(0.0);
    if (${first} + i32(line) < ${end}) { value = ${name}Row(${first} + i32(line), ${name}Offset, depth); }
    let rounded = vec4<f16>(value);
    let to = line * ${headDim + 8}u + depth;
${unrolled(4, (c) => `    ${panel}[to + ${c}u] = rounded.${'xyzw'[c]};\n`)}  }
`;

export function matrixForwardShader(variant: MatrixForwardVariant): string {
  const { headDim, subgroups, chunk, dtypeQuery, dtypeKey } = variant;
  const [rows, threads, line, stage, weights] = [matrixRows(variant), 32 * subgroups, headDim + 8, stageStride(variant), keys + 8];
  const [chunks, quads] = [headDim / chunk, chunk / 8]; // a lane owns that many quads of each chunk of a row
  const fill = (panel: string, name: 'query' | 'key' | 'value', lines: number, first: string, end: string) => fillPanel({ panel, name, lines, first, end, headDim, threads });
  // The score of four keys from k on, as it lies in the stage, with its bias; and which of them the row sees.
  const score = `let column = first + i32(k) + vec4(0, 1, 2, 3);
      let sees = (column >= vec4(own.x)) & (column < vec4(own.y));
      let at = stageRow + k;
      let score = select(vec4(-3.4e38), vec4(stage[at], stage[at + 1u], stage[at + 2u], stage[at + 3u]) - slope * abs(vec4<f32>(column - (row + shift))), sees);`;
  return `enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;
struct Params { numHeads: u32, group: u32, ${fields}, softmaxScale: f32, before: i32, after: i32, minusInfinity: f32, blocks: u32, alibiSlopes: u32, arrays: array<u32> }
alias Left = subgroup_matrix_left<f16, ${size}, ${size}>;
alias Right = subgroup_matrix_right<f16, ${size}, ${size}>;
alias Sum = subgroup_matrix_result<f32, ${size}, ${size}>;
@group(0) @binding(0) var<storage, read> params: Params;
${operands([{ name: 'query', dtype: dtypeQuery }, { name: 'key', dtype: dtypeKey }, { name: 'value', dtype: dtypeKey }], headDim)}${resultWriter(4, 'output', headDim)}@group(0) @binding(5) var<storage, read_write> logSumExp: array<f32>;
var<workgroup> queries: array<f16, ${rows * line}>;
var<workgroup> stream: array<f16, ${keys * line}>;
var<workgroup> stage: array<f32, ${rows * stage}>;
var<workgroup> weights: array<f16, ${rows * weights}>;
${helpers}
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_id) subgroup: u32, @builtin(subgroup_invocation_id) member: u32) {
  let head = group.y;
  let slope = bitcast<f32>(params.arrays[params.alibiSlopes + head]);
${groupRows(rows)}  let ownLine = subgroup * ${size}u + member / 2u;
  let half = member % 2u;
  let row = firstRow + i32(ownLine);
  let own = select(vec2(begin), seen(row + shift, start, stop), row < rowEnd); // rows beyond the last see nothing
  let stageRow = ownLine * ${stage}u;
${offsets(['query', 'key', 'value'], headDim, 'head', 'head / params.group')}  var top = -3.4e38;
  var norm = 0.0;
${unrolled(chunks, (c) => unrolled(quads, (q) => `  var o${c}_${q} = vec4(0.0);\n`))}${fill('queries', 'query', rows, 'firstRow', 'rowEnd')}  for (var first = begin; first < end; first += ${keys}) {
    workgroupBarrier();
${fill('stream', 'key', keys, 'first', 'end')}    workgroupBarrier();
    var score0 = Sum(0.0);
    var score1 = Sum(0.0);
    for (var depth = 0u; depth < ${headDim}u; depth += ${size}u) {
      let left = subgroupMatrixLoad<Left, row_major>(&queries, subgroup * ${size * line}u + depth, ${line}u);
      let right0 = subgroupMatrixLoad<Right, col_major>(&stream, depth, ${line}u);
      let right1 = subgroupMatrixLoad<Right, col_major>(&stream, ${size * line}u + depth, ${line}u);
      score0 = subgroupMatrixMultiplyAccumulate(left, right0, score0);
      score1 = subgroupMatrixMultiplyAccumulate(left, right1, score1);
    }
    subgroupMatrixStore<row_major>(&stage, subgroup * ${size * stage}u, score0, ${stage}u);
    subgroupMatrixStore<row_major>(&stage, subgroup * ${size * stage}u + ${size}u, score1, ${stage}u);
    workgroupBarrier();
    var newTop = top;
    for (var k = 0u; k < ${keys}u; k += 4u) {
      ${score}
      newTop = max(newTop, max(max(score.x, score.y), max(score.z, score.w)));
    }
    let rescale = exponential(vec4(top - newTop)).x;
    top = newTop;
    norm *= rescale;
    for (var k = half * ${size}u; k < half * ${size}u + ${size}u; k += 4u) {
      ${score}
      let weight = select(vec4(0.0), exponential(score - top), sees);
      norm += dot(weight, vec4(1.0));
      let to = ownLine * ${weights}u + k;
${unrolled(4, (c) => `      weights[to + ${c}u] = f16(weight.${'xyzw'[c]});\n`)}    }
${fill('stream', 'value', keys, 'first', 'end')}${unrolled(chunks, (c) => `    workgroupBarrier();
${unrolled(chunk / size, (n) => `    var sum${c}_${n} = Sum(0.0);\n`)}    for (var k = 0u; k < ${keys}u; k += ${size}u) {
      let left = subgroupMatrixLoad<Left, row_major>(&weights, subgroup * ${size * weights}u + k, ${weights}u);
${unrolled(chunk / size, (n) => `      let right${n} = subgroupMatrixLoad<Right, row_major>(&stream, k * ${line}u + ${c * chunk + n * size}u, ${line}u);\n      sum${c}_${n} = subgroupMatrixMultiplyAccumulate(left, right${n}, sum${c}_${n});\n`)}    }
${unrolled(chunk / size, (n) => `    subgroupMatrixStore<row_major>(&stage, subgroup * ${size * stage}u + ${n * size}u, sum${c}_${n}, ${stage}u);\n`)}    workgroupBarrier();
${unrolled(quads, (q) => `    o${c}_${q} = o${c}_${q} * rescale + vec4(${[0, 1, 2, 3].map((i) => `stage[stageRow + half * ${chunk / 2}u + ${4 * q + i}u]`).join(', ')});\n`)}`)}  }
  workgroupBarrier();
  stage[stageRow + half] = norm;
  workgroupBarrier();
  norm = stage[stageRow] + stage[stageRow + 1u];
  if (row >= rowEnd) { return; }
  let sees = own.x < own.y;
  if (half == 0u) { logSumExp[u32(row) * params.numHeads + head] = select(params.minusInfinity, top + logarithm(vec4(norm)).x, sees); }
  let base = (u32(row) * params.numHeads + head) * ${headDim}u;
${unrolled(chunks, (c) => unrolled(quads, (q) => `  outputQuad(base, ${c * chunk}u + half * ${chunk / 2}u + ${4 * q}u, select(vec4(0.0), o${c}_${q} / norm, sees));\n`))}}
`;
}

/** What tools/checkWgsl.mjs compiles. */
export const variants = [32, 64, 96, 128].map((headDim): MatrixForwardVariant => ({ headDim, subgroups: 4, chunk: headDim % 64 ? 32 : 64 })).map((variant) => ({ name: JSON.stringify(variant), shader: matrixForwardShader(variant) }));

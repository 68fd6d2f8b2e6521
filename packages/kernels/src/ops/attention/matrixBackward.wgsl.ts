// The gradients of attention on matrix units, as backward.wgsl.ts defines them: operands, probabilities and their gradients rounded to f16, scores, statistics and results in f32. Opt-in; see `reducedPrecision`.
// Grid, table `blocks` and bindings as in backward.wgsl.ts. A subgroup of 32 owns 16 rows, and keeps its results in matrices; two lanes share a row of scores.
// Workgroup memory: two operands of the own rows, tiles of 32 lines of both others, a stage for matrices on their way to the lanes, probabilities (by keys) and their gradients; all lines padded against bank conflicts. 46 KiB at a head of 64, 44.5 at 128.
// Relative error about 1e-3 (f16 has 11 bits) of gradients above 6e-5: smaller ones lose digits. Over the others in order, in blocks of 32.
import { fields, groupRows, helpers, offsets, operands, resultWriter, type Operand } from './blocks';
import { fillPanel } from './subgroupMatrix.wgsl';
import { unrolled } from '../../devices/webgpu/quads';
import type { DType } from '../../tensor';

const size = 16, columns = 32, weightLine = columns + 8, stageLine = columns + 4;

export interface MatrixBackwardVariant {
  /** A multiple of 16. */
  readonly headDim: number;
  /** Each owns 16 rows. */
  readonly subgroups: number;
  readonly by: 'queries' | 'keys';
  readonly packed: boolean;
  readonly dtypeQuery?: DType | undefined;
  readonly dtypeKey?: DType | undefined;
}

export const matrixBackwardBytes = ({ headDim, subgroups, by }: Pick<MatrixBackwardVariant, 'headDim' | 'subgroups' | 'by'>): number => {
  const rows = size * subgroups;
  return 2 * 2 * (rows + columns) * (headDim + 8) + 4 * rows * stageLine + 2 * (by === 'keys' ? 2 : 1) * rows * weightLine;
};

export function matrixBackwardShader({ headDim, subgroups, by, packed, dtypeQuery, dtypeKey }: MatrixBackwardVariant): string {
  const byKeys = by === 'keys';
  const [rows, threads, line, tiles] = [size * subgroups, 32 * subgroups, headDim + 8, headDim / size];
  const others = byKeys ? (['query', 'd'] as const) : (['key', 'value'] as const);
  const fill = (panel: string, name: Operand['name'], lines: number, first: string, end: string) => fillPanel({ panel, name, lines, first, end, headDim, threads });
  /** The products of the own rows with 32 columns, by way of the stage. */
  const toStage = (left: string, right: string) => `    {
      var sum0 = Sum(0.0);
      var sum1 = Sum(0.0);
      for (var depth = 0u; depth < ${headDim}u; depth += ${size}u) {
        let left = subgroupMatrixLoad<Left, row_major>(&${left}, subgroup * ${size * line}u + depth, ${line}u);
        let right0 = subgroupMatrixLoad<Right, col_major>(&${right}, depth, ${line}u);
        let right1 = subgroupMatrixLoad<Right, col_major>(&${right}, ${size * line}u + depth, ${line}u);
        sum0 = subgroupMatrixMultiplyAccumulate(left, right0, sum0);
        sum1 = subgroupMatrixMultiplyAccumulate(left, right1, sum1);
      }
      subgroupMatrixStore<row_major>(&stage, subgroup * ${size * stageLine}u, sum0, ${stageLine}u);
      subgroupMatrixStore<row_major>(&stage, subgroup * ${size * stageLine}u + ${size}u, sum1, ${stageLine}u);
    }
    workgroupBarrier();
`;
  const staged = (quad: number) => `vec4(stage[at + ${4 * quad}u], stage[at + ${4 * quad + 1}u], stage[at + ${4 * quad + 2}u], stage[at + ${4 * quad + 3}u])`;
  const statistic = (index: string) => `statistics[params.statisticsStart + u32(${index}) * params.numHeads + head]`;
  const ofColumns = (quad: number) => [0, 1, 2, 3].map((c) => `      let t${c} = ${statistic(`min(column${quad}.${'xyzw'[c]}, end - 1)`)};\n`).join('');
  const field = (which: 'x' | 'y') => (byKeys ? `vec4(t0.${which}, t1.${which}, t2.${which}, t3.${which})` : `mine.${which}`);
  const toPanel = (panel: string, value: string, quad: number) => unrolled(4, (c) => `      ${panel}[to + ${4 * quad + c}u] = f16(${value}.${'xyzw'[c]});\n`);
  const accumulate = (results: string, weights: string, stream: string) => `    for (var k = 0u; k < ${columns}u; k += ${size}u) {
      let left = subgroupMatrixLoad<Left, row_major>(&${weights}, subgroup * ${size * weightLine}u + k, ${weightLine}u);
${unrolled(tiles, (n) => `      let right${n} = subgroupMatrixLoad<Right, row_major>(&${stream}, k * ${line}u + ${n * size}u, ${line}u);\n      ${results}${n} = subgroupMatrixMultiplyAccumulate(left, right${n}, ${results}${n});\n`)}    }
`;
  const stream = `    for (var first = begin; first < end; first += ${columns}) {
    workgroupBarrier();
${fill('other0', others[0], columns, 'first', 'end')}${fill('other1', others[1], columns, 'first', 'end')}    workgroupBarrier();
${toStage('own0', 'other0')}    let at = ownLine * ${stageLine}u + half * ${size}u;
    let to = ownLine * ${weightLine}u + half * ${size}u;
${unrolled(4, (q) => `    let column${q} = first + i32(half) * ${size} + vec4(${[0, 1, 2, 3].map((c) => 4 * q + c).join(', ')});
    let sees${q} = (column${q} >= vec4(own.x)) & (column${q} < vec4(own.y));
    var p${q} = vec4(0.0);
    {
${byKeys ? ofColumns(q) : ''}      p${q} = select(vec4(0.0), exponential(${staged(q)} - slope * abs(vec4<f32>(column${q} - (row + shift))) - ${field('x')}), sees${q});
    }
`)}    workgroupBarrier();
${toStage('own1', 'other1')}${unrolled(4, (q) => `    {
${byKeys ? ofColumns(q) : ''}      let e = select(vec4(0.0), p${q} * (${staged(q)} - ${field('y')}), sees${q});
${toPanel('gradients', 'e', q)}${byKeys ? toPanel('weights', `p${q}`, q) : ''}    }
`)}    workgroupBarrier();
${byKeys ? accumulate('v', 'weights', 'other1') : ''}${accumulate('k', 'gradients', 'other0')}    }
`;
  const store = (results: string, output: string, base: string, value: (staged: string) => string) => unrolled(tiles, (n) => `  workgroupBarrier();
  subgroupMatrixStore<row_major>(&stage, subgroup * ${size * stageLine}u, ${results}${n}, ${stageLine}u);
  workgroupBarrier();
  if (row < rowEnd) {
    let at = ownLine * ${stageLine}u + half * 8u;
${unrolled(2, (q) => `    ${output}Quad(${base}, ${n * size}u + half * 8u + ${4 * q}u, ${value(staged(q))});\n`)}  }
`);
  const place = (name: 'query' | 'key' | 'value') => `u32(row) * params.${name}Stride + ${name}Offset`;
  return `enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;
struct Params { numHeads: u32, group: u32, ${fields}, softmaxScale: f32, before: i32, after: i32, blocks: u32, alibiSlopes: u32, arrays: array<u32> }
alias Left = subgroup_matrix_left<f16, ${size}, ${size}>;
alias Right = subgroup_matrix_right<f16, ${size}, ${size}>;
alias Sum = subgroup_matrix_result<f32, ${size}, ${size}>;
@group(0) @binding(0) var<storage, read> params: Params;
${operands([{ name: 'query', dtype: dtypeQuery }, { name: 'key', dtype: dtypeKey }, { name: 'value', dtype: dtypeKey }, { name: 'd' }], headDim)}@group(0) @binding(5) var<storage, read> statistics: array<vec2<f32>>;
${byKeys ? resultWriter(6, 'dKey', headDim) + resultWriter(7, 'dValue', headDim) : resultWriter(6, 'dQuery', headDim)}var<workgroup> own0: array<f16, ${rows * line}>;
var<workgroup> own1: array<f16, ${rows * line}>;
var<workgroup> other0: array<f16, ${columns * line}>;
var<workgroup> other1: array<f16, ${columns * line}>;
var<workgroup> stage: array<f32, ${rows * stageLine}>;
var<workgroup> gradients: array<f16, ${rows * weightLine}>;
${byKeys ? `var<workgroup> weights: array<f16, ${rows * weightLine}>;\n` : ''}${helpers}
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_id) subgroup: u32, @builtin(subgroup_invocation_id) place: u32) {
${groupRows(rows)}  let ownLine = subgroup * ${size}u + place / 2u;
  let half = place % 2u;
  let row = firstRow + i32(ownLine);
  let own = select(vec2(begin), seen(row + shift, start, stop), row < rowEnd); // rows beyond the last see nothing
${unrolled(tiles, (n) => `  var k${n} = Sum(0.0);\n${byKeys ? `  var v${n} = Sum(0.0);\n` : ''}`)}${byKeys ? `${offsets(['key', 'value'], headDim, '', 'group.y')}${fill('own0', 'key', rows, 'firstRow', 'rowEnd')}${fill('own1', 'value', rows, 'firstRow', 'rowEnd')}  for (var member = 0u; member < params.group; member++) {
    let head = group.y * params.group + member;
    let slope = bitcast<f32>(params.arrays[params.alibiSlopes + head]);
${offsets(['query', 'd'], headDim, 'head', '')}${stream}  }
${store('k', 'dKey', place('key'), (value) => value)}${store('v', packed ? 'dKey' : 'dValue', place('value'), (value) => value)}` : `  let head = group.y;
  let slope = bitcast<f32>(params.arrays[params.alibiSlopes + head]);
  let mine = ${statistic('min(row, rowEnd - 1)')};
${offsets(['query', 'key', 'value', 'd'], headDim, 'head', 'head / params.group')}${fill('own0', 'query', rows, 'firstRow', 'rowEnd')}${fill('own1', 'd', rows, 'firstRow', 'rowEnd')}${stream}${store('k', 'dQuery', place('query'), (value) => `${value} * params.softmaxScale`)}`}}
`;
}

/** What tools/checkWgsl.mjs compiles. */
export const variants = (['queries', 'keys'] as const).flatMap((by) => [{ headDim: 64, subgroups: 4 }, { headDim: 32, subgroups: 4 }, { headDim: 128, subgroups: 2 }].flatMap((shape) => [false, true].map((packed): MatrixBackwardVariant => ({ ...shape, by, packed }))))
  .map((variant) => ({ name: JSON.stringify(variant), shader: matrixBackwardShader(variant) }));

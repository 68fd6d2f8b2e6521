// output = softmax(query key' softmaxScale + ALiBi) value and logSumExp, with an online softmax over blocks of keys (Dao 2023, arXiv 2307.08691).
// Grid: x over blocks of query rows (table `blocks`: first row, end of rows, start and end of keys, key position minus row), y over heads. Blocks: see blocks.ts.
// Workgroup memory: queries, then in one tile first keys and then values, weights, and the largest score of each row and lane.
// Where the keys are more than can be bound, further dispatches `continue` with further keys: they begin with the output and logSumExp so far.
// Accumulates in f32, over keys in order; in half precision (`half`) about 2e-3. A row that sees no key gives zeros and logSumExp -Infinity. A NaN in a value reaches rows that do not see it, in its block.
import { accumulate, columnsOf, declareResults, declareTiles, exchangeWeights, fields, fillResident, fillStraight, helpers, offsets, operands, ownRows, partType, placeOf, quadsOf, resultWriter, rowTiles, scores, storeResults, threadsOf, type Block } from './blocks';
import { unrolled } from '../../devices/webgpu/quads';
import type { DType } from '../../tensor';

export interface ForwardVariant {
  readonly headDim: number;
  readonly block: Block;
  readonly dtypeQuery?: DType | undefined;
  readonly dtypeKey?: DType | undefined;
  readonly continues?: boolean | undefined;
}

export function forwardShader({ headDim, block, dtypeQuery, dtypeKey, continues = false }: ForwardVariant): string {
  const { rows, lanes } = block;
  const [tile] = rowTiles(block, headDim, ['query']);
  const largest = (sums: string) => `max(max(${sums}.x, ${sums}.y), max(${sums}.z, ${sums}.w))`;
  const base = (r: number) => `params.outputStart + (u32(row + ${r}) * params.numHeads + head) * ${headDim}u`;
  const statistic = (index: string) => `logSumExp[params.statisticsStart + u32(${index}) * params.numHeads + head]`;
  const sawAny = (r: number) => `own${r}.x < own${r}.y${continues ? ` || had.${'xyzw'[r]}` : ''}`;
  const continued = !continues ? '' : `  let before = vec4(${[0, 1, 2, 3].map((r) => statistic(`min(row + ${r}, rowEnd - 1)`)).join(', ')});
  let had = bitcast<vec4<u32>>(before) != vec4(bitcast<u32>(params.minusInfinity));
  top = select(top, before, had);
  if (tx == 0u) { norm = select(norm, vec4(1.0), had); }
${unrolled(4, (r) => `  if (row + ${r} < rowEnd) {\n    let base = ${base(r)};\n${unrolled(quadsOf(headDim, block), (q) => `    o${r}_${q} = outputBefore(base, ${placeOf(block, q)});\n`)}  }\n`)}  storageBarrier();\n`;
  return `${partType(block)}struct Params { numHeads: u32, group: u32, ${fields}, softmaxScale: f32, before: i32, after: i32, minusInfinity: f32, blocks: u32, alibiSlopes: u32, arrays: array<u32> }
@group(0) @binding(0) var<storage, read> params: Params;
${operands([{ name: 'query', dtype: dtypeQuery }, { name: 'key', dtype: dtypeKey }, { name: 'value', dtype: dtypeKey }], headDim)}${resultWriter(4, 'output', headDim, continues)}@group(0) @binding(5) var<storage, read_write> logSumExp: array<f32>;
${declareTiles(block, headDim, ['query'], true)}${helpers}
@compute @workgroup_size(${threadsOf(block)})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let head = group.y;
  let slope = bitcast<f32>(params.arrays[params.alibiSlopes + head]);
${ownRows(block)}${offsets(['query', 'key', 'value'], headDim, 'head', 'head / params.group')}  var top = vec4(-3.4e38);
  var norm = vec4(0.0);
${declareResults(block, headDim, 'o')}${continued}${fillResident(block, headDim, ['query'])}  for (var first = begin; first < end; first += ${columnsOf(block)}) {
${scores(block, headDim, 's', tile, 'query', 'key')}    let column = first + i32(tx) * 4 + vec4(0, 1, 2, 3);
${unrolled(4, (r) => `    let sees${r} = (column >= vec4(own${r}.x)) & (column < vec4(own${r}.y));
    s${r} = select(vec4(-3.4e38), s${r} - slope * abs(vec4<f32>(column - (row + ${r} + shift))), sees${r});
`)}    partial[tx * ${rows / 4}u + ty] = vec4(${[0, 1, 2, 3].map((r) => largest(`s${r}`)).join(', ')});
    workgroupBarrier();
    var newTop = top;
    for (var i = 0u; i < ${lanes}u; i++) { newTop = max(newTop, partial[i * ${rows / 4}u + ty]); }
    let rescale = exponential(top - newTop);
    top = newTop;
${unrolled(4, (r) => `    let p${r} = select(vec4(0.0), exponential(s${r} - top.${'xyzw'[r]}), sees${r});\n`)}    norm = norm * rescale + vec4(${[0, 1, 2, 3].map((r) => `dot(p${r}, vec4(1.0))`).join(', ')});
${exchangeWeights(block, 'p')}${fillStraight(block, headDim, 'value')}    workgroupBarrier();
${unrolled(4, (r) => unrolled(quadsOf(headDim, block), (q) => `    o${r}_${q} *= rescale.${'xyzw'[r]};\n`))}${accumulate(block, headDim, 'o')}  }
  partial[tx * ${rows / 4}u + ty] = norm;
  workgroupBarrier();
  norm = vec4(0.0);
  for (var i = 0u; i < ${lanes}u; i++) { norm += partial[i * ${rows / 4}u + ty]; }
  let sum = top + logarithm(norm);
${unrolled(4, (r) => `  if (tx == 0u && row + ${r} < rowEnd) { ${statistic(`row + ${r}`)} = select(params.minusInfinity, sum.${'xyzw'[r]}, ${sawAny(r)}); }\n`)}${storeResults(block, headDim, 'output', 'o', base, (result, r) => `select(vec4(0.0), ${result} / norm.${'xyzw'[r]}, ${sawAny(r)})`)}}
`;
}

/** What tools/checkWgsl.mjs compiles. */
export const variants = [
  ...[{ rows: 64, lanes: 8 }, { rows: 8, lanes: 4 }].flatMap((shape) => [6, 32, 64, 96, 128].flatMap((headDim) => [32, 128].map((depth): ForwardVariant => ({ headDim, block: { ...shape, depth: Math.min(depth, Math.ceil(headDim / 4) * 4) } })))),
  ...[6, 64, 128].map((headDim): ForwardVariant => ({ headDim, block: { rows: 32, lanes: 8, depth: Math.min(32, Math.ceil(headDim / 4) * 4), half: true } })),
  ...[6, 64].map((headDim): ForwardVariant => ({ headDim, block: { rows: 32, lanes: 8, depth: headDim === 6 ? 8 : 32 }, continues: true })),
  ...(['float16', 'bfloat16'] as const).flatMap((dtypeKey) => [6, 64].map((headDim): ForwardVariant => ({ headDim, block: { rows: 32, lanes: 8, depth: headDim === 6 ? 8 : 32 }, dtypeKey, dtypeQuery: dtypeKey }))),
].map((variant) => ({ name: JSON.stringify(variant), shader: forwardShader(variant) }));

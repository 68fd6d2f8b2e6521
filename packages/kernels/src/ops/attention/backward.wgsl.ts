// The gradients of attention, with P = exp(score - logSumExp) computed again and dScore = P (d value' - delta); delta is dot(output, d).
// By queries: dQuery = sum over keys of dScore softmaxScale key. By keys: dValue = sum over queries of P d, dKey = sum of dScore softmaxScale query, over all query heads that share the key.
// Grid: x over blocks of rows (table `blocks`, as in forward.wgsl.ts, of queries or of keys), y over heads, or over key heads. Blocks: see blocks.ts.
// Workgroup memory: two operands of the own rows, one tile for all that streams past, weights. Accumulates in f32, over heads and the others in order: no atomics. In half precision (`half`) about 2e-3, of operands above 6e-5: smaller ones lose digits.
// Where the others are more than can be bound, further dispatches `continue` with further ones: they add to the gradients so far.
// By keys, packed: both gradients go into dKey, which is all of dQkv; dValue shows scratch.
import { accumulate, columnsOf, declareResults, declareTiles, exchangeWeights, fields, fillResident, fillStraight, helpers, offsets, operands, ownRows, partType, resultWriter, rowTiles, scores, storeResults, threadsOf, type Block } from './blocks';
import { unrolled } from '../../devices/webgpu/quads';
import type { DType } from '../../tensor';

export interface BackwardVariant {
  readonly headDim: number;
  readonly block: Block;
  readonly by: 'queries' | 'keys';
  readonly packed: boolean;
  readonly dtypeQuery?: DType | undefined;
  readonly dtypeKey?: DType | undefined;
  readonly continues?: boolean | undefined;
}

export function backwardShader({ headDim, block, by, packed, dtypeQuery, dtypeKey, continues = false }: BackwardVariant): string {
  const byKeys = by === 'keys';
  const own = byKeys ? (['key', 'value'] as const) : (['query', 'd'] as const);
  const others = byKeys ? (['query', 'd'] as const) : (['key', 'value'] as const);
  const tiles = rowTiles(block, headDim, own);
  // Statistics belong to queries: to the rows, or to the columns.
  const statistic = (index: string, r: number) => `    let statistic${r} = statistics[params.statisticsStart + ${index} * params.numHeads + head];\n`;
  const ofRows = unrolled(4, (r) => statistic(`u32(min(row + ${r}, rowEnd - 1))`, r));
  const ofColumns = unrolled(4, (c) => statistic(`u32(min(first + i32(tx) * 4 + ${c}, end - 1))`, c));
  const of = (field: 'x' | 'y', r: number) => (byKeys ? `vec4(${[0, 1, 2, 3].map((c) => `statistic${c}.${field}`).join(', ')})` : `statistic${r}.${field}`);
  const stream = `    for (var first = begin; first < end; first += ${columnsOf(block)}) {
${scores(block, headDim, 's', tiles[0], own[0], others[0])}${scores(block, headDim, 'g', tiles[1], own[1], others[1])}    let column = first + i32(tx) * 4 + vec4(0, 1, 2, 3);
${byKeys ? ofColumns : ''}${unrolled(4, (r) => `    let sees${r} = (column >= vec4(own${r}.x)) & (column < vec4(own${r}.y));
    let p${r} = select(vec4(0.0), exponential(s${r} - slope * abs(vec4<f32>(column - (row + ${r} + shift))) - ${of('x', r)}), sees${r});
    let e${r} = select(vec4(0.0), p${r} * (g${r} - ${of('y', r)}), sees${r});
`)}    workgroupBarrier();
${byKeys ? `${exchangeWeights(block, 'p')}${fillStraight(block, headDim, 'd')}    workgroupBarrier();
${accumulate(block, headDim, 'v')}    workgroupBarrier();
` : ''}${exchangeWeights(block, 'e')}${fillStraight(block, headDim, byKeys ? 'query' : 'key')}    workgroupBarrier();
${accumulate(block, headDim, 'k')}    }
`;
  const place = (name: 'query' | 'key' | 'value') => (r: number) => `u32(row + ${r}) * params.${name}Stride + ${name}Offset`;
  const dValue = packed ? 'dKey' : 'dValue';
  const added = (output: string) => (value: string, _r: number, at: string) => (continues ? `${value} + ${output}Before(base, ${at})` : value);
  return `${partType(block)}struct Params { numHeads: u32, group: u32, ${fields}, softmaxScale: f32, before: i32, after: i32, blocks: u32, alibiSlopes: u32, arrays: array<u32> }
@group(0) @binding(0) var<storage, read> params: Params;
${operands([{ name: 'query', dtype: dtypeQuery }, { name: 'key', dtype: dtypeKey }, { name: 'value', dtype: dtypeKey }, { name: 'd' }], headDim)}@group(0) @binding(5) var<storage, read> statistics: array<vec2<f32>>;
${byKeys ? resultWriter(6, 'dKey', headDim, continues) + resultWriter(7, 'dValue', headDim, continues && !packed) : resultWriter(6, 'dQuery', headDim, continues)}${declareTiles(block, headDim, own, false)}${helpers}
@compute @workgroup_size(${threadsOf(block)})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
${ownRows(block)}${declareResults(block, headDim, 'k')}${byKeys ? `${declareResults(block, headDim, 'v')}${offsets(['key', 'value'], headDim, '', 'group.y')}${fillResident(block, headDim, own)}  for (var member = 0u; member < params.group; member++) {
    let head = group.y * params.group + member;
    let slope = bitcast<f32>(params.arrays[params.alibiSlopes + head]);
${offsets(['query', 'd'], headDim, 'head', '')}${stream}  }
${storeResults(block, headDim, 'dKey', 'k', place('key'), added('dKey'))}${storeResults(block, headDim, dValue, 'v', place('value'), added(dValue))}` : `  let head = group.y;
  let slope = bitcast<f32>(params.arrays[params.alibiSlopes + head]);
${ofRows}${offsets(['query', 'key', 'value', 'd'], headDim, 'head', 'head / params.group')}${fillResident(block, headDim, own)}${stream}${storeResults(block, headDim, 'dQuery', 'k', place('query'), (result, r, at) => added('dQuery')(`${result} * params.softmaxScale`, r, at))}`}}
`;
}

/** What tools/checkWgsl.mjs compiles. */
export const variants = (['queries', 'keys'] as const).flatMap((by) => [
  ...[{ rows: 64, lanes: 8 }, { rows: 8, lanes: 4 }].flatMap((shape) => [6, 32, 64, 96, 128].flatMap((headDim) => [32, 128].map((depth): BackwardVariant => ({ headDim, by, packed: depth === 32, block: { ...shape, depth: Math.min(depth, Math.ceil(headDim / 4) * 4) } })))),
  ...[6, 64, 128].map((headDim): BackwardVariant => ({ headDim, by, packed: false, block: { rows: 32, lanes: 8, depth: Math.min(32, Math.ceil(headDim / 4) * 4), half: true } })),
  ...[6, 64].map((headDim): BackwardVariant => ({ headDim, by, packed: headDim === 6, block: { rows: 32, lanes: 8, depth: headDim === 6 ? 8 : 32 }, continues: true })),
  ...(['float16', 'bfloat16'] as const).map((dtype): BackwardVariant => ({ headDim: 64, by, packed: false, block: { rows: 32, lanes: 8, depth: 32 }, dtypeQuery: dtype, dtypeKey: dtype })),
]).map((variant) => ({ name: JSON.stringify(variant), shader: backwardShader(variant) }));

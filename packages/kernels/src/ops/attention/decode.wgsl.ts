// Attention of single queries over many keys, as in decoding, in two dispatches (Dao et al. 2023, "Flash-Decoding"): here a workgroup takes one chunk of keys, mergeChunks.wgsl adds the chunks up.
// Grid: x over key heads times groups of `members` query heads that share one, y over chunks from firstChunk (table `chunks`: query row, first key, end of keys, position of the query, where its pages begin).
// Workgroup memory: queries of all members, a block of keys, the chunk's scores. Keys are read whole lines at a time, values straight from memory by the lanes that need them.
// Accumulates in f32: results = [sum of weights times values, largest score, sum of weights] of each chunk and head, not yet divided. The order depends on the query's own keys alone.
import { quadLoader, unrolled } from '../../devices/webgpu/quads';
import type { DType } from '../../tensor';

/** Keys of a chunk. */
export const chunkKeys = 256;
const lanes = 64;

export interface DecodeVariant {
  readonly headDim: number;
  readonly members: number;
  /** Keys in workgroup memory at once, at most 64. */
  readonly blockKeys: number;
  /** Key i lies in slot i % 16 of page i / 16 of the block table. */
  readonly paged: boolean;
  readonly dtypeKey?: DType | undefined;
}

export const quadsIn = (headDim: number): number => Math.ceil(headDim / 4);

/** Sizes of the arrays in quads, and the bytes of all. */
export function decodeMemory({ headDim, members, blockKeys }: Pick<DecodeVariant, 'headDim' | 'members' | 'blockKeys'>): { tile: number; bytes: number } {
  const tile = Math.max(blockKeys * (quadsIn(headDim) + 1), members * lanes); // later the lanes' sums
  return { tile, bytes: 16 * (members * quadsIn(headDim) + tile) + 4 * members * (chunkKeys + lanes) };
}

export function decodeShader({ headDim, members, blockKeys, paged, dtypeKey }: DecodeVariant): string {
  const quads = quadsIn(headDim);
  const { tile } = decodeMemory({ headDim, members, blockKeys });
  const parts = Math.floor(lanes / quads); // lanes that share a quad of the values
  const wide = headDim % 4 === 0;
  const each = (f: (m: number) => string) => unrolled(members, f);
  const tree = (combine: (a: string, b: string) => string) => `  for (var step = ${lanes / 2}u; step > 0u; step /= 2u) {
    workgroupBarrier();
    if (lane < step) {
${each((m) => `      partial[${m * lanes}u + lane] = ${combine(`partial[${m * lanes}u + lane]`, `partial[${m * lanes}u + lane + step]`)};\n`)}    }
  }
  workgroupBarrier();
`;
  return `struct Params { numHeads: u32, group: u32, groups: u32, queryStride: u32, queryStart: u32, keyStride: u32, keyStart: u32, valueStride: u32, valueStart: u32, softmaxScale: f32, firstChunk: u32, chunks: u32, ${paged ? 'blockTable: u32, ' : ''}alibiSlopes: u32, arrays: array<u32> }
@group(0) @binding(0) var<storage, read> params: Params;
${quadLoader(1, { name: 'query', wide })}${quadLoader(2, { name: 'key', dtype: dtypeKey, wide })}${quadLoader(3, { name: 'value', dtype: dtypeKey, wide })}@group(0) @binding(4) var<storage, read_write> results: array<vec4<f32>>;
var<workgroup> q: array<vec4<f32>, ${members * quads}>;
var<workgroup> tile: array<vec4<f32>, ${tile}>;
var<workgroup> scores: array<f32, ${members * chunkKeys}>;
var<workgroup> partial: array<f32, ${members * lanes}>;

// exp() that keeps a NaN: some GPUs clamp it away.
fn exponential(v: f32) -> f32 { return select(exp(v), v, (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u); }

// The row in which a key lies.
fn place(pages: u32, key: u32) -> u32 { return ${paged ? 'params.arrays[params.blockTable + pages + key / 16u] * 16u + key % 16u' : 'key'}; }

@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let chunk = params.firstChunk + group.y;
  let entry = params.chunks + 5u * chunk;
  let row = params.arrays[entry];
  let first = params.arrays[entry + 1u];
  let end = params.arrays[entry + 2u];
  let position = params.arrays[entry + 3u];
  let pages = params.arrays[entry + 4u];
  let keyHead = group.x / params.groups;
  let firstMember = group.x % params.groups * ${members}u;
  let firstHead = keyHead * params.group + firstMember;
  let last = params.group - firstMember - 1u; // members beyond it repeat it, and are not stored
  let count = end - first;
  for (var i = lane; i < ${members * quads}u; i += ${lanes}u) {
    let depth = i % ${quads}u * 4u;
    q[i] = queryLoad(params.queryStart + row * params.queryStride + (firstHead + min(i / ${quads}u, last)) * ${headDim}u + depth, ${headDim}u - depth) * params.softmaxScale;
  }
${each((m) => `  let slope${m} = bitcast<f32>(params.arrays[params.alibiSlopes + firstHead + min(${m}u, last)]);\n  var top${m} = -3.4e38;\n`)}  for (var block = 0u; block < count; block += ${blockKeys}u) {
    workgroupBarrier();
    for (var i = lane; i < ${blockKeys * quads}u; i += ${lanes}u) {
      let at = block + i / ${quads}u;
      let depth = i % ${quads}u * 4u;
      var value = vec4(0.0);
      if (at < count) { value = keyLoad(params.keyStart + place(pages, first + at) * params.keyStride + keyHead * ${headDim}u + depth, ${headDim}u - depth); }
      tile[i / ${quads}u * ${quads + 1}u + i % ${quads}u] = value;
    }
    workgroupBarrier();
    if (lane < ${blockKeys}u && block + lane < count) {
${each((m) => `      var score${m} = -slope${m} * abs(f32(first + block + lane) - f32(position));\n`)}      for (var i = 0u; i < ${quads}u; i++) {
        let k = tile[lane * ${quads + 1}u + i];
${each((m) => `        score${m} += dot(q[${m * quads}u + i], k);\n`)}      }
${each((m) => `      scores[${m * chunkKeys}u + block + lane] = score${m};\n      top${m} = max(top${m}, score${m});\n`)}    }
  }
${each((m) => `  partial[${m * lanes}u + lane] = top${m};\n`)}${tree((a, b) => `max(${a}, ${b})`)}${each((m) => `  top${m} = partial[${m * lanes}u];\n`)}  workgroupBarrier();
${each((m) => `  var norm${m} = 0.0;\n`)}  for (var i = lane; i < count; i += ${lanes}u) {
${each((m) => `    let weight${m} = exponential(scores[${m * chunkKeys}u + i] - top${m});\n    scores[${m * chunkKeys}u + i] = weight${m};\n    norm${m} += weight${m};\n`)}  }
${each((m) => `  partial[${m * lanes}u + lane] = norm${m};\n`)}${tree((a, b) => `${a} + ${b}`)}  let quad = lane % ${quads}u;
${each((m) => `  var sum${m} = vec4(0.0);\n`)}  if (lane < ${parts * quads}u) {
    for (var i = lane / ${quads}u; i < count; i += ${parts}u) {
      let value = valueLoad(params.valueStart + place(pages, first + i) * params.valueStride + keyHead * ${headDim}u + quad * 4u, ${headDim}u - quad * 4u);
${each((m) => `      sum${m} += scores[${m * chunkKeys}u + i] * value;\n`)}    }
  }
${each((m) => `  tile[${m * lanes}u + lane] = sum${m};\n`)}  workgroupBarrier();
${each((m) => `  if (${m}u <= last) {
    let to = (chunk * params.numHeads + firstHead + ${m}u) * ${quads + 1}u;
    if (lane < ${quads}u) {
      for (var part = 1u; part < ${parts}u; part++) { sum${m} += tile[${m * lanes}u + part * ${quads}u + lane]; }
      results[to + lane] = sum${m};
    }
    if (lane == 0u) { results[to + ${quads}u] = vec4(top${m}, partial[${m * lanes}u], 0.0, 0.0); }
  }
`)}}
`;
}

/** What tools/checkWgsl.mjs compiles. */
export const variants = [6, 64, 128].flatMap((headDim) => [1, 4, 8].flatMap((members) => [false, true].flatMap((paged) => (['float32', 'float16', 'bfloat16'] as const).map((dtypeKey): DecodeVariant => ({ headDim, members, blockKeys: 32, paged, dtypeKey })))))
  .map((variant) => ({ name: JSON.stringify(variant), shader: decodeShader(variant) }));

// output = the chunks' sums of one query and head, weighed by their largest scores and divided; logSumExp of all its scores. What decode.wgsl.ts begins.
// Grid: x over heads, y over queries from firstQuery (table `queries`: row, first chunk, chunks); 64 lanes own the elements of the output.
// Workgroup memory: none.
// Accumulates in f32, over chunks in order. A query without keys gives zeros and logSumExp -Infinity.
// Constants: none
struct Params { numHeads: u32, headDim: u32, firstQuery: u32, minusInfinity: f32, queries: u32, arrays: array<u32> }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> results: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
@group(0) @binding(3) var<storage, read_write> logSumExp: array<f32>;

// exp() and log() that keep a NaN: some GPUs clamp it away.
fn kept(result: f32, v: f32) -> f32 { return select(result, v, (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u); }
fn exponential(v: f32) -> f32 { return kept(exp(v), v); }
fn logarithm(v: f32) -> f32 { return kept(log(v), v); }

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let entry = params.queries + 3u * (params.firstQuery + group.y);
  let row = params.arrays[entry] * params.numHeads + group.x;
  let count = params.arrays[entry + 2u];
  let padded = (params.headDim + 3u) / 4u * 4u;
  let stride = params.numHeads * (padded + 4u);
  let begin = params.arrays[entry + 1u] * stride + group.x * (padded + 4u);
  var top = -3.4e38;
  for (var chunk = 0u; chunk < count; chunk++) { top = max(top, results[begin + chunk * stride + padded]); }
  var norm = 0.0;
  for (var chunk = 0u; chunk < count; chunk++) { norm += exponential(results[begin + chunk * stride + padded] - top) * results[begin + chunk * stride + padded + 1u]; }
  for (var i = lane; i < params.headDim; i += 64u) {
    var sum = 0.0;
    for (var chunk = 0u; chunk < count; chunk++) { sum += exponential(results[begin + chunk * stride + padded] - top) * results[begin + chunk * stride + i]; }
    output[row * params.headDim + i] = select(0.0, sum / norm, count > 0u);
  }
  if (lane == 0u) { logSumExp[row] = select(params.minusInfinity, top + logarithm(norm), count > 0u); }
}

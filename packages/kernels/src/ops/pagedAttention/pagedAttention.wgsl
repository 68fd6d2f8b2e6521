// output = softmax(query key' softmaxScale + ALiBi) value for single queries, over keys and values in pages of 16 slots, of type f32 (0), float16 (1) or bfloat16 (2).
// Grid: x over heads, y over the rows of `rows` (query, first key, position of the query, where its pages begin); 64 lanes own the keys of a block, then the elements of the output.
// Workgroup memory: a query, an output and 64 weights.
// Accumulates in f32 with an online softmax over blocks of 64 keys: the order depends on the keys of the query alone.
// Constants: TYPE=0,1,2 HEAD_DIM=8,64
struct Params { numHeads: u32, numKvHeads: u32, softmaxScale: f32, rows: u32, blockTable: u32, alibiSlopes: u32, arrays: array<u32> }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> query: array<f32>;
@group(0) @binding(2) var<storage, read> keyCache: array<u32>;
@group(0) @binding(3) var<storage, read> valueCache: array<u32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;
var<workgroup> q: array<f32, HEAD_DIM>;
var<workgroup> o: array<f32, HEAD_DIM>;
var<workgroup> weights: array<f32, 64>;
var<workgroup> partial: array<f32, 64>;

fn exponential(v: f32) -> f32 { return select(exp(v), v, (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u); }

fn float16(bits: u32) -> f32 {
  let sign = (bits & 0x8000u) << 16u;
  let rest = bits & 0x7fffu;
  if (rest < 0x400u) { return bitcast<f32>(bitcast<u32>(f32(rest) * 5.9604644775390625e-8) | sign); }
  return bitcast<f32>(sign | select((rest << 13u) + 0x38000000u, 0x7f800000u | (rest << 13u), rest >= 0x7c00u));
}

fn widen(word: u32, i: u32) -> f32 {
  if (TYPE == 0) { return bitcast<f32>(word); }
  let half = extractBits(word, 16u * (i % 2u), 16u);
  if (TYPE == 1) { return float16(half); }
  return bitcast<f32>(half << 16u);
}

fn wordOf(i: u32) -> u32 { return select(i / 2u, i, TYPE == 0); }

// Where a key begins in the caches.
fn place(pages: u32, key: u32, kvHead: u32) -> u32 {
  let slot = params.arrays[params.blockTable + pages + key / 16u] * 16u + key % 16u;
  return (slot * params.numKvHeads + kvHead) * HEAD_DIM;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let head = group.x;
  let kvHead = head / (params.numHeads / params.numKvHeads);
  let entry = params.rows + 4u * group.y;
  let own = (params.arrays[entry] * params.numHeads + head) * HEAD_DIM;
  let begin = params.arrays[entry + 1u];
  let position = params.arrays[entry + 2u];
  let pages = params.arrays[entry + 3u];
  let slope = bitcast<f32>(params.arrays[params.alibiSlopes + head]);
  for (var i = lane; i < HEAD_DIM; i += 64u) {
    q[i] = query[own + i] * params.softmaxScale;
    o[i] = 0.0;
  }
  workgroupBarrier();
  var top = -3.4e38;
  var norm = 0.0;
  for (var first = begin; first <= position; first += 64u) {
    let key = first + lane;
    var score = -3.4e38;
    if (key <= position) {
      let at = place(pages, key, kvHead);
      score = -slope * f32(position - key);
      for (var i = 0u; i < HEAD_DIM; i++) { score += q[i] * widen(keyCache[wordOf(at + i)], at + i); }
    }
    partial[lane] = score;
    for (var step = 32u; step > 0u; step /= 2u) {
      workgroupBarrier();
      if (lane < step) { partial[lane] = max(partial[lane], partial[lane + step]); }
    }
    workgroupBarrier();
    let newTop = max(top, partial[0]);
    let rescale = exponential(top - newTop);
    weights[lane] = select(0.0, exponential(score - newTop), key <= position);
    workgroupBarrier();
    let keys = min(64u, position + 1u - first);
    norm *= rescale;
    for (var j = 0u; j < keys; j++) { norm += weights[j]; }
    for (var i = lane; i < HEAD_DIM; i += 64u) {
      var sum = o[i] * rescale;
      for (var j = 0u; j < keys; j++) {
        let at = place(pages, first + j, kvHead) + i;
        sum += weights[j] * widen(valueCache[wordOf(at)], at);
      }
      o[i] = sum;
    }
    top = newTop;
    workgroupBarrier();
  }
  for (var i = lane; i < HEAD_DIM; i += 64u) { output[own + i] = o[i] / norm; }
}

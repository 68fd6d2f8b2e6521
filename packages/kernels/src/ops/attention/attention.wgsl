// output = softmax(query key' softmaxScale + ALiBi) value and logSumExp, with an online softmax over blocks of keys.
// Grid: x over blocks of BLOCK query rows (table `blocks`: first row, end of rows, start and end of keys, key position minus row), y over heads; a lane owns a row.
// Workgroup memory: BLOCK rows of queries, keys, values and outputs, BLOCK x BLOCK scores.
// Accumulates in f32. A row that sees no key gives zeros and logSumExp -Infinity.
// Constants: HEAD_DIM=8,12,64 BLOCK=16
struct Params { numHeads: i32, group: i32, queryStride: i32, keyStride: i32, valueStride: i32, queryStart: i32, keyStart: i32, valueStart: i32, softmaxScale: f32, before: i32, after: i32, minusInfinity: f32, blocks: u32, alibiSlopes: u32, arrays: array<u32> }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> query: array<Element>;
@group(0) @binding(2) var<storage, read> key: array<Element>;
@group(0) @binding(3) var<storage, read> value: array<Element>;
@group(0) @binding(4) var<storage, read_write> output: array<Element>;
@group(0) @binding(5) var<storage, read_write> logSumExp: array<f32>;
var<workgroup> q: array<f32, BLOCK * HEAD_DIM>;
var<workgroup> k: array<f32, BLOCK * HEAD_DIM>;
var<workgroup> v: array<f32, BLOCK * HEAD_DIM>;
var<workgroup> o: array<f32, BLOCK * HEAD_DIM>;
var<workgroup> scores: array<f32, BLOCK * BLOCK>;

// exp() and log() that keep a NaN: some GPUs clamp it away.
fn kept(result: f32, v: f32) -> f32 { return select(result, v, (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u); }
fn exponential(v: f32) -> f32 { return kept(exp(v), v); }
fn logarithm(v: f32) -> f32 { return kept(log(v), v); }

fn entry(block: u32, i: u32) -> i32 { return i32(params.arrays[params.blocks + 5u * block + i]); }

// The keys that a row sees, between start and end.
fn seen(position: i32, start: i32, end: i32) -> vec2<i32> {
  return vec2(select(max(start, position - params.before), start, params.before < 0), select(min(end, position + params.after + 1), end, params.after < 0));
}

@compute @workgroup_size(BLOCK)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
  let lane = i32(index);
  let head = i32(group.y);
  let slope = bitcast<f32>(params.arrays[params.alibiSlopes + group.y]);
  let firstRow = entry(group.x, 0u);
  let rowEnd = entry(group.x, 1u);
  let keyStart = entry(group.x, 2u);
  let keyEnd = entry(group.x, 3u);
  let shift = entry(group.x, 4u);
  let lastRow = min(firstRow + BLOCK, rowEnd) - 1;
  let row = firstRow + lane;
  let begin = seen(firstRow + shift, keyStart, keyEnd).x;
  let end = seen(lastRow + shift, keyStart, keyEnd).y;
  let own = select(vec2(begin), seen(row + shift, keyStart, keyEnd), row <= lastRow); // lanes beyond the last row see nothing
  let headOfKeys = (head / params.group) * HEAD_DIM;
  for (var i = lane; i < BLOCK * HEAD_DIM; i += BLOCK) {
    let at = min(firstRow + i / HEAD_DIM, lastRow);
    q[i] = query[params.queryStart + at * params.queryStride + head * HEAD_DIM + i % HEAD_DIM] * params.softmaxScale;
    o[i] = 0.0;
  }
  var top = -3.4e38;
  var norm = 0.0;
  for (var first = begin; first < end; first += BLOCK) {
    workgroupBarrier();
    for (var i = lane; i < BLOCK * HEAD_DIM; i += BLOCK) {
      let at = min(first + i / HEAD_DIM, end - 1);
      k[i] = key[params.keyStart + at * params.keyStride + headOfKeys + i % HEAD_DIM];
      v[i] = value[params.valueStart + at * params.valueStride + headOfKeys + i % HEAD_DIM];
    }
    workgroupBarrier();
    let low = max(own.x, first) - first;
    let high = min(own.y - first, BLOCK);
    var newTop = top;
    for (var j = low; j < high; j++) {
      var score = -slope * abs(f32(first + j - row - shift));
      for (var i = 0; i < HEAD_DIM; i++) { score += q[lane * HEAD_DIM + i] * k[j * HEAD_DIM + i]; }
      scores[lane * BLOCK + j] = score;
      newTop = max(newTop, score);
    }
    let rescale = exponential(top - newTop);
    norm *= rescale;
    for (var i = 0; i < HEAD_DIM; i++) { o[lane * HEAD_DIM + i] *= rescale; }
    for (var j = low; j < high; j++) {
      let weight = exponential(scores[lane * BLOCK + j] - newTop);
      norm += weight;
      for (var i = 0; i < HEAD_DIM; i++) { o[lane * HEAD_DIM + i] += weight * v[j * HEAD_DIM + i]; }
    }
    top = newTop;
  }
  if (row > lastRow) { return; }
  let sees = own.x < own.y;
  for (var i = 0; i < HEAD_DIM; i++) { output[(row * params.numHeads + head) * HEAD_DIM + i] = select(0.0, o[lane * HEAD_DIM + i] / norm, sees); }
  logSumExp[row * params.numHeads + head] = select(params.minusInfinity, top + logarithm(norm), sees);
}

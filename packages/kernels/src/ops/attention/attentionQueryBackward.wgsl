// dQuery = sum over keys of P (d value' - delta) softmaxScale key, with P = exp(score - logSumExp) computed again.
// Grid: x over blocks of BLOCK query rows (the table of attention.wgsl), y over heads; a lane owns a row.
// Workgroup memory: BLOCK rows of queries, d, keys, values and dQuery.
// Accumulates in f32, over keys in order.
// Constants: HEAD_DIM=8,12,64 BLOCK=16
struct Params { numHeads: i32, group: i32, queryStride: i32, keyStride: i32, valueStride: i32, queryStart: i32, keyStart: i32, valueStart: i32, softmaxScale: f32, before: i32, after: i32, blocks: u32, alibiSlopes: u32, arrays: array<u32> }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> query: array<Element>;
@group(0) @binding(2) var<storage, read> key: array<Element>;
@group(0) @binding(3) var<storage, read> value: array<Element>;
@group(0) @binding(4) var<storage, read> d: array<Element>;
@group(0) @binding(5) var<storage, read> statistics: array<vec2<f32>>;
@group(0) @binding(6) var<storage, read_write> dQuery: array<Element>;
var<workgroup> q: array<f32, BLOCK * HEAD_DIM>;
var<workgroup> dO: array<f32, BLOCK * HEAD_DIM>;
var<workgroup> k: array<f32, BLOCK * HEAD_DIM>;
var<workgroup> v: array<f32, BLOCK * HEAD_DIM>;
var<workgroup> dQ: array<f32, BLOCK * HEAD_DIM>;

// exp() that keeps a NaN: some GPUs clamp it away.
fn exponential(v: f32) -> f32 { return select(exp(v), v, (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u); }

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
    dO[i] = d[(at * params.numHeads + head) * HEAD_DIM + i % HEAD_DIM];
    dQ[i] = 0.0;
  }
  workgroupBarrier(); // dQ is written out even where no key is seen
  let statistic = statistics[min(row, lastRow) * params.numHeads + head];
  for (var first = begin; first < end; first += BLOCK) {
    workgroupBarrier();
    for (var i = lane; i < BLOCK * HEAD_DIM; i += BLOCK) {
      let at = min(first + i / HEAD_DIM, end - 1);
      k[i] = key[params.keyStart + at * params.keyStride + headOfKeys + i % HEAD_DIM];
      v[i] = value[params.valueStart + at * params.valueStride + headOfKeys + i % HEAD_DIM];
    }
    workgroupBarrier();
    for (var j = max(own.x, first) - first; j < min(own.y - first, BLOCK); j++) {
      var score = -slope * abs(f32(first + j - row - shift));
      var dP = 0.0;
      for (var i = 0; i < HEAD_DIM; i++) {
        score += q[lane * HEAD_DIM + i] * k[j * HEAD_DIM + i];
        dP += dO[lane * HEAD_DIM + i] * v[j * HEAD_DIM + i];
      }
      let dScore = exponential(score - statistic.x) * (dP - statistic.y) * params.softmaxScale;
      for (var i = 0; i < HEAD_DIM; i++) { dQ[lane * HEAD_DIM + i] += dScore * k[j * HEAD_DIM + i]; }
    }
  }
  if (row > lastRow) { return; }
  for (var i = 0; i < HEAD_DIM; i++) { dQuery[params.queryStart + row * params.queryStride + head * HEAD_DIM + i] = dQ[lane * HEAD_DIM + i]; }
}

// dValue = sum over queries of P d, dKey = sum over queries of P (d value' - delta) softmaxScale query, over all query heads that share the key.
// Grid: x over blocks of BLOCK key rows (table `blocks`: first row, end of rows, start and end of queries, query position minus key), y over key heads; a lane owns a row.
// Workgroup memory: BLOCK rows of keys, values, queries, d, dKey and dValue.
// Accumulates in f32, over heads and queries in order. PACKED: both go into dKey, which is all of dQkv; dValue shows scratch.
// Constants: HEAD_DIM=8,12,64 BLOCK=16 PACKED=0,1
struct Params { numHeads: i32, group: i32, queryStride: i32, keyStride: i32, valueStride: i32, queryStart: i32, keyStart: i32, valueStart: i32, softmaxScale: f32, before: i32, after: i32, blocks: u32, alibiSlopes: u32, arrays: array<u32> }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> query: array<Element>;
@group(0) @binding(2) var<storage, read> key: array<Element>;
@group(0) @binding(3) var<storage, read> value: array<Element>;
@group(0) @binding(4) var<storage, read> d: array<Element>;
@group(0) @binding(5) var<storage, read> statistics: array<vec2<f32>>;
@group(0) @binding(6) var<storage, read_write> dKey: array<Element>;
@group(0) @binding(7) var<storage, read_write> dValue: array<Element>;
var<workgroup> k: array<f32, BLOCK * HEAD_DIM>;
var<workgroup> v: array<f32, BLOCK * HEAD_DIM>;
var<workgroup> q: array<f32, BLOCK * HEAD_DIM>;
var<workgroup> dO: array<f32, BLOCK * HEAD_DIM>;
var<workgroup> dK: array<f32, BLOCK * HEAD_DIM>;
var<workgroup> dV: array<f32, BLOCK * HEAD_DIM>;

// exp() that keeps a NaN: some GPUs clamp it away.
fn exponential(v: f32) -> f32 { return select(exp(v), v, (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u); }

fn entry(block: u32, i: u32) -> i32 { return i32(params.arrays[params.blocks + 5u * block + i]); }

// The queries that see a key, between start and end.
fn seen(position: i32, start: i32, end: i32) -> vec2<i32> {
  return vec2(select(max(start, position - params.before), start, params.before < 0), select(min(end, position + params.after + 1), end, params.after < 0));
}

@compute @workgroup_size(BLOCK)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
  let lane = i32(index);
  let keyHead = i32(group.y) * HEAD_DIM;
  let firstRow = entry(group.x, 0u);
  let rowEnd = entry(group.x, 1u);
  let queryStart = entry(group.x, 2u);
  let queryEnd = entry(group.x, 3u);
  let shift = entry(group.x, 4u);
  let lastRow = min(firstRow + BLOCK, rowEnd) - 1;
  let row = firstRow + lane;
  let begin = seen(firstRow + shift, queryStart, queryEnd).x;
  let end = seen(lastRow + shift, queryStart, queryEnd).y;
  let own = select(vec2(begin), seen(row + shift, queryStart, queryEnd), row <= lastRow); // lanes beyond the last row see nothing
  for (var i = lane; i < BLOCK * HEAD_DIM; i += BLOCK) {
    let at = min(firstRow + i / HEAD_DIM, lastRow);
    k[i] = key[params.keyStart + at * params.keyStride + keyHead + i % HEAD_DIM];
    v[i] = value[params.valueStart + at * params.valueStride + keyHead + i % HEAD_DIM];
    dK[i] = 0.0;
    dV[i] = 0.0;
  }
  workgroupBarrier(); // dK and dV are written out even where no query sees them
  for (var member = 0; member < params.group; member++) {
    let head = i32(group.y) * params.group + member;
    let slope = bitcast<f32>(params.arrays[params.alibiSlopes + u32(head)]);
    for (var first = begin; first < end; first += BLOCK) {
      workgroupBarrier();
      for (var i = lane; i < BLOCK * HEAD_DIM; i += BLOCK) {
        let at = min(first + i / HEAD_DIM, end - 1);
        q[i] = query[params.queryStart + at * params.queryStride + head * HEAD_DIM + i % HEAD_DIM] * params.softmaxScale;
        dO[i] = d[(at * params.numHeads + head) * HEAD_DIM + i % HEAD_DIM];
      }
      workgroupBarrier();
      for (var j = max(own.x, first) - first; j < min(own.y - first, BLOCK); j++) {
        let statistic = statistics[(first + j) * params.numHeads + head];
        var score = -slope * abs(f32(first + j - row - shift));
        var dP = 0.0;
        for (var i = 0; i < HEAD_DIM; i++) {
          score += q[j * HEAD_DIM + i] * k[lane * HEAD_DIM + i];
          dP += dO[j * HEAD_DIM + i] * v[lane * HEAD_DIM + i];
        }
        let weight = exponential(score - statistic.x);
        let dScore = weight * (dP - statistic.y);
        for (var i = 0; i < HEAD_DIM; i++) {
          dK[lane * HEAD_DIM + i] += dScore * q[j * HEAD_DIM + i]; // q holds the scale
          dV[lane * HEAD_DIM + i] += weight * dO[j * HEAD_DIM + i];
        }
      }
    }
  }
  if (row > lastRow) { return; }
  for (var i = 0; i < HEAD_DIM; i++) {
    let atValue = params.valueStart + row * params.valueStride + keyHead + i;
    dKey[params.keyStart + row * params.keyStride + keyHead + i] = dK[lane * HEAD_DIM + i];
    if (PACKED == 1) { dKey[atValue] = dV[lane * HEAD_DIM + i]; } else { dValue[atValue] = dV[lane * HEAD_DIM + i]; }
  }
}

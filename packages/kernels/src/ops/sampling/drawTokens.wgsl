// ids: the first element at which the sum of e^filtered exceeds a random share of the whole; logProbs: log softmax(logits) of it. keys: seed, sample and position of each row.
// Grid: one workgroup per row; a lane owns a run of neighbours, so that sums go in the order of the ids.
// Workgroup memory: one number for each lane.
// Accumulates in f32. The random number is the first word of Threefry-2x32 with 20 rounds, as in random.ts.
// Constants: none
struct Params { rows: u32, vocab: u32, nan: f32, keys: u32, arrays: array<u32> }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> filtered: array<f32>;
@group(0) @binding(2) var<storage, read> logits: array<f32>;
@group(0) @binding(3) var<storage, read_write> ids: array<u32>;
@group(0) @binding(4) var<storage, read_write> logProbs: array<f32>;
var<workgroup> maxima: array<vec2<f32>, 64>;
var<workgroup> sums: array<vec2<f32>, 64>;

fn isNan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }

fn threefry(key0: u32, key1: u32, counter: u32) -> u32 {
  let key2 = key0 ^ key1 ^ 0x1bd11bdau;
  var a = counter + key0;
  var b = key1;
  for (var fours = 1u; fours <= 5u; fours++) {
    let turns = select(vec4(17u, 29u, 16u, 24u), vec4(13u, 15u, 26u, 6u), fours % 2u == 1u);
    a += b; b = ((b << turns.x) | (b >> (32u - turns.x))) ^ a;
    a += b; b = ((b << turns.y) | (b >> (32u - turns.y))) ^ a;
    a += b; b = ((b << turns.z) | (b >> (32u - turns.z))) ^ a;
    a += b; b = ((b << turns.w) | (b >> (32u - turns.w))) ^ a;
    let turn = fours % 3u;
    a += select(select(key2, key1, turn == 1u), key0, turn == 0u);
    b += select(select(key0, key2, turn == 1u), key1, turn == 0u) + fours;
  }
  return a;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.y * 65535u + group.x;
  if (row >= params.rows) { return; }
  let start = row * params.vocab;
  let each = (params.vocab + 63u) / 64u;
  let begin = min(lane * each, params.vocab);
  let end = min(begin + each, params.vocab);
  var top = vec2(-3.4e38);
  var nan = false;
  for (var i = start + begin; i < start + end; i++) {
    let pair = vec2(filtered[i], logits[i]);
    nan = nan || isNan(pair.x) || isNan(pair.y);
    top = max(top, pair);
  }
  maxima[lane] = top;
  workgroupBarrier();
  for (var j = 0u; j < 64u; j++) { top = max(top, maxima[j]); }
  workgroupBarrier();
  var sum = vec2(0.0);
  for (var i = start + begin; i < start + end; i++) { sum += exp(vec2(filtered[i], logits[i]) - top); }
  sums[lane] = sum;
  maxima[lane] = vec2(select(0.0, 1.0, nan));
  workgroupBarrier();
  if (lane > 0u) { return; }
  var whole = vec2(0.0);
  var spoilt = false;
  for (var j = 0u; j < 64u; j++) {
    whole += sums[j];
    spoilt = spoilt || maxima[j].x > 0.0;
  }
  let random = threefry(params.arrays[params.keys + 3u * row], params.arrays[params.keys + 3u * row + 1u], params.arrays[params.keys + 3u * row + 2u]);
  let share = (f32(random >> 8u) + 0.5) / 16777216.0 * whole.x;
  // The run in which the share lies, then the element.
  var run = 0u;
  var before = 0.0;
  while (run < 63u && before + sums[run].x <= share) {
    before += sums[run].x;
    run++;
  }
  var id = 0u;
  for (var i = run * each; i < params.vocab; i++) {
    let weight = exp(filtered[start + i] - top.x);
    if (weight == 0.0) { continue; }
    before += weight;
    id = i;
    if (before > share) { break; }
  }
  ids[row] = id;
  logProbs[row] = select(logits[start + id] - top.y - log(whole.y), params.nan, spoilt);
}

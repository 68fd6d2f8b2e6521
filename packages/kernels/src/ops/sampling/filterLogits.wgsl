// y = x / temperature, -Infinity where top-k and top-p leave nothing. Thresholds by bisection over the bits of a float, turned into an order of integers.
// Grid: one workgroup per row; 64 lanes with a stride.
// Workgroup memory: one number for each lane.
// Accumulates in f32: lanes, then a tree. A row with a NaN stays whole.
// Constants: none
struct Params { rows: u32, vocab: u32, minusInfinity: f32, options: u32, arrays: array<u32> }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
var<workgroup> partial: array<f32, 64>;
var<workgroup> keys: array<i32, 64>;
var<workgroup> places: array<u32, 64>;

fn ordered(value: f32) -> i32 {
  let bits = bitcast<i32>(value);
  return select(bits ^ ((bits >> 31u) & 0x7fffffff), 0, value == 0.0);
}

// The sum over lanes, to all of them.
fn sumOf(value: f32, lane: u32) -> f32 {
  workgroupBarrier();
  partial[lane] = value;
  for (var step = 32u; step > 0u; step /= 2u) {
    workgroupBarrier();
    if (lane < step) { partial[lane] += partial[lane + step]; }
  }
  return workgroupUniformLoad(&partial[0]);
}

// How many elements are at least the threshold, or what their exponentials weigh.
fn weightFrom(start: u32, lane: u32, threshold: i32, top: f32, counted: bool) -> f32 {
  var sum = 0.0;
  for (var i = lane; i < params.vocab; i += 64u) {
    let value = y[start + i];
    if (ordered(value) >= threshold) { sum += select(exp(value - top), 1.0, counted); }
  }
  return sumOf(sum, lane);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.y * 65535u + group.x;
  if (row >= params.rows) { return; }
  let start = row * params.vocab;
  let temperature = bitcast<f32>(params.arrays[params.options + 3u * row]);
  let topK = bitcast<f32>(params.arrays[params.options + 3u * row + 1u]);
  let topP = bitcast<f32>(params.arrays[params.options + 3u * row + 2u]);
  var best = i32(-2147483647);
  var place = 0xffffffffu;
  var nan = 0.0;
  for (var i = lane; i < params.vocab; i += 64u) {
    let value = x[start + i];
    if ((bitcast<u32>(value) & 0x7fffffffu) > 0x7f800000u) { nan = 1.0; }
    let key = ordered(value);
    if (key > best) {
      best = key;
      place = i;
    }
  }
  keys[lane] = best;
  places[lane] = place;
  for (var step = 32u; step > 0u; step /= 2u) {
    workgroupBarrier();
    if (lane < step && (keys[lane + step] > keys[lane] || (keys[lane + step] == keys[lane] && places[lane + step] < places[lane]))) {
      keys[lane] = keys[lane + step];
      places[lane] = places[lane + step];
    }
  }
  workgroupBarrier();
  place = places[0];
  if (sumOf(nan, lane) > 0.0) {
    for (var i = lane; i < params.vocab; i += 64u) { y[start + i] = x[start + i]; }
    return;
  }
  if (temperature == 0.0) {
    for (var i = lane; i < params.vocab; i += 64u) { y[start + i] = select(params.minusInfinity, 0.0, i == place); }
    return;
  }
  for (var i = lane; i < params.vocab; i += 64u) { y[start + i] = x[start + i] / temperature; }
  let top = x[start + place] / temperature;
  let largest = ordered(top);
  var low = ordered(params.minusInfinity);
  if (topK > 0.0 && topK < f32(params.vocab)) {
    var high = largest + 1;
    for (var step = 0u; step < 32u; step++) {
      let middle = (low >> 1u) + (high >> 1u) + (low & high & 1);
      if (weightFrom(start, lane, middle, top, true) >= topK) { low = middle; } else { high = middle; }
    }
  }
  if (topP < 1.0) {
    let enough = topP * weightFrom(start, lane, low, top, false);
    var high = largest + 1;
    for (var step = 0u; step < 32u; step++) {
      let middle = (low >> 1u) + (high >> 1u) + (low & high & 1);
      if (weightFrom(start, lane, middle, top, false) >= enough) { low = middle; } else { high = middle; }
    }
    low = min(low, largest);
  }
  for (var i = lane; i < params.vocab; i += 64u) { if (ordered(y[start + i]) < low) { y[start + i] = params.minusInfinity; } }
}

// Sums and maxima over all lanes of a workgroup, given to each of them: what the device adds to shaders that call them. `laneCount`, a multiple of 4, is the workgroup's size.
// Workgroup memory: one number, or pair, per lane.
// Every lane adds up all numbers, in four sums: two barriers, where a tree over 64 lanes has seven. The order is always the same.
var<workgroup> laneNumbers: array<f32, laneCount>;
var<workgroup> lanePairs: array<vec2<f32>, laneCount>;

fn fourNumbers(i: u32) -> vec4<f32> { return vec4(laneNumbers[i], laneNumbers[i + 1u], laneNumbers[i + 2u], laneNumbers[i + 3u]); }

fn shareNumber(value: f32, lane: u32) {
  workgroupBarrier();
  laneNumbers[lane] = value;
  workgroupBarrier();
}

fn sumOfLanes(value: f32, lane: u32) -> f32 {
  shareNumber(value, lane);
  var sums = fourNumbers(0u);
  for (var i = 4u; i < laneCount; i += 4u) { sums += fourNumbers(i); }
  return (sums.x + sums.y) + (sums.z + sums.w);
}

fn maxOfLanes(value: f32, lane: u32) -> f32 {
  shareNumber(value, lane);
  var largest = fourNumbers(0u);
  for (var i = 4u; i < laneCount; i += 4u) { largest = max(largest, fourNumbers(i)); }
  return max(max(largest.x, largest.y), max(largest.z, largest.w));
}

fn pairOfSums(value: vec2<f32>, lane: u32) -> vec2<f32> {
  workgroupBarrier();
  lanePairs[lane] = value;
  workgroupBarrier();
  var sums = vec4(lanePairs[0], lanePairs[1]);
  for (var i = 2u; i < laneCount; i += 2u) { sums += vec4(lanePairs[i], lanePairs[i + 1u]); }
  return sums.xy + sums.zw;
}

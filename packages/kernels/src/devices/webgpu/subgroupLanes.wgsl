// lanes.wgsl by subgroups: each adds up its own lanes, and every lane the subgroups' sums. Opt-in, see `subgroups`.
// Lanes of a subgroup are neighbours, and all subgroups are of one size: WGSL does not promise either, so verify.ts looks.
// Workgroup memory: one number, or pair, per subgroup; as much as there are lanes is set aside.
var<workgroup> laneNumbers: array<f32, laneCount>;
var<workgroup> lanePairs: array<vec2<f32>, laneCount>;

fn shareNumber(value: f32, lane: u32, size: u32) {
  workgroupBarrier();
  if (lane % size == 0u) { laneNumbers[lane / size] = value; }
  workgroupBarrier();
}

fn sumOfLanes(value: f32, lane: u32) -> f32 {
  let size = subgroupAdd(1u);
  shareNumber(subgroupAdd(value), lane, size);
  var sum = laneNumbers[0];
  for (var i = 1u; i < laneCount / size; i++) { sum += laneNumbers[i]; }
  return sum;
}

fn maxOfLanes(value: f32, lane: u32) -> f32 {
  let size = subgroupAdd(1u);
  shareNumber(subgroupMax(value), lane, size);
  var largest = laneNumbers[0];
  for (var i = 1u; i < laneCount / size; i++) { largest = max(largest, laneNumbers[i]); }
  return largest;
}

fn pairOfSums(value: vec2<f32>, lane: u32) -> vec2<f32> {
  let size = subgroupAdd(1u);
  let own = subgroupAdd(value);
  workgroupBarrier();
  if (lane % size == 0u) { lanePairs[lane / size] = own; }
  workgroupBarrier();
  var sum = lanePairs[0];
  for (var i = 1u; i < laneCount / size; i++) { sum += lanePairs[i]; }
  return sum;
}

// y[group] = sum of every element of x that falls to the group, or of its square.
// Grid: one or more workgroups; the elements go round over all lanes of all groups. With more than one, a second dispatch sums their sums.
// Workgroup memory: one number per lane.
// Accumulates in f32: lanes with a stride, then over the lanes.
// Constants: SQUARED=0,1
struct Params { count: u32, groups: u32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Element>;
@group(0) @binding(2) var<storage, read_write> y: array<Element>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = group.x * 256u + lane; i < params.count; i += params.groups * 256u) { sum += select(x[i], x[i] * x[i], SQUARED == 1); }
  sum = sumOfLanes(sum, lane);
  if (lane == 0u) { y[group.x] = sum; }
}

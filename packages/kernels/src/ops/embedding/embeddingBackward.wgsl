// dTable[row] = sum of the rows of d whose id is row, in the order of the ids: deterministic, without atomics.
// Grid: one workgroup per row of the table, from firstRow; it scans all ids, 64 at a time. Row 0 lies at `tableStart`, as a u32 that may wrap below zero.
// Workgroup memory: 64 ids.
// Accumulates in f32, in place: a row is met rarely, and its width is not known to the shader.
// Constants: none
struct Params { count: u32, width: u32, firstRow: u32, tableStart: u32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> d: array<Element>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> dTable: array<Element>;
var<workgroup> block: array<u32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = params.firstRow + group.x;
  let own = params.tableStart + row * params.width;
  for (var i = lane; i < params.width; i += 64u) { dTable[own + i] = 0.0; }
  for (var first = 0u; first < params.count; first += 64u) {
    let left = min(64u, params.count - first);
    workgroupBarrier();
    if (lane < left) { block[lane] = ids[first + lane]; }
    workgroupBarrier();
    for (var j = 0u; j < left; j++) {
      if (block[j] != row) { continue; }
      for (var i = lane; i < params.width; i += 64u) { dTable[own + i] += d[(first + j) * params.width + i]; }
    }
  }
}

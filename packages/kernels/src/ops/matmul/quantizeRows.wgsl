// values = round(x / largest · 127) and scales = largest / 127 for each row of x, with the largest magnitude of the row; four values in a word.
// Grid: one invocation for four rows, the least number of rows that ends at a whole word whatever the width.
// Workgroup memory: none.
// Rounds to nearest, ties to even. A row with a NaN or an infinity has zeros, and its largest magnitude as scale.
// Constants: none
struct Params { rows: u32, width: u32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> values: array<u32>;
@group(0) @binding(3) var<storage, read_write> scales: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let first = 4u * (id.y * 65535u * 64u + id.x);
  var word = 0u;
  var i = first * params.width;
  for (var row = first; row < min(first + 4u, params.rows); row++) {
    var bits = 0u; // magnitudes order like their bits, NaN above all
    for (var j = 0u; j < params.width; j++) { bits = max(bits, bitcast<u32>(x[row * params.width + j]) & 0x7fffffffu); }
    let largest = bitcast<f32>(bits);
    scales[row] = largest / 127.0;
    let finite = bits > 0u && bits < 0x7f800000u;
    for (var j = 0u; j < params.width; j++) {
      var value = 0;
      if (finite) { value = i32(round(x[i] / largest * 127.0)); }
      word |= (bitcast<u32>(value) & 0xffu) << (8u * (i % 4u));
      if (i % 4u == 3u) {
        values[i / 4u] = word;
        word = 0u;
      }
      i++;
    }
  }
  if (i % 4u != 0u && first < params.rows) { values[i / 4u] = word; }
}

// Shaders of reduced precision, for a GPU that offers none of what they need: f32 in place of f16, and matrices whose sums every lane computes in part.
// That shows panels, tiles, edges and orders to be right. What it cannot show is what a driver makes of the real ones.

/** `f16` becomes `f32`. */
export const inSinglePrecision = (shader: string): string => shader.replace(/^enable .*;\n/gm, '').replace(/\bf16\b/g, 'f32');

/** An operand of 16 x 16 becomes a place in a panel, a matrix of sums half a row in each of 32 lanes. */
export function withoutMatrices(shader: string): string {
  const panels: string[] = [];
  const panelOf = (name: string) => (panels.includes(name) ? panels.indexOf(name) : panels.push(name) - 1);
  const text = inSinglePrecision(shader)
    .replace(/alias (Left|Right) = .*;/g, 'alias $1 = vec4<u32>;').replace(/alias Sum = .*;/, 'alias Sum = array<f32, 8>;').replace(/Sum\(0\.0\)/g, 'Sum()')
    .replace(/subgroupMatrixLoad<\w+, (row|col)_major>\(&(\w+), (.*), (\d+u)\)/g, (_all, major: string, panel: string, at: string, stride: string) => `vec4<u32>(${at}, ${stride}, ${major === 'col' ? 1 : 0}u, ${panelOf(panel)}u)`)
    .replace(/subgroupMatrixMultiplyAccumulate\((.*)\)/g, 'product($1, lane % 32u)').replace(/subgroupMatrixStore<row_major>\(&(\w+), (.*), (\w+), (\d+u)\)/g, 'put_$1($2, $3, $4, lane % 32u)')
    .replace(/, @builtin\(subgroup_id\) subgroup: u32, @builtin\(subgroup_invocation_id\) (\w+): u32\) \{/, ') {\n  let subgroup = lane / 32u;\n  let $1 = lane % 32u;');
  const stages = [...new Set(Array.from(text.matchAll(/put_(\w+)\(/g), ([, stage]) => stage))];
  return `${text}
fn element(panel: u32, at: u32) -> f32 {
${panels.map((panel, i) => `  if (panel == ${i}u) { return ${panel}[at]; }\n`).join('')}  return 0.0;
}
fn product(left: Left, right: Right, before: Sum, own: u32) -> Sum {
  var sum = before;
  for (var j = 0u; j < 8u; j++) {
    let row = own / 2u;
    let column = own % 2u * 8u + j;
    for (var k = 0u; k < 16u; k++) {
      sum[j] += element(left.w, left.x + select(row * left.y + k, k * left.y + row, left.z == 1u)) * element(right.w, right.x + select(k * right.y + column, column * right.y + k, right.z == 1u));
    }
  }
  return sum;
}
${stages.map((stage) => `fn put_${stage}(at: u32, value: Sum, stride: u32, own: u32) {
  var sum = value;
  for (var j = 0u; j < 8u; j++) { ${stage}[at + own / 2u * stride + own % 2u * 8u + j] = sum[j]; }
}
`).join('')}`;
}

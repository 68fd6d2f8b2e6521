// WGSL for shaders that are generated: four neighbours of a tensor at once, as few loads as its storage allows.
import type { DType } from '../../tensor';

export interface Operand {
  readonly name: string;
  readonly dtype?: DType | undefined;
  /** Lines are whole quads: their length is a multiple of 4. */
  readonly wide: boolean;
}

/** What `wide` is for lines of this length. */
export const isWide = (length: number): boolean => length % 4 === 0;

const half = (pair: string): Record<string, string> => ({ float16: `unpack2x16float(${pair})`, bfloat16: `vec2(bitcast<f32>(${pair} << 16u), bitcast<f32>(${pair} & 0xffff0000u))` });

/** Declares a binding and `fn <name>Load(i: u32, left: u32) -> vec4<f32>`: elements i … i + 3, of which `left` belong to the line, and zeros. Where lines are wide, i is a multiple of 4. 16-bit floats lie two in a word and need no `shader-f16`. */
export function quadLoader(binding: number, { name, dtype = 'float32', wide }: Operand): string {
  const short = dtype !== 'float32';
  const element = wide ? (short ? 'vec2<u32>' : 'vec4<f32>') : short ? 'u32' : 'f32';
  const one = (i: string) => (short ? `${name}At(${i})` : `${name}[${i}]`);
  const pair = (w: string) => half(w)[dtype];
  const at = short && !wide ? `fn ${name}At(i: u32) -> f32 { let pair = ${pair(`${name}[i / 2u]`)}; return select(pair.x, pair.y, i % 2u == 1u); }\n` : '';
  const quad = !wide
    ? `vec4(${one('i')}, select(0.0, ${one('i + 1u')}, left > 1u), select(0.0, ${one('i + 2u')}, left > 2u), select(0.0, ${one('i + 3u')}, left > 3u))`
    : short ? `vec4(${pair(`${name}[i / 4u].x`)}, ${pair(`${name}[i / 4u].y`)})` : `${name}[i / 4u]`;
  return `@group(0) @binding(${binding}) var<storage, read> ${name}: array<${element}>;
${at}fn ${name}Load(i: u32, left: u32) -> vec4<f32> { return ${quad}; }
`;
}

/** `quadLoader`, and `fn <name>Quad(line: u32, at: u32, lines: u32, length: u32) -> vec4<f32>`: elements at … at + 3 of a line of a matrix, zeros beyond the ends. `at` is a multiple of 4. */
export const quadReader = (binding: number, operand: Operand): string => `${quadLoader(binding, operand)}fn ${operand.name}Quad(line: u32, at: u32, lines: u32, length: u32) -> vec4<f32> {
  if (line >= lines || at >= length) { return vec4(0.0); }
  return ${operand.name}Load(line * length + at, length - at);
}
`;

/** Declares a binding and `fn <name>Put(i: u32, left: u32, value: vec4<f32>)`: elements i … i + 3, of which `left` belong to the line. */
export function quadWriter(binding: number, { name, wide }: Operand): string {
  const rest = [1, 2, 3].map((c) => `  if (left > ${c}u) { ${name}[i + ${c}u] = value.${'xyzw'[c]}; }\n`).join('');
  return `@group(0) @binding(${binding}) var<storage, read_write> ${name}: array<${wide ? 'vec4<f32>' : 'f32'}>;
fn ${name}Put(i: u32, left: u32, value: vec4<f32>) {
${wide ? `  ${name}[i / 4u] = value;\n` : `  ${name}[i] = value.x;\n${rest}`}}
`;
}

/** `f(0)`, …, `f(count - 1)`, one after another: loops over registers are written out, as WGSL's private arrays are slow to index. */
export const unrolled = (count: number, f: (i: number) => string): string => Array.from({ length: count }, (_, i) => f(i)).join('');

/** Generates each text once: equal variants give the same string, by which the device finds its pipeline. */
export function remembered<V extends object>(generate: (variant: V) => string): (variant: V) => string {
  const texts = new Map<string, string>();
  return (variant) => {
    const key = JSON.stringify(variant);
    let text = texts.get(key);
    if (!text) texts.set(key, (text = generate(variant)));
    return text;
  };
}

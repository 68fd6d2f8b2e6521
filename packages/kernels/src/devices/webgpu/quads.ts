// WGSL for shaders that are generated: four neighbours of a tensor at once, as few loads as its storage allows.
import type { DType } from '../../tensor';

export interface Operand {
  readonly name: string;
  readonly dtype?: DType | undefined;
  /** Lines are whole quads: their length is a multiple of 4. */
  readonly wide: boolean;
  /** The param that says where element 0 lies in what is shown, a u32 that may wrap below zero: see windows.ts. */
  readonly start?: string | undefined;
}

/** What `wide` is for lines of this length. */
export const isWide = (length: number): boolean => length % 4 === 0;

/** How a storage type lies in memory: elements of a word, the word or words of a quad, the quad of them, and one element of a word by its place. */
const storages: Readonly<Record<string, { readonly perWord: number; readonly wide: string; readonly quad: (words: string) => string; readonly one: (word: string, place: string) => string }>> = {
  float16: { perWord: 2, wide: 'vec2<u32>', quad: (w) => `vec4(unpack2x16float(${w}.x), unpack2x16float(${w}.y))`, one: (w, at) => `unpack2x16float(${w} >> (16u * (${at}))).x` },
  bfloat16: { perWord: 2, wide: 'vec2<u32>', quad: (w) => `bitcast<vec4<f32>>(vec4(${w}.x << 16u, ${w}.x & 0xffff0000u, ${w}.y << 16u, ${w}.y & 0xffff0000u))`, one: (w, at) => `bitcast<f32>((${w} >> (16u * (${at}))) << 16u)` },
  int8: { perWord: 4, wide: 'u32', quad: (w) => `vec4<f32>((vec4(bitcast<i32>(${w})) << vec4(24u, 16u, 8u, 0u)) >> vec4(24u))`, one: (w, at) => `f32(extractBits(bitcast<i32>(${w}), 8u * (${at}), 8u))` },
};

/** Declares a binding and `fn <name>Load(i: u32, left: u32) -> vec4<f32>`: elements i … i + 3, of which `left` belong to the line, and zeros. Where lines are wide, i is a multiple of 4. Types of 8 and 16 bits lie in words, and need no `shader-f16`. */
export function quadLoader(binding: number, { name, dtype = 'float32', wide }: Operand): string {
  const storage = storages[dtype];
  const element = wide ? (storage?.wide ?? 'vec4<f32>') : storage ? 'u32' : 'f32';
  const one = (i: string) => (storage ? `${name}At(${i})` : `${name}[${i}]`);
  const at = storage && !wide ? `fn ${name}At(i: u32) -> f32 { let word = ${name}[i / ${storage.perWord}u]; return ${storage.one('word', `i % ${storage.perWord}u`)}; }\n` : '';
  const rest = (c: number) => `select(0.0, ${one(`i + ${c}u`)}, left > ${c}u)`;
  const quad = !wide ? `vec4(${one('i')}, ${rest(1)}, ${rest(2)}, ${rest(3)})` : storage ? storage.quad('words') : `${name}[i / 4u]`;
  return `@group(0) @binding(${binding}) var<storage, read> ${name}: array<${element}>;
${at}fn ${name}Load(i: u32, left: u32) -> vec4<f32> { ${wide && storage ? `let words = ${name}[i / 4u]; ` : ''}return ${quad}; }
`;
}

/** `quadLoader`, and `fn <name>Quad(line: u32, at: u32, lines: u32, length: u32) -> vec4<f32>`: elements at … at + 3 of a line of a matrix, zeros beyond the ends. `at` is a multiple of 4. */
export const quadReader = (binding: number, operand: Operand): string => `${quadLoader(binding, operand)}fn ${operand.name}Quad(line: u32, at: u32, lines: u32, length: u32) -> vec4<f32> {
  if (line >= lines || at >= length) { return vec4(0.0); }
  return ${operand.name}Load(${operand.start ? `params.${operand.start} + ` : ''}line * length + at, length - at);
}
`;

/** Declares a binding and `fn <name>Put(i: u32, left: u32, value: vec4<f32>)`: elements i … i + 3, of which `left` belong to the line; or, where it `adds`, what is to be added to them. */
export function quadWriter(binding: number, { name, wide }: Operand, adds = false): string {
  const gets = adds ? '+=' : '=';
  const rest = [1, 2, 3].map((c) => `  if (left > ${c}u) { ${name}[i + ${c}u] ${gets} value.${'xyzw'[c]}; }\n`).join('');
  return `@group(0) @binding(${binding}) var<storage, read_write> ${name}: array<${wide ? 'vec4<f32>' : 'f32'}>;
fn ${name}Put(i: u32, left: u32, value: vec4<f32>) {
${wide ? `  ${name}[i / 4u] ${gets} value;\n` : `  ${name}[i] ${gets} value.x;\n${rest}`}}
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

// AssemblyScript. Every element alike: four at a time, then the rest one by one. The same numbers whatever the parts.
import { at, share, splat } from '../../devices/wasm/math.wasm';

export function add(a: usize, b: usize, y: usize, count: i32, part: i32, parts: i32): void {
  let i = share(count, part, parts);
  const end = share(count, part + 1, parts);
  for (; i + 4 <= end; i += 4) v128.store(at(y, i), f32x4.add(v128.load(at(a, i)), v128.load(at(b, i))));
  for (; i < end; i++) store<f32>(at(y, i), load<f32>(at(a, i)) + load<f32>(at(b, i)));
}

export function sub(a: usize, b: usize, y: usize, count: i32, part: i32, parts: i32): void {
  let i = share(count, part, parts);
  const end = share(count, part + 1, parts);
  for (; i + 4 <= end; i += 4) v128.store(at(y, i), f32x4.sub(v128.load(at(a, i)), v128.load(at(b, i))));
  for (; i < end; i++) store<f32>(at(y, i), load<f32>(at(a, i)) - load<f32>(at(b, i)));
}

export function mul(a: usize, b: usize, y: usize, count: i32, part: i32, parts: i32): void {
  let i = share(count, part, parts);
  const end = share(count, part + 1, parts);
  for (; i + 4 <= end; i += 4) v128.store(at(y, i), f32x4.mul(v128.load(at(a, i)), v128.load(at(b, i))));
  for (; i < end; i++) store<f32>(at(y, i), load<f32>(at(a, i)) * load<f32>(at(b, i)));
}

export function scale(x: usize, y: usize, count: i32, factor: f32, part: i32, parts: i32): void {
  let i = share(count, part, parts);
  const end = share(count, part + 1, parts);
  for (; i + 4 <= end; i += 4) v128.store(at(y, i), f32x4.mul(v128.load(at(x, i)), splat(factor)));
  for (; i < end; i++) store<f32>(at(y, i), load<f32>(at(x, i)) * factor);
}

export function fill(x: usize, count: i32, value: f32, part: i32, parts: i32): void {
  let i = share(count, part, parts);
  const end = share(count, part + 1, parts);
  for (; i + 4 <= end; i += 4) v128.store(at(x, i), splat(value));
  for (; i < end; i++) store<f32>(at(x, i), value);
}

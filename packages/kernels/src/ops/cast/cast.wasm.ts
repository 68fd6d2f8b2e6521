// AssemblyScript. A part owns elements.
import { at, share } from '../../devices/wasm/math.wasm';
import { narrowRow, place, widenRow } from '../../devices/wasm/storage.wasm';

/** Stored elements become f32. */
export function widen(x: usize, y: usize, count: i32, type: i32, part: i32, parts: i32): void {
  const first = share(count, part, parts);
  widenRow(place(x, first, type), at(y, first), share(count, part + 1, parts) - first, type);
}

/** f32 become float16 or bfloat16. */
export function narrow(x: usize, y: usize, count: i32, type: i32, part: i32, parts: i32): void {
  const first = share(count, part, parts);
  narrowRow(at(x, first), place(y, first, type), share(count, part + 1, parts) - first, type);
}

/** Integers of 32 bits become f32. */
export function convert(x: usize, y: usize, count: i32, signed: i32, part: i32, parts: i32): void {
  for (let i = share(count, part, parts), end = share(count, part + 1, parts); i < end; i++) store<f32>(at(y, i), signed ? <f32>load<i32>(at(x, i)) : <f32>load<u32>(at(x, i)));
}

// AssemblyScript. Copies of whole ranges, in bytes; one part, as the memory is slower than one thread.

export function copyInto(x: usize, y: usize, from: usize, to: usize, bytes: usize, _part: i32, _parts: i32): void {
  memory.copy(y + to, x + from, bytes);
}

/** y takes d at `to`, and zeros around it. */
export function padInto(d: usize, y: usize, to: usize, bytes: usize, all: usize, _part: i32, _parts: i32): void {
  memory.fill(y, 0, to);
  memory.copy(y + to, d, bytes);
  memory.fill(y + to + bytes, 0, all - to - bytes);
}

import { nodeModule } from './nodeModule';

/** Memory that is written whole before anyone sees it: Node need not fill it with zeros first (5 to 10 % of reading BGZF). Of its own, never a part of Node's pool; short ones are not worth the call. */
export function unfilled(length: number): Uint8Array<ArrayBuffer> {
  const node = length > 4096 ? nodeModule('node:buffer') : undefined;
  return node ? new Uint8Array(node.Buffer.allocUnsafeSlow(length).buffer) : new Uint8Array(length);
}

/** `parts` one after another; `length` is the sum of theirs. */
export function concat(parts: readonly Uint8Array[], length = parts.reduce((sum, part) => sum + part.length, 0)): Uint8Array {
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Copies `count` bytes. Lines are short: below 256 bytes a loop is faster than the views that `set` needs. */
export function copyBytes(from: Uint8Array, at: number, to: Uint8Array, start: number, count: number): void {
  if (count > 256) to.set(from.subarray(at, at + count), start);
  else for (let i = 0; i < count; i++) to[start + i] = from[at + i];
}

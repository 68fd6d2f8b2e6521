import { kernelsWasm } from './kernels.generated';

/** The kernels' module, for a memory of this kind. */
export function kernelsModule(shared: boolean): Promise<WebAssembly.Module> {
  const bytes = Uint8Array.from(atob(kernelsWasm), (letter) => letter.charCodeAt(0));
  if (!shared) unshareMemoryImport(bytes);
  return WebAssembly.compile(bytes);
}

/** The module imports a shared memory and refuses another kind; in the binary the two differ in one flag bit (WebAssembly threads proposal, binary format of limits). */
function unshareMemoryImport(bytes: Uint8Array): void {
  const importSection = 2;
  for (let at = 8; at < bytes.length; ) {
    const id = bytes[at++];
    let size = 0;
    for (let shift = 0, byte = 128; byte & 128; shift += 7) {
      byte = bytes[at++];
      size |= (byte & 127) << shift;
    }
    if (id === importSection) {
      // The import reads: length of the name, "memory", 2 for a memory, then the flags: 1 has a maximum, 2 is shared.
      const name = [6, ...Array.from('memory', (letter) => letter.charCodeAt(0)), 2];
      const found = Array.from({ length: size }, (_, i) => at + i).find((start) => name.every((byte, j) => bytes[start + j] === byte));
      if (found !== undefined) bytes[found + name.length] &= ~2;
      return;
    }
    at += size;
  }
}

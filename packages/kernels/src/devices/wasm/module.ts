import { kernelsWasm } from './kernels.generated';

/**
 * The kernels' module, for a memory of this kind. The one with relaxed SIMD is the same sources compiled once more: a chunk of its own, so that nobody loads it who does not ask.
 * @throws Error when the engine has no relaxed SIMD
 */
export async function kernelsModule({ shared, relaxedSimd }: { shared: boolean; relaxedSimd: boolean }): Promise<WebAssembly.Module> {
  const text = relaxedSimd ? (await import('./relaxedKernels.generated')).relaxedKernelsWasm : kernelsWasm;
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  if (!shared) unshareMemoryImport(bytes);
  if (relaxedSimd && !WebAssembly.validate(bytes)) {
    const engine = typeof process === 'undefined' ? navigator.userAgent : `Node ${process.version}`;
    throw new Error(`createWasmDevice: expected an engine with relaxed SIMD, got ${engine}; use Node 22, Chrome 114 or Firefox 146, start Node 20 with --experimental-wasm-relaxed-simd, or leave out relaxedSimd`);
  }
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

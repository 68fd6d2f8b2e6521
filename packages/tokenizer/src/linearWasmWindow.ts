import { linearWasm } from './linear.generated';
import type { LinearTables } from './linearTables';
import type { LinearWindow } from './linearWindow';

const BEFORE = 32; // bytes before the codes, for those of no position
const HEADER = 64; // bytes; linear.wasm.ts reads the numbers in this order

/** The same window with the search in WebAssembly, 1.6 times as fast; undefined where the machine or the page does not allow it. */
export function createWasmWindow(tables: LinearTables, capacity: number): LinearWindow | undefined {
  const arrays = [tables.best, tables.child, tables.tokenAt, tables.tokens, tables.forbidden, tables.letterTables];
  const scratch = [capacity, 4 * capacity, 2 * capacity + BEFORE, capacity + 1, 8 * capacity]; // bytes, ids, codes, failed, offsets
  const places: number[] = [];
  let size = HEADER;
  for (const length of [...arrays.map((array) => array.byteLength), ...scratch]) {
    places.push(size);
    size = (size + length + 15) & ~15;
  }
  try {
    places[8] += BEFORE;
    const memory = new WebAssembly.Memory({ initial: Math.ceil(size / 2 ** 16) });
    const header = new Uint32Array(memory.buffer, 0, HEADER / 4);
    header.set([tables.bits, tables.width, tables.none, ...places.slice(0, 10), 0, tables.ahead, places[10]]);
    arrays.forEach((array, i) => new Uint8Array(memory.buffer, places[i]).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength)));
    const module = new WebAssembly.Module(Uint8Array.from(atob(linearWasm), (character) => character.charCodeAt(0)));
    const { encodeRun, locate } = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Pick<LinearWindow, 'encodeRun' | 'locate'>;
    return {
      bytes: new Uint8Array(memory.buffer, places[6], capacity),
      ids: new Uint32Array(memory.buffer, places[7], capacity),
      offsets: new Uint32Array(memory.buffer, places[10], 2 * capacity),
      get end() { return header[13]; },
      encodeRun,
      locate,
    };
  } catch {
    return undefined; // no WebAssembly, a Content-Security-Policy without 'wasm-unsafe-eval', or no room for one more memory
  }
}

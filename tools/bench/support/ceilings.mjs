// What the machine can do at most, measured in the rounds of whatever is compared with it: arithmetic in registers, and reading memory.
/* global WebAssembly */
import { Worker } from 'node:worker_threads';
import asc from 'assemblyscript/asc';

/** Twelve independent chains of s = s · a + b over four lanes: two operations wait eight cycles for each other, so that two units for them are never idle. */
const chains = 12;
const bytes = 2 ** 28;
const source = `export function multiplyAdd(rounds: i32): f32 {
  const a = f32x4.splat(0.999), b = f32x4.splat(0.001);
  ${Array.from({ length: chains }, (_, i) => `let s${i} = f32x4.splat(${i});`).join(' ')}
  for (let i = 0; i < rounds; i++) {
    ${Array.from({ length: chains }, (_, i) => `s${i} = f32x4.add(f32x4.mul(s${i}, a), b);`).join(' ')}
  }
  let all = s0;
  ${Array.from({ length: chains - 1 }, (_, i) => `all = f32x4.add(all, s${i + 1});`).join(' ')}
  return f32x4.extract_lane(all, 0) + f32x4.extract_lane(all, 1) + f32x4.extract_lane(all, 2) + f32x4.extract_lane(all, 3);
}
export function readAll(from: usize, count: usize): i32 {
  let a = i32x4.splat(0), b = a, c = a, d = a;
  for (let at = from, end = from + count; at < end; at += 64) {
    a = v128.or(a, v128.load(at)); b = v128.or(b, v128.load(at, 16)); c = v128.or(c, v128.load(at, 32)); d = v128.or(d, v128.load(at, 48));
  }
  return i32x4.extract_lane(v128.or(v128.or(a, b), v128.or(c, d)), 0);
}`;

async function compile() {
  let binary;
  const { error } = await asc.main(['probe.ts', '-O3', '--runtime', 'stub', '--enable', 'simd,threads', '--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536', '--outFile', 'probe.wasm'], {
    readFile: (name) => (name.endsWith('probe.ts') ? source : null), writeFile: (name, contents) => { if (name.endsWith('.wasm')) binary = contents; }, stdout: { write: () => true },
  });
  if (error) throw error;
  return WebAssembly.compile(binary);
}

/** Another thread that reads its half when word 0 is 1, and then sets it to 0. */
const reader = `const { workerData: { module, memory, words } } = require('node:worker_threads');
const { readAll } = new WebAssembly.Instance(module, { env: { memory, abort() {} } }).exports;
for (Atomics.store(words, 1, 1), Atomics.notify(words, 1); ; Atomics.store(words, 0, 0), Atomics.notify(words, 0)) {
  Atomics.wait(words, 0, 0);
  if (Atomics.load(words, 0) === 2) break;
  readAll(${65536 + bytes / 2}, ${bytes / 2});
}`;

/** `arithmetic` of one thread in thousand million operations, `reading` by number of threads (1, 2) in GB: `{ amount, run }`. */
export async function createCeilings() {
  const memory = new WebAssembly.Memory({ initial: bytes / 65536 + 1, maximum: 65536, shared: true }), module = await compile();
  new Uint8Array(memory.buffer).fill(1); // pages that were never written would all be one
  const { multiplyAdd, readAll } = (await WebAssembly.instantiate(module, { env: { memory, abort() {} } })).exports;
  const words = new Int32Array(new SharedArrayBuffer(8)), worker = new Worker(reader, { eval: true, workerData: { module, memory, words } });
  if (Atomics.load(words, 1) === 0) await Atomics.waitAsync(words, 1, 0).value;
  return {
    arithmetic: { amount: 2e7 * 8 * chains / 1e9, run: () => multiplyAdd(2e7) },
    reading: {
      1: { amount: bytes / 1e9, run: () => readAll(65536, bytes) },
      2: {
        amount: bytes / 1e9,
        run() {
          Atomics.store(words, 0, 1);
          Atomics.notify(words, 0);
          readAll(65536, bytes / 2);
          Atomics.wait(words, 0, 1);
        },
      },
    },
    async end() {
      Atomics.store(words, 0, 2);
      Atomics.notify(words, 0);
      await worker.terminate();
    },
  };
}

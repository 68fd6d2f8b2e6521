// What the machine can do at most, measured in the rounds of whatever is compared with it: arithmetic in registers, and reading memory, on one thread and on two at once.
/* global WebAssembly */
import { Worker } from 'node:worker_threads';
import asc from 'assemblyscript/asc';

const [heap, bytes] = [65536, 2 ** 28];
/** Whether V8 was asked to join pairs of registers. It does so where what is loaded and stored lies side by side, and twice as many sums have to be under way. */
const joins = process.execArgv.includes('--experimental-wasm-revectorize');
/** Two (joined, five) by four sums; the first numbers of a round come from the first cache, else the products would be computed once for all rounds. The other four are read before (joined, in each step): V8 would make constants anew in each round. */
const [xs, ys] = [joins ? [0, 1, 2, 3, 4] : [0, 1], [0, 1, 2, 3]];
/** Steps of a round of the loop, kept apart by ways out that are never taken: V8 would bring all loads to the front, and spill. */
const steps = [0, 1, 2, 3];
const every = (f) => xs.flatMap((i) => ys.map((j) => f(i, j))).join(' ');
const loadYs = (from) => ys.map((j) => `const y${j} = v128.load(${from}, ${16 * j});`).join(' ');
/** A product waits for no sum, so both units that multiply and both that add are busy; fused, two multiply-adds of four cycles are under way in each unit all the time, which eight sums just allow. */
const source = `@inline function madd(a: v128, b: v128, c: v128): v128 { return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, c) : f32x4.add(c, f32x4.mul(a, b)); }
export function multiplyAdd(rounds: i32, to: usize): void {
  ${joins ? '' : loadYs(heap)}
  let ${xs.map((x) => `x${x} = v128.load(${heap})`).join(', ')}; ${every((x, y) => `let s${x}${y} = ${joins ? `v128.load(to, ${64 * x + 16 * y})` : `f32x4.splat(${x + y})`};`)}
  for (let i = 0; i < rounds; i += ${steps.length}) {
    const at = ${heap} + ((i & 255) << 5);
    ${steps.map((step) => `{ ${joins ? loadYs('at') : ''} ${xs.map((x) => `x${x} = v128.load32_splat(at, ${4 * (xs.length * step + x)});`).join(' ')} ${every((x, y) => `s${x}${y} = madd(x${x}, y${y}, s${x}${y});`)} if (i == ${-1 - step}) break; }`).join('\n    ')}
  }
  ${every((i, j) => `v128.store(to, s${i}${j}, ${64 * i + 16 * j});`)}
}
export function readAll(from: usize, count: usize): i32 {
  let a = i32x4.splat(0), b = a, c = a, d = a;
  for (let at = from, end = from + count; at < end; at += 64) {
    a = v128.or(a, v128.load(at)); b = v128.or(b, v128.load(at, 16)); c = v128.or(c, v128.load(at, 32)); d = v128.or(d, v128.load(at, 48));
  }
  return i32x4.extract_lane(v128.or(v128.or(a, b), v128.or(c, d)), 0);
}`;
const rounds = 1e7;

async function compile(features) {
  let binary;
  const { error } = await asc.main(['probe.ts', '-O3', '--runtime', 'stub', '--enable', features, '--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536', '--outFile', 'probe.wasm'], {
    readFile: (name) => (name.endsWith('probe.ts') ? source : null), writeFile: (name, contents) => { if (name.endsWith('.wasm')) binary = contents; }, stdout: { write: () => true },
  });
  if (error) throw error;
  return WebAssembly.validate(binary) ? WebAssembly.compile(binary) : undefined;
}

/** Another thread that does what word 0 asks for, and then sets it to 0. */
const [readHalf, multiplyAdd, multiplyAddFused, end] = [1, 2, 3, 4];
const other = `const { workerData: { modules, memory, words } } = require('node:worker_threads');
const [plain, fused] = modules.map((module) => module && new WebAssembly.Instance(module, { env: { memory, abort() {} } }).exports);
for (Atomics.store(words, 1, 1), Atomics.notify(words, 1); ; Atomics.store(words, 0, 0), Atomics.notify(words, 0)) {
  Atomics.wait(words, 0, 0);
  const command = Atomics.load(words, 0);
  if (command === ${end}) break;
  if (command === ${readHalf}) plain.readAll(${heap + bytes / 2}, ${bytes / 2});
  if (command === ${multiplyAdd}) plain.multiplyAdd(${rounds});
  if (command === ${multiplyAddFused}) fused.multiplyAdd(${rounds});
}`;

/**
 * By number of threads (1, 2): `arithmetic` in thousand million operations, `fused` the same with multiply-adds of relaxed SIMD, where the engine has it, and `reading` in GB, all as `{ name, unit, amount, run }`.
 */
export async function createCeilings() {
  const memory = new WebAssembly.Memory({ initial: bytes / 65536 + 1, maximum: 65536, shared: true }), modules = await Promise.all(['simd,threads', 'simd,threads,relaxed-simd'].map(compile));
  new Float32Array(memory.buffer).fill(0.5); // pages that were never written would all be one
  const [plain, fused] = modules.map((module) => module && new WebAssembly.Instance(module, { env: { memory, abort() {} } }).exports);
  const words = new Int32Array(new SharedArrayBuffer(8)), worker = new Worker(other, { eval: true, workerData: { modules, memory, words } });
  if (Atomics.load(words, 1) === 0) await Atomics.waitAsync(words, 1, 0).value;
  const beside = (command, run) => () => {
    Atomics.store(words, 0, command);
    Atomics.notify(words, 0);
    run();
    Atomics.wait(words, 0, command);
  };
  const onOneAndTwo = (name, unit, amount, whole, command, share, both) => ({ 1: { name: `one thread of ${name}`, unit, amount, run: whole }, 2: { name: `two threads of ${name}`, unit, amount: both, run: beside(command, share) } });
  const operations = rounds * 2 * 4 * xs.length * ys.length / 1e9;
  const arithmeticOf = (name, { multiplyAdd: run }, command) => onOneAndTwo(name, 'GFLOP/s', operations, () => run(rounds), command, () => run(rounds), 2 * operations);
  return {
    arithmetic: arithmeticOf('arithmetic in registers', plain, multiplyAdd),
    fused: fused && arithmeticOf('fused arithmetic in registers', fused, multiplyAddFused),
    reading: onOneAndTwo('reading alone', 'GB/s', bytes / 1e9, () => plain.readAll(heap, bytes), readHalf, () => plain.readAll(heap, bytes / 2), bytes / 1e9),
    async end() {
      Atomics.store(words, 0, end);
      Atomics.notify(words, 0);
      await worker.terminate();
    },
  };
}

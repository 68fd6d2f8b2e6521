// One further thread: takes parts of jobs, spins a while for the next job, then sleeps. Runs from text in worker_threads and in browsers: see tools/embed.mjs.
import { instantiate, LIMIT, NEXT, SLEEPING, viewControl, work, type WorkerSetup } from './protocol';

/** About 20 µs, which is the JavaScript between two ops of a training step; five times as many were no faster. */
const spins = 4000;

function serve({ module, memory, control: buffer }: WorkerSetup, ready: () => void): never {
  const control = viewControl(buffer);
  const kernels = Object.values(instantiate(module, memory));
  const { words } = control;
  ready();
  for (;;) {
    work(control, kernels);
    const limit = Atomics.load(words, LIMIT);
    for (let spin = 0; spin < spins && Atomics.load(words, LIMIT) === limit; spin++);
    if (Atomics.load(words, NEXT) !== Atomics.load(words, LIMIT)) continue;
    Atomics.add(words, SLEEPING, 1);
    Atomics.wait(words, LIMIT, limit);
    Atomics.sub(words, SLEEPING, 1);
  }
}

declare const importScripts: unknown;
if (typeof importScripts === 'undefined') {
  const port = process.getBuiltinModule('node:worker_threads').parentPort!;
  port.once('message', (setup: WorkerSetup) => serve(setup, () => port.postMessage('ready')));
} else globalThis.onmessage = ({ data }: MessageEvent<WorkerSetup>) => serve(data, () => (globalThis as unknown as { postMessage(message: string): void }).postMessage('ready'));

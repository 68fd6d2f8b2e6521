// One further thread: takes parts of jobs, looks out a while for the next job, then sleeps. Runs from text in worker_threads and in browsers: see tools/embed.mjs.
import { instantiate, LIMIT, NEXT, SLEEPING, viewControl, work, type WorkerSetup } from './protocol';

/** Milliseconds of looking out for the next job before sleeping: to be woken takes a while, and a step of decoding is two hundred jobs with some 20 µs of JavaScript before each. */
const patience = 0.2;

function serve({ module, memory, control: buffer }: WorkerSetup, ready: () => void): never {
  const control = viewControl(buffer);
  const kernels = Object.values(instantiate(module, memory));
  const { words } = control;
  ready();
  for (;;) {
    work(control, kernels);
    const limit = Atomics.load(words, LIMIT);
    for (const until = performance.now() + patience; Atomics.load(words, LIMIT) === limit && performance.now() < until; ) {
      for (let spin = 0; spin < 200 && Atomics.load(words, LIMIT) === limit; spin++);
    }
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

// One further thread: takes parts of jobs, looks out a while for the next job, then sleeps. Runs from text in worker_threads (Node, Deno, Bun) and in web workers: see tools/embed.mjs.
import { ENDED, kernelsOver, LIMIT, NEXT, SLEEPING, viewControl, work, type WorkerSetup } from './protocol';

/** Milliseconds of looking out for the next job before sleeping: to be woken takes a while, and a step of decoding is two hundred jobs with some 20 µs of JavaScript before each. */
const patience = 0.2;

function serve({ control: buffer, ...setup }: WorkerSetup, ready: () => void): void {
  const control = viewControl(buffer);
  const kernels = kernelsOver(setup);
  kernels(); // compiled before the first job
  const { words } = control;
  ready();
  while (!Atomics.load(words, ENDED)) {
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

const port = typeof process === 'undefined' ? null : (process.getBuiltinModule?.('node:worker_threads').parentPort ?? null);
if (port) {
  port.once('message', (setup: WorkerSetup) => serve(setup, () => port.postMessage('ready')));
} else globalThis.onmessage = ({ data }: MessageEvent<WorkerSetup>) => serve(data, () => (globalThis as unknown as { postMessage(message: string): void }).postMessage('ready'));

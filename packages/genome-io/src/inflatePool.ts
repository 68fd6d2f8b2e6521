// Threads of Node that inflate BGZF, kept for the next reader.
import type { Worker } from 'node:worker_threads';
import type { Run } from './inflate';
import { workerScript } from './inflateWorker.generated';
import type { SharedFile } from './nextStretch';
import { nodeModule } from './nodeModule';

/** What a thread is asked for, and memory for its text, which is the thread's until it answers. */
export type Work = (Run | SharedFile) & { readonly into?: Uint8Array<ArrayBuffer> | undefined };

export interface Thread {
  readonly worker: Worker;
  state: 'starting' | 'ready' | 'ended';
  /** Who waits for its answers, in their order. */
  readonly waiting: ((answer: unknown) => void)[];
}

/** Threads without a reader: one takes 25 ms to begin, so that the next reader has them. They end by themselves (inflateWorker.ts). */
const idle: Thread[] = [];

export const threadsAreIdle = (): boolean => idle.length > 0;

/** Whether all of them have begun, or never will. */
export const areReady = (threads: readonly Thread[]): boolean => threads.every(({ state }) => state !== 'starting');

/** `count` threads for one reader; fewer where the process may have no more. */
export function borrow(count: number): Thread[] {
  const threads = idle.splice(0, count);
  try {
    while (threads.length < count) threads.push(start());
  } catch { /* those that there are, or the reader's thread alone */ }
  return threads;
}

export function giveBack(threads: readonly Thread[]): void {
  idle.push(...threads.filter(({ state }) => state !== 'ended'));
}

/** What the thread answers to `work`; undefined where it can do nothing of it, or broke down. */
export function ask({ worker, waiting, state }: Thread, work: Work): Promise<unknown> {
  if (state === 'ended') return Promise.resolve(undefined);
  if (waiting.length === 0) worker.ref();
  return new Promise((resolve) => {
    waiting.push(resolve);
    worker.postMessage(work, work.into ? [work.into.buffer] : []);
  });
}

function start(): Thread {
  const worker = new (nodeModule('node:worker_threads')!.Worker)(workerScript, { eval: true });
  const thread: Thread = { worker, state: 'starting', waiting: [] };
  const stop = () => {
    thread.state = 'ended';
    if (idle.includes(thread)) idle.splice(idle.indexOf(thread), 1);
    for (const resolve of thread.waiting.splice(0)) resolve(undefined);
  };
  worker.once('message', () => {
    thread.state = 'ready';
    worker.on('message', (answer: unknown) => {
      thread.waiting.shift()?.(answer);
      if (thread.waiting.length === 0) worker.unref(); // a reader that nobody reads on keeps no process alive
    });
    worker.unref(); // listening refers to it again
  });
  worker.once('error', stop).once('exit', stop).unref();
  return thread;
}

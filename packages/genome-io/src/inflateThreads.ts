// Threads of Node that inflate runs of BGZF for one reader, and end with it.
import type { Worker } from 'node:worker_threads';
import type { Run } from './inflate';
import { workerScript } from './inflateWorker.generated';
import { nodeModule } from './nodeModule';

export interface InflateThreads {
  /** The text of `run`, undefined where it is damaged; undefined at once while no thread has room: then the caller inflates it. */
  inflate(run: Run): Promise<Uint8Array | undefined> | undefined;
  end(): Promise<void>;
}

interface Thread {
  readonly worker: Worker;
  /** Whether it has begun, and has not broken down. */
  ready: boolean;
  /** Who waits for its runs, in their order. */
  readonly waiting: ((text: Uint8Array | undefined) => void)[];
}

/** Runs that a thread may have: one under way, one to go on with. */
const mostRuns = 2;

/** Starts `count` threads; none where the process may have none. */
export function startInflateThreads(count: number): InflateThreads {
  const threads: Thread[] = [];
  try {
    while (threads.length < count) threads.push(start());
  } catch { /* those that there are, or the caller alone */ }
  return {
    inflate({ bytes, lengths, textLength }) {
      const thread = threads.filter(({ ready, waiting }) => ready && waiting.length < mostRuns).sort((a, b) => a.waiting.length - b.waiting.length)[0] as Thread | undefined;
      if (!thread) return undefined;
      const own = new Uint8Array(bytes); // the others of its chunk stay here
      if (thread.waiting.length === 0) thread.worker.ref();
      return new Promise((resolve) => {
        thread.waiting.push(resolve);
        thread.worker.postMessage({ bytes: own, lengths, textLength } satisfies Run, [own.buffer]);
      });
    },
    end: async () => {
      // What a thread still says must not unref it again: a process that only awaits this would end before it settles.
      for (const { worker } of threads) worker.removeAllListeners('message').ref();
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    },
  };
}

function start(): Thread {
  const worker = new (nodeModule('node:worker_threads')!.Worker)(workerScript, { eval: true });
  const thread: Thread = { worker, ready: false, waiting: [] };
  const stop = () => {
    thread.ready = false;
    for (const resolve of thread.waiting.splice(0)) resolve(undefined);
  };
  worker.once('message', () => {
    thread.ready = true;
    worker.on('message', (text: Uint8Array | undefined) => {
      thread.waiting.shift()?.(text);
      if (thread.waiting.length === 0) worker.unref(); // a reader that nobody reads on keeps no process alive
    });
    worker.unref(); // listening refers to it again
  });
  worker.once('error', stop).once('exit', stop).unref();
  return thread;
}

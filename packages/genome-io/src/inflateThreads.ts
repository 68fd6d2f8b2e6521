// Runs of BGZF inflated by this thread and by workers of Node beside it.
import type { Worker } from 'node:worker_threads';
import { inflateRun, type Run } from './inflate';
import { workerScript } from './inflateWorker.generated';
import { nodeModule } from './nodeModule';

interface Job<R extends Run> {
  readonly run: R;
  /** The memory that its bytes were copied to, which workers see too. */
  readonly memory: SharedArrayBuffer;
  state: 'waiting' | 'sent' | 'done';
  coming?: Promise<void>;
  text?: Uint8Array | undefined;
}

/** Runs that are read ahead, for each thread: enough that workers have some while this one inflates its own. */
const runsAhead = 3;

/**
 * The texts of `runs` in their order, undefined where one is damaged. Workers get runs as long as they have room; while the next text is not there, this thread inflates what no worker has begun. What `runs` throws is thrown after the texts before it.
 * @param longest - bytes of the longest run
 */
export async function* inflateTogether<R extends Run>(runs: AsyncGenerator<R, void, undefined>, threads: number, longest: number): AsyncGenerator<{ run: R; text: Uint8Array | undefined }, void, undefined> {
  const workers = borrow(threads - 1);
  const jobs: Job<R>[] = [];
  const unused: SharedArrayBuffer[] = [];
  const send = () => {
    for (const job of jobs) {
      if (job.state !== 'waiting') continue;
      const coming = sendTo(workers, job.run);
      if (!coming) return;
      job.state = 'sent';
      job.coming = coming.then((text) => {
        job.text = text;
        job.state = 'done';
        send();
      });
    }
  };
  let failure: { error: unknown } | undefined;
  try {
    for (let reading = true; reading || jobs.length > 0; ) {
      if (reading && jobs.length < runsAhead * threads) {
        const next = await runs.next().catch((error: unknown) => { failure = { error }; return { done: true as const, value: undefined }; });
        if (next.done) reading = false;
        else {
          const memory = unused.pop() ?? new SharedArrayBuffer(longest);
          const bytes = new Uint8Array(memory, 0, next.value.bytes.length);
          bytes.set(next.value.bytes);
          jobs.push({ run: { ...next.value, bytes }, memory, state: 'waiting' });
          send();
        }
        continue;
      }
      const first = jobs[0];
      const own = first.state === 'done' ? undefined : jobs.find(({ state }) => state === 'waiting');
      if (own) {
        own.text = inflateRun(own.run);
        own.state = 'done';
        await new Promise(setImmediate); // to hear what workers say
      } else if (first.state === 'sent') {
        await first.coming;
      } else {
        jobs.shift();
        yield first as { run: R; text: Uint8Array | undefined };
        unused.push(first.memory);
      }
    }
  } finally {
    jobs.length = 0;
    giveBack(workers);
  }
  if (failure) throw failure.error;
}

interface Thread {
  readonly worker: Worker;
  state: 'starting' | 'ready' | 'ended';
  /** Who waits for its runs, in their order. */
  readonly waiting: ((text: Uint8Array | undefined) => void)[];
}

/** Threads without a reader: one takes 25 ms to begin, so that the next reader has them. They end by themselves (inflateWorker.ts). */
const idle: Thread[] = [];

export const threadsAreIdle = (): boolean => idle.length > 0;

/** `count` threads for one reader; fewer where the process may have no more. */
function borrow(count: number): Thread[] {
  const threads = idle.splice(0, count);
  try {
    while (threads.length < count) threads.push(start());
  } catch { /* those that there are, or the reader's thread alone */ }
  return threads;
}

function giveBack(threads: readonly Thread[]): void {
  idle.push(...threads.filter(({ state }) => state !== 'ended'));
}

/** Runs that a thread may have: one under way, one to go on with. */
const mostRuns = 2;

/** The text of `run`, undefined where it is damaged or the thread broke down; undefined at once while no thread has room. */
function sendTo(threads: readonly Thread[], run: Run): Promise<Uint8Array | undefined> | undefined {
  const [thread] = threads.filter(({ state, waiting }) => state === 'ready' && waiting.length < mostRuns).sort((a, b) => a.waiting.length - b.waiting.length) as (Thread | undefined)[];
  if (!thread) return undefined;
  if (thread.waiting.length === 0) thread.worker.ref();
  return new Promise((resolve) => {
    thread.waiting.push(resolve);
    thread.worker.postMessage({ bytes: run.bytes, lengths: run.lengths, textLength: run.textLength } satisfies Run);
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
    worker.on('message', (text: Uint8Array | undefined) => {
      thread.waiting.shift()?.(text);
      if (thread.waiting.length === 0) worker.unref(); // a reader that nobody reads on keeps no process alive
    });
    worker.unref(); // listening refers to it again
  });
  worker.once('error', stop).once('exit', stop).unref();
  return thread;
}

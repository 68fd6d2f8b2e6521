import { workerScript } from './worker.generated';
import type { WorkerSetup } from './protocol';

export interface Thread {
  end(): Promise<void>;
}

/** Starts a thread from text: the same in Node, in browsers, in Deno and in Bun, and no bundler needs to know. Resolves when it takes work; from then on it keeps no process alive. */
export const startThread = (setup: WorkerSetup): Promise<Thread> => (workerThreads() ? startNodeThread(setup) : startBrowserThread(setup));

/** Node's, which Deno and Bun have as well: their web workers would keep the process alive. Not by `import`: bundlers for the browser would look for the module. */
const workerThreads = () => (typeof process === 'undefined' ? undefined : process.getBuiltinModule?.('node:worker_threads'));

async function startNodeThread(setup: WorkerSetup): Promise<Thread> {
  const worker = new (workerThreads()!.Worker)(workerScript, { eval: true });
  try {
    await new Promise((ready, failed) => {
      worker.once('message', ready).once('error', failed);
      worker.postMessage(setup);
    });
  } finally {
    worker.removeAllListeners();
    worker.unref();
  }
  return {
    async end() {
      worker.ref(); // else a process that only awaits this ends before it settles
      await worker.terminate();
    },
  };
}

async function startBrowserThread(setup: WorkerSetup): Promise<Thread> {
  const url = URL.createObjectURL(new Blob([workerScript], { type: 'text/javascript' }));
  const worker = new Worker(url);
  try {
    await new Promise((ready, failed) => {
      worker.onmessage = ready;
      worker.onerror = ({ message }) => failed(new Error(`wasm: expected a worker from a blob: URL, got ${message || 'a refusal'}; allow worker-src blob: in the page's content security policy, or ask for threads: 1`));
      worker.postMessage(setup);
    });
  } finally {
    URL.revokeObjectURL(url);
  }
  return { end: async () => worker.terminate() };
}

/** Whether threads can share a job here: they need SharedArrayBuffer and a kind of worker, and the caller waits for the others, which a window's main thread must not. */
export const canShareWork = (): boolean => typeof SharedArrayBuffer !== 'undefined' && typeof document === 'undefined' && (typeof Worker !== 'undefined' || typeof process !== 'undefined');

/** How many threads the machine runs at once. */
export function machineThreads(): number {
  if (typeof navigator !== 'undefined' && navigator.hardwareConcurrency) return navigator.hardwareConcurrency;
  return typeof process === 'undefined' ? 1 : process.getBuiltinModule('node:os').availableParallelism();
}

import { createControl, depth, dismiss, FAILED, instantiate, LIMIT, maxArguments, post, reached, settle, viewControl, work, type KernelsSetup, type WorkerSetup } from './protocol';
import { startThread, type Thread } from './threads';

export interface Pool {
  readonly threads: number;
  /** Puts a job in line, the kernel once for each part: the other threads work while the caller goes on. Jobs run one after another, as if each had ended before the next began. */
  run(kernel: string, values: readonly number[], parts: number): void;
  /** Returns when all is done that was begun; the caller takes parts too. @throws Error when a kernel trapped */
  finish(): void;
  end(): Promise<void>;
}

export async function createPool(setup: KernelsSetup, threads: number): Promise<Pool> {
  const kernels = instantiate(setup);
  const alone = (kernel: string, values: readonly number[], parts: number): void => {
    for (let part = 0; part < parts; part++) kernels[kernel](...values, part, parts);
  };
  if (threads === 1) return { threads, run: alone, finish: () => {}, end: async () => {} };

  const buffer = createControl();
  const control = viewControl(buffer);
  const { words } = control;
  const names = Object.keys(kernels), numbers = new Map(names.map((name, i) => [name, i]));
  const list = Object.values(kernels), ownKernels = () => list;
  const pool = await startThreads(threads - 1, { ...setup, control: buffer });
  const ends = new Int32Array(depth); // of each slot: the ticket after the last of its job
  let jobs = 0;

  const help = (end: number): void => {
    work(control, ownKernels, end);
    settle(words, end);
  };
  const check = (): void => {
    const failed = Atomics.exchange(words, FAILED, 0);
    if (failed) throw new Error(`${names[failed - 1]}: expected the kernel to end, got a trap; this is a fault of the kernel`);
  };

  return {
    threads,
    run(kernel, values, parts) {
      if (values.length > maxArguments) throw new RangeError(`${kernel}: expected at most ${maxArguments} arguments, got ${values.length}`);
      if (parts < 2 && reached(words, words[LIMIT])) {
        check();
        alone(kernel, values, parts); // before another thread has heard of it
        return;
      }
      const slot = jobs % depth;
      help(ends[slot]);
      check();
      if (parts < 1) return;
      ends[slot] = post(control, slot, numbers.get(kernel)!, values, parts);
      jobs++;
    },
    finish() {
      help(words[LIMIT]);
      check();
    },
    end() {
      help(words[LIMIT]); // a ticket that a thread took with it would never be done
      dismiss(control);
      return endThreads(pool);
    },
  };
}

/** All or none: those that did begin are told to return, for they sleep until a job comes. */
async function startThreads(count: number, setup: WorkerSetup): Promise<Thread[]> {
  const outcomes = await Promise.allSettled(Array.from({ length: count }, () => startThread(setup)));
  const started = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const refused = outcomes.find((outcome) => outcome.status === 'rejected');
  if (!refused) return started;
  dismiss(viewControl(setup.control));
  await endThreads(started);
  throw refused.reason;
}

const endThreads = async (threads: readonly Thread[]): Promise<void> => void (await Promise.all(threads.map((thread) => thread.end())));

import { COUNT, createControl, DONE, FAILED, FIRST, instantiate, KERNEL, LIMIT, maxArguments, PARTS, SLEEPING, viewControl, work, type WorkerSetup } from './protocol';
import { startThread, type Thread } from './threads';

export interface Pool {
  readonly threads: number;
  /** Begins a job, the kernel once for each part, after what was begun before: the other threads work on it while the caller goes on. */
  run(kernel: string, values: readonly number[], parts: number): void;
  /** Returns when all is done that was begun; the caller takes parts too. @throws Error when a kernel trapped */
  finish(): void;
  /** Runs `then` once what was begun is done: at once, or by whoever finishes it. */
  after(then: () => void): void;
  end(): Promise<void>;
}

/** About 10 µs of spinning for the last parts, before the caller sleeps. */
const spins = 2000;

export async function createPool(module: WebAssembly.Module, memory: WebAssembly.Memory, threads: number): Promise<Pool> {
  const kernels = instantiate(module, memory);
  const alone = (kernel: string, values: readonly number[], parts: number): void => {
    for (let part = 0; part < parts; part++) kernels[kernel](...values, part, parts);
  };
  if (threads === 1) return { threads, run: alone, finish: () => {}, after: (then) => then(), end: async () => {} };

  const buffer = createControl();
  const control = viewControl(buffer);
  const { words, values: given } = control;
  const numbers = new Map(Object.keys(kernels).map((name, i) => [name, i]));
  const list = Object.values(kernels);
  const pool = await startThreads(threads - 1, { module, memory, control: buffer });
  let running: { readonly kernel: string; readonly parts: number } | undefined;
  const later: (() => void)[] = [];

  const finish = (): void => {
    if (!running) return;
    const { kernel, parts } = running;
    work(control, list);
    for (let done, spin = 0; (done = Atomics.load(words, DONE)) !== parts; spin++) if (spin > spins) Atomics.wait(words, DONE, done);
    running = undefined;
    for (const then of later.splice(0)) then();
    if (Atomics.exchange(words, FAILED, 0)) throw new Error(`${kernel}: expected the kernel to end, got a trap; this is a fault of the kernel`);
  };

  return {
    threads,
    run(kernel, values, parts) {
      finish();
      if (parts < 2) {
        alone(kernel, values, parts);
        return;
      }
      if (values.length > maxArguments) throw new RangeError(`${kernel}: expected at most ${maxArguments} arguments, got ${values.length}`);
      given.set(values);
      words[COUNT] = values.length;
      words[KERNEL] = numbers.get(kernel)!;
      words[PARTS] = parts;
      words[FIRST] = words[LIMIT];
      Atomics.store(words, DONE, 0);
      Atomics.store(words, LIMIT, (words[FIRST] + parts) | 0);
      if (Atomics.load(words, SLEEPING) > 0) Atomics.notify(words, LIMIT);
      running = { kernel, parts };
    },
    finish,
    after: (then) => void (running ? later.push(then) : then()),
    end: () => endThreads(pool),
  };
}

/** All or none. */
async function startThreads(count: number, setup: WorkerSetup): Promise<Thread[]> {
  const outcomes = await Promise.allSettled(Array.from({ length: count }, () => startThread(setup)));
  const started = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const refused = outcomes.find((outcome) => outcome.status === 'rejected');
  if (!refused) return started;
  await endThreads(started);
  throw refused.reason;
}

const endThreads = async (threads: readonly Thread[]): Promise<void> => void (await Promise.all(threads.map((thread) => thread.end())));

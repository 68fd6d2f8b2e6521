/**
 * How the threads of one device share work: an Int32Array and a Float64Array of arguments over one SharedArrayBuffer.
 * Every part of every job has a ticket, a number that only rises. `NEXT` is the first ticket that nobody has taken, `LIMIT` the first that does not exist yet.
 * Whoever moves `NEXT` from t to t + 1 owns ticket t. A job is written only while NEXT = LIMIT and all tickets are done, so arguments read between
 * loading NEXT, then LIMIT, and winning the exchange belong to that ticket.
 */
export const NEXT = 0;
export const LIMIT = 1;
/** Tickets of the current job that are finished. */
export const DONE = 2;
/** Ticket of part 0 of the current job, its number of parts, its kernel, and how many arguments follow. */
export const FIRST = 3;
export const PARTS = 4;
export const KERNEL = 5;
export const COUNT = 6;
/** Threads asleep on LIMIT: nobody calls notify for nothing. */
export const SLEEPING = 7;
/** 1 when a kernel trapped in another thread. */
export const FAILED = 8;

const controlBytes = 64;
export const maxArguments = 48;

export interface Control {
  readonly words: Int32Array;
  readonly values: Float64Array;
}

export const createControl = (): SharedArrayBuffer => new SharedArrayBuffer(controlBytes + 8 * maxArguments);
export const viewControl = (buffer: SharedArrayBuffer): Control => ({ words: new Int32Array(buffer, 0, controlBytes / 4), values: new Float64Array(buffer, controlBytes) });

export type Kernel = (...values: number[]) => void;
export type Kernels = Readonly<Record<string, Kernel>>;

export interface WorkerSetup {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly control: SharedArrayBuffer;
}

/** The module's exports; their order is the numbering of kernels. */
export const instantiate = (module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels =>
  new WebAssembly.Instance(module, { env: { memory, abort() { throw new Error('wasm: a kernel aborted'); } } }).exports as unknown as Kernels;

/** Takes tickets until none is left. Arguments are read once for each job: for each ticket that took 0.4 of 0.54 µs, and a step of decoding has 3,000 tickets. */
export function work({ words, values }: Control, kernels: readonly Kernel[]): void {
  let [job, args]: [number | undefined, number[]] = [undefined, []];
  for (;;) {
    const ticket = Atomics.load(words, NEXT);
    if (ticket === Atomics.load(words, LIMIT)) return;
    const [first, parts, kernel, count] = [words[FIRST], words[PARTS], words[KERNEL], words[COUNT]];
    if (job !== first) args = [...values.subarray(0, count), 0, parts];
    job = undefined;
    if (Atomics.compareExchange(words, NEXT, ticket, (ticket + 1) | 0) !== ticket) continue;
    job = first; // only now is it certain that all of it was read from one job
    args[count] = (ticket - first) | 0;
    try {
      kernels[kernel](...args);
    } catch {
      Atomics.store(words, FAILED, 1);
    }
    if (Atomics.add(words, DONE, 1) + 1 === parts) Atomics.notify(words, DONE);
  }
}

/**
 * How the threads of one device share work: an Int32Array and a Float64Array of arguments over one SharedArrayBuffer.
 * Jobs wait in line, `depth` of them at most, in slots that are used in turn. Every part of every job has a ticket, a number that only rises. `NEXT` is the first ticket that nobody has taken,
 * `LIMIT` the first that does not exist yet, `DONE` how many are finished. Whoever moves `NEXT` from t to t + 1 owns ticket t, and may do so only when all tickets of the jobs before are done.
 * A slot is written only when its last job is done, so what was read of it between loading NEXT and winning the exchange belongs to that ticket.
 */
export const NEXT = 0;
export const LIMIT = 1;
export const DONE = 2;
/** Threads asleep on LIMIT, and on DONE: nobody calls notify for nothing. */
export const SLEEPING = 3;
const WAITING = 4;
/** One more than the number of a kernel that trapped. */
export const FAILED = 5;
/** Not 0 once the threads are to return. */
export const ENDED = 6;

/** Jobs ahead of the one at work: the caller's JavaScript for the ten small ops between two products of a decoder is done by the time they begin. */
export const depth = 16;
/** Of each slot, its ticket of part 0, how many parts there are, the kernel, and how many arguments follow. */
const [slots, slotWords, FIRST, PARTS, KERNEL, COUNT] = [8, 4, 0, 1, 2, 3];

const controlBytes = 4 * (slots + depth * slotWords);
export const maxArguments = 48;

export interface Control {
  readonly words: Int32Array;
  readonly values: Float64Array;
}

export const createControl = (): SharedArrayBuffer => new SharedArrayBuffer(controlBytes + 8 * depth * maxArguments);
export const viewControl = (buffer: SharedArrayBuffer): Control => ({ words: new Int32Array(buffer, 0, controlBytes / 4), values: new Float64Array(buffer, controlBytes) });

export type Kernel = (...values: number[]) => void;
export type Kernels = Readonly<Record<string, Kernel>>;

/** What makes an instance: the same in every thread. */
export interface KernelsSetup {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** See `wideTiles` in tile.wasm.ts. */
  readonly wideTiles: boolean;
}

export interface WorkerSetup extends KernelsSetup {
  readonly control: SharedArrayBuffer;
}

/** The module's exports; their order is the numbering of kernels. */
export const instantiate = ({ module, memory, wideTiles }: KernelsSetup): Kernels =>
  new WebAssembly.Instance(module, { env: { memory, wideTiles: Number(wideTiles), abort() { throw new Error('wasm: a kernel aborted'); } } }).exports as unknown as Kernels;

/**
 * The kernels over a memory that another thread makes grow. In JavaScriptCore (Safari, Bun) memory.fill and memory.copy know only the size that the memory had when the instance was made:
 * after it grew there is a new one. To look takes 0.03 to 0.07 µs for each job, an instance 0.1 ms.
 */
export function kernelsOver(setup: KernelsSetup): () => readonly Kernel[] {
  let [size, kernels]: [number, readonly Kernel[]] = [-1, []];
  return () => {
    const { byteLength } = setup.memory.buffer;
    if (byteLength !== size) [size, kernels] = [byteLength, Object.values(instantiate(setup))];
    return kernels;
  };
}

/** Whether all tickets before `end` are done. Tickets begin anew after 2^32, so differences count. */
export const reached = (words: Int32Array, end: number): boolean => ((Atomics.load(words, DONE) - end) | 0) >= 0;

/** About 10 µs of looking whether other threads are done, before sleeping. */
const spins = 2000;

/** Returns when all tickets before `end` are done. */
export function settle(words: Int32Array, end: number): void {
  for (let spin = 0; spin < spins; spin++) if (reached(words, end)) return;
  Atomics.add(words, WAITING, 1);
  for (let done; ((done = Atomics.load(words, DONE)) - end | 0) < 0; ) Atomics.wait(words, DONE, done);
  Atomics.sub(words, WAITING, 1);
}

/** Writes a job into a slot whose last one is done. @returns the ticket after its last */
export function post({ words, values }: Control, slot: number, kernel: number, given: readonly number[], parts: number): number {
  const at = slots + slot * slotWords, first = Atomics.load(words, LIMIT), end = (first + parts) | 0;
  values.set(given, slot * maxArguments);
  words[at + KERNEL] = kernel;
  words[at + COUNT] = given.length;
  Atomics.store(words, at + FIRST, first); // before PARTS, and read after it: no number of parts is taken for that of another job
  Atomics.store(words, at + PARTS, parts);
  Atomics.store(words, LIMIT, end);
  if (Atomics.load(words, SLEEPING) > 0) Atomics.notify(words, LIMIT);
  return end;
}

/** Lets every thread return once it is idle: a ticket without a job wakes those that sleep. JavaScriptCore ends no thread in Atomics.wait, and Bun waits for it for ever. */
export function dismiss({ words }: Control): void {
  Atomics.store(words, ENDED, 1);
  Atomics.add(words, LIMIT, 1);
  Atomics.notify(words, LIMIT);
}

/** The slot of the job that a ticket belongs to; -1 where it was taken meanwhile and its slot used again. */
function slotOf(words: Int32Array, ticket: number): number {
  for (let slot = 0; slot < depth; slot++) {
    const at = slots + slot * slotWords, parts = Atomics.load(words, at + PARTS), part = (ticket - Atomics.load(words, at + FIRST)) | 0;
    if (part >= 0 && part < parts) return slot;
  }
  return -1;
}

/** Takes tickets until none is left, or all before `end` are done. Arguments are read once for each job: for each ticket that took 0.4 of 0.54 µs, and a step of decoding has a thousand tickets. */
export function work({ words, values }: Control, current: () => readonly Kernel[], end?: number): void {
  let [job, kernels, args]: [number | undefined, readonly Kernel[], number[]] = [undefined, [], []];
  while (end === undefined || !reached(words, end)) {
    const ticket = Atomics.load(words, NEXT);
    if (ticket === Atomics.load(words, LIMIT)) return;
    const slot = slotOf(words, ticket), at = slots + slot * slotWords;
    if (slot < 0) {
      if (Atomics.load(words, ENDED)) return;
      continue;
    }
    const [first, parts, kernel, count] = [words[at + FIRST], words[at + PARTS], words[at + KERNEL], words[at + COUNT]];
    if (job !== first) {
      settle(words, first);
      kernels = current();
      args = [...values.subarray(slot * maxArguments, slot * maxArguments + count), 0, parts];
    }
    job = undefined;
    if (Atomics.compareExchange(words, NEXT, ticket, (ticket + 1) | 0) !== ticket) continue;
    job = first; // only now is it certain that all of it was read from one job
    args[count] = (ticket - first) | 0;
    try {
      kernels[kernel](...args);
    } catch {
      Atomics.store(words, FAILED, kernel + 1);
    }
    if (((Atomics.add(words, DONE, 1) + 1 - first) | 0) === parts && Atomics.load(words, WAITING) > 0) Atomics.notify(words, DONE);
  }
}

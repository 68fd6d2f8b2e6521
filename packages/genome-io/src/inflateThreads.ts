// Runs of BGZF that this thread reads, inflated by it and by workers of Node beside it: for sources that are no files of Node.
import { inflateRun, type Run } from './inflate';
import { ask, borrow, giveBack, type Thread } from './inflatePool';
import { textMemory } from './textMemory';

interface Job<R extends Run> {
  readonly run: R;
  /** The memory that its bytes were copied to, which workers see too. */
  readonly memory: SharedArrayBuffer;
  state: 'waiting' | 'sent' | 'done';
  coming?: Promise<void>;
  text?: Uint8Array<ArrayBuffer> | undefined;
}

/** Runs that are read ahead, for each thread: enough that workers have some while this one inflates its own. */
const runsAhead = 3;

/**
 * The texts of `runs` in their order, undefined where one is damaged. Workers get runs as long as they have room; while the next text is not there, this thread inflates what no worker has begun. What `runs` throws is thrown after the texts before it.
 * @param longest - bytes of the longest run
 * @param reuse - whether a text is valid only until the next is asked for
 */
export async function* inflateTogether<R extends Run>(runs: AsyncGenerator<R, void, undefined>, threads: number, longest: number, reuse: boolean): AsyncGenerator<{ run: R; text: Uint8Array | undefined }, void, undefined> {
  const workers = borrow(threads - 1);
  const jobs: Job<R>[] = [];
  const unused: SharedArrayBuffer[] = [];
  const texts = textMemory(reuse);
  const send = () => {
    for (const job of jobs) {
      if (job.state !== 'waiting') continue;
      const coming = sendTo(workers, job.run, texts.take);
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
        own.text = inflateRun(own.run, texts.take());
        own.state = 'done';
        await new Promise(setImmediate); // to hear what workers say
      } else if (first.state === 'sent') {
        await first.coming;
      } else {
        jobs.shift();
        yield first as { run: R; text: Uint8Array | undefined };
        unused.push(first.memory);
        if (first.text) texts.giveBack(first.text);
      }
    }
  } finally {
    jobs.length = 0;
    giveBack(workers);
  }
  if (failure) throw failure.error;
}

/** Runs that a thread may have: one under way, one to go on with. */
const mostRuns = 2;

/** The text of `run`, undefined where it is damaged or the thread broke down; undefined at once while no thread has room. */
function sendTo(threads: readonly Thread[], run: Run, memory: () => Uint8Array<ArrayBuffer> | undefined): Promise<Uint8Array<ArrayBuffer> | undefined> | undefined {
  const [thread] = threads.filter(({ state, waiting }) => state === 'ready' && waiting.length < mostRuns).sort((a, b) => a.waiting.length - b.waiting.length) as (Thread | undefined)[];
  if (!thread) return undefined;
  return ask(thread, { bytes: run.bytes, lengths: run.lengths, textLength: run.textLength, into: memory() }) as Promise<Uint8Array<ArrayBuffer> | undefined>;
}

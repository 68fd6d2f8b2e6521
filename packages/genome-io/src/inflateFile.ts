// A BGZF file of Node inflated by threads that read it themselves: 1.8 times one thread on two cores, where threads that get what this one has read come to 1.4.
import { ask, type Thread } from './inflatePool';
import { turns, type SharedFile, type Stretch } from './nextStretch';
import { nodeModule } from './nodeModule';
import { textMemory } from './textMemory';

/** A regular file of Node, which several threads can read at once. */
export interface FileOfBlocks {
  readonly path: string | URL;
  readonly signal: AbortSignal | undefined;
  /** Its bytes from a place on. */
  from(offset: number): AsyncIterable<Uint8Array>;
}

/** Stretches that a thread may have ahead of the reader: one under way, and some of 2 MiB that wait for their turn. */
const stretchesAhead = 4;

/**
 * The text from the block at `offset` on, in its order.
 * @param reuse - whether a text is valid only until the next is asked for
 * @throws the signal's reason.
 * @returns where to go on alone: at the last block of the file, at damage, or anywhere when all threads broke down.
 */
export async function* inflateFile({ path, signal }: FileOfBlocks, offset: number, threads: readonly Thread[], reuse: boolean): AsyncGenerator<Uint8Array, number, undefined> {
  const file = await nodeModule('node:fs')!.promises.open(path);
  const shared: SharedFile = { fd: file.fd, memory: new SharedArrayBuffer(16) };
  new Float64Array(shared.memory)[1] = offset;
  const found = new Map<number, Stretch & { readonly thread: Thread }>();
  const memory = textMemory(reuse);
  let asked = 0;
  let heard = () => {};
  const askFor = async (thread: Thread) => {
    asked++;
    const stretch = (await ask(thread, { ...shared, into: memory.take() })) as Stretch | undefined;
    asked--;
    if (stretch) found.set(stretch.offset, { ...stretch, thread });
    heard();
  };
  const answer = () => new Promise<void>((resolve) => { heard = resolve; });
  try {
    for (const thread of threads) for (let i = 0; i < stretchesAhead; i++) void askFor(thread);
    for (;;) {
      signal?.throwIfAborted();
      const stretch = found.get(offset);
      if (stretch) {
        found.delete(offset);
        offset += stretch.length;
        if (!reuse) void askFor(stretch.thread);
        if (stretch.text.length > 0) yield stretch.text;
        memory.giveBack(stretch.text);
        if (reuse) void askFor(stretch.thread);
      } else if (asked > 0) await answer();
      else return offset;
    }
  } finally {
    const turn = new Int32Array(shared.memory);
    Atomics.store(turn, 0, turns.closed);
    Atomics.notify(turn, 0);
    while (asked > 0) await answer(); // nobody may read once its number can be another file's
    await file.close();
  }
}

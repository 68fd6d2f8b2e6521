/** A worker that encodes, the same to Node and to the web. */
import type { BpeTokenizer } from '../bpe';
import type { Sequence } from '../sequence';
import type { EncodedBatch, EncodeOptions } from '../tokenizer';
import { buffersOf, type BlockDone, type BlockWork } from './blocks';
import { workerScript } from './worker.generated';

/** What a thread is asked, and what it answers. */
export type Task = { readonly number: number } & ({ readonly block: BlockWork } | { readonly items: readonly BatchItem[]; readonly options: EncodeOptions });
export type Reply = { readonly number: number } & ({ readonly done: BlockDone | EncodedBatch | undefined } | { readonly error: unknown });
export type BatchItem = Sequence | readonly [Sequence, Sequence];

export interface Thread {
  /** @returns undefined for what has to be encoded with the rest */
  encodeBlock(block: BlockWork): Promise<BlockDone | undefined>;
  encodeBatch(items: readonly BatchItem[], options: EncodeOptions): Promise<EncodedBatch>;
  end(): unknown;
}

export function startThread({ definition }: BpeTokenizer): Thread {
  const waiting = new Map<number, { resolve(done: never): void; reject(reason: unknown): void }>();
  let sent = 0, failure: Error | undefined;
  const answer = (reply: Reply) => {
    const task = waiting.get(reply.number)!;
    waiting.delete(reply.number);
    if ('error' in reply) task.reject(reply.error);
    else task.resolve(reply.done as never);
    if (waiting.size === 0) port.release();
  };
  const fail = (error: Error) => {
    failure = error;
    for (const task of waiting.values()) task.reject(error);
    waiting.clear();
  };
  const port = typeof Worker === 'undefined' ? nodePort(answer, fail) : browserPort(answer, fail); // Deno and Bun, too, have web workers
  port.post(definition);
  const ask = <Done>(work: { readonly block: BlockWork } | { readonly items: readonly BatchItem[]; readonly options: EncodeOptions }, transfer: ArrayBuffer[] = []) => new Promise<Done>((resolve, reject) => {
    if (failure) return reject(failure);
    waiting.set(sent, { resolve, reject });
    port.hold();
    port.post({ number: sent++, ...work } satisfies Task, transfer);
  });
  return {
    encodeBlock: (block) => ask({ block }, buffersOf(block.memory)),
    encodeBatch: (items, options) => ask({ items, options }),
    end() {
      fail(new Error('createEncoderPool: expected an open pool, got a closed one; create another'));
      return port.end();
    },
  };
}

/** While it is held it keeps the process alive. */
interface Port { post(message: unknown, transfer?: ArrayBuffer[]): void; hold(): void; release(): void; end(): unknown }

function nodePort(answer: (reply: Reply) => void, fail: (error: Error) => void): Port {
  // Not `import`: bundlers for the browser would look for the module.
  const worker = new (process.getBuiltinModule('node:worker_threads').Worker)(workerScript, { eval: true });
  worker.on('message', answer).on('error', fail).unref();
  return { post: (message, transfer = []) => worker.postMessage(message, transfer), hold: () => worker.ref(), release: () => worker.unref(), end: () => worker.terminate() };
}

function browserPort(answer: (reply: Reply) => void, fail: (error: Error) => void): Port {
  const url = URL.createObjectURL(new Blob([workerScript], { type: 'text/javascript' }));
  const worker = new Worker(url, { type: 'module' }); // Deno has no others
  worker.onmessage = ({ data }: MessageEvent<Reply>) => answer(data);
  worker.onerror = ({ message }) => fail(new Error(`createEncoderPool: expected a worker from a blob: URL, got ${message || 'a refusal'}; allow worker-src blob: in the page's content security policy, or encode without a pool`));
  return { post: (message, transfer = []) => worker.postMessage(message, transfer), hold: () => {}, release: () => {}, end: () => { URL.revokeObjectURL(url); worker.terminate(); } };
}

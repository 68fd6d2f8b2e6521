/**
 * One long sequence over several threads: each encodes a block and a little beyond, and at every border the tokens are joined where both blocks hold the same
 * token at the same place (joint.ts). Where they share none, more is encoded here until they do, so the ids are always those of the whole.
 */
import type { BpeTokenizer } from '../bpe';
import { show } from '../errors';
import { findJoint, firstTokenFrom, OVERLAP } from '../joint';
import { toText, type Sequence } from '../sequence';
import { checkBatch, checkOptions, type EncodedBatch, type EncodeOptions, type Encoding } from '../tokenizer';
import { workerScript } from './worker.generated';

/** What a thread is asked, and what it answers. */
export interface Task { readonly number: number; readonly work: string | readonly BatchItem[]; readonly options: EncodeOptions }
export type Reply = { readonly number: number } & ({ readonly done: Done } | { readonly error: unknown });
/** `undefined` for a block whose tokens may not be joined with others: see `BpeTokenizer.isPlain`. */
export type Done = Encoding | EncodedBatch | undefined;
type BatchItem = Sequence | readonly [Sequence, Sequence];

export interface EncoderPoolOptions {
  /** Threads. Default: as many as the machine runs at once, at most 8. */
  readonly threads?: number | undefined;
  /** Bases that a thread encodes at once. Default 2^19. */
  readonly blockLength?: number | undefined;
}

/** Threads that encode; close it when they are no longer needed. */
export interface EncoderPool {
  /** Many sequences, a megabase of them to a thread at a time. @returns exactly what the tokenizer's `encodeBatch` gives */
  encodeBatch(sequences: Iterable<BatchItem>, options?: Omit<EncodeOptions, 'pair'>): Promise<EncodedBatch>;
  /** One long sequence. @returns exactly what the tokenizer's `encode` gives */
  encode(sequence: Sequence, options?: Pick<EncodeOptions, 'addSpecialTokens' | 'case'>): Promise<Uint32Array>;
  /** The same with offsets, three times as much to write. @returns exactly what the tokenizer's `encodeWithOffsets` gives */
  encodeWithOffsets(sequence: Sequence, options?: Pick<EncodeOptions, 'addSpecialTokens' | 'case'>): Promise<Encoding>;
  close(): Promise<void>;
}

interface Thread {
  encode(text: string, options: EncodeOptions): Promise<Encoding | undefined>;
  encodeBatch(items: readonly BatchItem[], options: EncodeOptions): Promise<EncodedBatch>;
  end(): unknown;
}

/** Starts threads, each of which builds the tables of the tokenizer for itself, about 0.1 s. In browsers the page must allow `worker-src blob:`. */
export function createEncoderPool(tokenizer: BpeTokenizer, { threads = Math.min(8, machineThreads()), blockLength = 2 ** 19 }: EncoderPoolOptions = {}): EncoderPool {
  if (!(Number.isInteger(threads) && threads > 0 && threads <= 256)) throw new RangeError(`createEncoderPool: expected 1 to 256 threads, got ${show(threads)}; leave it out for one a core`);
  if (!(Number.isInteger(blockLength) && blockLength > 0)) throw new RangeError(`createEncoderPool: expected blocks of at least 1 base, got ${show(blockLength)}; leave it out for 2^19`);
  const pool = Array.from({ length: threads }, () => startThread(tokenizer));
  /** Every thread takes the next piece as soon as it is free, and holds one more, so that it never waits for this thread. */
  const share = async <Piece, Result>(pieces: Iterable<Piece>, work: (thread: Thread, piece: Piece) => Promise<Result>): Promise<Result[]> => {
    const results: Result[] = [], queue = numbered(pieces);
    const take = async (thread: Thread) => { for (const [number, piece] of queue) results[number] = await work(thread, piece); }; // what throws ends the queue for all
    await Promise.all([...pool, ...pool].map(take));
    return results;
  };
  /** @returns undefined where the text has to be encoded as a whole */
  const encodeBlocks = async (text: string, letterCase: EncodeOptions['case']): Promise<Stretch[] | undefined> => {
    checkOptions({ case: letterCase });
    if (!tokenizer.isPlain('')) return undefined;
    const options: EncodeOptions = { case: letterCase, addSpecialTokens: false }, starts = Array.from({ length: Math.ceil(text.length / blockLength) }, (_, i) => i * blockLength);
    const blocks = await share(starts, (thread, start) => thread.encode(text.slice(start, start + blockLength + OVERLAP), options));
    return blocks.every((block) => block !== undefined) ? joinBlocks(blocks, starts, text, (piece) => tokenizer.encodeWithOffsets(piece, options)) : undefined;
  };
  return {
    async encodeBatch(sequences, options = {}) {
      checkBatch(sequences);
      checkOptions(options);
      return joinBatches(await share(groups(sequences), (thread, items) => thread.encodeBatch(items, options)));
    },
    async encode(sequence, { addSpecialTokens = true, case: letterCase } = {}) {
      const text = toText(sequence), stretches = await encodeBlocks(text, letterCase);
      return stretches ? joinIds(stretches, framing(tokenizer, addSpecialTokens)) : tokenizer.encode(text, { case: letterCase, addSpecialTokens });
    },
    async encodeWithOffsets(sequence, { addSpecialTokens = true, case: letterCase } = {}) {
      const text = toText(sequence), stretches = await encodeBlocks(text, letterCase), special = framing(tokenizer, addSpecialTokens);
      return stretches ? { ids: joinIds(stretches, special), offsets: joinOffsets(stretches, special) } : tokenizer.encodeWithOffsets(text, { case: letterCase, addSpecialTokens });
    },
    async close() { await Promise.all(pool.map((thread) => thread.end())); },
  };
}

function* numbered<Piece>(pieces: Iterable<Piece>): Generator<[number, Piece]> {
  let number = 0;
  for (const piece of pieces) yield [number++, piece];
}

/** A stretch of tokens `[from, to)` of an encoding that starts at base `shift`. */
interface Stretch { readonly encoding: Encoding; readonly from: number; to: number; readonly shift: number }

function joinBlocks(blocks: readonly Encoding[], starts: readonly number[], text: string, encode: (text: string) => Encoding): Stretch[] {
  const stretches: Stretch[] = [];
  blocks.forEach((encoding, i) => {
    const last = stretches.at(-1);
    if (!last) return stretches.push({ encoding, from: 0, to: encoding.ids.length, shift: 0 });
    const joint = findJoint(last.encoding, Math.max(last.from, firstTokenFrom(last.encoding, starts[i] - last.shift)), encoding, 0, starts[i] - last.shift);
    if (joint) {
      last.to = joint.left;
      return stretches.push({ encoding, from: joint.right, to: encoding.ids.length, shift: starts[i] });
    }
    // No common token: everything up to the end of this block as one. That the threads' work is lost costs time only.
    const end = i + 1 < starts.length ? starts[i + 1] + OVERLAP : text.length, whole = encode(text.slice(0, end));
    stretches.splice(0, stretches.length, { encoding: whole, from: 0, to: whole.ids.length, shift: 0 });
  });
  return stretches;
}

/** Special tokens around the tokens of one sequence. */
interface Framing { readonly before: readonly number[]; readonly after: readonly number[] }

function framing({ definition }: BpeTokenizer, addSpecialTokens: boolean): Framing {
  const { single } = definition.frame, content = single.findIndex((piece) => 'sequence' in piece);
  const specials = (from: number, to: number) => (addSpecialTokens ? single.slice(from, to).flatMap((piece) => ('ids' in piece ? piece.ids : [])) : []);
  return { before: specials(0, content), after: specials(content, single.length) };
}

const countTokens = (stretches: readonly Stretch[], { before, after }: Framing) => stretches.reduce((sum, { from, to }) => sum + to - from, before.length + after.length);

function joinIds(stretches: readonly Stretch[], special: Framing): Uint32Array {
  const ids = new Uint32Array(countTokens(stretches, special));
  ids.set(special.before);
  let at = special.before.length;
  for (const { encoding, from, to } of stretches) {
    ids.set(encoding.ids.subarray(from, to), at);
    at += to - from;
  }
  ids.set(special.after, at);
  return ids;
}

function joinOffsets(stretches: readonly Stretch[], special: Framing): Uint32Array {
  const offsets = new Uint32Array(2 * countTokens(stretches, special));
  let o = 2 * special.before.length;
  for (const { encoding: { offsets: own }, from, to, shift } of stretches) for (let i = 2 * from; i < 2 * to; i++) offsets[o++] = own[i] + shift;
  return offsets;
}

const GROUP_BASES = 2 ** 20, GROUP_ITEMS = 2 ** 14;

function* groups(sequences: Iterable<BatchItem>): Generator<BatchItem[]> {
  let group: BatchItem[] = [], bases = 0;
  for (const item of sequences) {
    group.push(item);
    bases += Array.isArray(item) ? (item[0] as Sequence)?.length + (item[1] as Sequence)?.length : (item as Sequence)?.length;
    if (!(bases < GROUP_BASES && group.length < GROUP_ITEMS)) { // also for what is no sequence: the thread says so
      yield group;
      [group, bases] = [[], 0];
    }
  }
  if (group.length > 0) yield group;
}

function joinBatches(batches: readonly EncodedBatch[]): EncodedBatch {
  const sum = (valueOf: (batch: EncodedBatch) => number) => batches.reduce((total, batch) => total + valueOf(batch), 0);
  const inputIds = new Uint32Array(sum((batch) => batch.inputIds.length)), cuSeqlens = new Int32Array(1 + sum((batch) => batch.cuSeqlens.length - 1));
  let ids = 0, rows = 0;
  for (const batch of batches) {
    inputIds.set(batch.inputIds, ids);
    for (let i = 1; i < batch.cuSeqlens.length; i++) cuSeqlens[++rows] = ids + batch.cuSeqlens[i];
    ids += batch.inputIds.length;
  }
  return { inputIds, cuSeqlens, maxSeqlen: batches.reduce((most, batch) => Math.max(most, batch.maxSeqlen), 0), unknownCount: sum((batch) => batch.unknownCount), truncatedCount: sum((batch) => batch.truncatedCount) };
}

function startThread({ definition }: BpeTokenizer): Thread {
  const waiting = new Map<number, { resolve(done: Done): void; reject(reason: unknown): void }>();
  let sent = 0, failure: Error | undefined;
  const answer = (reply: Reply) => {
    const task = waiting.get(reply.number)!;
    waiting.delete(reply.number);
    if ('error' in reply) task.reject(reply.error);
    else task.resolve(reply.done);
    if (waiting.size === 0) port.release();
  };
  const fail = (error: Error) => {
    failure = error;
    for (const task of waiting.values()) task.reject(error);
    waiting.clear();
  };
  const port = typeof Worker === 'undefined' ? nodePort(answer, fail) : browserPort(answer, fail); // Deno and Bun, too, have web workers
  port.post(definition);
  const ask = <Answer extends Done>(work: Task['work'], options: EncodeOptions) => new Promise<Answer>((resolve, reject) => {
    if (failure) return reject(failure);
    waiting.set(sent, { resolve: resolve as (done: Done) => void, reject });
    port.hold();
    port.post({ number: sent++, work, options } satisfies Task);
  });
  return {
    encode: (text, options) => ask<Encoding | undefined>(text, options),
    encodeBatch: (items, options) => ask<EncodedBatch>(items, options),
    end() {
      fail(new Error('createEncoderPool: expected an open pool, got a closed one; create another'));
      return port.end();
    },
  };
}

/** A worker, the same to both worlds. While it is held it keeps the process alive. */
interface Port { post(message: unknown): void; hold(): void; release(): void; end(): unknown }

function nodePort(answer: (reply: Reply) => void, fail: (error: Error) => void): Port {
  // Not `import`: bundlers for the browser would look for the module.
  const worker = new (process.getBuiltinModule('node:worker_threads').Worker)(workerScript, { eval: true });
  worker.on('message', answer).on('error', fail).unref();
  return { post: (message) => worker.postMessage(message), hold: () => worker.ref(), release: () => worker.unref(), end: () => worker.terminate() };
}

function browserPort(answer: (reply: Reply) => void, fail: (error: Error) => void): Port {
  const url = URL.createObjectURL(new Blob([workerScript], { type: 'text/javascript' }));
  const worker = new Worker(url, { type: 'module' }); // Deno has no others
  worker.onmessage = ({ data }: MessageEvent<Reply>) => answer(data);
  worker.onerror = ({ message }) => fail(new Error(`createEncoderPool: expected a worker from a blob: URL, got ${message || 'a refusal'}; allow worker-src blob: in the page's content security policy, or encode without a pool`));
  return { post: (message) => worker.postMessage(message), hold: () => {}, release: () => {}, end: () => { URL.revokeObjectURL(url); worker.terminate(); } };
}

const machineThreads = (): number => (typeof navigator !== 'undefined' && navigator.hardwareConcurrency ? navigator.hardwareConcurrency
  : typeof process === 'undefined' ? 1 : process.getBuiltinModule('node:os').availableParallelism());

/**
 * One long sequence over several threads: each encodes a block and a little beyond, and at every border the tokens are joined where both blocks hold the same
 * token at the same place (joint.ts). Where they share none, more is encoded here until they do, so the ids are always those of the whole.
 */
import type { BpeTokenizer } from '../bpe';
import { createSource } from '../encodeAscii';
import { show } from '../errors';
import { encodePiece, OVERLAP } from '../joint';
import { checkSequence, checkSequences, type Sequence } from '../sequence';
import { createTokenBuffer, push, reserve, type TokenBuffer } from '../tokenBuffer';
import { checkOptions, type EncodedBatch, type EncodeOptions, type Encoding } from '../tokenizer';
import { createBlockJoiner, createBlockMemory, type BlockMemory } from './blocks';
import { startThread, type BatchItem, type Thread } from './thread';

export interface EncoderPoolOptions {
  /** Threads. Default: as many as the machine runs at once, at most 8. */
  readonly threads?: number | undefined;
  /** Bases of one long sequence that a thread encodes at once, at most. Default 2^20. */
  readonly blockLength?: number | undefined;
}

/** Threads that encode; close it when they are no longer needed. */
export interface EncoderPool {
  /** Many sequences, a megabase of them to a thread at a time. @returns exactly what the tokenizer's `encodeBatch` gives */
  encodeBatch(sequences: Iterable<BatchItem>, options?: Omit<EncodeOptions, 'pair'>): Promise<EncodedBatch>;
  /** One long sequence. @returns exactly what the tokenizer's `encode` gives, as a view of a larger buffer: to copy it would take a tenth of the time */
  encode(sequence: Sequence, options?: LongOptions): Promise<Uint32Array>;
  /** The same with offsets, three times as much to write. @returns as views exactly what the tokenizer's `encodeWithOffsets` gives */
  encodeWithOffsets(sequence: Sequence, options?: LongOptions): Promise<Encoding>;
  close(): Promise<void>;
}

type LongOptions = Pick<EncodeOptions, 'addSpecialTokens' | 'case'>;

const SMALLEST_BLOCK = 2 ** 18; // a message costs more than the unevenness at the end: 12 Mb take 1.04 times as long with 2^17

/** Starts threads, each of which builds the tables of the tokenizer for itself, about 0.1 s. In browsers the page must allow `worker-src blob:`. */
export function createEncoderPool(tokenizer: BpeTokenizer, { threads = Math.min(8, machineThreads()), blockLength = 2 ** 20 }: EncoderPoolOptions = {}): EncoderPool {
  if (!(Number.isInteger(threads) && threads > 0 && threads <= 256)) throw new RangeError(`createEncoderPool: expected 1 to 256 threads, got ${show(threads)}; leave it out for one a core`);
  if (!(Number.isInteger(blockLength) && blockLength > 0)) throw new RangeError(`createEncoderPool: expected blocks of at least 1 base, got ${show(blockLength)}; leave it out for 2^20`);
  const pool = Array.from({ length: threads }, () => startThread(tokenizer));
  const memories: BlockMemory[] = []; // kept between calls, one for each block that is not joined yet
  /**
   * Every thread takes a piece as soon as it is free and, after its first, holds one more, so that it never waits for this thread. Until then this thread is
   * idle: while it runs, the system may start two others on the same core, one behind the other, where they stay for milliseconds.
   * @param take - resolves to whether there may be more
   */
  const everyThread = (take: (thread: Thread) => Promise<boolean>) => Promise.all(pool.map(async (thread) => {
    const takeAll = async () => { while (await take(thread)); };
    if (await take(thread)) await Promise.all([takeAll(), takeAll()]);
  }));
  /** Appends the tokens of one sequence. @returns false where it has to be encoded as a whole */
  const encodeBlocks = async (sequence: Sequence, upper: boolean, out: TokenBuffer): Promise<boolean> => {
    const source = createSource(sequence), { length } = source, withOffsets = out.offsets !== undefined;
    const append = createBlockJoiner(out, (start, end) => {
      const bytes = new Uint8Array(end - start);
      source.fill(bytes, start, end - start);
      const { ids, offsets } = encodePiece(tokenizer, bytes, upper ? 'upper' : 'preserve');
      return { ids, offsets: offsets.map((offset) => offset + start) };
    });
    let next = 0, inWork = 0, isPlain = tokenizer.isPlain('') && tokenizer.definition.truncation === undefined, joined = Promise.resolve();
    if (isPlain) reserve(out, out.length + (length >>> 2)); // about what comes
    await everyThread(async (thread) => {
      if (!isPlain || next >= length) return false;
      const share = next < threads * SMALLEST_BLOCK ? SMALLEST_BLOCK : Math.max(SMALLEST_BLOCK, Math.ceil((length - next) / (2 * threads))); // small to begin soon and, so that all end together, at the end
      const start = next, end = Math.min(length, (next += Math.min(blockLength, share)) + OVERLAP), before = joined;
      const memory = memories.pop() ?? createBlockMemory(blockLength + OVERLAP);
      if (!(isPlain = source.fill(memory.letters.subarray(0, end - start), start, end - start))) return false;
      const encoded = thread.encodeBlock({ memory, length: end - start, start, upper, withOffsets });
      inWork++;
      joined = Promise.all([encoded, before]).then(([block]) => {
        if ((isPlain &&= block !== undefined)) append(block!, start, end);
        if (block) memories.push(block.memory);
        inWork--;
      });
      joined.catch(() => {}); // it is heard of through `encoded`
      await (inWork < 4 * threads ? encoded : joined); // a thread does not wait for the blocks before its own, but for a few
      return true;
    });
    await joined;
    return isPlain;
  };
  return {
    async encodeBatch(sequences, options = {}) {
      checkSequences('encodeBatch', sequences);
      checkOptions(options);
      const queue = groups(sequences), batches: EncodedBatch[] = [];
      let next = 0;
      await everyThread(async (thread) => {
        const { value: items, done } = queue.next(); // what throws ends the queue for all
        if (done) return false;
        const number = next++;
        batches[number] = await thread.encodeBatch(items, options);
        return true;
      });
      return joinBatches(batches);
    },
    async encode(sequence, options = {}) {
      const out = createTokenBuffer();
      return await encodeFramed(sequence, options, out) ? out.ids.subarray(0, out.length) : tokenizer.encode(sequence, options);
    },
    async encodeWithOffsets(sequence, options = {}) {
      const out = createTokenBuffer(true);
      return await encodeFramed(sequence, options, out) ? { ids: out.ids.subarray(0, out.length), offsets: out.offsets!.subarray(0, 2 * out.length) } : tokenizer.encodeWithOffsets(sequence, options);
    },
    async close() { await Promise.all(pool.map((thread) => thread.end())); },
  };

  async function encodeFramed(sequence: Sequence, { addSpecialTokens = true, case: letterCase }: LongOptions, out: TokenBuffer): Promise<boolean> {
    checkOptions({ case: letterCase });
    checkSequence(sequence);
    const { single } = tokenizer.definition.frame, content = single.findIndex((piece) => 'sequence' in piece);
    const frame = (from: number, to: number) => { if (addSpecialTokens) for (const piece of single.slice(from, to)) if ('ids' in piece) for (const id of piece.ids) push(out, id, 0, 0); };
    frame(0, content);
    const isPlain = await encodeBlocks(sequence, letterCase === 'upper', out);
    frame(content, single.length);
    return isPlain;
  }
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

const machineThreads = (): number => (typeof navigator !== 'undefined' && navigator.hardwareConcurrency ? navigator.hardwareConcurrency
  : typeof process === 'undefined' ? 1 : process.getBuiltinModule('node:os').availableParallelism());

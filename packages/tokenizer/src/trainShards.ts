/**
 * Exact training over shards of a corpus, each read and held by a process of its own: the merges of `trainBpe` over all of them.
 * A pass joins the same pairs in every shard (tokenPass.ts); what it may have changed, four rows and columns of counts a pair, comes back and is summed here.
 */
import type { BpeTokenizer } from './bpe';
import { show } from './errors';
import { learnMergesByPasses } from './learnMergesByPasses';
import { createScratchFile } from './scratchFile';
import type { Sequence } from './sequence';
import { createTokenPasses, type Join, type PairCounts, type TokenPasses } from './tokenPass';
import { checkTrainOptions, finishTraining, learnOptions, noPasses, startVocabulary, type TrainBpeOptions } from './trainBpe';
import { readCorpus, unitToToken, type CorpusOptions } from './trainingCorpus';

/** A part of a corpus, here or in another process. Its methods are called in this order, `join` any number of times. */
export interface TrainingShard {
  /** Reads the corpus into scratch space. @returns its letters, and how many units it holds */
  read(): Promise<{ readonly letters: readonly string[]; readonly length: number }>;
  /** Turns letters, those of all shards, into tokens. @returns how often each stands before each */
  count(letters: ReadonlyMap<string, number>, vocabSize: number): Promise<Float64Array>;
  /** Joins pairs. @param used - ids below it are in use @returns the counts that may have changed, see {@link createTrainingShard} */
  join(joins: readonly Join[], used: number): Promise<Float64Array>;
  close(): Promise<void>;
}

/** @param options - the same for all shards, and for {@link trainBpeOverShards} */
export function createTrainingShard(corpus: Iterable<Sequence> | AsyncIterable<Sequence>, options: CorpusOptions & Pick<TrainBpeOptions, 'scratchDirectory'> = {}): TrainingShard {
  const scratch = createScratchFile(options.scratchDirectory);
  let letters: readonly string[] = [], length = 0, passes: TokenPasses | undefined;
  return {
    async read() {
      ({ letters, length } = await readCorpus(corpus, options, scratch.append));
      return { letters, length };
    },
    count: async (ids, vocabSize) => {
      passes = createTokenPasses(scratch, length, unitToToken(ids, letters), vocabSize) ?? noPasses();
      return pick(passes, pairsOf([...ids.values()], passes));
    },
    join: async (joins, used) => {
      await passes!.join(joins);
      return pick(passes!, changedBy(joins, used, passes!));
    },
    close: async () => { scratch.close(); },
  };
}

/**
 * Learns a vocabulary over shards: exactly what `trainBpe` learns over their sequences together. Here it holds the counts alone, 4 bytes a pair of tokens.
 * @throws what `trainBpe` throws, and what a shard does; the shards are closed in any case
 */
export async function trainBpeOverShards(shards: readonly TrainingShard[], options: Omit<TrainBpeOptions, 'maxMemory' | 'scratchDirectory'>): Promise<BpeTokenizer> {
  try {
    checkTrainOptions(options);
    if (shards.length === 0) throw new RangeError(`trainBpeOverShards: expected at least one shard, got ${show(shards)}; create them with createTrainingShard`);
    const read = await Promise.all(shards.map((shard) => shard.read()));
    const letters = [...new Set(read.flatMap((each) => each.letters))].sort(), vocabulary = startVocabulary(letters, options);
    const length = read.reduce((sum, each) => sum + each.length, 0);
    const passes = await countOver(shards, new Map(letters.map((letter) => [letter, vocabulary.vocab.get(letter)!])), length, options.vocabSize);
    await learnMergesByPasses(passes, vocabulary, learnOptions(vocabulary, options));
    return finishTraining(vocabulary, options);
  } finally {
    await Promise.allSettled(shards.map((shard) => shard.close()));
  }
}

async function countOver(shards: readonly TrainingShard[], letters: ReadonlyMap<string, number>, length: number, vocabSize: number): Promise<TokenPasses> {
  const stride = vocabSize, counts = length < 2 ** 32 ? new Uint32Array(stride * vocabSize) : new Float64Array(stride * vocabSize);
  const passes = { counts, stride }, ids = [...letters.values()];
  addUp(counts, pairsOf(ids, passes), await Promise.all(shards.map((shard) => shard.count(letters, vocabSize))));
  let used = 1 + ids.reduce((most, id) => Math.max(most, id), 0);
  return {
    ...passes,
    async join(joins) {
      for (const { product } of joins) used = Math.max(used, product + 1);
      addUp(counts, changedBy(joins, used, passes), await Promise.all(shards.map((shard) => shard.join(joins, used))));
    },
  };
}

const pairsOf = (ids: readonly number[], { stride }: PairCounts): number[] => ids.flatMap((left) => ids.map((right) => left * stride + right));

/** The places of all counts that joins may change, in a fixed order; a place may come twice. */
function changedBy(joins: readonly Join[], used: number, { stride }: PairCounts): number[] {
  const places: number[] = [];
  for (const { left, right, product } of joins) {
    places.push(left * stride + right);
    for (let other = 0; other < used; other++) places.push(right * stride + other, product * stride + other, other * stride + left, other * stride + product);
  }
  return places;
}

const pick = ({ counts }: PairCounts, places: readonly number[]): Float64Array => Float64Array.from(places, (place) => counts[place]);

function addUp(counts: Uint32Array | Float64Array, places: readonly number[], parts: readonly Float64Array[]): void {
  for (let i = 0; i < places.length; i++) counts[places[i]] = parts.reduce((sum, part) => sum + part[i], 0);
}

// ── shards in other processes ───────────────────────────────────────────────────────────────────────────────────────────────────

/** One end of a channel between processes that passes structured clones: a child of `fork` with `serialization: 'advanced'`, or `process` in that child. */
export interface ProcessChannel {
  send?(message: unknown): unknown;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'exit' | 'disconnect', listener: (code: number | null) => void): unknown;
}

type Call = { readonly number: number; readonly method: keyof TrainingShard; readonly args: readonly unknown[] };
type Answer = { readonly number: number } & ({ readonly value: unknown } | { readonly error: unknown });

/** In the child: answers for a shard until it is closed. */
export function serveTrainingShard(channel: ProcessChannel, shard: TrainingShard): Promise<void> {
  return new Promise((resolve) => {
    channel.on('disconnect', () => { void shard.close().finally(resolve); }); // the parent is gone
    channel.on('message', (message) => {
      const { number, method, args } = message as Call;
      (shard[method] as (...values: readonly unknown[]) => Promise<unknown>)(...args)
        .then((value) => channel.send!({ number, value } satisfies Answer), (error: unknown) => channel.send!({ number, error } satisfies Answer))
        .finally(() => { if (method === 'close') resolve(); });
    });
  });
}

/** In the parent: the shard that a child serves. */
export function connectTrainingShard(channel: ProcessChannel): TrainingShard {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(reason: unknown): void }>();
  let sent = 0, gone: Error | undefined;
  channel.on('message', (message) => {
    const answer = message as Answer, call = waiting.get(answer.number);
    waiting.delete(answer.number);
    if ('error' in answer) call?.reject(answer.error);
    else call?.resolve(answer.value);
  });
  channel.on('exit', (code) => {
    gone = new Error(`trainBpeOverShards: expected the process of a shard to live, got its end with ${code === null ? 'a signal' : `status ${code}`}; continue from the merges so far with initialMerges`);
    for (const { reject } of waiting.values()) reject(gone);
  });
  const call = (method: Call['method']) => (...args: unknown[]) => new Promise<never>((resolve, reject) => {
    if (gone) return reject(gone);
    waiting.set(sent, { resolve: resolve as (value: unknown) => void, reject });
    channel.send!({ number: sent++, method, args } satisfies Call);
  });
  return { read: call('read'), count: call('count'), join: call('join'), close: call('close') };
}

// The loop of continuous batching: the scheduler says what a step computes, the decoder computes it, a token is drawn for each sequence.
// A sequence's tokens depend on its request alone: not on its neighbours, nor on when it came.
import { createTurns } from '../breathe';
import { isDecoder, type AnyModel } from '../model';
import { createDecodeSteps } from './decodeSteps';
import { cacheBudget, cacheBytesPerToken, createKvCache, type CacheType, type KvCache } from './kvCache';
import { addToken, createRunning, moveFullPrompt, uncached, type FinishReason, type TokenEvent } from './running';
import { drawTokens } from './sample';
import { settleSampling, type Sampling, type SamplingOptions } from './sampling';
import { createScheduler } from './scheduler';

export type { FinishReason, TokenEvent };

export interface EngineOptions {
  /** Sequences that are computed at once; default 32. Others wait. */
  readonly maxSequences?: number | undefined;
  /** Room of the cache, in tokens of all sequences together; by default `maxSequences` times 1024 (the context where that is shorter), and at most 1.5 GiB. */
  readonly cacheTokens?: number | undefined;
  /** How keys and values are stored; default float32. */
  readonly cacheType?: CacheType | undefined;
  /** Tokens of prompts that one step computes; default 512. */
  readonly prefillTokens?: number | undefined;
  /** A sequence rests while its reader is so many tokens behind; default 1024. */
  readonly maxUnread?: number | undefined;
}

export interface GenerationRequest extends SamplingOptions {
  /** At least one token: `config.bosTokenId` where there is no prompt. */
  readonly promptIds: ArrayLike<number>;
  /** Number of this sample among those of the same seed; default 0. */
  readonly sample?: number | undefined;
  /** Bases of each token of the vocabulary, for limits in bases. */
  readonly basesOf?: ArrayLike<number> | undefined;
}

export interface EngineStatistics {
  /** Whether it takes requests: false after `close`, and after a failure of the device. */
  readonly open: boolean;
  readonly running: number;
  readonly waiting: number;
  readonly steps: number;
  readonly newTokens: number;
  /** Tokens of prompts that were computed, and those that were found in the cache. */
  readonly promptTokens: number;
  readonly sharedTokens: number;
  /** How often a sequence had to give its pages to another, and began anew. */
  readonly preemptions: number;
  readonly cacheBytes: number;
}

export interface GenerationEngine {
  /**
   * Asks for a sequence, at any time. Its tokens come as they are drawn; whoever leaves the loop early, or calls `return()`, cancels: the engine is done with it within one step.
   * @throws RangeError for options that cannot be, or a sequence that the cache could never hold
   */
  submit(request: GenerationRequest): AsyncIterableIterator<TokenEvent>;
  readonly statistics: EngineStatistics;
  /** Cancels what runs and frees the cache. The model stays. */
  close(): Promise<void>;
}

const defaults = { maxSequences: 32, cacheType: 'float32', prefillTokens: 512, maxUnread: 1024 } as const;

export function createGenerationEngine(model: AnyModel, options: EngineOptions = {}): GenerationEngine {
  if (!isDecoder(model)) throw new TypeError('createGenerationEngine: expected a decoder, got an encoder');
  const { config } = model, { maxSequences = defaults.maxSequences, cacheType = defaults.cacheType, prefillTokens = defaults.prefillTokens, maxUnread = defaults.maxUnread } = options;
  const { cacheTokens = Math.min(maxSequences * Math.min(1024, config.maxPositions), cacheBudget(model, cacheType)) } = options;
  for (const [name, value] of Object.entries({ maxSequences, cacheTokens, prefillTokens, maxUnread })) {
    if (!Number.isInteger(value) || value < 1) throw new RangeError(`createGenerationEngine: expected ${name} of at least 1, got ${value}`);
  }
  const cache = createKvCache(model, { tokens: cacheTokens, dtype: cacheType }), decoder = createDecodeSteps(model, cache);
  const scheduler = createScheduler(cache, { maxSequences, prefillTokens, maxUnread });
  const counts = { steps: 0, newTokens: 0 };
  const turn = createTurns();
  let closed = false;
  let loop: Promise<void> | undefined;

  /** @returns whether there was anything to do */
  const step = async (): Promise<boolean> => {
    const batch = scheduler.next();
    if (!batch.length) return false;
    counts.steps++;
    const logits = decoder.run(batch.map(({ one: { sequence }, tokens }) => ({ sequence, tokens })));
    const { ids, logProbs } = await drawTokens(logits, batch.map(({ one }) => one));
    for (const [row, { one }] of batch.entries()) {
      if (uncached(one) > 0 || one.cancelled) continue; // a piece of a prompt is not its end
      const before = one.newTokens;
      if (addToken(one, ids[row], logProbs[row])) scheduler.leave(one);
      else moveFullPrompt(cache, one, config);
      counts.newTokens += one.newTokens - before;
    }
    return true;
  };

  const endAll = (error: unknown): void => scheduler.all().forEach(({ events }) => events.close(error));
  const run = async (): Promise<void> => {
    try {
      while (!closed && (await step())) await turn();
    } catch (error) {
      closed = true; // what the cache holds is not to be trusted any more
      endAll(error);
      scheduler.all().forEach(scheduler.leave);
    } finally {
      loop = undefined;
    }
  };
  const start = (): void => {
    if (!closed) loop ??= Promise.resolve().then(run);
  };

  return {
    submit({ promptIds, sample = 0, basesOf, ...wanted }) {
      if (closed) throw new TypeError('submit: expected an open engine, got one that was closed');
      const sampling = settleSampling(wanted, config);
      checkPrompt(promptIds.length, sampling, basesOf !== undefined);
      checkRoom(cache, Math.min(sampling.contextTokens, promptIds.length + sampling.maxNewTokens), (config.slidingWindow ?? Infinity) + prefillTokens);
      const one = createRunning({ promptIds, sample, basesOf, sampling }, start);
      scheduler.add(one);
      start();
      return one.events;
    },
    get statistics() {
      const { running, waiting } = scheduler;
      return { open: !closed, ...counts, ...scheduler.counts, running, waiting, cacheBytes: cache.pages * 16 * cacheBytesPerToken(config, cacheType) };
    },
    async close() {
      closed = true;
      endAll(new TypeError('generate: expected an open engine, got one that was closed'));
      await loop;
      decoder.free();
      cache.free();
    },
  };
}

function checkPrompt(length: number, { contextTokens, maxNewBases, minNewBases }: Sampling, basesAreKnown: boolean): void {
  if (!length) throw new RangeError('submit: expected a prompt of at least one token, got none; begin with config.bosTokenId');
  if (length >= contextTokens) throw new RangeError(`submit: expected a prompt of fewer than contextTokens ${contextTokens}, got ${length} tokens`);
  if ((maxNewBases < Infinity || minNewBases > 0) && !basesAreKnown) throw new TypeError('submit: expected basesOf for a limit in bases, got none');
}

/** @param window - tokens that a sequence holds at once at most, however long it is */
function checkRoom({ pages }: KvCache, longest: number, window: number): void {
  if (Math.ceil(Math.min(longest, window) / 16) + 2 > pages) throw new RangeError(`submit: expected a sequence of at most ${16 * (pages - 2)} tokens, the room of the cache, got up to ${longest}; give the engine more cacheTokens or the request fewer contextTokens`);
}

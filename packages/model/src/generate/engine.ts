// Continuous batching (Yu et al. 2022, "Orca"; Kwon et al. 2023, arXiv 2309.06180): sequences join and leave at every step. A step either computes prompts or draws one token for each sequence.
// A sequence's tokens depend on its request alone: not on its neighbours, nor on when it came.
import { createTurns } from '../breathe';
import { isDecoder, type AnyModel } from '../model';
import { cacheBudget, cacheBytesPerToken, createKvCache, extend, newSequence, pagesMissing, restart, sharePrefix, type CachedSequence, type CacheType } from './kvCache';
import { createDecodeSteps } from './decodeSteps';
import { createQueue, type Queue } from './queue';
import { countTokens, drawTokens, type Draw } from './sample';
import { settleSampling, type SamplingOptions } from './sampling';

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

/** Why a sequence ended: a stop token, its limit of tokens or bases, or its reader left. */
export type FinishReason = 'stop' | 'length' | 'cancelled';

export interface TokenEvent {
  readonly id: number;
  /** Under the model itself, before penalties, temperature and the rest. */
  readonly logProb: number;
  /** With the last token. */
  readonly finishReason?: FinishReason;
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

/** A sequence on its way. */
interface Running extends Draw {
  readonly basesOf: ArrayLike<number> | undefined;
  readonly sequence: CachedSequence;
  readonly events: Queue<TokenEvent>;
  counts: Map<number, number> | undefined;
  newTokens: number;
  newBases: number;
  cancelled: boolean;
}

export function createGenerationEngine(model: AnyModel, { maxSequences = 32, cacheType = 'float32', prefillTokens = 512, maxUnread = 1024, ...options }: EngineOptions = {}): GenerationEngine {
  if (!isDecoder(model)) throw new TypeError('createGenerationEngine: expected a decoder, got an encoder');
  const { config } = model;
  const { cacheTokens = Math.min(maxSequences * Math.min(1024, config.maxPositions), cacheBudget(model, cacheType)) } = options;
  for (const [name, value] of Object.entries({ maxSequences, cacheTokens, prefillTokens, maxUnread })) {
    if (!Number.isInteger(value) || value < 1) throw new RangeError(`createGenerationEngine: expected ${name} of at least 1, got ${value}`);
  }
  const cache = createKvCache(model, { tokens: cacheTokens, dtype: cacheType });
  const steps = createDecodeSteps(model, cache);
  const waiting: Running[] = [];
  const active: Running[] = [];
  const counts = { steps: 0, newTokens: 0, promptTokens: 0, sharedTokens: 0, preemptions: 0 };
  const turn = createTurns();
  let [closed, prefilled] = [false, false];
  let loop: Promise<void> | undefined;

  const uncached = ({ sequence: { ids, length } }: Running) => ids.length - length;

  /** Makes room for the next `tokens` of one; the youngest of the others gives way, but none of those to keep. @returns whether there is room */
  const makeRoom = (one: Running, tokens: number, keep: readonly Running[] = []): boolean => {
    while (pagesMissing(one.sequence, tokens) > cache.pool.available) {
      const other = active.findLast((candidate) => candidate !== one && !keep.includes(candidate));
      if (!other) return false;
      active.splice(active.indexOf(other), 1);
      restart(cache, other.sequence);
      waiting.unshift(other);
      counts.preemptions++;
    }
    return true;
  };

  /** Pieces of prompts: those under way first, then as many waiting ones as there is room for. */
  const takePrompts = (): { one: Running; tokens: number }[] => {
    const batch: { one: Running; tokens: number }[] = [];
    let left = prefillTokens;
    const take = (one: Running): void => {
      const before = one.sequence.length;
      sharePrefix(cache, one.sequence);
      counts.sharedTokens += one.sequence.length - before;
      const rest = uncached(one);
      const tokens = rest <= left ? rest : left - (left % 16); // whole pages, so that they can be shared
      if (!tokens || !makeRoom(one, tokens, batch.map((taken) => taken.one))) return; // what the others publish must be computed
      extend(cache, one.sequence, tokens, { publish: true });
      counts.promptTokens += tokens;
      left -= tokens;
      batch.push({ one, tokens });
    };
    for (const one of active.filter((candidate) => uncached(candidate) > 1)) if (active.includes(one)) take(one);
    while (left >= 16 && waiting.length && active.length < maxSequences) {
      const [next] = waiting;
      if (active.length && pagesMissing(next.sequence, next.sequence.ids.length + 1) + active.length > cache.pool.available) break;
      active.push(waiting.shift()!);
      take(next);
    }
    return batch;
  };

  const takeDecoding = (): { one: Running; tokens: number }[] => {
    const ready = active.filter((one) => uncached(one) === 1 && one.events.unread < maxUnread);
    for (const one of ready) {
      if (!active.includes(one)) continue; // it gave way
      makeRoom(one, 1);
      extend(cache, one.sequence, 1);
    }
    return ready.filter((one) => active.includes(one)).map((one) => ({ one, tokens: 1 }));
  };

  const leave = (one: Running): void => {
    restart(cache, one.sequence, []);
    for (const list of [active, waiting]) if (list.includes(one)) list.splice(list.indexOf(one), 1);
  };

  const accept = (one: Running, id: number, logProb: number): void => {
    const { sampling, sequence, events } = one;
    if (Number.isNaN(logProb)) {
      events.close(new RangeError(`generate: expected scores that are numbers, got NaN after ${one.newTokens} tokens; weights are damaged, or 16 bits are too few for them`));
      return leave(one);
    }
    sequence.ids.push(id);
    one.counts?.set(id, (one.counts.get(id) ?? 0) + 1);
    one.newTokens++;
    one.newBases += one.basesOf?.[id] ?? 0;
    counts.newTokens++;
    const finishReason = sampling.stopIds.includes(id) ? 'stop' : one.newTokens >= sampling.maxNewTokens || one.newBases >= sampling.maxNewBases ? 'length' : undefined;
    events.push({ id, logProb, ...(finishReason && { finishReason }) });
    if (finishReason) {
      events.close();
      leave(one);
    } else if (sequence.ids.length >= sampling.contextTokens) {
      restart(cache, sequence, [config.bosTokenId, ...sequence.ids.slice(-sampling.movingPromptTokens)]);
      one.counts = countTokens(sequence.ids, sampling);
    }
  };

  /** @returns whether there was anything to do */
  const step = async (): Promise<boolean> => {
    for (const one of [...active, ...waiting]) if (one.cancelled) leave(one);
    let batch = prefilled ? takeDecoding() : takePrompts(); // by turns, where there is work of both kinds
    prefilled = !prefilled && batch.length > 0;
    if (!batch.length) {
      batch = takePrompts();
      prefilled = batch.length > 0;
    }
    if (!batch.length) batch = takeDecoding();
    if (!batch.length) return false;
    counts.steps++;
    const logits = steps.run(batch.map(({ one: { sequence }, tokens }) => ({ sequence, tokens })));
    const { ids, logProbs } = await drawTokens(logits, batch.map(({ one }) => one));
    batch.forEach(({ one }, row) => { if (uncached(one) === 0 && !one.cancelled) accept(one, ids[row], logProbs[row]); }); // a piece of a prompt is not its end
    return true;
  };

  const run = async (): Promise<void> => {
    try {
      while (!closed && (await step())) await turn();
    } catch (error) {
      closed = true; // what the cache holds is not to be trusted any more
      for (const one of [...active, ...waiting]) {
        one.events.close(error);
        leave(one);
      }
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
      const { contextTokens, maxNewTokens } = sampling;
      if (!promptIds.length) throw new RangeError('submit: expected a prompt of at least one token, got none; begin with config.bosTokenId');
      if (promptIds.length >= contextTokens) throw new RangeError(`submit: expected a prompt of fewer than contextTokens ${contextTokens}, got ${promptIds.length} tokens`);
      if ((sampling.maxNewBases < Infinity || sampling.minNewBases > 0) && !basesOf) throw new TypeError('submit: expected basesOf for a limit in bases, got none');
      const longest = Math.min(contextTokens, promptIds.length + maxNewTokens);
      const held = Math.min(longest, (config.slidingWindow ?? Infinity) + prefillTokens);
      if (Math.ceil(held / 16) + 2 > cache.pages) throw new RangeError(`submit: expected a sequence of at most ${16 * (cache.pages - 2)} tokens, the room of the cache, got up to ${longest}; give the engine more cacheTokens or the request fewer contextTokens`);
      const one: Running = {
        sampling, sample, basesOf, sequence: newSequence(promptIds), counts: countTokens(promptIds, sampling), newTokens: 0, newBases: 0, cancelled: false,
        events: createQueue({ onRead: start, onReturn: () => { one.cancelled = true; start(); } }),
      };
      waiting.push(one);
      start();
      return one.events;
    },
    get statistics() {
      return { open: !closed, ...counts, running: active.length, waiting: waiting.length, cacheBytes: cache.pages * 16 * cacheBytesPerToken(config, cacheType) };
    },
    async close() {
      closed = true;
      for (const one of [...active, ...waiting]) one.events.close(new TypeError('generate: expected an open engine, got one that was closed'));
      await loop;
      steps.free();
      cache.free();
    },
  };
}

// A sequence on its way, from its request to its last token.
import { newSequence, restart, type CachedSequence, type KvCache } from './kvCache';
import { createQueue, type Queue } from './queue';
import { countTokens, type Draw } from './sample';
import type { DecoderConfig } from '../decoderConfig';

/** Why a sequence ended: a stop token, its limit of tokens or bases, or its reader left. */
export type FinishReason = 'stop' | 'length' | 'cancelled';

export interface TokenEvent {
  readonly id: number;
  /** Under the model itself, before penalties, temperature and the rest. */
  readonly logProb: number;
  /** With the last token. */
  readonly finishReason?: FinishReason;
}

export interface Running extends Draw {
  readonly basesOf: ArrayLike<number> | undefined;
  readonly sequence: CachedSequence;
  readonly events: Queue<TokenEvent>;
  counts: Map<number, number> | undefined;
  newTokens: number;
  newBases: number;
  /** Its reader left. */
  cancelled: boolean;
}

/** Tokens that the cache does not hold yet: one while it decodes, more while its prompt is computed, none right after a step. */
export const uncached = ({ sequence: { ids, length } }: Running): number => ids.length - length;

/** @param onChange - called when its reader takes a token or leaves */
export function createRunning({ promptIds, ...request }: Pick<Running, 'sampling' | 'sample' | 'basesOf'> & { readonly promptIds: ArrayLike<number> }, onChange: () => void): Running {
  const one: Running = {
    ...request, sequence: newSequence(promptIds), counts: countTokens(promptIds, request.sampling), newTokens: 0, newBases: 0, cancelled: false,
    events: createQueue({ onRead: onChange, onReturn: () => { one.cancelled = true; onChange(); } }),
  };
  return one;
}

/** Adds a token that was drawn, and tells its reader. @returns whether it is the last */
export function addToken(one: Running, id: number, logProb: number): boolean {
  const { sampling, sequence, events } = one;
  if (Number.isNaN(logProb)) {
    events.close(new RangeError(`generate: expected scores that are numbers, got NaN after ${one.newTokens} tokens; weights are damaged, or 16 bits are too few for them`));
    return true;
  }
  sequence.ids.push(id);
  one.counts?.set(id, (one.counts.get(id) ?? 0) + 1);
  one.newTokens++;
  one.newBases += one.basesOf?.[id] ?? 0;
  const finishReason = sampling.stopIds.includes(id) ? 'stop' : one.newTokens >= sampling.maxNewTokens || one.newBases >= sampling.maxNewBases ? 'length' : undefined;
  events.push({ id, logProb, ...(finishReason && { finishReason }) });
  if (finishReason) events.close();
  return finishReason !== undefined;
}

/** Generation beyond the context: when that is full, the last tokens become the prompt. */
export function moveFullPrompt(cache: KvCache, one: Running, { bosTokenId }: DecoderConfig): void {
  const { sequence, sampling } = one;
  if (sequence.ids.length < sampling.contextTokens) return;
  restart(cache, sequence, [bosTokenId, ...sequence.ids.slice(-sampling.movingPromptTokens)]);
  one.counts = countTokens(sequence.ids, sampling);
}

import { isDecoder, type AnyModel, type CausalModel } from '../model';
import { cacheBudget } from './kvCache';
import { createGenerationEngine, type EngineOptions, type FinishReason, type TokenEvent } from './engine';
import { tandemRepeatFraction } from './tandemRepeats';
import { generationVocabulary, type GenerationEncoder, type GenerationVocabulary } from './vocabulary';
import type { SamplingOptions } from './sampling';

export interface GenerateOptions extends SamplingOptions, EngineOptions {
  /** Samples of each prompt; default 1. */
  readonly num?: number | undefined;
  /** Never drawn, beside ids that the tokenizer does not have; by default the special tokens that do not stop, and N where it is a token. */
  readonly blockedIds?: ArrayLike<number> | undefined;
  /** Prompts are turned to the other strand first; for strings. */
  readonly reverseComplement?: boolean | undefined;
  /** Leaves out sequences that came before. */
  readonly unique?: boolean | undefined;
  /** Leaves out sequences of which more than this share of the bases lies in tandem repeats, see `tandemRepeatFraction`. */
  readonly maxTandemRepeats?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** After each token of any sequence; at most as often as there are steps. */
  readonly onProgress?: ((progress: GenerationProgress) => void) | undefined;
}

export interface GenerationProgress {
  /** Sequences that ended, of `total`. */
  readonly done: number;
  readonly total: number;
  readonly newTokens: number;
  /** Of the sequences that ended, also those left out. */
  readonly newBases: number;
  /** Sequences left out so far. */
  readonly duplicates: number;
  readonly repetitive: number;
}

export interface GeneratedSequence {
  /** `prompt · num + sample`; samples come in this order. */
  readonly index: number;
  readonly prompt: number;
  readonly sample: number;
  /** New tokens; a stop token stands at the end. */
  readonly ids: Uint32Array;
  /** Of each token under the model itself, in nats. */
  readonly logProbs: Float32Array;
  readonly finishReason: FinishReason;
  /** The bases of the new tokens, cut to `maxNewBases`; empty where the tokenizer does not decode. */
  readonly sequence: string;
}

/**
 * Sequences that continue the prompts, as a decoder draws them.
 * @param prompts - strings stand behind `config.bosTokenId`; ids are taken as they are; no prompt at all is one empty one
 * @returns an async iterable in the order of `index`; leaving it early stops the work within one step
 */
export async function* generate(model: AnyModel, encoder: GenerationEncoder, prompts: readonly (string | Uint32Array)[] = [''], options: GenerateOptions = {}): AsyncGenerator<GeneratedSequence, void, undefined> {
  if (!isDecoder(model)) throw new TypeError('generate: expected a decoder, got an encoder');
  const { num = 1, signal, onProgress, maxSequences = 32 } = options;
  if (!Number.isInteger(num) || num < 1) throw new RangeError(`generate: expected num of at least 1, got ${num}`);
  signal?.throwIfAborted();
  const given = prompts.length ? prompts : [''];
  const vocabulary = generationVocabulary(model, encoder);
  const { basesOf } = vocabulary;
  const promptIds = given.map((prompt, i) => idsOf(vocabulary, prompt, i, options.reverseComplement ?? false));
  const stopIds = Array.from(options.stopIds ?? [model.config.eosTokenId]);
  const blockedIds = vocabulary.blockedIds(stopIds, options.blockedIds);
  const total = given.length * num;
  const counts = { done: 0, total, newTokens: 0, newBases: 0, duplicates: 0, repetitive: 0 };

  const engine = createGenerationEngine(model, { ...options, maxSequences, cacheTokens: options.cacheTokens ?? roomFor(model, promptIds, total, { ...options, maxSequences }) });
  const abort = () => void engine.close();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const seen = new Set<string>();
    const pending: Promise<Collected>[] = [];
    const submit = (index: number) => {
      const prompt = Math.floor(index / num);
      const collected = collect(engine.submit({ ...options, stopIds, blockedIds, basesOf, promptIds: promptIds[prompt], sample: index }), () => {
        counts.newTokens++;
        onProgress?.({ ...counts });
      });
      collected.catch(() => undefined); // whoever awaits it is told
      pending.push(collected);
    };
    let submitted = 0;
    for (let index = 0; index < total; index++) {
      while (submitted < total && submitted < index + 4 * maxSequences) submit(submitted++);
      const { ids, logProbs, finishReason } = await pending.shift()!;
      counts.done++;
      const sequence = vocabulary.textOf(ids).slice(0, options.maxNewBases ?? Infinity);
      const [twice, repetitive] = [options.unique === true && seen.has(sequence), tandemRepeatFraction(sequence) > (options.maxTandemRepeats ?? 1)];
      counts.newBases += sequence.length;
      if (options.unique) seen.add(sequence);
      if (twice) counts.duplicates++;
      else if (repetitive) counts.repetitive++;
      onProgress?.({ ...counts });
      if (!twice && !repetitive) yield { index, prompt: Math.floor(index / num), sample: index % num, ids, logProbs, finishReason, sequence };
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
    await engine.close();
  }
}

interface Collected {
  readonly ids: Uint32Array;
  readonly logProbs: Float32Array;
  readonly finishReason: FinishReason;
}

async function collect(events: AsyncIterable<TokenEvent>, onToken: () => void): Promise<Collected> {
  const [ids, logProbs]: [number[], number[]] = [[], []];
  let finishReason: FinishReason = 'cancelled';
  for await (const event of events) {
    ids.push(event.id);
    logProbs.push(event.logProb);
    finishReason = event.finishReason ?? finishReason;
    onToken();
  }
  return { ids: Uint32Array.from(ids), logProbs: Float32Array.from(logProbs), finishReason };
}

function idsOf(vocabulary: GenerationVocabulary, prompt: string | Uint32Array, i: number, turned: boolean): Uint32Array {
  if (typeof prompt === 'string') return vocabulary.promptIds(prompt, { reverseComplement: turned, name: `prompt ${i}` });
  if (turned) throw new TypeError(`generate: expected a string to take the reverse complement of, got ids as prompt ${i}`);
  return prompt;
}

/** Tokens that the sequences which run at once can hold at most; not beyond the budget, as sequences can wait for each other, but for one at least. */
function roomFor(model: CausalModel, prompts: readonly Uint32Array[], total: number, { maxSequences, cacheType = 'float32', maxNewTokens = 1024, contextTokens = model.config.maxPositions, prefillTokens = 512 }: GenerateOptions & { readonly maxSequences: number }): number {
  const longest = prompts.reduce((most, { length }) => Math.max(most, length), 0);
  const held = Math.min(longest + maxNewTokens, contextTokens, (model.config.slidingWindow ?? Infinity) + prefillTokens);
  const each = 16 * Math.ceil(held / 16) + 48;
  return Math.max(each, Math.min(Math.min(maxSequences, total) * each, cacheBudget(model, cacheType)));
}

// What `genomelm serve` does with a model: sequences of all requests run in one engine, embeddings one request after the other.
import { createGenerationEngine, embed, generationVocabulary, isDecoder, type AnyModel, type EngineOptions, type EngineStatistics, type GenerationRequest, type TokenEvent } from '@genomelm/model';
import { HttpError, inRequestNames, type GenerateInstance, type RequestLimits } from './requests';
import type { Tokenizer } from '@genomelm/tokenizer';

/** Tokens of one pass over sequences to embed: whoever leaves is done with after one. */
const tokensPerPass = 2048;
/** Where upstream cuts a sequence to embed, in tokens. */
const upstreamMaxLength = 10_240;

/** A sequence under way. */
export interface Sample {
  readonly instance: number;
  readonly sample: number;
  readonly seed: number;
  readonly events: AsyncIterableIterator<TokenEvent>;
}

export interface ModelService {
  /**
   * Asks for `num` sequences of each instance: the caller reads them all, or calls `return()` on each.
   * @param admit - hears how many tokens that is at most, before anything is asked for; may throw
   * @throws HttpError 400 for what cannot be
   */
  generate(instances: readonly GenerateInstance[], admit: (tokens: number) => void): readonly Sample[];
  /** Tokens that `embed` will compute, and how many of the sequences it will cut. @throws HttpError 400 beyond the limits */
  measure(sequences: readonly string[]): { readonly tokens: number; readonly truncated: number };
  embed(sequences: readonly string[], signal: AbortSignal): Promise<Float32Array[]>;
  textOf(ids: ArrayLike<number>): string;
  /** Undefined for an encoder. */
  readonly statistics: EngineStatistics | undefined;
  close(): Promise<void>;
}

export function createModelService(model: AnyModel, tokenizer: Tokenizer, limits: RequestLimits, engineOptions: EngineOptions = {}): ModelService {
  const decoder = isDecoder(model) ? { vocabulary: generationVocabulary(model, tokenizer), engine: createGenerationEngine(model, engineOptions) } : undefined;
  const blockedIds = decoder?.vocabulary.blockedIds();
  const maxLength = model.config.maxPositions ? Math.min(model.config.maxPositions, upstreamMaxLength) : upstreamMaxLength;
  let last: Promise<unknown> = Promise.resolve();

  const checkTokens = (tokens: number): void => {
    if (tokens > limits.maxTokens) throw new HttpError(400, `expected at most ${limits.maxTokens} tokens in a request, those that may be drawn included, got ${tokens}; ask in several requests`);
  };

  return {
    generate(instances, admit) {
      if (!decoder) throw new HttpError(400, 'generate: expected a decoder, got an encoder; this model only embeds');
      const { vocabulary: { promptIds, basesOf }, engine } = decoder;
      const samples: Sample[] = [];
      try {
        const requests = instances.map(({ prompt, options }, i): GenerationRequest => ({ ...options, promptIds: promptIds(prompt, { name: `instances[${i}].prompt` }), blockedIds, basesOf }));
        const tokens = instances.reduce((total, { num, options }, i) => total + num * (requests[i].promptIds.length + options.maxNewTokens), 0);
        checkTokens(tokens);
        admit(tokens);
        for (const [instance, { num, options }] of instances.entries()) {
          for (let sample = 0; sample < num; sample++) samples.push({ instance, sample, seed: options.seed!, events: engine.submit({ ...requests[instance], sample }) });
        }
        return samples;
      } catch (error) {
        for (const { events } of samples) void events.return!();
        if (error instanceof HttpError || !engine.statistics.open) throw error;
        throw new HttpError(400, inRequestNames((error as Error).message));
      }
    },
    measure(sequences) {
      const lengths = sequences.map((sequence) => tokenizer.encode(sequence).length);
      const tokens = lengths.reduce((total, length) => total + Math.min(length, maxLength), 0);
      checkTokens(tokens);
      return { tokens, truncated: lengths.filter((length) => length > maxLength).length };
    },
    embed(sequences, signal) {
      const own = last.then(() => embed(model, tokenizer, sequences, { maxLength, tokensPerBatch: tokensPerPass, signal }));
      last = own.catch(() => undefined);
      return own;
    },
    textOf: (ids) => decoder?.vocabulary.textOf(ids) ?? '',
    get statistics() {
      return decoder?.engine.statistics;
    },
    async close() {
      await last;
      await decoder?.engine.close();
    },
  };
}

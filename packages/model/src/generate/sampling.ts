// What a generation is asked for, and how the next token is drawn.
import type { DecoderConfig } from '../decoderConfig';

/** Everything that shapes one sequence. Names and order of the steps are those of vLLM: penalties, what is not allowed, temperature, top-k, top-p. */
export interface SamplingOptions {
  /** Default 1024. Counts the stop token. */
  readonly maxNewTokens?: number | undefined;
  /** No stop token before so many; default 0. */
  readonly minNewTokens?: number | undefined;
  /** The sequence ends with the token that reaches so many bases. Asks for a tokenizer that decodes, as does the next. */
  readonly maxNewBases?: number | undefined;
  /** No stop token before so many bases. */
  readonly minNewBases?: number | undefined;
  /** 0 takes the most probable token, the first of equals; default 1. */
  readonly temperature?: number | undefined;
  /** Only the so many most probable tokens; 0 or below, the default, is all. */
  readonly topK?: number | undefined;
  /** Only the most probable tokens that together reach this probability; default 1. */
  readonly topP?: number | undefined;
  /** Scores of tokens in the prompt or the output are divided by it where positive, else multiplied; default 1. */
  readonly repetitionPenalty?: number | undefined;
  /** Taken from the score of each token in the output; default 0. */
  readonly presencePenalty?: number | undefined;
  /** Taken from the score of a token for each time that it is in the output; default 0. */
  readonly frequencyPenalty?: number | undefined;
  /** Never drawn. */
  readonly blockedIds?: ArrayLike<number> | undefined;
  /** End the sequence, and stand at its end; by default `config.eosTokenId`. */
  readonly stopIds?: ArrayLike<number> | undefined;
  /** The same seed gives the same samples, whatever runs beside them; default 0. */
  readonly seed?: number | undefined;
  /** Tokens that a sequence holds before the prompt moves on; by default `config.maxPositions`. */
  readonly contextTokens?: number | undefined;
  /** How many of the last tokens make the next prompt then, behind `config.bosTokenId`; by default a fifth of the context. Repetition is counted anew from there. */
  readonly movingPromptTokens?: number | undefined;
}

/** The presets of upstream's command line. */
export const generationPresets = {
  conservative: { minNewTokens: 1024, maxNewTokens: 10_240, temperature: 0.7, topP: 0.9, repetitionPenalty: 1 },
  conservative_long: { minNewTokens: 9600, maxNewTokens: 10_240, temperature: 0.7, topP: 0.9, repetitionPenalty: 1 },
  creative: { minNewTokens: 1024, maxNewTokens: 10_240, temperature: 0.9, topP: 0.9, repetitionPenalty: 1.2 },
  creative_long: { minNewTokens: 9600, maxNewTokens: 10_240, temperature: 0.9, topP: 0.9, repetitionPenalty: 1.2 },
} as const satisfies Record<string, SamplingOptions>;

type Settled = { readonly [K in Exclude<keyof SamplingOptions, 'blockedIds' | 'stopIds'>]-?: number };

/** Options with their defaults. */
export interface Sampling extends Settled {
  readonly blockedIds: readonly number[];
  readonly stopIds: readonly number[];
}

/** Fills in the defaults. @throws RangeError that names the first option that cannot be */
export function settleSampling(options: SamplingOptions, { vocabSize, maxPositions, eosTokenId }: DecoderConfig): Sampling {
  const {
    maxNewTokens = 1024, minNewTokens = 0, maxNewBases = Infinity, minNewBases = 0, temperature = 1, topK = 0, topP = 1, repetitionPenalty = 1, presencePenalty = 0, frequencyPenalty = 0,
    seed = 0, contextTokens = maxPositions, movingPromptTokens = Math.max(1, Math.floor(contextTokens / 5)),
  } = options;
  const settled: Sampling = {
    maxNewTokens, minNewTokens, maxNewBases, minNewBases, temperature, topK: Math.max(0, topK), topP, repetitionPenalty, presencePenalty, frequencyPenalty, seed, contextTokens, movingPromptTokens,
    blockedIds: Array.from(options.blockedIds ?? []), stopIds: Array.from(options.stopIds ?? [eosTokenId]),
  };
  const require = (holds: boolean, name: keyof Sampling, what: string) => {
    if (!holds) throw new RangeError(`generate: expected ${name} ${what}, got ${JSON.stringify(settled[name])}`);
  };
  const whole = (value: number) => Number.isInteger(value) || value === Infinity;
  for (const name of ['minNewTokens', 'minNewBases'] as const) require(Number.isInteger(settled[name]) && settled[name] >= 0, name, 'as a whole number of at least 0');
  require(whole(maxNewTokens) && maxNewTokens >= 1 && maxNewTokens >= minNewTokens, 'maxNewTokens', `as a whole number of at least ${Math.max(1, minNewTokens)}`);
  require(whole(maxNewBases) && maxNewBases >= 1 && maxNewBases >= minNewBases, 'maxNewBases', `as a whole number of at least ${Math.max(1, minNewBases)}`);
  require(temperature >= 0 && temperature < Infinity, 'temperature', 'of at least 0');
  require(Number.isInteger(topK), 'topK', 'as a whole number');
  require(topP > 0 && topP <= 1, 'topP', 'above 0 and at most 1');
  require(repetitionPenalty > 0 && repetitionPenalty < Infinity, 'repetitionPenalty', 'above 0');
  for (const name of ['presencePenalty', 'frequencyPenalty'] as const) require(Number.isFinite(Math.fround(settled[name])), name, 'as a number that float32 holds');
  require(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32, 'seed', 'as a whole number of 32 bits');
  require(Number.isInteger(contextTokens) && contextTokens >= 3, 'contextTokens', 'as a whole number of at least 3');
  require(Number.isInteger(movingPromptTokens) && movingPromptTokens >= 1 && movingPromptTokens <= contextTokens - 2, 'movingPromptTokens', `from 1 to ${contextTokens - 2}, so that there is room for a new token`);
  for (const name of ['blockedIds', 'stopIds'] as const) require(settled[name].every((id) => Number.isInteger(id) && id >= 0 && id < vocabSize), name, `in the vocabulary of ${vocabSize}`);
  require(new Set(settled.blockedIds).size < vocabSize, 'blockedIds', 'to leave a token that may be drawn');
  return settled;
}

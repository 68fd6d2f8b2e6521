import { free, read, sampleTokens, type Tensor } from '@genomelm/kernels';
import type { Sampling } from './sampling';

/** What a row of logits is drawn by. */
export interface Draw {
  readonly sampling: Sampling;
  readonly sample: number;
  /** What the penalties count (see `countTokens`); undefined without any. */
  readonly counts: ReadonlyMap<number, number> | undefined;
  readonly newTokens: number;
  readonly newBases: number;
}

/** Each token of the prompt with 0, each new one with how often it came; undefined where no penalty asks. */
export function countTokens(promptIds: ArrayLike<number>, { repetitionPenalty, presencePenalty, frequencyPenalty }: Sampling): Map<number, number> | undefined {
  if (repetitionPenalty === 1 && presencePenalty === 0 && frequencyPenalty === 0) return undefined;
  return new Map(Array.from(promptIds, (id) => [id, 0]));
}

const nothing: ReadonlyMap<number, number> = new Map();

/** The next token of each row of `logits [rows, vocabSize]`, with its log-probability under the model. The random number of a row is that of (seed, sample, how many tokens came before). */
export async function drawTokens(logits: Tensor, rows: readonly Draw[]): Promise<{ ids: ArrayLike<number>; logProbs: ArrayLike<number> }> {
  const each = (of: (sampling: Sampling) => number) => rows.map(({ sampling }) => of(sampling));
  const drawn = sampleTokens(logits, {
    temperature: each(({ temperature }) => temperature), topK: each(({ topK }) => topK), topP: each(({ topP }) => topP),
    seed: each(({ seed }) => seed | 0), sample: rows.map(({ sample }) => sample), position: rows.map(({ newTokens }) => newTokens),
    blocked: rows.map(blockedNow),
    ...(rows.some(({ counts }) => counts) && {
      counts: rows.map(({ counts = nothing }) => counts),
      repetition: each(({ repetitionPenalty }) => repetitionPenalty), presence: each(({ presencePenalty }) => presencePenalty), frequency: each(({ frequencyPenalty }) => frequencyPenalty),
    }),
  });
  try {
    const [ids, logProbs] = await Promise.all([read(drawn.ids), read(drawn.logProbs)]);
    return { ids, logProbs };
  } finally {
    free(drawn);
  }
}

function blockedNow({ sampling: { blockedIds, stopIds, minNewTokens, minNewBases }, newTokens, newBases }: Draw): readonly number[] {
  return newTokens < minNewTokens || newBases < minNewBases ? [...blockedIds, ...stopIds] : blockedIds;
}

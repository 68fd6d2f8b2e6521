import { createRandom } from '@genomelm/kernels';
import { randomStream, type Batch } from '../batch';

export interface MaskTokensOptions {
  /** Share of tokens that become `maskId`, in [0, 1]. */
  readonly probability: number;
  readonly maskId: number;
  /** Never masked: [CLS], [SEP] and their like. */
  readonly keepIds: readonly number[];
  readonly seed: number;
  readonly step: number;
}

/** A batch in which tokens drawn at random are hidden behind [MASK]: noise on the input, for training that sees little data. The same (seed, step) hides the same tokens. */
export function maskTokens(batch: Batch, { probability, maskId, keepIds, seed, step }: MaskTokensOptions): Batch {
  if (probability === 0) return batch;
  const random = createRandom(seed, randomStream.mask + step);
  const keep = new Set(keepIds);
  return { ...batch, inputIds: batch.inputIds.map((id) => (random.uniform() < probability && !keep.has(id) ? maskId : id)) };
}

export interface MaskedLmOptions extends MaskTokensOptions {
  /** Ids from which random tokens are drawn: 0 to below. */
  readonly vocabSize: number;
  /** Consecutive tokens that are chosen together; default 1. For overlapping k-mers at least k, for else the neighbours give a token away. */
  readonly spanLength?: number | undefined;
  /** Every chosen token becomes [MASK]. In a test, a chosen token that is shown would be guessed right more often than one that is hidden. */
  readonly hideAll?: boolean | undefined;
}

export interface MaskedBatch {
  readonly batch: Batch;
  /** `[totalTokens]`: the token that stood there; 0 where none was chosen. */
  readonly labels: Uint32Array;
}

/**
 * Chooses tokens to be predicted (Devlin et al. 2019, arXiv 1810.04805): of them 80 % become [MASK], 10 % a random token, 10 % stay. Special tokens (`keepIds`) are never chosen, nor drawn.
 * The same (seed, step) chooses the same tokens; another step others, so that masks change from pass to pass.
 */
export function maskForPrediction(batch: Batch, { probability, maskId, keepIds, seed, step, vocabSize, spanLength = 1, hideAll = false }: MaskedLmOptions): MaskedBatch {
  const random = createRandom(seed, randomStream.mask + step);
  const keep = new Set([...keepIds, maskId]);
  const ordinary = Array.from({ length: vocabSize }, (_, id) => id).filter((id) => !keep.has(id));
  const { inputIds, cuSeqlens } = batch;
  const hidden = inputIds.slice();
  const labels = new Uint32Array(inputIds.length);
  const choose = (i: number) => {
    if (keep.has(inputIds[i]) || labels[i]) return;
    labels[i] = inputIds[i];
    const fate = random.uniform();
    if (hideAll || fate < 0.8) hidden[i] = maskId;
    else if (fate < 0.9) hidden[i] = ordinary[random.integer(ordinary.length)];
  };
  // A token is chosen when a span begins at it or at one of the spanLength - 1 before it: 1 - (1 - begin)^spanLength = probability.
  const begin = 1 - (1 - probability) ** (1 / spanLength);
  for (let s = 0; s + 1 < cuSeqlens.length; s++) {
    for (let i = cuSeqlens[s]; i < cuSeqlens[s + 1]; i++) {
      if (random.uniform() >= begin) continue;
      for (let j = i; j < Math.min(i + spanLength, cuSeqlens[s + 1]); j++) choose(j);
    }
  }
  return { batch: { ...batch, inputIds: hidden }, labels };
}

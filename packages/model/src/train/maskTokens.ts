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

import type { ModelConfig } from '../config';

/**
 * A model whose upstream drops attention probabilities computes here what it computes there, but cannot be trained as there: attention never holds its probabilities.
 * MosaicBERT's files say 0.1, and users of DNABERT-2 write it to turn Triton's attention off; the released DNABERT-2 says 0.
 * @throws RangeError for `attentionDropout` above 0
 */
export function checkTrainable({ attentionDropout = 0 }: ModelConfig): void {
  if (attentionDropout > 0) throw new RangeError(`train: expected no dropout of attention probabilities, got ${attentionDropout}; set attention_probs_dropout_prob (attention_dropout of a decoder) to 0 in config.json to train without it`);
}

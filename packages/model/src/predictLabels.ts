import { checkEncoder } from './embed';
import { encodeExamples, type Encoder } from './examples';
import { predictLogits, softmaxRows } from './predict';
import { classifierLayer } from './heads/sequenceClassifier';
import type { AnyModel } from './model';

export interface Prediction {
  /** The most probable class; of several labels those above one half; of tokens or a regression none. */
  readonly labels: readonly string[];
  /** By name: probabilities (independent ones with several labels), or the value of a regression. */
  readonly outputs: Readonly<Record<string, number>>;
}

export interface PredictOptions {
  /** In tokens; longer sequences are cut. Default: the model's position table, else no limit. */
  readonly maxLength?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What a fine-tuned model says of each sequence or pair, in the order given. Names of the outputs are those of config.json (`id2label`), else `LABEL_0`, `LABEL_1`, ….
 * @throws TypeError for a model without a classifier, or one that classifies tokens
 */
export async function predict(model: AnyModel, encoder: Encoder, sequences: readonly { readonly sequence: string; readonly pair?: string }[], { maxLength, signal }: PredictOptions = {}): Promise<Prediction[]> {
  const head = classifierLayer(model);
  if (!head) throw new TypeError('predict: expected a model with a classifier, got one without; fine-tune one');
  checkEncoder(model, encoder);
  const outputs = head.weight.shape[0];
  const { problemType, level, labels } = model.config.classifier ?? { problemType: 'single_label_classification', level: 'sequence', labels: Array.from({ length: outputs }, (_, i) => `LABEL_${i}`) };
  if (level === 'token') throw new TypeError('predict: expected a classifier of sequences, got one of tokens; use classifyTokens');
  if (labels.length !== outputs) throw new RangeError(`predict: expected ${outputs} names in config.classifier.labels, one for each output, got ${labels.length}`);
  const limit = Math.min(maxLength ?? Infinity, model.config.maxPositions || Infinity);
  const logits = await predictLogits(model, encodeExamples(sequences.map((item) => ({ ...item, label: -1 })), encoder, limit).sequences, { signal });
  const values = problemType === 'regression' ? logits : problemType === 'multi_label_classification' ? logits.map((z) => 1 / (1 + Math.exp(-z))) : softmaxRows(logits, outputs);
  return sequences.map((_, i) => {
    const own = values.subarray(i * outputs, (i + 1) * outputs);
    const chosen = problemType === 'regression' ? [] : problemType === 'multi_label_classification' ? labels.filter((_name, k) => own[k] > 0.5) : [labels[own.indexOf(Math.max(...own))]];
    return { labels: chosen, outputs: Object.fromEntries(labels.map((name, k) => [name, own[k]])) };
  });
}

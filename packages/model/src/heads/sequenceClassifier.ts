import { crossEntropy, embedding, scale, scope, segmentMean, tanh, tensor, type Tensor } from '@genomelm/kernels';
import { linear, linearSpecs, type Linear } from '../layers/linear';
import { dropoutOf, dropoutSites, forward, type EncoderModel, type ForwardOptions } from '../models/encoder';
import type { Batch } from '../batch';
import type { EncoderConfig } from '../config';
import type { SpecsOf } from '../parameters';

/** `classifier` in checkpoints. With [CLS] pooling there is also `bert.pooler`, which a pre-trained DNABERT-2 lacks: it is trained with the classifier. */
export type Pooler = { readonly dense: Linear };

export const poolerSpecs = ({ hiddenSize }: EncoderConfig): SpecsOf<Pooler> => ({ dense: linearSpecs(hiddenSize, hiddenSize) });

export const classifierSpecs = ({ hiddenSize }: EncoderConfig, classes: number): SpecsOf<Linear> => linearSpecs(classes, hiddenSize);

export interface ClassifierModel extends EncoderModel {
  readonly params: { readonly bert: EncoderModel['params']['bert'] & { readonly pooler?: Pooler }; readonly classifier?: Linear };
}

/** One vector for each sequence, `[sequences, hiddenSize]`, as `config.pooling` says. */
function pool({ config, params: { bert } }: ClassifierModel, hiddenStates: Tensor, { cuSeqlens }: Batch): Tensor {
  if (config.pooling === 'mean') return segmentMean(hiddenStates, cuSeqlens);
  if (!bert.pooler) throw new TypeError("classify: expected a model with bert.pooler for pooling 'cls', got one without; fine-tune one with createSequenceClassifier()");
  const first = tensor(hiddenStates.device, Uint32Array.from(cuSeqlens.subarray(0, -1)));
  return tanh(linear(embedding(hiddenStates, first), bert.pooler.dense));
}

/** Class scores before the softmax, `[sequences, classes]`. */
export function classify(model: ClassifierModel, batch: Batch, options: ForwardOptions = {}): Tensor {
  const { classifier } = model.params;
  if (!classifier) throw new TypeError('classify: expected a model with a classifier, got one without; create it with createModel(config, { device, seed, classes }) or train one with createSequenceClassifier()');
  return scope<Tensor>(() => {
    const { hiddenStates } = forward(model, batch, options);
    return linear(dropoutOf(model.config, options.train)(pool(model, hiddenStates, batch), dropoutSites.head), classifier);
  });
}

/** Class scores of every token, `[totalTokens, classes]`, from its last hidden state. */
export function classifyTokens(model: ClassifierModel, batch: Batch, options: ForwardOptions = {}): Tensor {
  const { classifier } = model.params;
  if (!classifier) throw new TypeError('classifyTokens: expected a model with a classifier, got one without; create it with createModel(config, { device, seed, classes, pooler: false })');
  return scope<Tensor>(() => linear(dropoutOf(model.config, options.train)(forward(model, batch, options).hiddenStates, dropoutSites.head), classifier));
}

/** What a classifier's labels are of. */
export type Level = 'sequence' | 'token';

export const classifierOf = (level: Level): typeof classify => (level === 'token' ? classifyTokens : classify);

/** Mean cross-entropy in nats over the sequences, `[]`. @param labels - `[sequences]`, from 0 */
export function classificationLoss(model: ClassifierModel, batch: Batch, labels: ArrayLike<number>, options: ForwardOptions = {}): Tensor {
  return scope<Tensor>(() => {
    const logits = classify(model, batch, options);
    return scale(crossEntropy(logits, tensor(logits.device, Int32Array.from(labels))).sum, 1 / labels.length);
  });
}

import { crossEntropy, embedding, scale, scope, segmentMean, tanh, tensor, type Tensor } from '@genomelm/kernels';
import { linear, linearSpecs, type Linear } from '../layers/linear';
import { forward as forwardDecoder, type DecoderModel } from '../models/decoder';
import { dropoutOf, dropoutSites, forward, type EncoderModel, type ForwardOptions } from '../models/encoder';
import { isDecoderConfig, type DecoderConfig } from '../decoderConfig';
import type { Batch } from '../batch';
import type { EncoderConfig } from '../config';
import type { SpecsOf } from '../parameters';

/** `classifier` in checkpoints. With [CLS] pooling there is also `bert.pooler`, which a pre-trained DNABERT-2 lacks: it is trained with the classifier. */
export type Pooler = { readonly dense: Linear };

export const poolerSpecs = ({ hiddenSize }: EncoderConfig): SpecsOf<Pooler> => ({ dense: linearSpecs(hiddenSize, hiddenSize) });

export const classifierSpecs = ({ hiddenSize }: EncoderConfig, classes: number): SpecsOf<Linear> => linearSpecs(classes, hiddenSize);

/** `score` in checkpoints of a decoder, as in MistralForSequenceClassification of transformers: on the last token, without a bias. */
export const scoreSpecs = ({ hiddenSize }: DecoderConfig, classes: number): SpecsOf<Linear> => linearSpecs(classes, hiddenSize, { bias: false });

export interface EncoderClassifier extends EncoderModel {
  readonly params: { readonly bert: EncoderModel['params']['bert'] & { readonly pooler?: Pooler }; readonly classifier?: Linear };
}

export interface DecoderClassifier extends DecoderModel {
  readonly params: DecoderModel['params'] & { readonly score?: Linear };
}

export type ClassifierModel = EncoderClassifier | DecoderClassifier;

const isDecoder = (model: ClassifierModel): model is DecoderClassifier => isDecoderConfig(model.config);

/** The last layer of a classifier, if the model is one. */
export const classifierLayer = (model: ClassifierModel): Linear | undefined => (isDecoder(model) ? model.params.score : model.params.classifier);

/** One vector for each sequence, `[sequences, hiddenSize]`: of an encoder as `config.pooling` says, of a decoder that of its last token, which has seen all others. */
export function sequenceVectors(model: ClassifierModel, batch: Batch, options: ForwardOptions = {}): Tensor {
  const { cuSeqlens } = batch;
  return scope<Tensor>(() => {
    const { hiddenStates } = isDecoder(model) ? forwardDecoder(model, batch, options) : forward(model, batch, options);
    const rows = (tokens: Int32Array | Uint32Array) => embedding(hiddenStates, tensor(hiddenStates.device, Uint32Array.from(tokens)));
    if (isDecoder(model)) return rows(cuSeqlens.subarray(1).map((end) => end - 1));
    const { config, params: { bert } } = model;
    if (config.pooling === 'mean') return segmentMean(hiddenStates, cuSeqlens);
    if (!bert.pooler) throw new TypeError("classify: expected a model with bert.pooler for pooling 'cls', got one without; fine-tune one with createSequenceClassifier()");
    return tanh(linear(rows(cuSeqlens.subarray(0, -1)), bert.pooler.dense));
  });
}

/** Class scores before the softmax, `[sequences, classes]`. */
export function classify(model: ClassifierModel, batch: Batch, options: ForwardOptions = {}): Tensor {
  const layer = classifierLayer(model);
  if (!layer) throw new TypeError('classify: expected a model with a classifier, got one without; create it with createModel(config, { device, seed, classes }) or train one with createSequenceClassifier()');
  return scope<Tensor>(() => {
    const vectors = sequenceVectors(model, batch, options);
    return linear(isDecoder(model) ? vectors : dropoutOf(model.config, options.train)(vectors, dropoutSites.head), layer);
  });
}

/** Class scores of every token, `[totalTokens, classes]`, from its last hidden state. */
export function classifyTokens(model: ClassifierModel, batch: Batch, options: ForwardOptions = {}): Tensor {
  if (isDecoder(model)) throw new TypeError('classifyTokens: expected an encoder, got a decoder, whose tokens do not see what follows them');
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

import { planBatches, packBatch } from '../batch';
import { classificationLoss } from '../heads/sequenceClassifier';
import { mcc, standardErrorOfMcc } from '../mcc';
import { argmaxRows, predictProbabilities } from '../predict';
import { finetune, type FinetuneResult, type Progress } from './finetune';
import { epochsFor, type Hyperparameters } from './hyperparameters';
import { maskTokens } from './maskTokens';
import type { EncodedExamples, Encoder } from '../examples';
import type { Model, Params } from '../model';

export interface LabelledTokens extends EncodedExamples {
  readonly labels: Int32Array;
}

export interface TrainClassifierOptions {
  readonly classes: number;
  readonly seed: number;
  readonly settings: Hyperparameters;
  readonly specialIds: Encoder['specialIds'];
  readonly checkpoint: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: Progress) => void) | undefined;
}

/** Trains a model with a classifier in place, choosing parameters by MCC on dev after each epoch. Without dev examples the last ones stay. */
export async function trainClassifier(model: Model, train: LabelledTokens, dev: LabelledTokens, { classes, seed, settings, specialIds, checkpoint, signal, onProgress }: TrainClassifierOptions): Promise<FinetuneResult> {
  const { maskProbability: probability, tokensPerBatch, batchSize, warmupSteps, warmupRatio, maxSteps, evaluateEvery } = settings;
  const { mask: maskId, cls, sep, pad } = specialIds;
  if (probability > 0 && maskId === undefined) throw new TypeError('fit: expected a tokenizer with [MASK] for maskProbability above 0, got one without; set maskProbability to 0');
  const keepIds = [cls, sep, pad].filter((id) => id !== undefined);
  const epochs = Array.from({ length: epochsFor(settings, train.tokens) }, (_, epoch) => planBatches(train.lengths, { tokensPerBatch, sequencesPerBatch: batchSize || undefined, seed, epoch }));
  const totalSteps = Math.min(maxSteps || Infinity, epochs.reduce((total, { length }) => total + length, 0));
  const evaluate = async () => {
    const probabilities = await predictProbabilities(model, dev.sequences, signal);
    const loss = dev.labels.reduce((total, label, i) => total - Math.log(Math.max(probabilities[i * classes + label], 2 ** -149)), 0) / dev.labels.length;
    const score = mcc(dev.labels, argmaxRows(probabilities, classes), classes);
    return { score, standardError: standardErrorOfMcc(score, dev.labels.length), loss };
  };
  return finetune<Params, number[]>({
    params: model.params,
    epochs,
    tokens: (batch) => batch.reduce((total, i) => total + train.lengths[i], 0),
    loss: (params, batch, key) => {
      const packed = packBatch(batch.map((i) => train.sequences[i]));
      const hidden = maskId === undefined ? packed : maskTokens(packed, { probability, maskId, keepIds, ...key });
      return classificationLoss({ ...model, params }, hidden, batch.map((i) => train.labels[i]), { train: key, checkpoint });
    },
    evaluate: dev.labels.length ? evaluate : undefined,
  }, {
    learningRate: settings.learningRate, weightDecay: settings.weightDecay, clipNorm: settings.clipNorm,
    warmupSteps: warmupSteps || Math.round(warmupRatio * totalSteps),
    maxSteps: totalSteps, evaluateEvery: evaluateEvery || undefined, seed, signal, onProgress,
  });
}

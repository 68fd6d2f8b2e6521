import { planBatches, packBatch } from '../batch';
import { classificationLoss } from '../heads/sequenceClassifier';
import { mcc } from '../mcc';
import { argmaxRows, predictProbabilities } from '../predict';
import { finetune, type FinetuneResult, type Progress } from './finetune';
import { epochsFor, type Hyperparameters } from './hyperparameters';
import { maskTokens } from './maskTokens';
import type { EncodedExamples, Encoder } from '../examples';
import type { Model, Params } from '../model';

/** With one look after each of two epochs, the noise of a small dev set (3 points of MCC for 1,000 sequences) picks the earlier one half of the time, before the learning rate has fallen. */
const fewestEvaluations = 8;

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

/** Trains a model with a classifier in place, keeping the parameters with the best MCC on dev. Without dev examples the last ones stay. */
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
    return { score: mcc(dev.labels, argmaxRows(probabilities, classes), classes), loss };
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
    maxSteps: totalSteps, evaluateEvery: evaluateEvery || Math.ceil(totalSteps / Math.max(fewestEvaluations, epochs.length)), seed, signal, onProgress,
  });
}

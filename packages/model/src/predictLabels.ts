import { checkEncoder, encodeExamples, type Encoder } from './examples';
import { predictLogits, softmaxRows } from './predict';
import { classifierLayer } from './heads/sequenceClassifier';
import { usualProblemType, type ClassifierConfig } from './classifierConfig';
import type { AnyModel } from './model';
import type { OffsetEncoder } from './score';

export interface Prediction {
  /** The most probable class; of several labels those above one half; of tokens or a regression none. */
  readonly labels: readonly string[];
  /** By name: probabilities (independent ones with several labels), or the value of a regression. */
  readonly outputs: Readonly<Record<string, number>>;
  /** The model saw only the beginning of the sequence: `maxLength`, or its position table, ends there. */
  readonly truncated?: true;
}

export interface PredictOptions {
  /** In tokens; longer sequences are cut. Default: the model's position table, else no limit. */
  readonly maxLength?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What a fine-tuned model says of each sequence or pair, in the order given. Names of the outputs are those of config.json (`id2label`), else `LABEL_0`, `LABEL_1`, …; one output of which nothing is said is a number, as in transformers.
 * @throws TypeError for a model without a classifier, or one that classifies tokens (see `predictBases`)
 */
export async function predict(model: AnyModel, encoder: Encoder, sequences: readonly { readonly sequence: string; readonly pair?: string }[], { maxLength, signal }: PredictOptions = {}): Promise<Prediction[]> {
  checkEncoder('predict', model.config, encoder);
  const { problemType, level, labels } = classifierOf(model, 'predict');
  if (level === 'token') throw new TypeError('predict: expected a classifier of sequences, got one of tokens; use predictBases');
  const outputs = labels.length;
  const limit = Math.min(maxLength ?? Infinity, model.config.maxPositions || Infinity);
  const encoded = encodeExamples(sequences.map((item) => ({ ...item, label: -1 })), encoder, limit);
  const truncated = new Set(encoded.truncated);
  const logits = await predictLogits(model, encoded.sequences, { signal });
  const values = outputsOf(logits, problemType, outputs);
  return sequences.map((_sequence, i) => {
    const own = values.subarray(i * outputs, (i + 1) * outputs);
    const chosen = problemType === 'regression' ? [] : problemType === 'multi_label_classification' ? labels.filter((_name, k) => own[k] > 0.5) : [labels[own.indexOf(Math.max(...own))]];
    return { labels: chosen, outputs: Object.fromEntries(labels.map((name, k) => [name, own[k]])), ...(truncated.has(i) ? { truncated: true as const } : {}) };
  });
}

/** What the classifier of a model gives. @throws TypeError where there is none, RangeError where not each output has a name */
function classifierOf(model: AnyModel, operation: string): ClassifierConfig {
  const head = classifierLayer(model);
  if (!head) throw new TypeError(`${operation}: expected a model with a classifier, got one without; fine-tune one`);
  const [outputs] = head.weight.shape;
  const classifier = model.config.classifier ?? { problemType: usualProblemType(outputs), level: 'sequence', labels: Array.from({ length: outputs }, (_, i) => `LABEL_${i}`) };
  if (classifier.labels.length !== outputs) throw new RangeError(`${operation}: expected ${outputs} names in config.classifier.labels, one for each output, got ${classifier.labels.length}`);
  return classifier;
}

/** Probabilities, or the values of a regression: `[rows, outputs]`. */
const outputsOf = (logits: Float32Array, problemType: ClassifierConfig['problemType'], outputs: number): Float32Array =>
  (problemType === 'regression' ? logits : problemType === 'multi_label_classification' ? logits.map((z) => 1 / (1 + Math.exp(-z))) : softmaxRows(logits, outputs));

export interface BasePrediction {
  /** `[bases]`: the most probable class of the token that covers each base; null where none does (what was cut off, white space). */
  readonly labels: readonly (string | null)[];
  /** By name, `[bases]`: its probability; NaN where no token covers the base. */
  readonly outputs: Readonly<Record<string, Float32Array>>;
}

/**
 * What a classifier of tokens says of each base, in the order of the sequences.
 * @throws TypeError for a model without a classifier, or one that classifies sequences
 */
export async function predictBases(model: AnyModel, encoder: OffsetEncoder & Encoder, sequences: readonly string[], { maxLength, signal }: PredictOptions = {}): Promise<BasePrediction[]> {
  checkEncoder('predictBases', model.config, encoder);
  const { problemType, level, labels } = classifierOf(model, 'predictBases');
  if (level !== 'token' || problemType !== 'single_label_classification') throw new TypeError(`predictBases: expected a classifier of tokens with one class for each, got ${problemType} of ${level}s; use predict`);
  const limit = Math.min(maxLength ?? Infinity, model.config.maxPositions || Infinity);
  const encoded = sequences.map((sequence) => encoder.encodeWithOffsets(sequence)).map(({ ids, offsets }) => ({ inputIds: ids.subarray(0, Math.min(ids.length, limit)), offsets }));
  const values = outputsOf(await predictLogits(model, encoded, { level, signal }), problemType, labels.length);
  let first = 0;
  return encoded.map(({ inputIds, offsets }, s) => {
    const { length } = sequences[s];
    const [names, outputs] = [new Array<string | null>(length).fill(null), labels.map(() => new Float32Array(length).fill(NaN))];
    inputIds.forEach((_, token) => {
      const row = values.subarray((first + token) * labels.length, (first + token + 1) * labels.length);
      const best = labels[row.indexOf(Math.max(...row))];
      for (let base = offsets[2 * token]; base < offsets[2 * token + 1]; base++) {
        names[base] = best;
        outputs.forEach((column, k) => { column[base] = row[k]; });
      }
    });
    first += inputIds.length;
    return { labels: names, outputs: Object.fromEntries(labels.map((name, k) => [name, outputs[k]])) };
  });
}

import { free, read, scope, type Tensor } from '@genomelm/kernels';
import { cutBatches, packBatch, type TokenSequence } from './batch';
import { createBreather } from './breathe';
import { classifierLayer, classifierOf, type ClassifierModel, type Level } from './heads/sequenceClassifier';

/** Nothing is kept for a backward pass, so a batch can be large. */
const tokensPerBatch = 8192;

/** Class probabilities `[sequences, classes]`, in the order given. */
export async function predictProbabilities(model: ClassifierModel, sequences: readonly TokenSequence[], signal?: AbortSignal): Promise<Float32Array> {
  return softmaxRows(await predictLogits(model, sequences, { signal }), classifierLayer(model)?.weight.shape[0] ?? 1);
}

/** Class scores before the softmax, in the order given: `[sequences, classes]`, or of a classifier of tokens `[tokens, classes]`. */
export async function predictLogits(model: ClassifierModel, sequences: readonly TokenSequence[], { level = 'sequence', signal }: { readonly level?: Level; readonly signal?: AbortSignal | undefined } = {}): Promise<Float32Array> {
  const lengths = sequences.map(({ inputIds }) => inputIds.length);
  const rows: Float32Array[] = [];
  const breathe = createBreather();
  for (const batch of cutBatches(sequences.keys(), lengths, { tokensPerBatch })) {
    signal?.throwIfAborted();
    const logits = scope<Tensor>(() => classifierOf(level)(model, packBatch(batch.map((i) => sequences[i]))));
    try {
      rows.push(Float32Array.from(await read(logits)));
    } finally {
      free(logits);
    }
    await breathe();
  }
  const all = new Float32Array(rows.reduce((total, { length }) => total + length, 0));
  rows.reduce((at, values) => (all.set(values, at), at + values.length), 0);
  return all;
}

/** @param logits - `[rows, classes]` */
export function softmaxRows(logits: ArrayLike<number>, classes: number): Float32Array {
  const probabilities = new Float32Array(logits.length);
  for (let start = 0; start < logits.length; start += classes) {
    let [max, total] = [-Infinity, 0];
    for (let i = start; i < start + classes; i++) max = Math.max(max, logits[i]);
    for (let i = start; i < start + classes; i++) total += Math.exp(logits[i] - max);
    for (let i = start; i < start + classes; i++) probabilities[i] = Math.exp(logits[i] - max) / total;
  }
  return probabilities;
}

/** The most probable class of each row; the first of equals. */
export function argmaxRows(probabilities: ArrayLike<number>, classes: number): Int32Array {
  return Int32Array.from({ length: probabilities.length / classes }, (_, row) => {
    let best = 0;
    for (let i = 1; i < classes; i++) if (probabilities[row * classes + i] > probabilities[row * classes + best]) best = i;
    return best;
  });
}

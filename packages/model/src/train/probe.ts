// The linear probe: a linear layer on the frozen model's vectors of sequences. The model runs once over the data.
import { free, linear, read, scope, segmentMean, tensor, type Tensor } from '@genomelm/kernels';
import { cutBatches, packBatch, type Batch, type TokenSequence } from '../batch';
import { createBreather } from '../breathe';
import { deviceOf } from '../parameters';
import { forward, type EncoderModel } from '../models/encoder';
import { sequenceVectors, type ClassifierModel } from '../heads/sequenceClassifier';
import type { Linear } from '../layers/linear';

/** Nothing is kept for a backward pass, so a batch can be large. */
const tokensPerBatch = 8192;

/** The mean of the last hidden states over each sequence's tokens, special tokens included: `[sequences, hiddenSize]`. */
export const meanVectors = (model: EncoderModel, sequences: readonly TokenSequence[], signal?: AbortSignal): Promise<Float32Array> =>
  vectorsOf((batch) => segmentMean(forward(model, batch).hiddenStates, batch.cuSeqlens), model.config, sequences, signal);

/** What a classifier's last layer would see of each sequence: `[sequences, hiddenSize]`. */
export const frozenVectors = (model: ClassifierModel, sequences: readonly TokenSequence[], signal?: AbortSignal): Promise<Float32Array> =>
  vectorsOf((batch) => sequenceVectors(model, batch), model.config, sequences, signal);

async function vectorsOf(pooled: (batch: Batch) => Tensor, { hiddenSize }: { readonly hiddenSize: number }, sequences: readonly TokenSequence[], signal?: AbortSignal): Promise<Float32Array> {
  const vectors = new Float32Array(sequences.length * hiddenSize);
  const lengths = sequences.map(({ inputIds }) => inputIds.length);
  const breathe = createBreather();
  for (const batch of cutBatches(sequences.keys(), lengths, { tokensPerBatch })) {
    signal?.throwIfAborted();
    const rows = scope<Tensor>(() => pooled(packBatch(batch.map((i) => sequences[i]))));
    try {
      vectors.set(await read(rows), batch[0] * hiddenSize);
    } finally {
      free(rows);
    }
    await breathe();
  }
  return vectors;
}

/** A column that does not vary stays 0. */
const smallestDeviation = 1e-6;

/**
 * Mean 0 and deviation 1 in every column, so that one learning rate suits all; `mean` and `deviation` are `[width]`.
 * @param centred - false leaves the means where they are, for a layer without a bias that could take them in: `mean` is 0, the deviation from 0
 */
export function standardize(vectors: Float32Array, width: number, centred = true): { readonly rows: Float32Array; readonly mean: Float64Array; readonly deviation: Float64Array } {
  const count = vectors.length / width;
  const [mean, deviation] = [new Float64Array(width), new Float64Array(width)];
  if (centred) vectors.forEach((x, i) => { mean[i % width] += x / count; });
  vectors.forEach((x, i) => { deviation[i % width] += (x - mean[i % width]) ** 2 / count; });
  deviation.forEach((variance, i) => { deviation[i] = Math.max(Math.sqrt(variance), smallestDeviation); });
  return { rows: vectors.map((x, i) => (x - mean[i % width]) / deviation[i % width]), mean, deviation };
}

/** Outputs of a linear layer for rows of a matrix that lies in host memory: `[batch, outputs]`. */
export function probeLogits(layer: Linear, rows: Float32Array, batch: readonly number[]): Tensor {
  const { device, shape: [, width] } = layer.weight;
  const x = new Float32Array(batch.length * width);
  batch.forEach((row, i) => x.set(rows.subarray(row * width, (row + 1) * width), i * width));
  return scope<Tensor>(() => linear(tensor(device, x, [batch.length, width]), layer.weight, layer.bias));
}

/** Rewrites a layer that was trained on standardised columns so that it takes the columns as they are: `W (x - mean) / deviation + b`. */
export async function foldStandardization(layer: Linear, { mean, deviation }: { readonly mean: Float64Array; readonly deviation: Float64Array }): Promise<void> {
  const device = deviceOf(layer);
  const width = mean.length;
  const folded = Float64Array.from(await read(layer.weight), (w, i) => w / deviation[i % width]);
  device.write(layer.weight, Float32Array.from(folded));
  if (layer.bias) device.write(layer.bias, Float32Array.from(await read(layer.bias), (b, row) => mean.reduce((total, m, i) => total - m * folded[row * width + i], b)));
}

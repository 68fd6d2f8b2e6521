// A post-LN encoder with a classifier (DNABERT-2's shape), written as a user of the package would.
import { adamW, add, alibiSlopes, attention, checkpoint, crossEntropy, dropout, embedding, geglu, layerNorm, leaves, linear, mapTree, ones, reshape, scale, scope, squaredNorm, tensor, valueAndGrad, zeros, type Device, type Tensor } from '../src';
import { testNumbers } from '../src/testing';

export interface Config {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly numHeads: number;
  readonly intermediateSize: number;
  readonly numLayers: number;
  readonly classes: number;
}

export interface Batch {
  readonly inputIds: Uint32Array;
  readonly cuSeqlens: Int32Array;
  readonly labels: Int32Array;
}

type Linear = { weight: Tensor; bias: Tensor };
type Layer = { Wqkv: Linear; attentionOut: Linear; attentionNorm: Linear; gated_layers: { weight: Tensor }; wo: Linear; norm: Linear };
export type Params = { embeddings: { weight: Tensor; norm: Linear }; layers: Layer[]; classifier: Linear };

/** How the inside of a layer is kept: all of it until the loss is done, what the tape saved, or nothing. */
export type Keep = 'all' | 'scope' | 'checkpoint';

export function initialise(device: Device, { vocabSize, hiddenSize, intermediateSize, numLayers, classes }: Config): Params {
  let seed = 1;
  const weight = (...shape: number[]) => tensor(device, testNumbers(seed++, shape.reduce((a, b) => a * b), (3 / shape.at(-1)!) ** 0.5), shape);
  const linearOf = (outputs: number, inputs: number): Linear => ({ weight: weight(outputs, inputs), bias: zeros(device, [outputs]) });
  const norm = (): Linear => ({ weight: ones(device, [hiddenSize]), bias: zeros(device, [hiddenSize]) });
  return {
    embeddings: { weight: weight(vocabSize, hiddenSize), norm: norm() },
    layers: Array.from({ length: numLayers }, () => ({
      Wqkv: linearOf(3 * hiddenSize, hiddenSize), attentionOut: linearOf(hiddenSize, hiddenSize), attentionNorm: norm(),
      gated_layers: { weight: weight(2 * intermediateSize, hiddenSize) }, wo: linearOf(hiddenSize, intermediateSize), norm: norm(),
    })),
    classifier: linearOf(classes, hiddenSize),
  };
}

function encoderLayer(x: Tensor, p: Layer, { hiddenSize, numHeads }: Config, cuSeqlens: Int32Array, key: { seed: number; step: number; layer: number }): Tensor {
  const tokens = x.shape[0];
  const qkv = reshape(linear(x, p.Wqkv.weight, p.Wqkv.bias), [tokens, 3, numHeads, hiddenSize / numHeads]);
  const { output } = attention({ qkv }, { cuSeqlens, alibiSlopes: alibiSlopes(numHeads) });
  const projected = dropout(linear(reshape(output, [tokens, hiddenSize]), p.attentionOut.weight, p.attentionOut.bias), 0.1, key);
  const attended = layerNorm(add(x, projected), p.attentionNorm.weight, p.attentionNorm.bias);
  const mlp = linear(geglu(linear(attended, p.gated_layers.weight)), p.wo.weight, p.wo.bias);
  return layerNorm(add(attended, mlp), p.norm.weight, p.norm.bias);
}

export function classifierLoss(p: Params, config: Config, { inputIds, cuSeqlens, labels }: Batch, keep: Keep, step = 0): { loss: Tensor; aux: Tensor } {
  const { device } = p.embeddings.weight;
  let x = layerNorm(embedding(p.embeddings.weight, tensor(device, inputIds)), p.embeddings.norm.weight, p.embeddings.norm.bias);
  p.layers.forEach((layer, i) => {
    const run = (input: Tensor) => encoderLayer(input, layer, config, cuSeqlens, { seed: 1, step, layer: i });
    x = keep === 'checkpoint' ? checkpoint<Tensor, Tensor>((input) => run(input) as never, x) : keep === 'scope' ? scope<Tensor>(() => run(x) as never) : run(x);
  });
  const first = embedding(x, tensor(device, Uint32Array.from(cuSeqlens.subarray(0, -1))));
  const { sum, count } = crossEntropy(linear(first, p.classifier.weight, p.classifier.bias), tensor(device, labels));
  return { loss: scale(sum, 1 / labels.length), aux: count };
}

export function createTrainer(device: Device, config: Config, keep: Keep) {
  const params = initialise(device, config);
  const [first, second] = [0, 1].map(() => mapTree(params, ({ shape }) => zeros(device, shape)));
  return {
    params,
    gradients: (batch: Batch) => scope(() => valueAndGrad((p: Params) => classifierLoss(p, config, batch, keep))(params)),
    /** Forward, backward, clipping and AdamW; returns the loss, the only thing that outlives the step. `number` counts from 1. */
    step: (batch: Batch, number: number): Tensor => scope<Tensor>(() => {
      const { value, grads } = valueAndGrad((p: Params) => classifierLoss(p, config, batch, keep, number))(params);
      const clip = { squaredNorm: squaredNorm(grads), maxNorm: 1 };
      const [p, g, m, v] = [params, grads, first, second].map(leaves);
      p.forEach((_, i) => adamW(p[i], g[i], m[i], v[i], { learningRate: 3e-3, beta2: 0.98, epsilon: 1e-6, step: number, clip }));
      return value as never;
    }),
  };
}

/** Sequences of random lengths; the label follows from the first token, so that there is something to learn. */
export function randomBatch(seed: number, { vocabSize, classes }: Config, sequences = 6, maxLength = 25): Batch {
  const random = testNumbers(seed, sequences * (maxLength + 1)).map((x) => Math.min(0.999999, (x + 1) / 2));
  const lengths = Array.from({ length: sequences }, (_, i) => 3 + Math.floor(random[i] * (maxLength - 2)));
  const cuSeqlens = Int32Array.from([0, ...lengths.map((_, i) => lengths.slice(0, i + 1).reduce((a, b) => a + b))]);
  const inputIds = Uint32Array.from({ length: cuSeqlens.at(-1)! }, (_, i) => Math.floor(random[sequences + i] * vocabSize));
  return { inputIds, cuSeqlens, labels: Int32Array.from(lengths, (_, s) => inputIds[cuSeqlens[s]] % classes) };
}

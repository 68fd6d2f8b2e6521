// A small convolutional network on one-hot bases, the conventional neural baseline.
import { add, conv1d, createRandom, dropout, free, gelu, heNormal, linear, maxPool1d, read, reshape, scope, tensor, zeros, type Device, type Tensor } from '@genomelm/kernels';
import { checkLabels, type Example } from './examples';
import { softmaxRows } from './predict';
import { finetune } from './train/finetune';
import { classification } from './train/objective';
import type { ClassifierFitOptions } from './createSequenceClassifier';
import type { Linear } from './layers/linear';
import type { TrainKey } from './models/encoder';
import type { CurvePoint } from './train/monitor';

type CnnParams = { readonly convolution1: Linear; readonly convolution2: Linear; readonly hidden: Linear; readonly anywhere: Linear; readonly classifier: Linear };

/** Fixed for a fit. */
interface CnnShape { readonly device: Device; readonly length: number; readonly pairLength: number; readonly classes: number }

/** How it is trained; a fit may override any. */
export interface CnnHyperparameters {
  readonly learningRate: number;
  /** 0 chooses so many that training sees about 5 million bases, between 2 and 10. */
  readonly epochs: number;
  readonly batchSize: number;
  readonly dropout: number;
  readonly weightDecay: number;
}

const defaults: CnnHyperparameters = { learningRate: 1e-3, epochs: 0, batchSize: 32, dropout: 0.3, weightDecay: 0.01 };
const [filters, taps, filters2, taps2, pool, width] = [32, 11, 64, 7, 4, 64];

/**
 * Two convolutions (32 filters over 11 bases, 64 over 7 windows) with max pooling by 4, a layer of 64 and dropout, after DeepSEA (Zhou and Troyanskaya 2015) in small. But: GELU for ReLU, AdamW, and the second layer is read twice:
 * place by place, and by its maximum over all places. After the second pooling a value sees 50 bases. Sequences longer than the longest of train are cut. Chosen on dev by MCC, as encoders are.
 * @returns a classifier of the same shape as `createSequenceClassifier`'s
 */
export function createCnnClassifier({ device, id = 'cnn' }: { readonly device: Device; readonly id?: string }) {
  return {
    id,
    fingerprint: `cnn/1 ${[filters, taps, filters2, taps2, pool, width].join(',')} ${JSON.stringify(defaults)}`,
    hyperparameters: defaults,
    async fit(train: readonly Example[], dev: readonly Example[], { classes, hyperparameters, seed, signal, onProgress }: ClassifierFitOptions): Promise<TrainedCnn> {
      if (!train.length) throw new RangeError('fit: expected training examples, got none');
      checkLabels(train, classes, 'train');
      checkLabels(dev, classes, 'dev');
      const settings = readSettings(hyperparameters);
      const longest = (lengthOf: (example: Example) => number) => train.reduce((most, example) => Math.max(most, lengthOf(example)), 0);
      const shape: CnnShape = { device, classes, length: Math.max(pool * pool, longest(({ sequence }) => sequence.length)), pairLength: longest(({ pair = '' }) => pair.length) };
      const params = initialize(shape, seed);
      const objective = classification({ classes });
      try {
        const result = await finetune<CnnParams, readonly Example[]>({
          params, epochs: planEpochs(train, shape, settings, seed), tokens: (batch) => batch.length * (shape.length + shape.pairLength),
          loss: (own, batch, key) => scope<Tensor>(() => objective.loss(logitsOf(own, batch, shape, { key, rate: settings.dropout }), batch.map(({ label }) => label))),
          evaluate: dev.length ? async () => objective.judge(await predictAll(params, dev, shape, signal), dev.map(({ label }) => label)) : undefined,
        }, { learningRate: settings.learningRate, weightDecay: settings.weightDecay, warmupSteps: 20, seed, signal, onProgress: (event) => onProgress?.(event) });
        const { curve, best, steps } = result;
        const cut = (examples: readonly Example[]) => examples.filter(({ sequence, pair = '' }) => sequence.length > shape.length || pair.length > shape.pairLength).length / Math.max(1, examples.length);
        const report = { parameters: countOf(params), tokensPerBase: 1, truncatedFraction: 0, steps, receptiveField: taps + pool - 1 + (taps2 - 1) * pool + (pool - 1) * pool, ...(best ? { devScore: best.score, bestEpoch: best.epoch } : {}) };
        return {
          curve, report,
          predict: async (examples) => {
            report.truncatedFraction = cut(examples);
            return softmaxRows(await predictAll(params, examples, shape, signal), classes);
          },
          dispose: async () => free(params),
        };
      } catch (error) {
        free(params);
        throw error;
      }
    },
  };
}

/** What a fit gives. */
export interface TrainedCnn {
  readonly curve: readonly CurvePoint[];
  /** Parameters, receptive field in bases, selection in numbers. */
  readonly report: Readonly<Record<string, number>>;
  /** Probabilities `[examples, classes]`, in the order given. */
  predict(examples: readonly Example[]): Promise<Float32Array>;
  /** Frees the parameters. */
  dispose(): Promise<void>;
}

function readSettings(given: Readonly<Record<string, number | string | boolean>>): CnnHyperparameters {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaults, name) || typeof value !== 'number' || !(value >= 0)) throw new RangeError(`createCnnClassifier: expected numbers from 0 on for ${Object.keys(defaults).join(', ')}, got ${name} ${JSON.stringify(value)}`);
  }
  return { ...defaults, ...given };
}

const pooledLength = (length: number): number => (length ? Math.floor(Math.floor(length / pool) / pool) : 0);
const featuresOf = ({ length, pairLength }: CnnShape): number => filters2 * pooledLength(length + pairLength);

function initialize(shape: CnnShape, seed: number): CnnParams {
  const { device, classes } = shape;
  const layer = (stream: number, ...dimensions: readonly number[]): Linear => {
    const inputs = dimensions.slice(1).reduce((a, b) => a * b);
    return { weight: reshape(heNormal(device, [dimensions[0], inputs], { seed, stream }), dimensions), bias: zeros(device, [dimensions[0]]) };
  };
  return { convolution1: layer(9001, filters, taps, 4), convolution2: layer(9002, filters2, taps2, filters), hidden: layer(9003, width, featuresOf(shape)), anywhere: layer(9005, width, filters2), classifier: layer(9004, classes, width) };
}

const countOf = (params: CnnParams): number => Object.values(params).reduce((total, { weight, bias }) => total + weight.shape.reduce((a, b) => a * b) + (bias?.shape[0] ?? 0), 0);

function planEpochs(train: readonly Example[], { length, pairLength }: CnnShape, { epochs, batchSize }: CnnHyperparameters, seed: number): (readonly Example[])[][] {
  const count = epochs || Math.min(10, Math.max(2, Math.round(5e6 / (train.length * (length + pairLength)))));
  const size = Math.max(1, Math.round(batchSize));
  return Array.from({ length: count }, (_, epoch) => {
    const shuffled = createRandom(seed, 9100 + epoch).shuffle([...train]);
    return Array.from({ length: Math.ceil(shuffled.length / size) }, (_batch, i) => shuffled.slice(i * size, (i + 1) * size));
  });
}

/** Class scores `[examples, classes]`. */
function logitsOf({ convolution1, convolution2, hidden, anywhere, classifier }: CnnParams, examples: readonly Example[], shape: CnnShape, training?: { readonly key: TrainKey; readonly rate: number }): Tensor {
  const { device } = shape;
  const x = tensor(device, oneHot(examples, shape), [examples.length, shape.length + shape.pairLength, 4]);
  const first = maxPool1d(gelu(conv1d(x, convolution1.weight, convolution1.bias, { padding: (taps - 1) / 2 })), { size: pool });
  const second = maxPool1d(gelu(conv1d(first, convolution2.weight, convolution2.bias, { padding: (taps2 - 1) / 2 })), { size: pool });
  const drop = (values: Tensor, layer: number) => (training ? dropout(values, training.rate, { ...training.key, layer }) : values);
  const inPlace = drop(reshape(second, [examples.length, featuresOf(shape)]), 0);
  const strongest = reshape(maxPool1d(second, { size: second.shape[1] }), [examples.length, filters2]);
  const features = add(linear(inPlace, hidden.weight, hidden.bias), linear(strongest, anywhere.weight, anywhere.bias));
  return linear(drop(gelu(features), 1), classifier.weight, classifier.bias);
}

/** `[examples, length, 4]`; all zeros beyond a sequence's end and for letters other than A, C, G, T and U. */
function oneHot(examples: readonly Example[], { length, pairLength }: CnnShape): Float32Array {
  const rows = new Float32Array(examples.length * (length + pairLength) * 4);
  examples.forEach(({ sequence, pair = '' }, row) => {
    const write = (text: string, room: number, from: number) => {
      for (let i = 0; i < Math.min(room, text.length); i++) {
        const base = 'ACGTUacgtu'.indexOf(text[i]) % 5;
        if (base >= 0) rows[(row * (length + pairLength) + from + i) * 4 + Math.min(base, 3)] = 1;
      }
    };
    write(sequence, length, 0);
    write(pair, pairLength, length);
  });
  return rows;
}

async function predictAll(params: CnnParams, examples: readonly Example[], shape: CnnShape, signal: AbortSignal | undefined): Promise<Float32Array> {
  const logits = new Float32Array(examples.length * shape.classes);
  const size = Math.max(1, Math.floor(30_000 / (shape.length + shape.pairLength)));
  for (let start = 0; start < examples.length; start += size) {
    signal?.throwIfAborted();
    const batch = scope<Tensor>(() => logitsOf(params, examples.slice(start, start + size), shape));
    try {
      logits.set(await read(batch) as Float32Array, start * shape.classes);
    } finally {
      free(batch);
    }
  }
  return logits;
}

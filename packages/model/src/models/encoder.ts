// The encoder of DNABERT-2 (Zhou et al. 2024, arXiv 2306.15006), which is MosaicBERT's: post-LN blocks, symmetric ALiBi, gated MLP. dnaGrinder and the small encoders are settings of it.
// But: batches are packed, so upstream's padding, unpadding and attention masks do not exist; and two more tables may be added in the embedding (see EncoderConfig).
import { checkpoint as recompute, dropout, free, scope, type Tensor } from '@genomelm/kernels';
import { checkBatch, type Batch } from '../batch';
import { embed, embeddingsSpecs, type Embeddings } from '../layers/embedding';
import { gatedMlp, gatedMlpSpecs, type GatedMlp } from '../layers/gatedMlp';
import { selfAttention, selfAttentionSpecs, type SelfAttention } from '../layers/selfAttention';
import type { EncoderConfig } from '../config';
import type { SpecsOf } from '../parameters';

export type EncoderLayer = { readonly attention: SelfAttention; readonly mlp: GatedMlp };

/** The backbone, under `bert.` in checkpoints. */
export type Encoder = { readonly embeddings: Embeddings; readonly encoder: { readonly layer: readonly EncoderLayer[] } };

export const encoderSpecs = (config: EncoderConfig): SpecsOf<Encoder> => ({
  embeddings: embeddingsSpecs(config),
  encoder: { layer: Array.from({ length: config.numLayers }, () => ({ attention: selfAttentionSpecs(config), mlp: gatedMlpSpecs(config) })) },
});

/** Turns dropout on. The same numbers drop the same elements, on every device and in every recomputation. */
export interface TrainKey {
  readonly seed: number;
  /** From 1; 0 is free for whoever needs random numbers before training. */
  readonly step: number;
}

export interface ForwardOptions {
  readonly train?: TrainKey | undefined;
  /** Keeps nothing of a layer's inside for the backward pass, and computes it again there: less memory, a third more time. */
  readonly checkpoint?: boolean | undefined;
  readonly allHiddenStates?: boolean | undefined;
}

export interface ForwardResult {
  /** Output of the last layer, `[totalTokens, hiddenSize]`, sequences behind each other. */
  readonly hiddenStates: Tensor;
  /** If asked for: the embedding's output, then every layer's. */
  readonly allHiddenStates?: readonly Tensor[];
}

/** What every function on encoders asks for: a configuration and the backbone's parameters. */
export interface EncoderModel {
  readonly config: EncoderConfig;
  readonly params: { readonly bert: Encoder };
}

/**
 * Runs the encoder on a packed batch. Each layer frees its inside.
 * @throws RangeError for ids outside the vocabulary, token types outside their table, or an input longer than the position table
 */
export function forward({ config, params: { bert } }: EncoderModel, batch: Batch, { train, checkpoint = false, allHiddenStates = false }: ForwardOptions = {}): ForwardResult {
  checkBatch(batch, config);
  const drop = dropoutOf(config, train);
  return scope<ForwardResult>(() => {
    let x: Tensor = scope<Tensor>(() => drop(embed(bert.embeddings, batch, config), dropoutSites.embedding));
    const all = [x];
    bert.encoder.layer.forEach((layer, i) => {
      const run = (input: Tensor) => encoderLayer(layer, input, batch, config, (y, site) => drop(y, dropoutSites.layer(i) + site));
      const output: Tensor = checkpoint ? recompute<Tensor, Tensor>(run, x) : scope<Tensor>(() => run(x));
      if (allHiddenStates) all.push(output);
      else free(x); // what the backward pass needs of it, the tape holds
      x = output;
    });
    return { hiddenStates: x, ...(allHiddenStates ? { allHiddenStates: all } : {}) };
  });
}

function encoderLayer({ attention, mlp }: EncoderLayer, x: Tensor, batch: Batch, config: EncoderConfig, drop: (x: Tensor, site: number) => Tensor): Tensor {
  const attended = selfAttention(attention, x, batch, config, (y) => drop(y, 0));
  return gatedMlp(mlp, attended, config, (y) => drop(y, 1));
}

/** Each dropout of the model has a number of its own. */
export const dropoutSites = { embedding: 0, head: 1, layer: (i: number) => 2 + 2 * i } as const;

/** Dropout at a site while training, else nothing. */
export const dropoutOf = ({ hiddenDropout }: EncoderConfig, train: TrainKey | undefined) => (x: Tensor, layer: number): Tensor =>
  train ? dropout(x, hiddenDropout, { ...train, layer }) : x;

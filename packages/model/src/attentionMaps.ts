import { alibiSlopes, free, linear as multiply, read, reshape, scope, type Tensor } from '@genomelm/kernels';
import { packBatch, positionsOf, type Batch, type TokenSequence } from './batch';
import { forward } from './forward';
import { linear } from './layers/linear';
import { rmsNorm } from './layers/rmsNorm';
import { rotaryAngles, rotaryBy } from './layers/rotary';
import { isDecoder, type AnyModel, type CausalModel, type Model } from './model';

export interface AttentionMapOptions {
  /** Tokens whose attention is asked for. Required: all of them would be a matrix of tokens by tokens for each head. */
  readonly rows: readonly number[];
  /** From 0; default all. */
  readonly layers?: readonly number[] | undefined;
  /** From 0; default all. */
  readonly heads?: readonly number[] | undefined;
}

export interface AttentionMap {
  readonly layer: number;
  readonly head: number;
  /** `[rows, tokens]`: what share of its attention each row gives to each token. A row sums to 1. */
  readonly probabilities: Float32Array;
}

/** Numbers of all maps together; above it the request is refused. */
const maxNumbers = 2 ** 28;

/**
 * Attention of some tokens of one sequence, by layer and head. The kernel never holds these numbers, so they are computed from the queries and keys of the layers asked for, in float64 on the host.
 * @throws RangeError for rows, layers or heads that do not exist, or more than 2^28 numbers
 */
export async function attentionMaps(model: AnyModel, sequence: Uint32Array | TokenSequence, { rows, layers = range(model.config.numLayers), heads = range(model.config.numHeads) }: AttentionMapOptions): Promise<AttentionMap[]> {
  const batch = packBatch([sequence]);
  const tokens = batch.inputIds.length;
  for (const [name, indices, below] of [['rows', rows, tokens], ['layers', layers, model.config.numLayers], ['heads', heads, model.config.numHeads]] as const) {
    const wrong = indices.find((index) => !Number.isInteger(index) || index < 0 || index >= below);
    if (wrong !== undefined) throw new RangeError(`attentionMaps: expected ${name} from 0 to ${below - 1}, got ${wrong}`);
  }
  const numbers = rows.length * tokens * layers.length * heads.length;
  if (numbers > maxNumbers) throw new RangeError(`attentionMaps: expected at most ${maxNumbers} numbers, got ${rows.length} rows of ${tokens} in ${layers.length} layers and ${heads.length} heads, ${numbers}; ask for fewer rows at a time`);
  const projected = scope<Tensor[]>(() => {
    const { allHiddenStates } = forward(model, batch, { allHiddenStates: true });
    const project = isDecoder(model) ? decoderProjection(model, batch) : encoderProjection(model);
    return layers.flatMap((layer) => project(layer, allHiddenStates![layer]));
  });
  try {
    const maps: AttentionMap[] = [];
    for (const [i, layer] of layers.entries()) {
      const [query, key] = await Promise.all([read(projected[2 * i]), read(projected[2 * i + 1])]);
      for (const head of heads) maps.push({ layer, head, probabilities: mapOf(model, query, key, rows, head, tokens) });
    }
    return maps;
  } finally {
    free(projected);
  }
}

const range = (length: number) => Array.from({ length }, (_, i) => i);

/** Queries and keys of a layer, `[tokens, heads · headDim]`, from its input. */
type Projection = (layer: number, x: Tensor) => Tensor[];

const encoderProjection = ({ config: { hiddenSize }, params: { bert } }: Model): Projection => (layer, x) => {
  const { weight, bias } = bert.encoder.layer[layer].attention.self.Wqkv;
  const part = (i: number) => multiply(x, { ...weight, shape: [hiddenSize, hiddenSize], offset: weight.offset + i * hiddenSize ** 2 }, bias && { ...bias, shape: [hiddenSize], offset: bias.offset + i * hiddenSize });
  return [part(0), part(1)];
};

function decoderProjection({ config, params: { model } }: CausalModel, batch: Batch): Projection {
  const { headDim, rmsNormEps } = config;
  const rotate = rotaryBy(model.norm.weight.device, rotaryAngles(positionsOf(batch), config), config);
  return (layer, x) => {
    const { input_layernorm: norm, self_attn: { q_proj, k_proj } } = model.layers[layer];
    const normed = rmsNorm(x, norm, rmsNormEps);
    return [q_proj, k_proj].map((projection) => {
      const y = linear(normed, projection);
      return reshape(rotate(reshape(y, [y.shape[0], y.shape[1] / headDim, headDim])), y.shape);
    });
  };
}

/** softmax(query · key / sqrt(headDim) + bias) over the keys that a row may see. */
function mapOf({ config }: AnyModel, query: ArrayLike<number>, key: ArrayLike<number>, rows: readonly number[], head: number, tokens: number): Float32Array {
  const causal = 'numKvHeads' in config;
  const [headDim, kvHeads] = causal ? [config.headDim, config.numKvHeads] : [config.hiddenSize / config.numHeads, config.numHeads];
  const slope = causal ? 0 : alibiSlopes(config.numHeads)[head];
  const window = causal ? config.slidingWindow ?? Infinity : Infinity;
  const [queryWidth, keyWidth, keyHead] = [config.numHeads * headDim, kvHeads * headDim, Math.floor(head / (config.numHeads / kvHeads))];
  const probabilities = new Float32Array(rows.length * tokens);
  const scores = new Float64Array(tokens);
  rows.forEach((row, r) => {
    let [largest, total] = [-Infinity, 0];
    for (let j = 0; j < tokens; j++) {
      const seen = !causal || (j <= row && row - j < window);
      let dot = 0;
      if (seen) for (let d = 0; d < headDim; d++) dot += query[row * queryWidth + head * headDim + d] * key[j * keyWidth + keyHead * headDim + d];
      scores[j] = seen ? dot / Math.sqrt(headDim) - slope * Math.abs(row - j) : -Infinity;
      largest = Math.max(largest, scores[j]);
    }
    for (let j = 0; j < tokens; j++) total += Math.exp(scores[j] - largest);
    for (let j = 0; j < tokens; j++) probabilities[r * tokens + j] = Math.exp(scores[j] - largest) / total;
  });
  return probabilities;
}

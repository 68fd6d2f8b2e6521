import { checkClassifier, classifierJson, parseClassifier, type ClassifierConfig } from './classifierConfig';
import { checkAttentionDropout, parseAttentionDropout, parseTokenizerFingerprint, readerOf, requireSetting, tokenizerFingerprintJson } from './configJson';
import { FormatError } from './errors';

/** The shape of a decoder: Mistral's block, which is GenomeOcean's. Names are ours; `parseConfig` and `serializeConfig` translate from and to the keys of upstream's config.json. */
export interface DecoderConfig {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  /** A multiple of numKvHeads. */
  readonly numHeads: number;
  /** Heads of keys and values; each serves numHeads / numKvHeads heads of queries. */
  readonly numKvHeads: number;
  /** Even: rotary position embedding turns its halves. */
  readonly headDim: number;
  /** Width of the gated MLP. */
  readonly intermediateSize: number;
  /** How many keys a query sees, its own among them; undefined: all before it. */
  readonly slidingWindow?: number;
  /** Base of the rotary angles. */
  readonly ropeTheta: number;
  readonly rmsNormEps: number;
  /** In [0, 1), default 0: what upstream's training dropped of the attention probabilities. Outside training it has no effect; training refuses it, see `checkTrainable`. */
  readonly attentionDropout?: number;
  /** Standard deviation of new weights. */
  readonly initializerRange: number;
  /** Longest sequence that the published model was made for, in tokens. Nothing here refuses a longer one. */
  readonly maxPositions: number;
  /** Whether `lm_head` is the word embedding. */
  readonly tiedHead: boolean;
  /** Before a prompt, and at the end of a sequence: [CLS] and [SEP] in GenomeOcean. */
  readonly bosTokenId: number;
  readonly eosTokenId: number;
  /** This row of the word embedding gets no gradient from the input (torch's padding_idx). */
  readonly padTokenId?: number | undefined;
  /** What a classifier's outputs mean; of sequences only. Undefined: classes without names. */
  readonly classifier?: ClassifierConfig;
  /** Of the tokenizer that the model was trained with, see `tokenizerFingerprint`; undefined where nobody said. */
  readonly tokenizerFingerprint?: string;
}

/** Tells a decoder from an encoder. */
export const isDecoderConfig = (config: object): config is DecoderConfig => 'numKvHeads' in config;

/** Returns its argument. @throws RangeError that names the first setting that cannot be */
export function checkDecoderConfig(config: DecoderConfig): DecoderConfig {
  const { vocabSize, numHeads, numKvHeads, headDim, slidingWindow, padTokenId } = config;
  for (const name of ['vocabSize', 'hiddenSize', 'numLayers', 'numHeads', 'numKvHeads', 'headDim', 'intermediateSize', 'maxPositions'] as const) requireSetting(Number.isInteger(config[name]) && config[name] > 0, `${name} to be a positive integer`, config[name]);
  requireSetting(numHeads % numKvHeads === 0, `numHeads to be a multiple of numKvHeads ${numKvHeads}`, numHeads);
  requireSetting(headDim % 2 === 0, 'headDim to be even', headDim);
  requireSetting(slidingWindow === undefined || (Number.isInteger(slidingWindow) && slidingWindow > 0), 'slidingWindow to be a positive integer or undefined', slidingWindow);
  requireSetting(config.ropeTheta > 0 && Number.isFinite(config.ropeTheta), 'ropeTheta to be positive', config.ropeTheta);
  requireSetting(config.rmsNormEps > 0 && config.rmsNormEps < 1, 'rmsNormEps in (0, 1)', config.rmsNormEps);
  requireSetting(config.initializerRange > 0 && Number.isFinite(config.initializerRange), 'initializerRange to be positive', config.initializerRange);
  checkAttentionDropout(config);
  checkClassifier(config.classifier);
  requireSetting(config.classifier?.level !== 'token', "classifier.level 'sequence' for a decoder, whose tokens do not see what follows them", config.classifier?.level);
  for (const [name, id] of [['bosTokenId', config.bosTokenId], ['eosTokenId', config.eosTokenId], ...(padTokenId === undefined ? [] : [['padTokenId', padTokenId] as const])] as const) {
    requireSetting(Number.isInteger(id) && id >= 0 && id < vocabSize, `${name} to lie in the vocabulary of ${vocabSize}`, id);
  }
  return config;
}

/** Reads the object in a config.json of model_type `mistral`, with the defaults of transformers' MistralConfig. @throws FormatError or RangeError, as parseConfig */
export function parseDecoderConfig(raw: Readonly<Record<string, unknown>>): DecoderConfig {
  const read = readerOf(raw);
  const activation = read('hidden_act', 'string', 'silu');
  if (activation !== 'silu') throw new FormatError(`parseConfig: expected hidden_act "silu" for model_type "mistral", got ${JSON.stringify(activation)}`, { format: 'config.json' });
  for (const name of ['attention_bias', 'mlp_bias']) if (read(name, 'boolean', false)) throw new FormatError(`parseConfig: expected no ${name} for model_type "mistral", whose linear layers have no bias, got true`, { format: 'config.json' });
  const [hiddenSize, numHeads] = [read<number>('hidden_size', 'number'), read<number>('num_attention_heads', 'number')];
  const slidingWindow = raw['sliding_window'] === undefined ? 4096 : raw['sliding_window'] ?? undefined; // null is none
  const pad = raw['pad_token_id'] ?? undefined;
  return checkDecoderConfig({
    vocabSize: read('vocab_size', 'number'),
    hiddenSize,
    numLayers: read('num_hidden_layers', 'number'),
    numHeads,
    numKvHeads: raw['num_key_value_heads'] === undefined ? 8 : read('num_key_value_heads', 'number', numHeads),
    headDim: read('head_dim', 'number', hiddenSize / numHeads),
    intermediateSize: read('intermediate_size', 'number'),
    ...(slidingWindow === undefined ? {} : { slidingWindow: slidingWindow as number }),
    ropeTheta: ropeThetaOf(raw),
    rmsNormEps: read('rms_norm_eps', 'number', 1e-6),
    ...parseAttentionDropout(raw, 'attention_dropout'),
    initializerRange: read('initializer_range', 'number', 0.02),
    maxPositions: read('max_position_embeddings', 'number', 131_072),
    tiedHead: read('tie_word_embeddings', 'boolean', false),
    bosTokenId: read('bos_token_id', 'number', 1),
    eosTokenId: read('eos_token_id', 'number', 2),
    ...(pad === undefined ? {} : { padTokenId: pad as number }),
    ...parseClassifier(raw),
    ...parseTokenizerFingerprint(raw),
  });
}

/** `rope_theta`, or `rope_parameters.rope_theta` as transformers 5 writes it. @throws FormatError for positions that are scaled */
function ropeThetaOf(raw: Readonly<Record<string, unknown>>): number {
  const parameters = { ...(raw['rope_scaling'] ?? {}) as object, ...(raw['rope_parameters'] ?? {}) as object } as Readonly<Record<string, unknown>>;
  const { type, rope_type: kind = type ?? 'default', rope_theta: theta = raw['rope_theta'], ...others } = parameters;
  if (kind !== 'default' || Object.keys(others).length) throw new FormatError(`parseConfig: expected no rope_scaling, got ${JSON.stringify(parameters)}; only plain rotary positions are known`, { format: 'config.json' });
  return readerOf({ rope_theta: theta })('rope_theta', 'number', 10_000);
}

/** The keys of upstream's config.json, as `parseDecoderConfig` reads them. @param classifies - whether the checkpoint beside it has a classifier */
export const decoderConfigJson = (config: DecoderConfig, classifies = false): Record<string, unknown> => ({
  architectures: [classifies ? 'MistralForSequenceClassification' : 'MistralForCausalLM'],
  model_type: 'mistral',
  vocab_size: config.vocabSize,
  hidden_size: config.hiddenSize,
  num_hidden_layers: config.numLayers,
  num_attention_heads: config.numHeads,
  num_key_value_heads: config.numKvHeads,
  head_dim: config.headDim,
  intermediate_size: config.intermediateSize,
  hidden_act: 'silu',
  attention_dropout: config.attentionDropout ?? 0,
  sliding_window: config.slidingWindow ?? null,
  rope_theta: config.ropeTheta,
  rms_norm_eps: config.rmsNormEps,
  initializer_range: config.initializerRange,
  max_position_embeddings: config.maxPositions,
  tie_word_embeddings: config.tiedHead,
  bos_token_id: config.bosTokenId,
  eos_token_id: config.eosTokenId,
  ...(config.padTokenId === undefined ? {} : { pad_token_id: config.padTokenId }),
  ...classifierJson(config.classifier),
  ...tokenizerFingerprintJson(config),
  torch_dtype: 'float32',
  use_cache: true,
});

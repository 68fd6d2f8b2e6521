import { checkClassifier, classifierJson, parseClassifier, type ClassifierConfig } from './classifierConfig';
import { checkAttentionDropout, parseAttentionDropout, parseObject, parseTokenizerFingerprint, readerOf, requireSetting, tokenizerFingerprintJson } from './configJson';
import { decoderConfigJson, isDecoderConfig, parseDecoderConfig, type DecoderConfig } from './decoderConfig';
import { FormatError } from './errors';

/** The shape of an encoder. Names are ours; `parseConfig` and `serializeConfig` translate from and to the keys of upstream's config.json. */
export interface EncoderConfig {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  /** hiddenSize is a multiple of it. */
  readonly numHeads: number;
  /** Width of the gated MLP after the gate. */
  readonly intermediateSize: number;
  /** `gelu` (by erf): DNABERT-2. `silu`: dnaGrinder. */
  readonly gate: 'gelu' | 'silu';
  /** Whether `gated_layers` has a bias: not in DNABERT-2. All other linear layers have one. */
  readonly gatedLayersBias: boolean;
  /** Rows of the token type table; 0 is no table. */
  readonly typeVocabSize: number;
  /** In [0, 1), in training only. */
  readonly hiddenDropout: number;
  /** In [0, 1), default 0: what upstream's training dropped of the attention probabilities. Outside training it has no effect; training refuses it, see `checkTrainable`. */
  readonly attentionDropout?: number;
  readonly layerNormEps: number;
  /** Standard deviation of new weights. */
  readonly initializerRange: number;
  /** This row of the word embedding gets no gradient from the input (torch's padding_idx). Undefined in the released DNABERT-2. */
  readonly padTokenId?: number;
  /** `none`: ALiBi alone, as published. `learned`: a table of absolute positions beside ALiBi, which longer inputs are refused by. */
  readonly position: 'none' | 'learned';
  /** Rows of the position table; 0 without one. */
  readonly maxPositions: number;
  /**
   * Adds to the embedding of each k-mer the embeddings of its first 1, 2, … bases, from tables of their own.
   * Ids 0 to 4 are special tokens; from 5 on follow all k-mers over A < C < G < T in lexicographic order.
   */
  readonly kmerPrefixes?: { readonly k: number; readonly lengths: readonly number[] };
  /** Whether the masked-LM decoder is the word embedding. */
  readonly tiedDecoder: boolean;
  /** What a classifier sees: `cls` is tanh of a linear layer on the first token, as upstream; `mean` is the mean over all tokens, special tokens included. */
  readonly pooling: 'cls' | 'mean';
  /** What a classifier's outputs mean. Undefined: classes without names. */
  readonly classifier?: ClassifierConfig;
  /** Of the tokenizer that the model was trained with, see `tokenizerFingerprint`; undefined where nobody said. */
  readonly tokenizerFingerprint?: string;
}

/** What a model is made from; `isDecoderConfig` tells them apart. */
export type ModelConfig = EncoderConfig | DecoderConfig;

/** Special tokens before the first k-mer. */
export const firstKmerId = 5;

/** DNABERT-2 as released (arXiv 2306.15006): 117,074,176 parameters with its masked-LM head. */
export const dnabert2Config: EncoderConfig = {
  vocabSize: 4096, hiddenSize: 768, numLayers: 12, numHeads: 12, intermediateSize: 3072, gate: 'gelu', gatedLayersBias: false, typeVocabSize: 2,
  hiddenDropout: 0.1, layerNormEps: 1e-12, initializerRange: 0.02, position: 'none', maxPositions: 0, tiedDecoder: true, pooling: 'cls',
};

/** dnaGrinder (arXiv 2409.15697): the one shape found that has its published 63.6 million parameters (63,619,840); the paper prints no widths, and heads are assumed. */
export const dnaGrinderConfig: EncoderConfig = {
  ...dnabert2Config, intermediateSize: 1024, gate: 'silu', gatedLayersBias: true, typeVocabSize: 0, hiddenDropout: 0, tiedDecoder: false,
};

/**
 * A small encoder to train from scratch: 2 layers of 64, learned positions, mean pooling.
 * Where vocabSize is 5 + 4^k, a k-mer vocabulary, the embedding is factored over the first 1 to 4 bases.
 * @param maxPositions - the longest input, in tokens
 */
export function smallConfig({ vocabSize, maxPositions }: { readonly vocabSize: number; readonly maxPositions: number }): EncoderConfig {
  const k = Math.log2(vocabSize - firstKmerId) / 2;
  const lengths = [1, 2, 3, 4].filter((length) => length < k);
  return {
    ...dnabert2Config, vocabSize, hiddenSize: 64, numLayers: 2, numHeads: 4, intermediateSize: 256,
    position: 'learned', maxPositions, pooling: 'mean', ...(Number.isInteger(k) && lengths.length ? { kmerPrefixes: { k, lengths } } : {}),
  };
}

/** Returns its argument. @throws RangeError that names the first setting that cannot be. */
export function checkConfig(config: EncoderConfig): EncoderConfig {
  const { vocabSize, hiddenSize, numHeads, typeVocabSize, hiddenDropout, layerNormEps, padTokenId, position, maxPositions, kmerPrefixes } = config;
  for (const name of ['vocabSize', 'hiddenSize', 'numLayers', 'numHeads', 'intermediateSize'] as const) requireSetting(Number.isInteger(config[name]) && config[name] > 0, `${name} to be a positive integer`, config[name]);
  requireSetting(hiddenSize % numHeads === 0, `hiddenSize to be a multiple of numHeads ${numHeads}`, hiddenSize);
  requireSetting(config.gate === 'gelu' || config.gate === 'silu', "gate 'gelu' or 'silu'", config.gate);
  requireSetting(config.pooling === 'cls' || config.pooling === 'mean', "pooling 'cls' or 'mean'", config.pooling);
  requireSetting(Number.isInteger(typeVocabSize) && typeVocabSize >= 0, 'typeVocabSize to be an integer of at least 0', typeVocabSize);
  requireSetting(hiddenDropout >= 0 && hiddenDropout < 1, 'hiddenDropout in [0, 1)', hiddenDropout);
  checkAttentionDropout(config);
  requireSetting(layerNormEps > 0 && layerNormEps < 1, 'layerNormEps in (0, 1)', layerNormEps);
  requireSetting(config.initializerRange > 0 && Number.isFinite(config.initializerRange), 'initializerRange to be positive', config.initializerRange);
  requireSetting(padTokenId === undefined || (Number.isInteger(padTokenId) && padTokenId >= 0 && padTokenId < vocabSize), `padTokenId to lie in the vocabulary of ${vocabSize}`, padTokenId);
  requireSetting(position === 'none' || position === 'learned', "position 'none' or 'learned'", position);
  requireSetting(Number.isInteger(maxPositions) && (position === 'learned' ? maxPositions > 0 : maxPositions === 0), position === 'learned' ? 'maxPositions to be a positive integer with learned positions' : 'maxPositions 0 without learned positions', maxPositions);
  checkClassifier(config.classifier);
  if (kmerPrefixes) {
    const { k, lengths } = kmerPrefixes;
    requireSetting(vocabSize === firstKmerId + 4 ** k, `vocabSize ${firstKmerId + 4 ** k} for ${k}-mers with kmerPrefixes`, vocabSize);
    requireSetting(lengths.length > 0 && lengths.every((length, i) => Number.isInteger(length) && length < k && length > (i ? lengths[i - 1] : 0)), `rising kmerPrefixes.lengths between 1 and ${k - 1}`, lengths);
  }
  return config;
}

/**
 * Reads a config.json of DNABERT-2, of GenomeOcean or of this package. Keys without a meaning here are ignored.
 * `learned_positions`, `kmer_prefixes`, `mlp_bias`, `pooling` and `tokenizer_fingerprint` are ours: upstream's `max_position_embeddings` and `position_embedding_type` stand in its file without effect.
 * @throws FormatError for text that is no such file, RangeError for settings that cannot be
 */
export function parseConfig(text: string): ModelConfig {
  const raw = parseObject(text);
  const read = readerOf(raw);
  const modelType = read<string>('model_type', 'string', 'bert');
  if (modelType === 'mistral') return parseDecoderConfig(raw);
  if (modelType !== 'bert') throw new FormatError(`parseConfig: expected model_type "bert", the encoder of DNABERT-2, or "mistral", the decoder of GenomeOcean, got ${JSON.stringify(modelType)}`, { format: 'config.json' });
  const maxPositions = read('learned_positions', 'number', 0);
  const pad = raw.pad_token_id ?? undefined;
  return checkConfig({
    vocabSize: read('vocab_size', 'number'),
    hiddenSize: read('hidden_size', 'number'),
    numLayers: read('num_hidden_layers', 'number'),
    numHeads: read('num_attention_heads', 'number'),
    intermediateSize: read('intermediate_size', 'number'),
    gate: read('hidden_act', 'string', 'gelu'),
    gatedLayersBias: read('mlp_bias', 'boolean', false),
    typeVocabSize: read('type_vocab_size', 'number', 2),
    hiddenDropout: read('hidden_dropout_prob', 'number', 0.1),
    ...parseAttentionDropout(raw, 'attention_probs_dropout_prob'),
    layerNormEps: read('layer_norm_eps', 'number', 1e-12),
    initializerRange: read('initializer_range', 'number', 0.02),
    ...(pad === undefined ? {} : { padTokenId: pad as number }),
    position: maxPositions > 0 ? 'learned' : 'none',
    maxPositions,
    ...(raw.kmer_prefixes ? { kmerPrefixes: parsePrefixes(raw.kmer_prefixes) } : {}),
    tiedDecoder: read('tie_word_embeddings', 'boolean', true),
    pooling: read('pooling', 'string', 'cls'),
    ...parseClassifier(raw),
    ...parseTokenizerFingerprint(raw),
  });
}

/** The text of a config.json; `parseConfig` gives the same configuration back. @param head - of the checkpoint beside it, for `architectures` */
export function serializeConfig(config: ModelConfig, head: 'none' | 'maskedLm' | 'classifier' = 'maskedLm'): string {
  if (isDecoderConfig(config)) return `${JSON.stringify(decoderConfigJson(config, head === 'classifier'), null, 2)}\n`;
  const { kmerPrefixes, padTokenId, classifier } = config;
  const architecture = { none: 'BertModel', maskedLm: 'BertForMaskedLM', classifier: classifier?.level === 'token' ? 'BertForTokenClassification' : 'BertForSequenceClassification' }[head];
  return `${JSON.stringify({
    architectures: [architecture],
    model_type: 'bert',
    torch_dtype: 'float32',
    vocab_size: config.vocabSize,
    hidden_size: config.hiddenSize,
    num_hidden_layers: config.numLayers,
    num_attention_heads: config.numHeads,
    intermediate_size: config.intermediateSize,
    hidden_act: config.gate,
    mlp_bias: config.gatedLayersBias,
    type_vocab_size: config.typeVocabSize,
    hidden_dropout_prob: config.hiddenDropout,
    attention_probs_dropout_prob: config.attentionDropout ?? 0,
    layer_norm_eps: config.layerNormEps,
    initializer_range: config.initializerRange,
    ...(padTokenId === undefined ? {} : { pad_token_id: padTokenId }),
    ...(config.position === 'learned' ? { learned_positions: config.maxPositions } : {}),
    ...(kmerPrefixes ? { kmer_prefixes: kmerPrefixes } : {}),
    tie_word_embeddings: config.tiedDecoder,
    pooling: config.pooling,
    ...classifierJson(classifier),
    ...tokenizerFingerprintJson(config),
  }, null, 2)}\n`;
}

function parsePrefixes(value: unknown): { k: number; lengths: number[] } {
  const { k, lengths } = value as { k?: unknown; lengths?: unknown };
  if (!Number.isInteger(k) || !Array.isArray(lengths)) throw new FormatError(`parseConfig: expected kmer_prefixes {"k": 6, "lengths": [1, 2, 3, 4]}, got ${JSON.stringify(value)}`, { format: 'config.json' });
  return { k: k as number, lengths: lengths as number[] };
}

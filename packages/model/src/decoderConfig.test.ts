import { readFileSync } from 'node:fs';
import path from 'node:path';
import { FormatError, countParameters, genomeOceanConfigs, parseConfig, serializeConfig, type DecoderConfig } from './index';

const upstream = readFileSync(path.join(__dirname, '../test/golden/genomeocean/b_h96_l2_gqa6_2_win16/config.json'), 'utf8');

test.each([['100M', 119_556_864], ['500M', 541_109_760], ['4B', 4_253_174_784]] as const)('GenomeOcean %s has %d parameters', (size, parameters) => {
  expect(countParameters(genomeOceanConfigs[size])).toBe(parameters);
});

test("GenomeOcean-Sentinel, a 100M with one output in lm_head's place, has 116,411,905", () => {
  const { vocabSize, hiddenSize } = genomeOceanConfigs['100M'];
  expect(countParameters(genomeOceanConfigs['100M']) - vocabSize * hiddenSize + hiddenSize + 1).toBe(116_411_905);
});

test('a tied head counts once', () => {
  const config: DecoderConfig = genomeOceanConfigs['100M'];
  expect(countParameters({ ...config, tiedHead: true })).toBe(countParameters(config) - config.vocabSize * config.hiddenSize);
});

describe('config.json of Mistral', () => {
  test("upstream's file is read, and what is written reads back", () => {
    const config = parseConfig(upstream) as DecoderConfig;
    expect(config).toMatchObject({ vocabSize: 512, hiddenSize: 96, numLayers: 2, numHeads: 6, numKvHeads: 2, headDim: 16, intermediateSize: 192, slidingWindow: 16, ropeTheta: 10_000, rmsNormEps: 1e-6, tiedHead: false, padTokenId: 3 });
    for (const one of [config, genomeOceanConfigs['4B'], { ...config, headDim: 32, tiedHead: true }]) expect(parseConfig(serializeConfig(one))).toEqual(one);
  });

  const read = (change: object) => parseConfig(JSON.stringify({ ...JSON.parse(upstream), ...change }));

  test('a window of null is none; what is not there is what MistralConfig of transformers says', () => {
    expect(read({ sliding_window: null })).not.toHaveProperty('slidingWindow');
    expect(read({ sliding_window: undefined, num_attention_heads: 16, num_key_value_heads: undefined, rope_theta: undefined, rms_norm_eps: undefined, max_position_embeddings: undefined })).toMatchObject({ slidingWindow: 4096, numKvHeads: 8, ropeTheta: 10_000, rmsNormEps: 1e-6, maxPositions: 131_072 });
    expect(read({ num_key_value_heads: null })).toMatchObject({ numKvHeads: 6 });
  });

  test('rotary positions as transformers 5 writes them', () => {
    expect(read({ rope_theta: undefined, rope_parameters: { rope_theta: 1e6, rope_type: 'default' } })).toMatchObject({ ropeTheta: 1e6 });
    expect(read({ rope_scaling: { type: 'default' } })).toMatchObject({ ropeTheta: 10_000 });
  });

  test.each<[string, object, string]>([
    ['heads that do not divide', { num_key_value_heads: 4 }, 'expected numHeads to be a multiple of numKvHeads 4, got 6'],
    ['a width of heads that is odd', { head_dim: 15 }, 'expected headDim to be even, got 15'],
    ['another activation', { hidden_act: 'gelu' }, 'expected hidden_act "silu"'],
    ['all probabilities dropped', { attention_dropout: 1 }, 'expected attentionDropout in [0, 1), got 1'],
    ['scaled positions', { rope_scaling: { type: 'linear', factor: 2 } }, 'expected no rope_scaling'],
    ['positions scaled as transformers 5 says it', { rope_parameters: { rope_theta: 1e6, rope_type: 'yarn', factor: 4 } }, 'expected no rope_scaling'],
    ['biases', { attention_bias: true }, 'expected no attention_bias for model_type "mistral"'],
    ['a window of no token', { sliding_window: 0 }, 'expected slidingWindow to be a positive integer'],
    ['an end beyond the vocabulary', { eos_token_id: 512 }, 'expected eosTokenId to lie in the vocabulary of 512, got 512'],
  ])('%s: refused with what is wrong', (_name, change, message) => {
    expect(() => parseConfig(JSON.stringify({ ...JSON.parse(upstream), ...change }))).toThrow(message);
  });

  test('what is no such file is a FormatError', () => expect(() => parseConfig('{"model_type": "mistral"}')).toThrow(FormatError));
});

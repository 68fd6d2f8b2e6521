import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { FormatError, countParameters, dnaGrinderConfig, dnabert2Config, genomeOceanConfigs, parseConfig, serializeConfig, smallConfig, type EncoderConfig } from './index';

const golden = (name: string) => readFileSync(path.join(__dirname, '../test/golden', name, 'config.json'), 'utf8');

describe('sizes', () => {
  test('DNABERT-2 has the 117,074,176 parameters of the released checkpoint, and 117,070,082 as a classifier of 2 classes', () => {
    expect(countParameters(dnabert2Config)).toBe(117_074_176);
    expect(countParameters(dnabert2Config, { maskedLm: false })).toBe(116_477_952);
    expect(countParameters(dnabert2Config, { classes: 2 })).toBe(117_070_082);
  });

  test('dnaGrinder has its published 63.6 million', () => {
    expect(countParameters(dnaGrinderConfig)).toBe(63_619_840);
  });

  test('the small encoder on 6-mers', () => {
    const config = smallConfig({ vocabSize: 5 + 4 ** 6, maxPositions: 145 });
    expect(config.kmerPrefixes).toEqual({ k: 6, lengths: [1, 2, 3, 4] });
    const layer = 3 * 64 * 64 + 3 * 64 + 64 * 64 + 64 + 128 + 512 * 64 + 64 * 256 + 64 + 128;
    const tables = 4101 + 2 + 145 + (5 + 4) + (5 + 16) + (5 + 64) + (5 + 256);
    expect(countParameters(config, { classes: 2 })).toBe(64 * tables + 128 + 2 * layer + 130);
  });

  test('a vocabulary that is not of k-mers, or of 1-mers, has one table', () => {
    for (const vocabSize of [4096, 9, 261 + 1]) expect(smallConfig({ vocabSize, maxPositions: 10 }).kmerPrefixes).toBeUndefined();
    expect(smallConfig({ vocabSize: 5 + 4 ** 3, maxPositions: 10 }).kmerPrefixes).toEqual({ k: 3, lengths: [1, 2] });
  });
});

describe('config.json', () => {
  test('of upstream', () => {
    expect(parseConfig(golden('dnabert2/a_h64_l4_h4'))).toEqual({ ...dnabert2Config, hiddenSize: 64, numLayers: 4, numHeads: 4, intermediateSize: 128, padTokenId: 0 });
    const grinder = parseConfig(golden('dnagrinder/a_h64_l3_h4_bias'));
    expect(grinder).toMatchObject({ gate: 'silu', gatedLayersBias: true, typeVocabSize: 0, tiedDecoder: false, position: 'none' });
  });

  test('comes back as it was written', () => {
    const shape = fc.record({
      numHeads: fc.integer({ min: 1, max: 16 }), headDim: fc.integer({ min: 1, max: 64 }), numLayers: fc.integer({ min: 1, max: 24 }), intermediateSize: fc.integer({ min: 1, max: 4096 }),
      gate: fc.constantFrom('gelu' as const, 'silu' as const), gatedLayersBias: fc.boolean(), typeVocabSize: fc.integer({ min: 0, max: 3 }), hiddenDropout: fc.double({ min: 0, max: 0.99, noNaN: true }),
      padTokenId: fc.option(fc.integer({ min: 0, max: 20 }), { nil: undefined }), maxPositions: fc.integer({ min: 0, max: 512 }), k: fc.integer({ min: 2, max: 6 }), factored: fc.boolean(), tiedDecoder: fc.boolean(), pooling: fc.constantFrom('cls' as const, 'mean' as const),
      attentionDropout: fc.constantFrom(undefined, 0.1),
    });
    fc.assert(fc.property(shape, ({ headDim, k, factored, padTokenId, maxPositions, attentionDropout, ...rest }) => {
      const config: EncoderConfig = {
        ...dnabert2Config, ...rest, hiddenSize: rest.numHeads * headDim, vocabSize: 5 + 4 ** k, maxPositions, position: maxPositions ? 'learned' : 'none',
        ...(padTokenId === undefined ? {} : { padTokenId }), ...(attentionDropout ? { attentionDropout } : {}), ...(factored ? { kmerPrefixes: { k, lengths: [1] } } : {}),
      };
      expect(parseConfig(serializeConfig(config))).toEqual(config);
    }));
  });

  test.each([['one output', { 0: 'expression' }, 'regression'], ['two', { 0: 'no', 1: 'yes' }, 'single_label_classification']])('%s without a problem_type is what transformers takes it for', (_name, id2label, problemType) => {
    expect(parseConfig(JSON.stringify({ ...JSON.parse(golden('dnabert2/a_h64_l4_h4')), id2label, problem_type: null })).classifier).toMatchObject({ problemType });
  });

  test.each([
    ['', 'parseConfig: expected JSON, got ""'],
    ['[1]', 'expected a JSON object'],
    ['{"vocab_size": 10}', 'expected hidden_size to be a number, got undefined'],
    ['{"model_type": "gpt2"}', 'expected model_type "bert"'],
    ['{"vocab_size": "10"}', 'expected vocab_size to be a number, got "10"'],
  ])('%j is refused', (text, message) => {
    expect(() => parseConfig(text)).toThrow(FormatError);
    expect(() => parseConfig(text)).toThrow(message);
  });

  test.each<[string, object, string]>([
    ['heads that do not divide', { num_attention_heads: 5 }, 'expected hiddenSize to be a multiple of numHeads 5, got 64'],
    ['no layers', { num_hidden_layers: 0 }, 'expected numLayers to be a positive integer, got 0'],
    ['another activation', { hidden_act: 'relu' }, `expected gate 'gelu' or 'silu', got "relu"`],
    ['all probabilities dropped', { attention_probs_dropout_prob: 1 }, 'expected attentionDropout in [0, 1), got 1'],
    ['a pad token beyond the vocabulary', { pad_token_id: 4096 }, 'expected padTokenId to lie in the vocabulary of 4096, got 4096'],
    ['prefixes of no k-mer vocabulary', { kmer_prefixes: { k: 6, lengths: [1] } }, 'expected vocabSize 4101 for 6-mers with kmerPrefixes, got 4096'],
    ['prefixes as long as the k-mer', { vocab_size: 69, kmer_prefixes: { k: 3, lengths: [1, 3] } }, 'expected rising kmerPrefixes.lengths between 1 and 2'],
    ['prefixes of another form', { kmer_prefixes: [1, 2] }, 'expected kmer_prefixes {"k"'],
    ['a fraction of a position', { learned_positions: 1.5 }, 'expected maxPositions to be a positive integer'],
    ['dropout 1', { hidden_dropout_prob: 1 }, 'expected hiddenDropout in [0, 1), got 1'],
  ])('%s: refused with what is wrong', (_name, change, message) => {
    expect(() => parseConfig(JSON.stringify({ ...JSON.parse(golden('dnabert2/a_h64_l4_h4')), ...change }))).toThrow(message);
  });
});

test('a configuration remembers which tokenizer its model was trained with', () => {
  for (const config of [smallConfig({ vocabSize: 69, maxPositions: 64 }), genomeOceanConfigs['100M']]) {
    const own = { ...config, tokenizerFingerprint: '0123456789abcdef' };
    expect(parseConfig(serializeConfig(own))).toEqual(own);
  }
});

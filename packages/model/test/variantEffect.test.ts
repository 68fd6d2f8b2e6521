// Effects of variants against the two sequences run apart; predictions against classify.
import { createReferenceDevice, read } from '@genomelm/kernels';
import { createCharacterTokenizer } from '../../tokenizer/src';
import { classify, createModel, dnabert2Config, embed, mutagenesis, mutagenesisSvg, packBatch, predict, score, scoreVariants, type DecoderConfig, type EncoderConfig } from '../src';

const device = createReferenceDevice();
const encoder = createCharacterTokenizer();
const config: EncoderConfig = { ...dnabert2Config, vocabSize: encoder.vocabSize, hiddenSize: 12, numLayers: 2, numHeads: 3, intermediateSize: 8, initializerRange: 0.5 };
const model = createModel(config, { device, seed: 5 });
const classifier = createModel(config, { device, seed: 7, maskedLm: false, classes: 3 });
const decoderConfig: DecoderConfig = { vocabSize: encoder.vocabSize, hiddenSize: 12, numLayers: 2, numHeads: 2, numKvHeads: 2, headDim: 6, intermediateSize: 8, ropeTheta: 100, rmsNormEps: 1e-6, initializerRange: 0.5, maxPositions: 64, tiedHead: false, bosTokenId: 1, eosTokenId: 2 };
const decoder = createModel(decoderConfig, { device, seed: 6 });
const sequence = 'ACGTACGTTTGA';
const variants = [
  { sequence, position: 3, ref: 'T', alt: 'A' },
  { sequence, position: 4, ref: 'acg', alt: '' },
  { sequence: 'GGGCCC', position: 6, ref: '', alt: 'TT' },
];
const changed = ['ACGAACGTTTGA', 'ACGTTTTGA', 'GGGCCCTT'];

test('likelihood is the difference of two scores', async () => {
  const effects = await scoreVariants(decoder, encoder, variants);
  for (const [i, { sequence: reference }] of variants.entries()) {
    const [a, b] = await score(decoder, encoder, [changed[i], reference]);
    expect(effects[i]).toBeCloseTo(a.logLikelihood - b.logLikelihood, 6);
  }
});

test('classifier is the difference of log-odds', async () => {
  const effects = await scoreVariants(classifier, encoder, variants, { output: 1 });
  const logOdds = async (text: string) => {
    const [a, b, c] = await read(classify(classifier, packBatch([encoder.encode(text)])));
    const p = Math.exp(b) / (Math.exp(a) + Math.exp(b) + Math.exp(c));
    return Math.log(p / (1 - p));
  };
  for (const [i, { sequence: reference }] of variants.entries()) expect(effects[i]).toBeCloseTo(await logOdds(changed[i]) - await logOdds(reference), 5);
});

test('embedding is a distance, 0 for no change', async () => {
  const effects = await scoreVariants(model, encoder, [...variants, { sequence, position: 0, ref: 'A', alt: 'A' }]);
  expect(effects[3]).toBeCloseTo(0, 12);
  const [a, b] = await embed(model, encoder, [changed[0], sequence]);
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((total, value, i) => total + value * y[i], 0);
  expect(effects[0]).toBeCloseTo(1 - dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)), 9);
});

test('what does not fit is refused', async () => {
  await expect(scoreVariants(model, encoder, [{ sequence, position: 1, ref: 'T', alt: 'A' }])).rejects.toThrow('expected ref "T" at position 1, got "C"');
  await expect(scoreVariants(model, encoder, [{ sequence, position: 11, ref: 'AA', alt: 'A' }])).rejects.toThrow('within the 12 bases');
  await expect(scoreVariants(model, encoder, variants, { method: 'likelihood' })).rejects.toThrow('expected a decoder');
  await expect(scoreVariants(model, encoder, variants, { method: 'classifier' })).rejects.toThrow('expected a model with a classifier');
  await expect(scoreVariants(classifier, encoder, variants, { output: 3 })).rejects.toThrow('expected an output from 0 to 2');
  await expect(mutagenesis(model, encoder, sequence, { start: 5, end: 5 })).rejects.toThrow('expected a range within the 12 bases');
});

test('mutagenesis is every substitution, and its picture shows each', async () => {
  const map = await mutagenesis(decoder, encoder, sequence, { start: 2, end: 6 });
  const [effect] = await scoreVariants(decoder, encoder, [variants[0]]);
  expect(map.effects).toHaveLength(16);
  expect(map.effects[4 * (3 - 2)]).toBeCloseTo(effect, 9);
  expect([map.effects[2], map.effects[7], map.effects[8], map.effects[13]]).toEqual([0, 0, 0, 0]); // G, T, A, C stand there
  const svg = mutagenesisSvg(map, { title: 'a <b> & "c"' });
  expect(svg.match(/<rect x=/g)).toHaveLength(16);
  expect(svg.match(/<circle/g)).toHaveLength(4);
  expect(svg).toContain('a &#60;b&#62; &#38; &#34;c&#34;');
  expect(svg).toContain(`<title>4 T&gt;A: ${effect.toPrecision(3)}</title>`);
  expect(mutagenesisSvg(map, { contigStart: 1000 })).toContain(`<title>1004 T&gt;A: ${effect.toPrecision(3)}</title>`);
});

describe('predict', () => {
  const logits = async (text: string) => [...await read(classify(classifier, packBatch([encoder.encode(text)])))];
  const named = (problemType: 'single_label_classification' | 'multi_label_classification' | 'regression') => ({ ...classifier, config: { ...config, classifier: { problemType, level: 'sequence' as const, labels: ['a', 'b', 'c'] } } });

  test('gives the softmax by name', async () => {
    const [{ labels, outputs }] = await predict(classifier, encoder, [{ sequence }]);
    const z = await logits(sequence);
    const total = z.reduce((sum, value) => sum + Math.exp(value), 0);
    z.forEach((value, i) => expect(outputs[`LABEL_${i}`]).toBeCloseTo(Math.exp(value) / total, 6));
    expect(labels).toEqual([`LABEL_${z.indexOf(Math.max(...z))}`]);
    expect((await predict(named('single_label_classification'), encoder, [{ sequence }]))[0].labels).toEqual([['a', 'b', 'c'][z.indexOf(Math.max(...z))]]);
  });

  test('gives independent probabilities, or values', async () => {
    const z = await logits(sequence);
    const [several] = await predict(named('multi_label_classification'), encoder, [{ sequence }]);
    expect(several.labels).toEqual(['a', 'b', 'c'].filter((_, i) => z[i] > 0));
    expect(several.outputs['b']).toBeCloseTo(1 / (1 + Math.exp(-z[1])), 6);
    expect((await predict(named('regression'), encoder, [{ sequence }]))[0]).toEqual({ labels: [], outputs: { a: Math.fround(z[0]), b: Math.fround(z[1]), c: Math.fround(z[2]) } });
  });

  test('needs a classifier with as many names', async () => {
    await expect(predict(model, encoder, [{ sequence }])).rejects.toThrow('expected a model with a classifier');
    const wrong = { ...classifier, config: { ...config, classifier: { problemType: 'regression' as const, level: 'sequence' as const, labels: ['a'] } } };
    await expect(predict(wrong, encoder, [{ sequence }])).rejects.toThrow('expected 3 names');
  });
});

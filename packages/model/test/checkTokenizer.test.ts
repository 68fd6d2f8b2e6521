// A tokenizer of another model, of the same size or a smaller one, is told from the model's own.
import { createReferenceDevice } from '@genomelm/kernels';
import { createCharacterTokenizer, createKmerTokenizer, trainBpe, type Tokenizer } from '@genomelm/tokenizer';
import { createModel, finetuneClassifier, generate, scanSequence, score, smallConfig, tokenizerFingerprint } from '../src';
import { tinyDecoder } from './tinyDecoder';

const device = createReferenceDevice();
afterAll(() => device.destroy());

/** Two alphabets of pairs: the same vocabulary size, other merges. */
const bpe = (text: string): Promise<Tokenizer> => trainBpe([text.repeat(20)], { vocabSize: 12 });

test('tokenizers differ by what they make of bases, not by size', async () => {
  const all = [createCharacterTokenizer(), createKmerTokenizer({ k: 2 }), createKmerTokenizer({ k: 2, stride: 2 }), await bpe('ACGTAACCTTGG'), await bpe('TTTTAGAGAGAC')];
  expect(new Set(all.map(tokenizerFingerprint)).size).toBe(all.length);
  expect(tokenizerFingerprint(createKmerTokenizer({ k: 2 }))).toBe(tokenizerFingerprint(createKmerTokenizer({ k: 2 })));
});

test('a decoder scores, scans and generates with its own tokenizer alone', async () => {
  const [own, other] = [await bpe('ACGTAACCTTGG'), await bpe('TTTTAGAGAGAC')];
  expect(other.vocabSize).toBe(own.vocabSize);
  const model = createModel({ ...tinyDecoder, vocabSize: own.vocabSize, tokenizerFingerprint: tokenizerFingerprint(own) }, { device, seed: 1 });
  const refused = 'expected the tokenizer that the model was trained with';
  await expect(score(model, other, ['ACGTACGT'])).rejects.toThrow(refused);
  await expect(scanSequence(model, other, 'ACGTACGT')).rejects.toThrow(refused);
  await expect(generate(model, other, ['ACGT'], { maxNewTokens: 2 })[Symbol.asyncIterator]().next()).rejects.toThrow(refused);
  await expect(score(model, createKmerTokenizer({ k: 4 }), ['ACGTACGT'])).rejects.toThrow(`expected a tokenizer with the model's vocabulary of ${own.vocabSize}`);
  expect(await score(model, own, ['ACGTACGT'])).toHaveLength(1);
});

test('a fine-tuned model knows its tokenizer', async () => {
  const tokenizer = createKmerTokenizer({ k: 2 });
  const source = createModel(smallConfig({ vocabSize: tokenizer.vocabSize, maxPositions: 32 }), { device, seed: 1 });
  const train = ['ACGTACGT', 'GGGGCCCC'].map((sequence, i) => ({ sequence, targets: [i] }));
  const { model } = await finetuneClassifier(source, tokenizer, { train, dev: [] }, { classifier: { problemType: 'single_label_classification', level: 'sequence', labels: ['a', 'b'] }, seed: 1, hyperparameters: { epochs: 1 } });
  expect(model.config.tokenizerFingerprint).toBe(tokenizerFingerprint(tokenizer));
  await expect(finetuneClassifier(model, createCharacterTokenizer(), { train, dev: [] }, { classifier: model.config.classifier!, seed: 1 })).rejects.toThrow('expected the tokenizer that the model was trained with');
});

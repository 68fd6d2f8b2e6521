// The interfaces between packages that have no arrow: each is declared where it is needed, and the sibling's object fits by its shape. The compiler checks it; the test runs it.
import { createReferenceDevice } from '@genomelm/kernels';
import { createSequenceClassifier, smallConfig } from '@genomelm/model';
import { createCharacterTokenizer, createKmerTokenizer, trainBpe } from '@genomelm/tokenizer';
import type { SequenceClassifier } from '@genomelm/gue';

type Encoder = Parameters<typeof createSequenceClassifier>[1];

test("every tokenizer is the model's Encoder, and the model's classifier is the harness's SequenceClassifier", async () => {
  const encoders: Encoder[] = [createKmerTokenizer({ k: 3 }), createCharacterTokenizer(), await trainBpe(['ACGTACGT'], { vocabSize: 12 })];
  const classifiers: SequenceClassifier[] = encoders.map((encoder) => createSequenceClassifier(({ vocabSize, maxTokens }) => ({ ...smallConfig({ vocabSize, maxPositions: maxTokens }), hiddenSize: 8, numHeads: 2, intermediateSize: 8 }), encoder, { device: createReferenceDevice() }));
  expect(new Set(classifiers.map(({ fingerprint }) => fingerprint)).size).toBe(3);
  const examples = ['AAAACCCC', 'CCCCAAAA', 'AAAAACCC', 'CCCCCAAA'].map((sequence, i) => ({ sequence, label: i % 2 }));
  const fitted = await classifiers[0].fit(examples, examples, { classes: 2, hyperparameters: { epochs: 1 }, seed: 0 });
  expect(await fitted.predict(examples)).toHaveLength(8);
  await fitted.dispose?.();
});

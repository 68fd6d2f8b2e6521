// A problem with a known answer: a motif is planted at a random place in half of the sequences.
import { createRandom, type Device } from '@genomelm/kernels';
import { createSequenceClassifier, smallConfig, type Encoder, type Example, type FitFacts } from '../src';
import { mcc } from '../src/mcc';
import { argmaxRows } from '../src/predict';

export function plantedMotif(count: number, seed: number, { motif = 'GATTACA', length = 40 } = {}): Example[] {
  const random = createRandom(seed, 77);
  const bases = (n: number) => Array.from({ length: n }, () => 'ACGT'[random.integer(4)]).join('');
  return Array.from({ length: count }, (_, i) => {
    const sequence = bases(length);
    const at = random.integer(length - motif.length + 1);
    return { sequence: i % 2 ? sequence.slice(0, at) + motif + sequence.slice(at + motif.length) : sequence, label: i % 2 };
  });
}

/** The same sequences, each with the label of another. */
export function shuffleLabels(examples: readonly Example[], seed: number): Example[] {
  const labels = createRandom(seed, 78).shuffle(examples.map(({ label }) => label));
  return examples.map((example, i) => ({ ...example, label: labels[i] }));
}

/** Overlapping k-mers framed as BERT's: special tokens 0 to 4, then all k-mers in order. The packages' arrows keep the real tokenizer out of here. */
export function kmerEncoder(k: number): Encoder {
  const body = (sequence: string) => Array.from({ length: Math.max(0, sequence.length - k + 1) }, (_, i) => 5 + [...sequence.slice(i, i + k)].reduce((number, base) => 4 * number + 'ACGT'.indexOf(base), 0));
  return {
    vocabSize: 5 + 4 ** k,
    specialIds: { unk: 0, cls: 1, sep: 2, pad: 3, mask: 4 },
    encode(sequence, { pair, maxLength = Infinity } = {}) {
      const room = maxLength - (pair === undefined ? 2 : 3);
      const second = pair === undefined ? [] : body(pair);
      const first = body(sequence).slice(0, Math.max(0, room - second.length));
      return Uint32Array.from([1, ...first, 2, ...(pair === undefined ? [] : [...second, 2])]);
    },
  };
}

export const tiny = ({ vocabSize, maxTokens }: FitFacts) => ({ ...smallConfig({ vocabSize, maxPositions: maxTokens }), hiddenSize: 16, intermediateSize: 32, numLayers: 1, numHeads: 2 });

/** Matthews correlation on `test` of a tiny encoder that is trained on `train`. */
export async function scoreOf(train: readonly Example[], dev: readonly Example[], test: readonly Example[], device: Device): Promise<number> {
  const hyperparameters = { epochs: 8, learningRate: 1e-2, dropout: 0, maskProbability: 0, tokensPerBatch: 512 };
  const fitted = await createSequenceClassifier(tiny, kmerEncoder(4), { device, hyperparameters }).fit(train, dev, { classes: 2, hyperparameters: {}, seed: 1 });
  const predicted = argmaxRows(await fitted.predict(test.map((example) => ({ ...example, label: -1 }))), 2);
  await fitted.dispose();
  return mcc(test.map(({ label }) => label), predicted, 2);
}

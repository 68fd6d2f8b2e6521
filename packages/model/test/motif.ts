// A problem with a known answer: a motif is planted at a random place in half of the sequences.
import { createRandom } from '@genomelm/kernels';
import type { Encoder, Example } from '../src';

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

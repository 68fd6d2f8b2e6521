// A decoder small enough for every test, and a tokenizer of three bases a token to go with it.
import type { DecoderConfig } from '../src';

export const tinyDecoder: DecoderConfig = {
  vocabSize: 69, hiddenSize: 16, numLayers: 2, numHeads: 4, numKvHeads: 2, headDim: 4, intermediateSize: 24, ropeTheta: 10_000, rmsNormEps: 1e-6, initializerRange: 0.5,
  maxPositions: 512, tiedHead: false, bosTokenId: 1, eosTokenId: 2, padTokenId: 3,
};

/** Codons over A < C < G < T from id 5 on; a rest of one or two bases is left out. Special tokens as in GenomeOcean; [UNK] is 0. */
export const codons = {
  vocabSize: 69,
  specialIds: { unk: 0, cls: 1, sep: 2, pad: 3, mask: 4 },
  encodeWithOffsets(sequence: string) {
    const ids = Uint32Array.from({ length: Math.floor(sequence.length / 3) }, (_, i) => {
      const [a, b, c] = [0, 1, 2].map((k) => 'ACGT'.indexOf(sequence[3 * i + k]));
      return Math.min(a, b, c) < 0 ? 0 : 5 + 16 * a + 4 * b + c;
    });
    return { ids, offsets: Uint32Array.from({ length: 2 * ids.length }, (_, i) => 3 * ((i + 1) >> 1)) };
  },
  encode(sequence: string, { addSpecialTokens = true }: { addSpecialTokens?: boolean } = {}): Uint32Array {
    const { ids } = codons.encodeWithOffsets(sequence);
    return addSpecialTokens ? Uint32Array.of(1, ...ids, 2) : ids;
  },
  decode: (ids: ArrayLike<number>): string => Array.from(ids, (id) => (id < 5 ? '' : [4, 2, 0].map((shift) => 'ACGT'[((id - 5) >> shift) & 3]).join(''))).join(''),
};

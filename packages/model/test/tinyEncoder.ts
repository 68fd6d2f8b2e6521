// Encoders small enough for finite differences, one of each manner of position, activation and bias.
import { smallConfig, type EncoderConfig } from '../src';

const vocabSize = 5 + 4 ** 3;
export const tiny: EncoderConfig = { ...smallConfig({ vocabSize, maxPositions: 24 }), hiddenSize: 8, intermediateSize: 12, numHeads: 2, hiddenDropout: 0 };
const ids = (seed: number, length: number) => Uint32Array.from({ length }, (_, i) => (i === 0 ? 1 : i === length - 1 ? 2 : 5 + ((seed * 31 + i * i * 7) % 64)));
export const sequences = [ids(1, 7), ids(2, 24), ids(3, 2), ids(4, 12)];
export const variants: Record<string, EncoderConfig> = {
  'small: learned positions, factored k-mers, mean pooling': tiny,
  'as upstream: ALiBi alone, [CLS] pooling, a padding row': { ...tiny, position: 'none', maxPositions: 0, kmerPrefixes: undefined!, pooling: 'cls', padTokenId: 2 },
  'as dnaGrinder: SiLU, biases, no types, untied': { ...tiny, gate: 'silu', gatedLayersBias: true, typeVocabSize: 0, tiedDecoder: false },
};

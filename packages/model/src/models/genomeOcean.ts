import type { DecoderConfig } from '../decoderConfig';

const shared = {
  vocabSize: 4096, ropeTheta: 10_000, rmsNormEps: 1e-6, initializerRange: 0.02, maxPositions: 32_768, tiedHead: false, bosTokenId: 1, eosTokenId: 2, padTokenId: 3,
} as const;

/**
 * GenomeOcean (bioRxiv 2025.01.30.635558): 119,556,864, 541,109,760 and 4,253,174,784 parameters.
 * The 100M shape is that of its config.json. Of the 4B, depth, MLP width and key heads follow from the sizes of its files.
 * The size of the 500M's file fits two shapes; this is the one with as many key heads as heads, and 12 heads are assumed. A checkpoint's own config.json always decides.
 */
export const genomeOceanConfigs = {
  '100M': { ...shared, hiddenSize: 768, numLayers: 12, numHeads: 8, numKvHeads: 8, headDim: 96, intermediateSize: 3072 },
  '500M': { ...shared, hiddenSize: 1536, numLayers: 14, numHeads: 12, numKvHeads: 12, headDim: 128, intermediateSize: 6144 },
  '4B': { ...shared, hiddenSize: 3072, numLayers: 24, numHeads: 24, numKvHeads: 8, headDim: 128, intermediateSize: 16_384 },
} as const satisfies Record<string, DecoderConfig>;

export { parseTokenizerJson, serializeTokenizerJson } from './tokenizerJson';
export { trainBpe } from './trainBpe';
export type { TrainBpeOptions, TrainBpeProgress } from './trainBpe';
export { createKmerTokenizer } from './kmer';
export { createCharacterTokenizer } from './character';
export type { EncodedBatch, EncodeOptions, Encoding, Sequence, SpecialIds, Tokenizer } from './tokenizer';
export type { BpeTokenizer } from './bpe';
export { FormatError } from './errors';

/**
 * The part of the released DNABERT-2 vocabulary (sha256 5d178e8c…) that the golden encodings need: 39 of its 4,087 merges in their order,
 * with their ids. Every golden over ACGT comes out the same as with the whole vocabulary.
 */
const merges = [
  'A A', 'T T', 'T G', 'C A', 'T A', 'G G', 'T C', 'G A', 'G C', 'TG A', 'TT A', 'C TG', 'C TT', 'G CA', 'GG A', 'G TA', 'AA AA', 'TA TA', 'C TGA',
  'CA TG', 'TC TC', 'G TTA', 'TC TA', 'C GA', 'GA CA', 'C GTA', 'TATA TATA', 'AAAA AAAA', 'CTT GG', 'TC GA', 'TATATATA TATATATA', 'TC GGA', 'G T',
  'AAAAAAAA AAAAAAAA', 'TCTA TCTA', 'TATATATATATATATA TATATATATATATATA', 'TC GACA', 'CTGA CTG', 'C G',
];
const productIds = [
  9, 10, 11, 12, 14, 15, 16, 17, 19, 23, 24, 28, 29, 32, 33, 35, 39, 46, 59, 65, 75, 77, 88, 93, 100, 194, 234, 248, 294, 359, 644, 757, 1049, 1169,
  1239, 1772, 2092, 2523, 3206,
];
const specialTokens = ['[UNK]', '[CLS]', '[SEP]', '[PAD]', '[MASK]'];
const special = (id: string, type_id: number) => ({ SpecialToken: { id, type_id } });
const sequence = (id: string, type_id: number) => ({ Sequence: { id, type_id } });

/** A fresh tokenizer.json as an object, to be changed by a test. */
export const dnabert2Subset = () => ({
  version: '1.0', truncation: null, padding: null,
  added_tokens: specialTokens.map((content, id) => ({ id, special: true, content, single_word: false, lstrip: false, rstrip: false, normalized: false })),
  normalizer: null, pre_tokenizer: { type: 'Whitespace' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [special('[CLS]', 0), sequence('A', 0), special('[SEP]', 0)],
    pair: [special('[CLS]', 0), sequence('A', 0), special('[SEP]', 0), sequence('B', 1), special('[SEP]', 1)],
    special_tokens: { '[CLS]': { id: '[CLS]', ids: [1], tokens: ['[CLS]'] }, '[SEP]': { id: '[SEP]', ids: [2], tokens: ['[SEP]'] } },
  },
  decoder: null,
  model: {
    type: 'BPE', dropout: null, unk_token: '[UNK]', continuing_subword_prefix: null, end_of_word_suffix: null, fuse_unk: false,
    vocab: Object.fromEntries([...specialTokens, 'A', 'C', 'G', 'T'].map((token, id) => [token, id]).concat(merges.map((merge, i) => [merge.replace(' ', ''), productIds[i]]))) as Record<string, number>,
    merges,
  },
});

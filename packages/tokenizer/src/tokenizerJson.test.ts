import fc from 'fast-check';
import { dnabert2Subset } from '../test/dnabert2Subset';
import { FormatError } from './errors';
import { createKmerTokenizer } from './kmer';
import { parseTokenizerJson, serializeTokenizerJson } from './tokenizerJson';
import { runs } from '../test/runs';

type File = ReturnType<typeof dnabert2Subset>;
const changed = (change: (file: File) => object) => change(dnabert2Subset());
const model = (fields: object) => (file: File) => ({ ...file, model: { ...file.model, ...fields } });
const vocabOf = (file: File, fields: object) => ({ ...file, model: { ...file.model, vocab: { ...file.model.vocab, ...fields } } });
const addedToken = (fields: object) => (file: File) => ({ ...file, added_tokens: [...file.added_tokens, { id: 48, content: 'x', ...fields }] });

describe('what is not supported is refused by name', () => {
  it.each<[string, (file: File) => object]>([
    ['truncation.strategy', (file) => ({ ...file, truncation: { max_length: 512, strategy: 'OnlyFirst' } })],
    ['truncation.stride', (file) => ({ ...file, truncation: { max_length: 512, stride: 16 } })],
    ['truncation.direction', (file) => ({ ...file, truncation: { max_length: 512, direction: 'Up' } })],
    ['truncation.max_length', (file) => ({ ...file, truncation: {} })],
    ['padding', (file) => ({ ...file, padding: { strategy: 'BatchLongest' } })],
    ['version', (file) => ({ ...file, version: '2.0' })],
    ['unheard_of', (file) => ({ ...file, unheard_of: 1 })],
    ['model.type', model({ type: 'WordPiece' })],
    ['model.type', model({ type: 'Unigram', unk_id: 0 })],
    ['model.dropout', model({ dropout: 0.1 })],
    ['model.byte_fallback', model({ byte_fallback: true })],
    ['model.ignore_merges', model({ ignore_merges: true })],
    ['model.continuing_subword_prefix', model({ continuing_subword_prefix: '##' })],
    ['model.end_of_word_suffix', model({ end_of_word_suffix: '</w>' })],
    ['normalizer.type', (file) => ({ ...file, normalizer: { type: 'NFC' } })],
    ['normalizer.normalizers[0].type', (file) => ({ ...file, normalizer: { type: 'Sequence', normalizers: [{ type: 'NFKC' }] } })],
    ['normalizer.pattern.Regex', (file) => ({ ...file, normalizer: { type: 'Replace', pattern: { Regex: '[^ACGT]' }, content: 'N' } })],
    ['normalizer.pattern.String', (file) => ({ ...file, normalizer: { type: 'Replace', pattern: { String: '' }, content: 'N' } })],
    ['normalizer.content', (file) => ({ ...file, normalizer: { type: 'Replace', pattern: { String: 'U' }, content: 'TT' } })],
    ['pre_tokenizer.type', (file) => ({ ...file, pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false } })],
    ['pre_tokenizer.type', (file) => ({ ...file, pre_tokenizer: { type: 'WhitespaceSplit' } })],
    ['pre_tokenizer.pattern.Regex', (file) => ({ ...file, pre_tokenizer: { type: 'Split', pattern: { Regex: 'N+' }, behavior: 'Isolated', invert: false } })],
    ['pre_tokenizer.behavior', (file) => ({ ...file, pre_tokenizer: { type: 'Split', pattern: { String: '-' }, behavior: 'Removed', invert: false } })],
    ['pre_tokenizer.invert', (file) => ({ ...file, pre_tokenizer: { type: 'Split', pattern: { String: '-' }, behavior: 'Isolated', invert: true } })],
    ['post_processor.type', (file) => ({ ...file, post_processor: { type: 'RobertaProcessing' } })],
    ['decoder.type', (file) => ({ ...file, decoder: { type: 'ByteLevel' } })],
    ['added_tokens[5].single_word', addedToken({ single_word: true })],
  ])('%s', (name, change) => {
    const parse = () => parseTokenizerJson(changed(change));
    expect(parse).toThrow(FormatError);
    expect(parse).toThrow(`expected ${name} to be`);
  });
});

describe('malformed and hostile files end in one clear error', () => {
  it.each<[string, string | object, string]>([
    ['no JSON', '{"model": ', 'expected JSON'],
    ['an empty file', '', 'expected JSON'],
    ['null', 'null', 'expected the file to be an object, got null'],
    ['an array', '[]', 'expected the file to be an object, got an array of 0'],
    ['no model', '{}', 'expected model to be an object, got nothing'],
    ['a vocabulary as an array', changed(model({ vocab: ['A'] })), 'expected model.vocab to be an object'],
    ['merges as an object', changed(model({ merges: {} })), 'expected model.merges to be an array'],
    ['an id as a string', changed((file) => vocabOf(file, { X: '7' })), 'expected model.vocab["X"] to be a whole number'],
    ['a negative id', changed((file) => vocabOf(file, { X: -1 })), 'got -1'],
    ['a fractional id', changed((file) => vocabOf(file, { X: 1.5 })), 'got 1.5'],
    ['an id that would need 16 GiB', changed((file) => vocabOf(file, { X: 4294967295 })), 'got 4294967295'],
    ['two tokens with one id', changed((file) => vocabOf(file, { X: 5 })), 'expected the id of "X" to be an id of its own, got 5; it belongs to "A" as well'],
    ['an added token with another id', changed((file) => ({ ...file, added_tokens: [{ id: 9999, content: '[UNK]', special: true }] })), 'expected the id of added token "[UNK]" to be 0 as in model.vocab'],
    ['an added token with the id of another', changed(addedToken({ id: 5 })), 'expected the id of "x" to be an id of its own'],
    ['an added token with an id that the Rust library does not give it', changed(addedToken({ id: 3999 })), 'expected added_tokens[5].id to be 48'],
    ['an added token behind one with a high id in the vocabulary', changed((file) => ({ ...file, added_tokens: [...file.added_tokens, { id: 3206, content: 'CG' }, { id: 48, content: 'x' }] })), 'expected added_tokens[6].id to be 3207'],
    ['an added token listed twice', changed((file) => ({ ...file, added_tokens: [...file.added_tokens, file.added_tokens[0]] })), 'every content once'],
    ['an empty added token', changed(addedToken({ content: '' })), '1 to 1000 letters'],
    ['a long added token', changed(addedToken({ content: 'A'.repeat(1e6) })), 'content to be 1 to 1000 letters, got "AAA'],
    ['an empty token', changed((file) => vocabOf(file, { '': 4000 })), 'at least one letter'],
    ['a letter above U+FFFF', changed((file) => vocabOf(file, { '😀': 4000 })), 'expected letters up to U+FFFF'],
    ['a merge of three', changed((file) => model({ merges: [...file.model.merges, 'A C G'] })(file)), 'expected model.merges[39] to be two tokens'],
    ['a merge of numbers', changed(model({ merges: [[1, 2]] })), 'expected model.merges[0] to be a string'],
    ['a merge into no token', changed(model({ merges: ['G GGA'] })), 'the merges belong to another vocabulary'],
    ['a merge with the unknown token', changed((file) => vocabOf(model({ merges: ['[UNK] A'] })(file) as File, { '[UNK]A': 4000 })), 'expected model.merges[0] to be tokens other than unk_token'],
    ['an unknown token outside the vocabulary', changed(model({ unk_token: '<unk>' })), 'expected model.unk_token to be a token of model.vocab'],
    ['fuse_unk as a string', changed(model({ fuse_unk: 'yes' })), 'expected model.fuse_unk to be true or false'],
    ['a template without the sequence', changed((file) => ({ ...file, post_processor: { ...file.post_processor, single: [] } })), 'each of A once'],
    ['a template with an undeclared token', changed((file) => ({ ...file, post_processor: { ...file.post_processor, special_tokens: {} } })), 'a name of special_tokens'],
    ['a template with another id', changed((file) => ({ ...file, post_processor: { ...file.post_processor, special_tokens: { ...file.post_processor.special_tokens, '[CLS]': { id: '[CLS]', ids: [7], tokens: ['[CLS]'] } } } })), 'the id of "[CLS]" in the vocabulary, 1, got 7'],
    ['BertProcessing with another id', changed((file) => ({ ...file, post_processor: { type: 'BertProcessing', sep: ['[SEP]', 9], cls: ['[CLS]', 1] } })), 'the id of "[SEP]" in the vocabulary, 2, got 9'],
    ['__proto__ in the vocabulary', JSON.stringify(dnabert2Subset()).replace('"vocab":{', '"vocab":{"__proto__":4000,'), 'free of the key "__proto__"'],
    ['__proto__ in the file', `{"__proto__":{"polluted":true},${JSON.stringify(dnabert2Subset()).slice(1)}`, 'free of the key "__proto__"'],
    ['a polluting special token', JSON.stringify(dnabert2Subset()).replaceAll('"id":"[CLS]","type_id"', '"id":"constructor","type_id"'), 'a name of special_tokens, got "constructor"'],
  ])('%s', (_, json, message) => {
    expect(() => parseTokenizerJson(json)).toThrow(FormatError);
    expect(() => parseTokenizerJson(json)).toThrow(message);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('any JSON at all: a tokenizer or a FormatError', () => {
    fc.assert(fc.property(fc.jsonValue(), fc.constantFrom('model', 'added_tokens', 'post_processor', 'normalizer', 'pre_tokenizer', 'decoder', 'version'), (value, field) => {
      try {
        parseTokenizerJson({ ...dnabert2Subset(), [field]: value });
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
    }), { numRuns: runs(300) });
  });
});

describe('reading and writing', () => {
  it('merges as arrays are the same as strings', () => {
    const arrays = parseTokenizerJson(changed((file) => model({ merges: file.model.merges.map((merge) => merge.split(' ')) })(file)));
    expect(arrays.definition).toEqual(parseTokenizerJson(dnabert2Subset()).definition);
  });
  it('a file that was read is written with the same content', () => {
    expect(JSON.parse(serializeTokenizerJson(parseTokenizerJson(dnabert2Subset())))).toEqual(dnabert2Subset());
  });
  it('tokens such as toString are tokens, not methods', () => {
    const tokenizer = parseTokenizerJson(changed((file) => vocabOf(file, { toString: 4000 })));
    expect(tokenizer.tokenToId('toString')).toBe(4000);
    expect(tokenizer.tokenToId('valueOf')).toBeUndefined();
  });
  it('ids may leave gaps', () => {
    const tokenizer = parseTokenizerJson(dnabert2Subset());
    expect([tokenizer.vocabSize, tokenizer.idToToken(3206), tokenizer.idToToken(3205)]).toEqual([3207, 'CG', undefined]);
  });
  it('a k-mer tokenizer has no tokenizer.json', () => {
    expect(() => serializeTokenizerJson(createKmerTokenizer({ k: 3 }) as never)).toThrow(TypeError);
  });
});

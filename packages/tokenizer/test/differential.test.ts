/** One definition, many ways: in WebAssembly, in JavaScript, in small windows, by rank; from strings, bytes and packed bases. */
import fc from 'fast-check';
import { createBpeTokenizer, type BpeDefinition } from '../src/bpe';
import { parseTokenizerJson, type EncodeOptions, type Sequence, type Tokenizer } from '../src/index';
import { dna } from './arbitraries';
import { dnabert2Subset } from './dnabert2Subset';
import { runs } from './runs';

const dirty = fc.array(fc.oneof(dna('ACGT', 8), dna('ACGTN', 3), fc.constantFrom('acgt', 'gTTa', 'RYKM', 'nnnn', ' ', '\n', '-', '_', ',.', '1', 'é', '😀', '[MASK]', '[CLS', '[')), { maxLength: 10 }).map((parts) => parts.join(''));
const released = parseTokenizerJson(dnabert2Subset()).definition;
const lowerCase = (definition: BpeDefinition): BpeDefinition => ({
  ...definition, normalizer: 'Lowercase',
  vocab: new Map([...definition.vocab].map(([token, id]) => [id < 5 ? token : token.toLowerCase(), id])),
  merges: definition.merges.map(([left, right]) => [left.toLowerCase(), right.toLowerCase()] as const),
});
const definitions: [string, BpeDefinition][] = [
  ['DNABERT-2', released],
  ['no pre-tokenizer', { ...released, preTokenizer: null }],
  ['fused unknown letters', { ...released, fuseUnk: true }],
  ['fused unknown letters, no pre-tokenizer', { ...released, fuseUnk: true, preTokenizer: null }],
  ['Lowercase', lowerCase(released)],
  ['Uppercase', { ...released, normalizer: 'Uppercase' }],
  ['white space off the ends', { ...released, preTokenizer: null, normalizer: { strip: { left: true, right: true } } }],
  ['white space off the left end, lower case, a letter for runs', { ...lowerCase(released), normalizer: ['Lowercase', { strip: { left: true, right: false } }, { replace: { letter: 'n', atLeast: 3 }, content: 'a' }] }],
  ['words between GTTA', { ...released, preTokenizer: { isolate: 'GTTA' } }],
  ['a letter that is punctuation', { ...released, vocab: new Map([...released.vocab, ['-', 5000]]) }],
  ['N as a letter', { ...released, vocab: new Map([...released.vocab, ['N', 5000], ['NN', 5001]]), merges: [...released.merges, ['N', 'N']] }],
  ['added tokens of letters', { ...released, addedTokens: [...released.addedTokens, { id: 5000, content: 'GATTACA', special: false, normalized: true, lstrip: false, rstrip: false }] }],
];

const outcome = (tokenizer: Tokenizer, sequence: Sequence, options: EncodeOptions) => {
  try {
    const { ids, offsets } = tokenizer.encodeWithOffsets(sequence, options), { inputIds, unknownCount } = tokenizer.encodeBatch([sequence, sequence], options);
    expect([...inputIds]).toEqual([...ids, ...ids]);
    expect(tokenizer.encode(sequence, options)).toEqual(ids);
    return { ids: [...ids], offsets: [...offsets], unknownCount };
  } catch (error) {
    return (error as Error).message;
  }
};

describe.each(definitions)('%s', (_, definition) => {
  const byRank = createBpeTokenizer(definition, false);
  const ways = [createBpeTokenizer(definition), createBpeTokenizer(definition, { wasm: false }), createBpeTokenizer(definition, { capacity: 12, overlap: 2 })];
  it('gives the same ids, offsets, counts and errors every way', () => {
    fc.assert(fc.property(dirty, fc.constantFrom<EncodeOptions>({}, { case: 'upper' }, { unknown: 'error' }, { addSpecialTokens: false }, { maxLength: 7 }), (text, options) => {
      const expected = outcome(byRank, text, options);
      for (const way of ways) expect(outcome(way, text, options)).toEqual(expected);
      // eslint-disable-next-line no-control-regex -- the range is ASCII
      if (/^[\x00-\x7f]*$/.test(text)) expect(outcome(ways[0], new TextEncoder().encode(text), options)).toEqual(expected);
    }), { numRuns: runs(25) });
  });
});

describe('packed DNA', () => {
  const tokenizer = parseTokenizerJson(dnabert2Subset());
  const pack = (text: string, bases: string) => {
    const packed = new Uint8Array(Math.ceil(text.length / 4));
    [...text].forEach((base, i) => { packed[i >> 2] |= bases.indexOf(base) << (6 - 2 * (i & 3)); });
    return packed;
  };
  it('reads as the same DNA in text', () => {
    fc.assert(fc.property(dna('ACGT', 40), fc.constantFrom(undefined, 'ACGT'), (text, bases) => {
      const packed = { packed: pack(text, bases ?? 'TCAG'), length: text.length, bases };
      expect(tokenizer.encodeWithOffsets(packed)).toEqual(tokenizer.encodeWithOffsets(text));
    }));
  });
  it('reads the first bytes of a .2bit record: TCAG is 00 01 10 11', () => {
    expect(tokenizer.decode(tokenizer.encode({ packed: Uint8Array.of(0b00011011, 0b11000000), length: 5 }, { addSpecialTokens: false }))).toBe('TCAGG');
  });
  it.each([
    ['more bases than it holds', { packed: Uint8Array.of(0), length: 5 }, 'expected a length from 0 to 4 bases'],
    ['three letters for four bases', { packed: Uint8Array.of(0), length: 4, bases: 'ACG' }, 'expected four ASCII letters'],
  ])('refuses %s', (_, sequence, message) => expect(() => tokenizer.encode(sequence)).toThrow(message));
});

it('a batch may come from a generator that encodes, too', () => {
  const tokenizer = parseTokenizerJson(dnabert2Subset());
  function* sequences() { for (const text of ['TGCATG', 'AAAA']) { tokenizer.encode('CCCCCCCC'); yield text; } }
  expect([...tokenizer.encodeBatch(sequences()).inputIds]).toEqual([...tokenizer.encode('TGCATG'), ...tokenizer.encode('AAAA')]);
});

it('a page that forbids WebAssembly gets the JavaScript search', () => {
  const { Memory } = WebAssembly;
  WebAssembly.Memory = class { constructor() { throw new Error('refused by the Content-Security-Policy'); } } as unknown as typeof Memory;
  try {
    expect([...parseTokenizerJson(dnabert2Subset()).encode('TGCATG')]).toEqual([1, 11, 65, 2]);
  } finally {
    WebAssembly.Memory = Memory;
  }
});

import fc from 'fast-check';
import { dna } from '../test/arbitraries';
import { createCharacterTokenizer } from './character';
import { createKmerTokenizer } from './kmer';
import { parseTokenizerJson, serializeTokenizerJson } from './tokenizerJson';

const bare = { addSpecialTokens: false };

describe('k-mers', () => {
  it('the id of a k-mer is 5 + its number in base 4, A < C < G < T', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 12 }).chain((k) => fc.string({ unit: fc.constantFrom(...'ACGT'), minLength: k, maxLength: k })), (kmer) => {
      const tokenizer = createKmerTokenizer({ k: kmer.length }), id = 5 + parseInt([...kmer].map((letter) => 'ACGT'.indexOf(letter)).join(''), 4);
      expect([...tokenizer.encode(kmer)]).toEqual([1, id, 2]);
      expect(tokenizer.idToToken(id)).toBe(kmer);
      expect(tokenizer.tokenToId(kmer)).toBe(id);
    }));
    expect(createKmerTokenizer({ k: 6 }).vocabSize).toBe(4101);
  });

  it('windows at every stride, one [UNK] for each that holds another letter, no token for a short tail', () => {
    fc.assert(fc.property(dna('ACGTNacgt-'), fc.integer({ min: 1, max: 7 }), fc.nat({ max: 6 }), (sequence, k, shorter) => {
      const stride = Math.max(1, k - shorter), tokenizer = createKmerTokenizer({ k, stride });
      const starts = Array.from({ length: Math.max(0, Math.floor((sequence.length - k) / stride) + 1) }, (_, i) => i * stride);
      const { ids, offsets } = tokenizer.encodeWithOffsets(sequence, bare);
      expect([...ids]).toEqual(starts.map((start) => tokenizer.tokenToId(sequence.slice(start, start + k)) ?? 0));
      expect([...offsets]).toEqual(starts.flatMap((start) => [start, start + k]));
      expect(tokenizer.encodeBatch([sequence]).unknownCount).toBe([...sequence].filter((letter) => !'ACGT'.includes(letter)).length);
    }));
  });

  it('decodes unknown and masked bases as N, and refuses windows that contradict each other', () => {
    const tokenizer = createKmerTokenizer({ k: 3 });
    expect(tokenizer.decode(tokenizer.encode('ACGTRACGT'), { skipSpecialTokens: false })).toBe('[CLS]ACGTNACGT[SEP]');
    expect(tokenizer.decode([tokenizer.tokenToId('ACG')!, 4, tokenizer.tokenToId('GTT')!])).toBe('ACGTT');
    expect(() => tokenizer.decode([tokenizer.tokenToId('ACG')!, tokenizer.tokenToId('AAA')!])).toThrow('windows that agree where they overlap, got C and A at base 1');
  });

  it('takes the ids of a vocabulary file, in any order, with either line end', () => {
    const kmers = [...'ATCG'].flatMap((a) => [...'ATCG'].map((b) => a + b)), lines = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...kmers];
    for (const vocabulary of [lines.join('\n'), `${lines.join('\r\n')}\r\n`]) {
      const tokenizer = createKmerTokenizer({ k: 2, vocabulary });
      expect([...tokenizer.encode('ATNGG[MASK]')]).toEqual([2, 6, 1, 1, 20, 4, 3]);
      expect(tokenizer.decode(tokenizer.encode('ATNGG'))).toBe('[CLS]ATNGG[SEP]');
      expect(tokenizer.specialIds).toEqual({ unk: 1, cls: 2, sep: 3, pad: 0, mask: 4 });
      lines.forEach((token, id) => { expect([tokenizer.tokenToId(token), tokenizer.idToToken(id)]).toEqual([id, token]); });
      expect([tokenizer.idToToken(21), tokenizer.idToToken(-1), tokenizer.tokenToId('AAA')]).toEqual([undefined, undefined, undefined]);
    }
  });
  it.each([
    ['a token of another k', '[PAD]\nAAA', 'expected a 2-mer or one of [UNK] [CLS] [SEP] [PAD] [MASK], each once, got "AAA" at line 2'],
    ['a token twice', 'AA\nAA', 'got "AA" at line 2'],
    ['a token missing', '[UNK]\n[CLS]\n[SEP]\n[PAD]\n[MASK]\nAA', 'got "none for AC" at line 6'],
  ])('refuses a vocabulary file with %s', (_, vocabulary, message) => expect(() => createKmerTokenizer({ k: 2, vocabulary })).toThrow(message));

  it('an error names the letter, not the window', () => {
    expect(() => createKmerTokenizer({ k: 4 }).encode('ACGTACnT', { unknown: 'error' })).toThrow('got "n" at 6');
  });

  it.each([[{ k: 0 }], [{ k: 13 }], [{ k: 2.5 }], [{ k: 6, stride: 0 }], [{ k: 6, stride: 7 }], [{ k: 6, stride: NaN }]])('refuses %j', (options) => {
    expect(() => createKmerTokenizer(options)).toThrow(RangeError);
  });
});

describe('characters', () => {
  it('special tokens, then the alphabet; other letters are unknown', () => {
    expect([...createCharacterTokenizer().encode('ACGTN a')]).toEqual([1, 5, 6, 7, 8, 0, 0, 0, 2]);
    expect([...createCharacterTokenizer({ alphabet: 'ACGTN' }).encode('NA', bare)]).toEqual([9, 5]);
  });
  it('is 1-mers over ACGT', () => {
    fc.assert(fc.property(dna('ACGTN-a'), (sequence) => expect(createCharacterTokenizer().encode(sequence)).toEqual(createKmerTokenizer({ k: 1 }).encode(sequence))));
  });
  it('can be written and read', () => {
    const tokenizer = createCharacterTokenizer();
    expect(parseTokenizerJson(serializeTokenizerJson(tokenizer)).definition).toEqual(tokenizer.definition);
  });
  it.each(['', 'AA', 'A😀'])('refuses the alphabet %j', (alphabet) => expect(() => createCharacterTokenizer({ alphabet })).toThrow(RangeError));
});

import fc from 'fast-check';
import { dna } from '../test/arbitraries';
import { dnabert2Subset } from '../test/dnabert2Subset';
import { createCharacterTokenizer } from './character';
import { createKmerTokenizer } from './kmer';
import type { BpeTokenizer } from './bpe';
import type { Tokenizer } from './tokenizer';
import { parseTokenizerJson } from './tokenizerJson';

const bpe = parseTokenizerJson(dnabert2Subset());

/** What the model package asks for, copied from its contract: every tokenizer must fit without an adapter. */
interface Encoder {
  readonly vocabSize: number;
  readonly specialIds: Readonly<Partial<Record<'unk' | 'cls' | 'sep' | 'pad' | 'mask', number>>>;
  encode(sequence: string, options?: { pair?: string; addSpecialTokens?: boolean; maxLength?: number }): Uint32Array;
}
interface OffsetEncoder extends Encoder { encodeWithOffsets(sequence: string): { ids: Uint32Array; offsets: Uint32Array } }
interface Decoder { decode(ids: ArrayLike<number>): string }

const tokenizers: readonly (readonly [string, Tokenizer & OffsetEncoder & Decoder])[] = [
  ['BPE', bpe satisfies BpeTokenizer], ['6-mers', createKmerTokenizer({ k: 6 })], ['3-mers side by side', createKmerTokenizer({ k: 3, stride: 3 })], ['characters', createCharacterTokenizer()],
];

describe('released DNABERT-2 ids', () => {
  it.each([
    ['ACGTAGCATCGGATCTATCTATCGACACTTGGTTATCGATCTACGAGCATCTCGTTAGC', '1 5 194 32 757 1239 2092 294 24 359 88 93 32 75 77 19 2'],
    ['TGCATG', '1 11 65 2'],
    ['ACTGACTGACTG', '1 5 59 2523 2'],
    ['TATATATATATATATATATATATATATATATA', '1 1772 2'],
    ['ACG[MASK]TTA', '1 5 3206 4 24 2'],
  ])('%s', (sequence, ids) => expect(bpe.encode(sequence).join(' ')).toBe(ids));
});

it('what was given out stays as it is and fills its buffer, also of sequences so long that no scratch is kept', () => {
  const long = 'ACGTTGCATGGATTACA'.repeat(150_000), { ids, offsets } = bpe.encodeWithOffsets(long), kept = ids.slice(), short = bpe.encode('TGCATG');
  expect([ids.buffer.byteLength, offsets.buffer.byteLength]).toEqual([ids.byteLength, offsets.byteLength]);
  const equal = () => Buffer.from(kept.buffer).equals(Buffer.from(ids.buffer));
  expect(bpe.encode(long).length).toBe(ids.length);
  bpe.encode('C'.repeat(long.length));
  bpe.encodeWithOffsets('N'.repeat(9));
  expect(() => bpe.encode(`${long}N`, { unknown: 'error' })).toThrow('got "N"');
  expect([equal(), [...short], [...offsets.subarray(-4)]]).toEqual([true, [1, 11, 65, 2], [long.length - 2, long.length, 0, 0]]);
});

describe('lower case: the accident and the two ways out', () => {
  const softMasked = 'ACGTagcatcggATC';
  it('becomes unknown, and is counted', () => {
    expect([...bpe.encode('acgt')]).toEqual([1, 0, 0, 0, 0, 2]);
    expect(bpe.encodeBatch([softMasked, 'ACGT']).unknownCount).toBe(8);
  });
  it('is an error that says where, with unknown: error', () => {
    expect(() => bpe.encode(softMasked, { unknown: 'error' })).toThrow(new RangeError("encode: expected letters of the vocabulary, got \"a\" at 4; pass case: 'upper' to read soft-masked sequence"));
    expect(() => bpe.encode('ACGT', { pair: 'ACGTN', unknown: 'error' })).toThrow('got "N" at 4');
    expect(() => bpe.encode('ACG[MASK]ACGN', { unknown: 'error' })).toThrow('got "N" at 12');
  });
  it('is read as upper case with case: upper, positions unchanged', () => {
    const options = { case: 'upper', unknown: 'error' } as const;
    expect(bpe.encodeWithOffsets(softMasked, options)).toEqual(bpe.encodeWithOffsets(softMasked.toUpperCase()));
    expect(bpe.encodeBatch([softMasked], options).unknownCount).toBe(0);
  });
  it('without an unknown token it is an error in any case', () => {
    const file = dnabert2Subset();
    const tokenizer = parseTokenizerJson({ ...file, model: { ...file.model, unk_token: null } });
    expect(() => tokenizer.encode('ACn')).toThrow('got "n"; this vocabulary has no unknown token');
  });
});

describe.each(tokenizers)('%s', (name, tokenizer) => {
  const frame = { addSpecialTokens: false };

  it('decodes what it encoded', () => {
    fc.assert(fc.property(dna(), (sequence) => {
      fc.pre(name !== '6-mers' || sequence.length >= 6);
      const whole = name === '3-mers side by side' ? sequence.slice(0, sequence.length - (sequence.length % 3)) : sequence;
      expect(tokenizer.decode(tokenizer.encode(sequence), { skipSpecialTokens: true })).toBe(whole);
      expect(tokenizer.decode(tokenizer.encode(sequence))).toBe(`[CLS]${whole}[SEP]`);
    }));
  });

  it('offsets cut the token out of the sequence', () => {
    fc.assert(fc.property(dna('ACGTNacgt \n'), (sequence) => {
      const { ids, offsets } = tokenizer.encodeWithOffsets(sequence, frame);
      expect(ids).toEqual(tokenizer.encode(sequence, frame));
      ids.forEach((id, i) => { if (id !== 0) expect(sequence.slice(offsets[2 * i], offsets[2 * i + 1])).toBe(tokenizer.idToToken(id)); });
    }));
  });

  it('a batch is its sequences one by one, bytes as well as strings', () => {
    fc.assert(fc.property(fc.array(fc.tuple(dna('ACGTN'), dna()), { maxLength: 6 }), fc.option(fc.integer({ min: 3, max: 20 }), { nil: undefined }), (pairs, maxLength) => {
      const items = pairs.map(([first, second], i) => (i % 3 === 0 ? first : i % 3 === 1 ? new TextEncoder().encode(first) : ([first, second] as const)));
      const alone = pairs.map(([first, second], i) => tokenizer.encode(first, { maxLength, pair: i % 3 === 2 ? second : undefined }));
      const { inputIds, cuSeqlens, maxSeqlen } = tokenizer.encodeBatch(items, { maxLength });
      expect([...inputIds]).toEqual(alone.flatMap((ids) => [...ids]));
      expect([...cuSeqlens]).toEqual(alone.reduce((ends, ids) => [...ends, ends.at(-1)! + ids.length], [0]));
      expect(maxSeqlen).toBe(Math.max(0, ...alone.map((ids) => ids.length)));
    }));
  });

  it('maxLength keeps the special tokens and the beginning, and a batch counts what it cut', () => {
    const sequence = 'ACGTTGCATGCAACGTTGCA'.repeat(3), whole = tokenizer.encode(sequence);
    for (let maxLength = 2; maxLength <= whole.length; maxLength++) {
      expect([...tokenizer.encode(sequence, { maxLength })]).toEqual([...whole.subarray(0, maxLength - 1), 2]);
    }
    expect(tokenizer.encodeBatch([sequence, ''], { maxLength: 4 }).truncatedCount).toBe(1);
    expect(() => tokenizer.encode(sequence, { maxLength: 1 })).toThrow('expected maxLength of at least 2 for the special tokens, got 1');
    expect(tokenizer.encode(sequence, { maxLength: 1, addSpecialTokens: false }).length).toBe(1);
  });

  it('ids and tokens are inverse', () => {
    for (let id = 0; id < Math.min(tokenizer.vocabSize, 600); id++) {
      const token = tokenizer.idToToken(id);
      if (token !== undefined) expect(tokenizer.tokenToId(token)).toBe(id);
    }
    for (const id of [-1, 1.5, NaN, tokenizer.vocabSize]) expect(tokenizer.idToToken(id)).toBeUndefined();
    expect(tokenizer.tokenToId('nothing')).toBeUndefined();
  });

  it.each([
    ['a number', 7, TypeError, 'expected a string, a Uint8Array of ASCII or packed DNA, got 7'],
    ['undefined', undefined, TypeError, 'got nothing'],
    ['other typed arrays', new Uint16Array(3), TypeError, 'got an object'],
    ['bytes above ASCII', Uint8Array.of(65, 200), RangeError, 'expected ASCII bytes, got 0xc8 at 1'],
  ])('refuses %s', (_, sequence, kind, message) => {
    expect(() => tokenizer.encode(sequence as never)).toThrow(kind);
    expect(() => tokenizer.encode(sequence as never)).toThrow(message);
  });

  it('refuses wrong options and ids', () => {
    expect(() => tokenizer.encode('A', { maxLength: 2.5 })).toThrow(RangeError);
    expect(() => tokenizer.encode('A', { unknown: 'skip' as never })).toThrow("expected unknown to be 'token' or 'error'");
    expect(() => tokenizer.encode('A', { case: 'lower' as never })).toThrow("expected case to be 'preserve' or 'upper'");
    expect(() => tokenizer.encodeBatch('ACGT')).toThrow('expected an iterable of sequences, got one sequence');
    expect(() => tokenizer.encodeBatch(undefined as unknown as string[])).toThrow('expected an iterable of sequences, got nothing');
    expect(() => tokenizer.decode([tokenizer.vocabSize])).toThrow(RangeError);
  });
});

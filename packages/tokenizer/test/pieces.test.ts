/** Encodings in pieces, around edits and over workers are the encoding of the whole. */
import fc from 'fast-check';
import { createBpeTokenizer, type BpeDefinition } from '../src/bpe';
import { baseToToken, encodeBothStrands, encodeEdited, encodeStream, parseTokenizerJson, type BpeTokenizer } from '../src/index';
import { bareFrame } from '../src/tokenizer';
import { dna, merges } from './arbitraries';
import { dnabert2Subset } from './dnabert2Subset';
import { runs } from './runs';

const bare = { addSpecialTokens: false };
const released = parseTokenizerJson(dnabert2Subset());

/** Merges of random letters and products: encodings that depend on far letters more often than those of trained ones. */
const tokenizers = fc.oneof(
  merges('ACG', { distinctProducts: true }).chain((list) => fc.boolean().map((fuseUnk): BpeTokenizer => {
    const tokens = ['?', 'A', 'C', 'G', ...list.map(([left, right]) => left + right)];
    const definition: BpeDefinition = { vocab: new Map(tokens.map((token, id) => [token, id])), merges: list, unkToken: '?', fuseUnk, addedTokens: [], normalizer: null, preTokenizer: 'Whitespace', frame: bareFrame };
    return createBpeTokenizer(definition);
  })),
  fc.constantFrom(released, createBpeTokenizer({ ...released.definition, preTokenizer: null, normalizer: { strip: { left: true, right: true } } }), createBpeTokenizer({ ...released.definition, normalizer: { replace: 'GG', content: 'A' }, preTokenizer: { isolate: 'CA' } })),
);
const sequences = fc.array(fc.oneof({ weight: 6, arbitrary: dna('ACG', 12) }, fc.constantFrom('N', 'NNNN', ' ', 'acg', '[MASK]', 'é')), { maxLength: 8 }).map((parts) => parts.join(''));

async function collect(pieces: AsyncIterable<Uint32Array>): Promise<number[]> {
  const ids: number[] = [];
  for await (const piece of pieces) ids.push(...piece);
  return ids;
}

describe('encodeStream', () => {
  it('gives the ids of the whole, however it is cut', async () => {
    await fc.assert(fc.asyncProperty(tokenizers, fc.array(sequences, { maxLength: 12 }), fc.boolean(), async (tokenizer, chunks, addSpecialTokens) => {
      const ids = await collect(encodeStream(tokenizer, chunks, { blockLength: 8, addSpecialTokens }));
      expect(ids).toEqual([...tokenizer.encode(chunks.join(''), { addSpecialTokens })]);
    }), { numRuns: runs(70) });
  });
  it('is not cut, nor is an edited sequence, by a limit that the file sets', async () => {
    const limited = parseTokenizerJson({ ...dnabert2Subset(), truncation: { direction: 'Right', max_length: 8, strategy: 'LongestFirst', stride: 0 } }), text = 'ACGGTCATTGCA'.repeat(9);
    const whole = released.encodeWithOffsets(text, bare);
    expect(limited.encode(text, bare)).toHaveLength(8);
    expect(await collect(encodeStream(limited, [text.slice(0, 50), text.slice(50)], { blockLength: 8, ...bare }))).toEqual([...whole.ids]);
    expect(encodeEdited(limited, { sequence: text, ...whole }, [{ start: 3, end: 3, replacement: '' }]).ids).toEqual(whole.ids);
  });
  it('keeps no more than a block of a long sequence back', async () => {
    let given = 0, yielded = 0, most = 0;
    function* chunks() {
      for (let i = 0, state = 1; i < 400; i++) {
        let chunk = '';
        for (let k = 0; k < 1000; k++) chunk += 'ACGT'[(state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 30];
        given += chunk.length;
        yield chunk;
      }
    }
    for await (const piece of encodeStream(released, chunks(), { blockLength: 4096, addSpecialTokens: false })) {
      yielded += released.decode(piece).length;
      most = Math.max(most, given - yielded);
    }
    expect(yielded).toBe(400_000);
    expect(most).toBeLessThan(2 * 4096);
  });
  it('counts letters without a token as a batch does, and names the place of the first in the whole sequence', async () => {
    await fc.assert(fc.asyncProperty(tokenizers, fc.array(sequences, { maxLength: 12 }), async (tokenizer, chunks) => {
      let unknownCount = 0;
      await collect(encodeStream(tokenizer, chunks, { blockLength: 8, onUnknown: (count) => { unknownCount = count; } }));
      expect(unknownCount).toBe(tokenizer.encodeBatch([chunks.join('')]).unknownCount);
      const message = (run: () => unknown) => { try { run(); return undefined; } catch (error) { return (error as Error).message; } };
      const expected = message(() => tokenizer.encode(chunks.join(''), { unknown: 'error' }));
      const streamed = await collect(encodeStream(tokenizer, chunks, { blockLength: 8, unknown: 'error' })).then(() => undefined, (error: unknown) => (error as Error).message);
      expect(streamed).toBe(expected);
    }), { numRuns: runs(50) });
  });
  it('refuses one sequence in place of chunks', async () => {
    await expect(collect(encodeStream(released, 'ACGT'))).rejects.toThrow(TypeError);
  });
});

describe('encodeEdited', () => {
  const edits = (length: number) => fc.array(fc.tuple(fc.nat(length), fc.nat(6), dna('ACG', 2)), { maxLength: 6 }).map((list) => {
    let at = 0;
    return [...list].sort((a, b) => a[0] - b[0]).flatMap(([place, deleted, replacement]) => {
      const start = Math.max(at, place), end = Math.min(length, start + deleted);
      at = end;
      return [{ start, end, replacement }];
    });
  });
  const cases = fc.tuple(tokenizers, fc.array(sequences, { maxLength: 12 }).map((parts) => parts.join('').repeat(2))).chain(([tokenizer, sequence]) => fc.tuple(fc.constant(tokenizer), fc.constant(sequence), edits(sequence.length)));
  it('gives the encoding of the new sequence', () => {
    fc.assert(fc.property(cases, fc.constantFrom(1, 8, undefined), ([tokenizer, sequence, list], margin) => {
      const after = encodeEdited(tokenizer, { sequence, ...tokenizer.encodeWithOffsets(sequence, bare) }, list, { margin });
      let expected = sequence;
      for (const { start, end, replacement } of [...list].reverse()) expected = expected.slice(0, start) + replacement + expected.slice(end);
      expect(after).toEqual({ sequence: expected, ...tokenizer.encodeWithOffsets(expected, bare) });
    }), { numRuns: runs(50) });
  });
  it.each([
    ['edits out of order', [{ start: 3, end: 4, replacement: '' }, { start: 1, end: 2, replacement: '' }]],
    ['an edit beyond the end', [{ start: 3, end: 9, replacement: '' }]],
  ])('refuses %s', (_, list) => {
    expect(() => encodeEdited(released, { sequence: 'ACGT', ...released.encodeWithOffsets('ACGT', bare) }, list)).toThrow('expected edits in ascending order within 0 to 4');
  });
});

describe('both strands', () => {
  it('the reverse strand is the reverse complement, in coordinates of the sequence', () => {
    const { forward, reverse } = encodeBothStrands(released, 'TTGCANCATGA');
    expect(forward).toEqual(released.encodeWithOffsets('TTGCANCATGA'));
    expect(reverse.ids).toEqual(released.encode('TCATGNTGCAA'));
    expect(reverse.offsets).toEqual(Uint32Array.from([...released.encodeWithOffsets('TCATGNTGCAA').offsets].flatMap((_, i, all) => (i % 2 ? [] : all[i] === all[i + 1] ? [0, 0] : [11 - all[i + 1], 11 - all[i]]))));
  });
  it('IUPAC codes have their complements, in either case', () => {
    const seen: string[] = [];
    encodeBothStrands({ encodeWithOffsets: (sequence) => { seen.push(typeof sequence === 'string' ? sequence : new TextDecoder().decode(sequence as Uint8Array)); return { ids: new Uint32Array(0), offsets: new Uint32Array(0) }; } }, 'ACGTRYKMBVDHSWNacgtrykmbvdhswn');
    expect(seen).toContain('nwsdhbvkmryacgtNWSDHBVKMRYACGT');
  });
});

it('every base has its token', () => {
  const encoding = released.encodeWithOffsets('TGCATG NA');
  expect([...baseToToken(encoding, 9)]).toEqual([1, 1, 2, 2, 2, 2, -1, 3, 4]);
});

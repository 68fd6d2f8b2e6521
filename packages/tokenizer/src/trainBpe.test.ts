import fc from 'fast-check';
import { dna } from '../test/arbitraries';
import { trainByDefinition } from '../test/references';
import { MemoryLimitError } from './errors';
import { trainBpe, type TrainBpeProgress } from './trainBpe';
import { createTrainingShard, trainBpeOverShards } from './trainShards';
import { runs } from '../test/runs';

const words = (corpus: readonly string[]) => corpus.flatMap((text) => text.split(/\s+/)).filter((word) => word !== '');

describe('merges equal a recount of all neighbours for every merge', () => {
  it.each(['A', 'AC', 'ACGT', 'ACGT N'])('letters %j: many ties and runs', async (alphabet) => {
    await fc.assert(fc.asyncProperty(fc.array(dna(alphabet, 8), { minLength: 1, maxLength: 4 }), fc.integer({ min: 8, max: 40 }), fc.integer({ min: 0, max: 3 }), fc.option(fc.integer({ min: 2, max: 9 }), { nil: undefined }), async (corpus, vocabSize, minFrequency, maxTokenLength) => {
      fc.pre(words(corpus).length > 0);
      const trained = await trainBpe(corpus, { vocabSize, specialTokens: ['[UNK]'], minFrequency, maxTokenLength });
      expect(trained.definition.merges).toEqual(trainByDefinition(words(corpus), { vocabSize, specialTokens: ['[UNK]'], minFrequency, ...(maxTokenLength && { maxTokenLength }) }));
    }), { numRuns: runs(25) });
  });
});

describe('out of core', () => {
  const outOfCore = { maxMemory: 2 ** 23 };
  it.each(['A', 'AC', 'ACGT', 'ACGT N'])('letters %j: the same merges, also when continued from any of them', async (alphabet) => {
    await fc.assert(fc.asyncProperty(fc.array(dna(alphabet, 8), { minLength: 1, maxLength: 4 }), fc.integer({ min: 8, max: 60 }), fc.integer({ min: 0, max: 3 }), fc.option(fc.integer({ min: 2, max: 9 }), { nil: undefined }), fc.nat(40), async (corpus, vocabSize, minFrequency, maxTokenLength, done) => {
      fc.pre(words(corpus).length > 0);
      const options = { vocabSize, specialTokens: ['[UNK]'], minFrequency, maxTokenLength };
      const { merges } = (await trainBpe(corpus, options)).definition;
      expect((await trainBpe(corpus, { ...options, ...outOfCore })).definition.merges).toEqual(merges);
      expect((await trainBpe(corpus, { ...options, initialMerges: merges.slice(0, done) })).definition.merges).toEqual(merges);
      expect((await trainBpe(corpus, { ...options, ...outOfCore, initialMerges: merges.slice(0, done) })).definition.merges).toEqual(merges);
    }), { numRuns: runs(8) });
  });
  it.each([
    ['a directory that does not exist', { maxMemory: 2 ** 23, scratchDirectory: '/does/not/exist' }, 'expected scratch space of 2 bytes a letter in /does/not/exist'],
    ['merges of another alphabet', { initialMerges: [['X', 'Y']] as const }, 'expected initialMerges of this corpus'],
  ])('refuses %s', async (_, options, message) => {
    await expect(trainBpe(['ACGT'], { vocabSize: 20, ...options })).rejects.toThrow(message);
  });
  it.each([1000, NaN])('refuses too little memory (%p) and says how much it needs, which is then enough', async (maxMemory) => {
    const options = { vocabSize: 20 }, { needed } = await trainBpe(['ACGT'], { ...options, maxMemory }).catch((error: MemoryLimitError) => error) as MemoryLimitError;
    await expect(trainBpe(['ACGT'], { ...options, maxMemory: needed - 1 })).rejects.toThrow(new MemoryLimitError(needed, `trainBpe: expected maxMemory of at least ${needed} bytes for 20 tokens, got ${needed - 1}; raise it or lower vocabSize`));
    expect((await trainBpe(['ACGT'], { ...options, maxMemory: needed })).definition.merges).toEqual((await trainBpe(['ACGT'], options)).definition.merges);
  });
});

describe('vocabulary', () => {
  it('special tokens first, then letters by code point, then products', async () => {
    const trained = await trainBpe(['GATTACA GATTACA'], { vocabSize: 11 });
    expect(Array.from({ length: trained.vocabSize }, (_, id) => trained.idToToken(id))).toEqual(['[UNK]', '[CLS]', '[SEP]', '[PAD]', '[MASK]', 'A', 'C', 'G', 'T', 'AC', 'AT']);
    expect(trained.specialIds).toEqual({ unk: 0, cls: 1, sep: 2, pad: 3, mask: 4 });
    expect(trained.decode(trained.encode('GATTACA'))).toBe('[CLS]GATTACA[SEP]');
  });
  it('frames with [CLS] and [SEP] only where it has them', async () => {
    const trained = await trainBpe(['ACGT'], { vocabSize: 10, specialTokens: ['[UNK]'] });
    expect(trained.encode('ACGT').length).toBe(1);
  });
  it('cuts at other letters when asked to, and reads soft-masked sequence as upper case', async () => {
    const trained = await trainBpe(['acgtNNNNacgtRYacgt'], { vocabSize: 12, initialAlphabet: 'ACGT', otherLetters: 'cut', case: 'upper' });
    expect(trained.definition.merges).toEqual([['A', 'C'], ['G', 'T'], ['AC', 'GT']]);
  });
  it('keeps letters that the corpus lacks', async () => {
    expect((await trainBpe(['AAAA'], { vocabSize: 20, initialAlphabet: 'ACGT' })).tokenToId('T')).toBe(8);
  });
});

describe('corpora', () => {
  it('takes bytes and async iterables, and joins nothing across sequences or white space', async () => {
    async function* corpus() {
      yield new TextEncoder().encode('AC\r\nAC');
      yield 'AC';
    }
    expect((await trainBpe(corpus(), { vocabSize: 100, specialTokens: [] })).definition.merges).toEqual([['A', 'C']]);
  });
  it('refuses one sequence in place of a corpus', async () => {
    await expect(trainBpe('ACGT', { vocabSize: 10 })).rejects.toThrow(TypeError);
    await expect(trainBpe({} as string[], { vocabSize: 10 })).rejects.toThrow('trainBpe: expected an iterable of sequences, got an object');
    await expect(trainBpeOverShards([createTrainingShard('ACGT')], { vocabSize: 10 })).rejects.toThrow('got one sequence');
  });
  it.each([
    ['an unlimited vocabulary', ['ACGT'], { vocabSize: Infinity }, 'expected vocabSize'],
    ['no letters', [' \n'], { vocabSize: 10 }, 'expected a corpus with letters'],
    ['a vocabulary smaller than its letters', ['acgtACGT'], { vocabSize: 10 }, 'expected vocabSize of at least 13'],
    ['a vocabulary above 16 bits', ['ACGT'], { vocabSize: 65535 }, 'expected vocabSize from 1 to 65534'],
    ['no vocabulary size', ['ACGT'], {} as { vocabSize: number }, 'expected vocabSize'],
    ['a character above U+FFFF', ['AC😀'], { vocabSize: 20 }, 'expected characters up to U+FFFE'],
    ['a special token given twice', ['ACGT'], { vocabSize: 20, specialTokens: ['A', 'A'] }, 'expected different special tokens'],
  ])('refuses %s', async (_, corpus, options, message) => {
    await expect(trainBpe(corpus, options)).rejects.toThrow(RangeError);
    await expect(trainBpe(corpus, options)).rejects.toThrow(message);
  });
});

describe('a long training', () => {
  const corpus = fc.sample(fc.string({ unit: fc.constantFrom(...'ACGT'), minLength: 5000, maxLength: 5000 }), { numRuns: 40, seed: 1 });
  it('stops when it is aborted', async () => {
    const controller = new AbortController();
    const training = trainBpe(corpus, { vocabSize: 60_000, signal: controller.signal, onProgress: () => controller.abort() });
    await expect(training).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
  });
  it('an aborted training continues to the same merges, out of core too', async () => {
    const options = { vocabSize: 600 }, { merges } = (await trainBpe(corpus, options)).definition;
    const controller = new AbortController();
    let done: TrainBpeProgress['merges'] = [];
    const interrupted = trainBpe(corpus, { ...options, maxMemory: 2 ** 24, signal: controller.signal, onProgress: (event) => { done = [...event.merges]; controller.abort(); } });
    await expect(interrupted).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
    expect(done.length).toBeGreaterThan(0);
    expect((await trainBpe(corpus, { ...options, maxMemory: 2 ** 24, initialMerges: done })).definition.merges).toEqual(merges);
  });
  it('reports how far it is', async () => {
    const sizes: number[] = [];
    await trainBpe(corpus, { vocabSize: 500, onProgress: ({ vocabSize }) => sizes.push(vocabSize) });
    expect(sizes.at(-1)).toBe(500);
  });
});

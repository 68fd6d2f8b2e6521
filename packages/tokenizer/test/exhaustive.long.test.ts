/**
 * Many random cases: 20,000 strings a vocabulary and 2,000 corpora here. With GENOMELM_EXHAUSTIVE=1 a million strings and 10,000 corpora, for which
 * GENOMELM_EXHAUSTIVE=1 GENOMELM_LONG=1 npx jest --config ../../tools/jestLongConfig.cjs --rootDir . test/exhaustive takes the better part of an hour.
 */
import { Tokenizer as PeerTokenizer } from '@huggingface/tokenizers';
import { parseTokenizerJson, serializeTokenizerJson, trainBpe, trainBpeOverShards, type BpeTokenizer } from '../src/index';
import { createTrainingShard } from '../src/trainShards';
import { dnabert2Subset } from './dnabert2Subset';
import { createDefinition, trainByDefinition } from './references';
import { describeWithData } from './sharedData';

const all = process.env['GENOMELM_EXHAUSTIVE'] === '1', STRINGS = all ? 1_000_000 : 20_000, CORPORA = all ? 10_000 : 2000;
if (all) jest.setTimeout(3_600_000);

/** Threefold shifts of 32 bits (Marsaglia 2003): the same cases every time. */
function createRandom(seed: number) {
  let state = seed;
  return (limit: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}
type Random = ReturnType<typeof createRandom>;
const letters = (random: Random, alphabet: string, length: number) => { let text = ''; for (let i = 0; i < length; i++) text += alphabet[random(alphabet.length)]; return text; };
/** Bases with runs and repeats. */
const bases = (random: Random, alphabet: string) => (random(4) === 0 ? letters(random, alphabet, 1 + random(4)).repeat(1 + random(12)) : letters(random, alphabet, random(40)));
/** The same with N, IUPAC codes, lower case, white space and special tokens between. */
function dirty(random: Random): string {
  let text = '';
  for (let parts = random(6); parts >= 0; parts--) {
    const kind = random(12);
    text += kind < 7 ? bases(random, 'ACGT') : kind === 7 ? letters(random, 'ACGTN', random(12)) : kind === 8 ? letters(random, 'RYKMSWBDHVN', 1 + random(4)) : kind === 9 ? letters(random, 'acgtn', 1 + random(6))
      : kind === 10 ? [' ', '\n', '\t', '-', '_', '.', 'U', '1'][random(8)] : ['[MASK]', '[CLS]', '[SEP]', '[UNK]', '[PAD]', '[MAS', ']'][random(7)];
  }
  return text;
}

/** Compares without an assertion a string: a hundred thousand of them take longer than the encodings. */
function firstDifference(tokenizer: BpeTokenizer, count: number, seed: number): string | undefined {
  const peer = new PeerTokenizer({ ...JSON.parse(serializeTokenizerJson(tokenizer)) as object, decoder: null }, {}), define = createDefinition(tokenizer.definition.merges), random = createRandom(seed);
  for (let i = 0; i < count; i++) {
    const text = dirty(random), ours = tokenizer.encode(text).join(), theirs = peer.encode(text).ids.join();
    if (ours !== theirs) return `${JSON.stringify(text)}: ${ours}, Hugging Face ${theirs}`;
    const clean = bases(random, 'ACGT'), tokens = [...tokenizer.encode(clean, { addSpecialTokens: false })].map((id) => tokenizer.idToToken(id)).join();
    if (tokens !== define(clean).join()) return `${clean}: ${tokens}, the definition ${define(clean).join()}`;
  }
  return undefined;
}

it(`${STRINGS} random strings: ids equal Hugging Face and the quadratic definition`, () => {
  expect(firstDifference(parseTokenizerJson(dnabert2Subset()), STRINGS, 1)).toBeUndefined();
});

describeWithData('released vocabularies', ['tokenizer/dnabert2/tokenizer.json', 'tokenizer/gena_lm/human_BPE_32k.tokenizer.json.gz'], (read) => {
  it.each([['DNABERT-2', 'tokenizer/dnabert2/tokenizer.json'], ['GENA-LM human, 32,000 tokens', 'tokenizer/gena_lm/human_BPE_32k.tokenizer.json.gz']])(`%s: ${STRINGS} random strings`, (_, file) => {
    expect(firstDifference(parseTokenizerJson(read(file).toString()), STRINGS, 2)).toBeUndefined();
  });
});

describe('random vocabularies', () => {
  /** Merges of any tokens so far: most tokens are never reached, and where products repeat the linear encoder steps aside. */
  function randomTokenizer(random: Random, size: number, distinct: boolean): BpeTokenizer {
    const tokens = [...'ACGT'], known = new Set(tokens), pairs = new Set<string>(), merges: [string, string][] = [];
    while (tokens.length < size) {
      const left = tokens[random(random(2) ? tokens.length : 8) % tokens.length], right = tokens[random(random(2) ? tokens.length : 8) % tokens.length];
      if (left.length + right.length > 24 || pairs.has(`${left} ${right}`) || (distinct && known.has(left + right))) continue;
      pairs.add(`${left} ${right}`);
      merges.push([left, right]);
      if (!known.has(left + right)) tokens.push(left + right);
      known.add(left + right);
    }
    return parseTokenizerJson({ ...dnabert2Subset(), added_tokens: dnabert2Subset().added_tokens, model: { type: 'BPE', unk_token: '[UNK]', vocab: Object.fromEntries(['[UNK]', '[CLS]', '[SEP]', '[PAD]', '[MASK]', ...tokens].map((token, id) => [token, id])), merges } });
  }
  it.each([[50, true], [50, false], [900, true], [900, false], [9000, true], [9000, false], [33_000, true], [33_000, false]])('%d tokens, every product once: %j', (size, distinct) => {
    const random = createRandom(size + Number(distinct));
    for (let i = 0; i < (size < 9000 ? 40 : 2); i++) expect(firstDifference(randomTokenizer(random, size, distinct), size < 9000 ? 100 : 1000, 7 + i)).toBeUndefined();
  });
});

describe('training', () => {
  it(`${CORPORA} tiny corpora with ties and runs: in memory, out of core and over shards as by the definition`, async () => {
    const random = createRandom(11), alphabets = ['A', 'AC', 'ACG', 'ACGT'];
    for (let i = 0; i < CORPORA; i++) {
      const corpus = Array.from({ length: 1 + random(3) }, () => bases(random, alphabets[i % 4]) + bases(random, alphabets[i % 4])).filter((text) => text !== '');
      if (corpus.length === 0) continue;
      const options = { vocabSize: 8 + random(40), specialTokens: ['[UNK]'], minFrequency: random(4) }, expected = trainByDefinition(corpus, options).join();
      const trained = [await trainBpe(corpus, options), ...(i % 4 === 0 ? [await trainBpe(corpus, { ...options, maxMemory: 2 ** 23 })] : []), ...(i % 20 === 0 ? [await trainBpeOverShards(corpus.map((text) => createTrainingShard([text])), options)] : [])];
      for (const { definition } of trained) if (definition.merges.join() !== expected) throw new Error(`${corpus.join(' ')}: ${definition.merges.join(' ')} instead of ${expected}`);
    }
  });
});

it('refuses a vocabulary of five million tokens', () => {
  const vocab = Object.fromEntries(Array.from({ length: 2 ** 22 + 1 }, (_, i) => [i, i]));
  expect(() => parseTokenizerJson({ model: { type: 'BPE', vocab, merges: [] } })).toThrow('expected model.vocab to be at most 4194304 entries');
});

/** A tokenizer.json from a stranger: refused, or read, in bounded time and memory, and never anything else. */
import fc from 'fast-check';
import { FormatError, parseTokenizerJson } from '../src/index';
import { dnabert2Subset } from './dnabert2Subset';
import { encodeByDefinition } from './references';
import { runs } from './runs';

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Values that files do not expect, and that code written for good files stumbles over. */
const hostile = fc.oneof(
  fc.constantFrom<Json>(null, true, false, 0, -0, -1, 1.5, 5, 2 ** 24, 2 ** 32, 1e308, '', ' ', 'A', 'A C', 'A C G', '[UNK]', '[', '😀', '\ud800', '\0', '__proto__', 'constructor', 'toString', 'A'.repeat(70_000), [], [[]], [null], ['A', 'A'], {}, { type: 'BPE' }, { id: 'A', type_id: 0 }, { length: 2 ** 32 }),
  fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>,
  fc.constant(JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}') as Json),
);

/** All places in a file. */
const paths = (value: Json, path: readonly string[] = []): (readonly string[])[] => [path, ...(value !== null && typeof value === 'object' ? Object.entries(value).flatMap(([name, part]) => paths(part as Json, [...path, name])) : [])];

function replaced(value: Json, path: readonly string[], by: Json, remove: boolean): Json {
  if (path.length === 0) return by;
  const [name, ...rest] = path, copy = (Array.isArray(value) ? [...value as readonly Json[]] : { ...value as object }) as Record<string, Json>;
  if (remove && rest.length === 0) delete copy[name];
  else copy[name] = replaced(copy[name], rest, by, remove);
  return copy;
}

it('a valid file with one or two parts replaced or removed: a FormatError, or a tokenizer that encodes', () => {
  const file = dnabert2Subset() as unknown as Json, places = paths(file);
  const change = fc.tuple(fc.constantFrom(...places), hostile, fc.boolean());
  let read = 0, refused = 0;
  fc.assert(fc.property(fc.array(change, { minLength: 1, maxLength: 2 }), fc.boolean(), (changes, asText) => {
    let changed = file;
    for (const [path, by, remove] of changes) {
      try { changed = replaced(changed, path, by, remove); } catch { /* an earlier change took the place away */ }
    }
    try {
      const tokenizer = parseTokenizerJson((asText ? JSON.stringify(changed) : changed) as object);
      const { ids, offsets } = tokenizer.encodeWithOffsets('ACGTTGCATATATATAN [MASK] acgt', { maxLength: 2 ** 20 });
      expect(offsets.length).toBe(2 * ids.length);
      expect(typeof tokenizer.decode(ids)).toBe('string');
      read++;
    } catch (error) {
      if (!(error instanceof FormatError || error instanceof RangeError)) throw error;
      if (error instanceof RangeError) expect(error.message).toMatch(/^(encode|decode): expected /); // no unknown token, too short a limit
      refused++;
    }
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  }), { numRuns: 500 });
  expect(Math.min(read, refused)).toBeGreaterThan(20);
});

const model = (fields: object) => ({ ...dnabert2Subset(), model: { ...dnabert2Subset().model, ...fields } });

it.each<[string, () => object | string, string]>([
  ['ten million merges', () => model({ merges: Array<string>(1e7).fill('A C') }), 'expected model.merges to be at most 4194304 entries, got an array of 10000000'],
  ['a hundred thousand added tokens', () => ({ ...dnabert2Subset(), added_tokens: Array(1e5).fill(dnabert2Subset().added_tokens[0]) }), 'expected added_tokens to be at most 10000 entries'],
  ['a hundred thousand brackets', () => `${'['.repeat(1e5)}${']'.repeat(1e5)}`, 'expected the file to be an object'],
  ['half a file', () => JSON.stringify(dnabert2Subset()).slice(0, 999), 'expected JSON'],
])('refuses %s', (_, file, message) => {
  expect(() => parseTokenizerJson(file())).toThrow(message);
});

it('names of Object are tokens like others', () => {
  const names = ['constructor', 'toString', 'valueOf', 'hasOwnProperty'], { vocab } = dnabert2Subset().model;
  const tokenizer = parseTokenizerJson(model({ vocab: { ...vocab, ...Object.fromEntries(names.map((name, i) => [name, 5000 + i])) } }));
  for (const [i, name] of names.entries()) expect([tokenizer.tokenToId(name), tokenizer.idToToken(5000 + i)]).toEqual([5000 + i, name]);
  expect(tokenizer.tokenToId('isPrototypeOf')).toBeUndefined();
});

it('merges in a circle of ranks, each using what a later one makes: the definition still', () => {
  const list: [string, string][] = [['AC', 'A'], ['ACA', 'CA'], ['C', 'A'], ['A', 'CA'], ['A', 'C'], ['ACACA', 'A']];
  const tokens = ['A', 'C', ...new Set(list.map((merge) => merge.join('')))], tokenizer = parseTokenizerJson({ model: { type: 'BPE', vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges: list } });
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom('A', 'C'), maxLength: 40 }), (text) => {
    expect([...tokenizer.encode(text)].map((id) => tokenizer.idToToken(id))).toEqual(encodeByDefinition(text, list));
  }), { numRuns: runs(200) });
});

it('tokens of up to 130,000 letters: no quadratic work', () => {
  const merges: [string, string][] = [];
  for (let length = 1; length < 2 ** 17; length *= 2) merges.push(['A'.repeat(length), 'A'.repeat(length)]);
  const tokens = ['A', 'C', ...merges.map((merge) => merge.join(''))], tokenizer = parseTokenizerJson({ model: { type: 'BPE', vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges } });
  expect([...tokenizer.encode(`${'A'.repeat(2 ** 17 + 3)}C`)]).toEqual([18, 2, 0, 1]);
});

it('ten thousand added tokens that begin alike: cut in linear time', () => {
  const added = Array.from({ length: 9000 }, (_, i) => ({ id: 1 + i, content: `A${i}>`, special: true }));
  const tokenizer = parseTokenizerJson({ model: { type: 'BPE', vocab: { A: 0 }, merges: [] }, added_tokens: added });
  expect(tokenizer.encode(`${'A'.repeat(100_000)}A77>`).at(-1)).toBe(78);
});

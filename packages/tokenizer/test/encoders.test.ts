import fc from 'fast-check';
import { createRankEncoder } from '../src/encodeByRank';
import { AS_TEXT, AS_UPPER } from '../src/linearTables';
import { createLinearWindow } from '../src/linearWindow';
import { createWasmWindow } from '../src/linearWasmWindow';
import { dna, merges } from './arbitraries';
import { compileForTest, encodeByDefinition } from './references';
import { linearEncoder, linearTables, run } from './runEncoders';
import { runs } from './runs';

const offsetsOf = (tokens: readonly string[]) => {
  let at = 2;
  return tokens.flatMap((token) => [at, at += token.length]);
};

describe.each(['AC', 'ACG', 'ACGT', 'ACGTN'])('letters %s: tokens and offsets equal the definition', (alphabet) => {
  it.each([
    ['in WebAssembly', {}],
    ['in JavaScript', { wasm: false }],
    ['in windows of 16 letters that share 2', { wasm: false, capacity: 16, overlap: 2 }],
    ['in WebAssembly, in windows of 24 letters that share 1', { capacity: 24, overlap: 1 }],
  ])('longest match with backtracking, %s, for merges that build every token once', (_, options) => {
    fc.assert(fc.property(merges(alphabet, { distinctProducts: true }), fc.array(dna(alphabet), { minLength: 1, maxLength: 8 }), (list, words) => {
      const { texts } = compileForTest(alphabet, list), encode = linearEncoder(list, alphabet, options)!;
      for (const word of words.filter((each) => each !== '')) {
        const tokens = encodeByDefinition(word, list);
        expect(run(encode, word, texts)).toEqual({ tokens, offsets: offsetsOf(tokens) });
      }
    }), { numRuns: runs(20) });
  });

  it('by rank, for any merges', () => {
    fc.assert(fc.property(merges(alphabet, { distinctProducts: false }), fc.array(dna(alphabet), { minLength: 1, maxLength: 8 }), (list, words) => {
      const { texts, letters, rules } = compileForTest(alphabet, list);
      const encode = createRankEncoder(letters, rules, texts.length);
      for (const word of words.filter((each) => each !== '')) {
        const tokens = encodeByDefinition(word, list);
        expect(run(encode, word, texts)).toEqual({ tokens, offsets: offsetsOf(tokens) });
      }
    }), { numRuns: runs(20) });
  });
});

describe('merges that the linear encoder does not take', () => {
  const takes = (list: [string, string][]) => linearEncoder(list, 'AC') !== undefined;
  it('takes a plain list', () => expect(takes([['A', 'A'], ['AA', 'C']])).toBe(true));
  it('a product of two rules', () => expect(takes([['A', 'A'], ['AA', 'A'], ['A', 'AA']])).toBe(false));
  it('a rule that uses a token of higher rank', () => expect(takes([['AA', 'C'], ['A', 'A']])).toBe(false));
});

it('a token that never forms is never used: AB, BC, A BC', () => {
  const list = [['A', 'B'], ['B', 'C'], ['A', 'BC']] as const;
  const { texts } = compileForTest('ABC', list);
  expect(run(linearEncoder(list, 'ABC')!, 'ABCBC', texts).tokens).toEqual(['AB', 'C', 'BC']);
});

it.each(['AC', 'ACGT', 'ACGTN'])('long runs of %s go through WebAssembly in four lanes: the tokens and ends of JavaScript, lower case and other letters between', (alphabet) => {
  const text = fc.array(dna(alphabet, 60), { minLength: 40, maxLength: 60 }).map((parts) => parts.join('').repeat(3).slice(0, 12_000));
  fc.assert(fc.property(merges(alphabet, { distinctProducts: true }), text, fc.nat(), (list, letters, at) => {
    const tables = linearTables(list, alphabet)!, other = at % letters.length;
    const bytes = new TextEncoder().encode(`${letters.slice(0, other)}x${letters.slice(other).toLowerCase()}`), windows = [createWasmWindow(tables, bytes.length)!, createLinearWindow(tables, bytes.length)];
    for (const [from, table] of [[0, AS_UPPER], [0, AS_TEXT], [other + 1, AS_UPPER]]) {
      const [lanes, plain] = windows.map((window) => {
        window.bytes.set(bytes);
        const count = window.encodeRun(from, bytes.length, table);
        window.locate(count, 7);
        return { end: window.end, ids: window.ids.slice(0, count), offsets: window.offsets.slice(0, 2 * count) };
      });
      expect(lanes).toEqual(plain);
    }
  }), { numRuns: runs(10) });
});

it('200,003 A encode at once: neither stack nor time grow with the square', () => {
  const list = Array.from({ length: 10 }, (_, i) => ['A'.repeat(2 ** i), 'A'.repeat(2 ** i)] as const);
  const { texts, letters, rules } = compileForTest('AC', list);
  const text = 'A'.repeat(200_003);
  for (const encode of [linearEncoder(list, 'AC')!, linearEncoder(list, 'AC', { wasm: false })!, createRankEncoder(letters, rules, texts.length)]) {
    const { tokens } = run(encode, text, texts);
    expect(tokens.length).toBe(Math.floor(200_003 / 1024) + [...(200_003 % 1024).toString(2)].filter((bit) => bit === '1').length);
  }
});

import { minHash, removeDuplicates, similarity } from './removeDuplicates';
import { reverseComplement } from './sequence';
import { createRandom } from './simulate/random';

const random = createRandom(5, 'duplicates');
const bases = (length: number) => Uint8Array.from({ length }, () => 'ACGT'.charCodeAt(random.below(4)));
const mutated = (sequence: Uint8Array, rate: number) => sequence.map((byte) => (random.uniform() < rate ? 'ACGT'.charCodeAt(('ACGT'.indexOf(String.fromCharCode(byte)) + 1 + random.below(3)) % 4) : byte));
const words = (sequence: Uint8Array) => {
  const text = new TextDecoder().decode(sequence);
  const set = new Set<string>();
  for (let at = 0; at + 16 <= text.length; at++) { const word = text.slice(at, at + 16); const other = reverseComplement(word); set.add(word < other ? word : other); }
  return set;
};
const jaccard = (a: Uint8Array, b: Uint8Array) => { const [x, y] = [words(a), words(b)]; let both = 0; for (const word of x) if (y.has(word)) both++; return both / (x.size + y.size - both); };

test('signatures estimate the Jaccard index of the sets of 16-mers, on either strand', () => {
  for (const [length, rate] of [[2000, 0], [2000, 0.005], [2000, 0.02], [2000, 0.5], [120, 0.01]] as const) {
    let squares = 0;
    for (let i = 0; i < 24; i++) {
      const sequence = bases(length);
      const other = mutated(sequence, rate);
      const error = similarity(minHash(sequence), minHash(i % 2 ? reverseComplement(other) : other)) - jaccard(sequence, other);
      squares += error * error;
    }
    expect(Math.sqrt(squares / 24)).toBeLessThan(length > 1000 ? 0.06 : 0.09); // 0.045 in theory; short sequences leave classes empty
  }
});

test('recall at the stated threshold, and nothing else is taken away', async () => {
  const originals = Array.from({ length: 60 }, (_, i) => ({ name: `o${i}`, sequence: bases(1000) }));
  const copies = originals.map(({ sequence }, i) => ({ name: `c${i}`, sequence: mutated(i % 3 ? sequence : reverseComplement(sequence), 0.004) })); // J about 0.88
  const kept: string[] = [];
  const pairs: [string, string][] = [];
  for await (const { name } of removeDuplicates([...originals, ...copies], { method: 'near', onDuplicate: ({ name }, earlier) => pairs.push([name, earlier]) })) kept.push(name);
  expect(kept.filter((name) => name.startsWith('o'))).toHaveLength(60);
  expect(pairs.length).toBeGreaterThanOrEqual(copies.filter(({ sequence }, i) => jaccard(sequence, originals[i].sequence) >= 0.85).length * 0.97);
  for (const [copy, original] of pairs) expect(copy.slice(1)).toBe(original.slice(1));
});

test('exact copies on either strand, case ignored; short and empty sequences', async () => {
  const records = ['ACGTTT', 'AAACGT', 'acgttt', 'ACGTTA', '', ''].map((text, i) => ({ name: `${i}`, sequence: new TextEncoder().encode(text) }));
  for (const method of ['exact', 'near'] as const) {
    const kept: string[] = [];
    for await (const { name } of removeDuplicates(records, { method })) kept.push(name);
    expect(kept).toEqual(['0', '3', '4']);
  }
  await expect(removeDuplicates([], { method: 'near', threshold: 0.1 }).next()).rejects.toThrow(RangeError);
});

import { createHash } from 'node:crypto';
import { buildShard, splitContigs } from './shards';
import { openTwoBit } from './twoBit';

const bytes = (text: string) => new TextEncoder().encode(text);
const records = Array.from({ length: 11 }, (_, i) => ({ name: `c:${i}`, sequence: bytes('ACGTNacgtn'.slice(0, i)) }));

test.each([1, 2, 3, 20])('%i shards hold every record once, masks and N with it, and say what they are', async (of) => {
  const found = new Map<string, string>();
  for (let shard = 0; shard < of; shard++) {
    const built = await buildShard(records, { shard, of });
    expect(built.sha256).toBe(createHash('sha256').update(built.bytes).digest('hex'));
    expect((await buildShard(records, { shard, of })).sha256).toBe(built.sha256);
    const file = openTwoBit(built.bytes);
    const contigs = await file.contigs();
    expect([built.records, built.bases]).toEqual([contigs.length, contigs.reduce((sum, { length }) => sum + length, 0)]);
    for (const { name } of contigs) {
      expect(found.has(name)).toBe(false);
      found.set(name, new TextDecoder().decode(await file.fetch(name)));
    }
  }
  expect([...found].sort()).toEqual(records.map(({ name, sequence }) => [name, new TextDecoder().decode(sequence)]).sort());
});
test('a shard that is none of them is refused', () => expect(buildShard(records, { shard: 2, of: 2 })).rejects.toThrow(/got 2 of 2/));

test('contigs are split whole, near the shares, the same for the same seed', () => {
  const contigs = Array.from({ length: 200 }, (_, i) => ({ name: `c${i}`, length: 1000 + ((i * 7919) % 900) }));
  const total = contigs.reduce((sum, { length }) => sum + length, 0);
  const split = splitContigs(contigs, { seed: 1 });
  expect([...split.train, ...split.dev, ...split.test].sort()).toEqual(contigs.map(({ name }) => name).sort());
  const share = (names: readonly string[]) => contigs.filter(({ name }) => names.includes(name)).reduce((sum, { length }) => sum + length, 0) / total;
  expect([share(split.train), share(split.dev), share(split.test)].map((value) => Math.round(20 * value) / 20)).toEqual([0.8, 0.1, 0.1]);
  expect(splitContigs(contigs, { seed: 1 })).toEqual(split);
  expect(splitContigs(contigs.toReversed(), { seed: 1 })).toEqual(split);
  expect(splitContigs(contigs, { seed: 2 })).not.toEqual(split);
  expect(() => splitContigs([...contigs, contigs[7]], { seed: 1 })).toThrow('splitContigs: expected names that differ, got "c7" twice; rename one');
  expect(splitContigs(contigs, { seed: 1, shares: { train: 1, dev: 0, test: 0 } }).train).toHaveLength(200);
  expect(() => splitContigs(contigs, { seed: 1, shares: { train: 0, dev: 0, test: 0 } })).toThrow(RangeError);
});

// Corpora as shards: each is a 2bit file of its own (packed bases, an index, N and masks kept), which any process can build, check and read alone.
import type { PackOptions } from './packedSequence';
import { createRandom } from './simulate/random';
import { writeTwoBit } from './twoBit';

export interface NamedSequence {
  /** Differs from every other within a shard, for example `chr1:12000-24000+`. */
  readonly name: string;
  readonly sequence: Uint8Array;
}

export interface ShardOptions extends PackOptions {
  /** Which shard to build, 0 to `of - 1`. */
  readonly shard: number;
  /** How many there are. */
  readonly of: number;
}

export interface Shard {
  /** A 2bit file: write it somewhere, read it with `openTwoBit`. */
  readonly bytes: Uint8Array;
  readonly records: number;
  readonly bases: number;
  /** Of `bytes`, in hexadecimal: a shard that is there with this sum need not be built again. */
  readonly sha256: string;
}

/**
 * Builds one of `of` shards: the records whose number is `shard` modulo `of`. Every process passes the same records and takes its share, so the shards together hold each record once, whoever builds them and in whichever order.
 * @throws RangeError for a shard outside 0 to `of - 1`, names that come twice, letters that two bits cannot hold.
 */
export async function buildShard(records: AsyncIterable<NamedSequence> | Iterable<NamedSequence>, options: ShardOptions): Promise<Shard> {
  const { shard, of } = options;
  if (!(Number.isInteger(shard) && Number.isInteger(of) && shard >= 0 && shard < of)) throw new RangeError(`buildShard: expected shard from 0 to of - 1, got ${shard} of ${of}; count shards from 0`);
  let count = 0;
  let bases = 0;
  async function* share() {
    let number = 0;
    for await (const record of records) {
      if (number++ % of !== shard) continue;
      count++;
      bases += record.sequence.length;
      yield record;
    }
  }
  const bytes = await writeTwoBit(share(), options);
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
  return { bytes, records: count, bases, sha256: Array.from(sum, (byte) => byte.toString(16).padStart(2, '0')).join('') };
}

export interface SplitOptions {
  readonly seed: number;
  /** Shares of the bases, in any unit; default 8, 1, 1. */
  readonly shares?: { readonly train: number; readonly dev: number; readonly test: number };
}

/**
 * Puts whole contigs into train, dev and test, so that no window of one is the neighbour of another's. In random order each contig goes where most bases are still wanted.
 * That order is of (seed, name) alone, so the order in which the contigs are given changes nothing.
 * @param contigs - of different names
 * @throws RangeError for names that come twice, and for shares that are negative or all 0.
 */
export function splitContigs(contigs: readonly { readonly name: string; readonly length: number }[], { seed, shares = { train: 8, dev: 1, test: 1 } }: SplitOptions): { train: string[]; dev: string[]; test: string[] } {
  const { train, dev, test } = shares;
  const sum = train + dev + test;
  if (![train, dev, test].every((share) => share >= 0) || !(sum > 0 && sum < Infinity)) throw new RangeError(`splitContigs: expected shares of 0 or more that are not all 0, got ${train}, ${dev}, ${test}; 8, 1, 1 is usual`);
  const total = contigs.reduce((bases, { length }) => bases + length, 0);
  const wanted = { train: (total * train) / sum, dev: (total * dev) / sum, test: (total * test) / sum };
  const order = contigs.map((contig) => ({ ...contig, at: createRandom(seed, `split ${contig.name}`).uniform() })).sort((a, b) => a.at - b.at || (a.name < b.name ? -1 : 1));
  const twice = order.find(({ name }, i) => i > 0 && name === order[i - 1].name);
  if (twice) throw new RangeError(`splitContigs: expected names that differ, got ${JSON.stringify(twice.name)} twice; rename one`);
  const split = { train: [] as string[], dev: [] as string[], test: [] as string[] };
  for (const { name, length } of order) {
    const part = (['train', 'dev', 'test'] as const).reduce((best, each) => (wanted[each] > wanted[best] ? each : best));
    split[part].push(name);
    wanted[part] -= length;
  }
  return split;
}

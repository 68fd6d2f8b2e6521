import { aliasOf, type ContigAliases } from './contigNames';
import type { FetchOptions, SequenceFile } from './sequenceFile';

/** What `readBed` and `readGff` give, and anything of that shape. */
export interface NamedInterval {
  readonly contig: string;
  /** 0-based. */
  readonly start: number;
  /** Half-open; the end of the contig where it is left out. */
  readonly end?: number | undefined;
  /** `-` is fetched as the reverse complement. */
  readonly strand?: '+' | '-' | '?' | undefined;
}

export interface FetchIntervalsOptions extends Omit<FetchOptions, 'strand'> {
  /** Names of contigs in the intervals and what `file` calls them. */
  readonly aliases?: ContigAliases;
  /** `ignore` fetches everything from the + strand; default `follow`. */
  readonly strands?: 'follow' | 'ignore';
  /** Fetches under way at a time, so that HTTP answers overlap; default 8. */
  readonly ahead?: number;
}

/**
 * The sequence of every interval, in their order: a BED over an indexed FASTA or 2bit file.
 * @throws RangeError for a contig that the file does not have (pass `aliases`) and, without `clamp`, for an interval that reaches beyond its end.
 */
export async function* fetchIntervals<T extends NamedInterval>(file: Pick<SequenceFile, 'fetch'>, intervals: AsyncIterable<T> | Iterable<T>, options: FetchIntervalsOptions = {}): AsyncGenerator<{ interval: T; sequence: Uint8Array }, void, undefined> {
  const { aliases, strands = 'follow', ahead = 8, ...fetchOptions } = options;
  if (!(Number.isInteger(ahead) && ahead >= 1)) throw new RangeError(`fetchIntervals: expected ahead of 1 or more, got ${ahead}; 8 is the default`);
  const pending: Promise<{ interval: T; sequence: Uint8Array }>[] = [];
  const fetchOne = async (interval: T) => {
    const { contig, start, end, strand } = interval;
    return { interval, sequence: await file.fetch(aliasOf(aliases, contig), start, end, { ...fetchOptions, strand: strand === '-' && strands === 'follow' ? '-' : '+' }) };
  };
  for await (const interval of intervals) {
    const fetching = fetchOne(interval);
    fetching.catch(() => undefined); // reported when its turn comes
    pending.push(fetching);
    if (pending.length >= ahead) yield await pending.shift()!;
  }
  for (const fetching of pending) yield await fetching;
}

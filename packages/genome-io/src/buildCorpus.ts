// A corpus for training: contigs of many genomes, without repeats, cut into windows, split, weighted, without copies. Everything random belongs to a name and the seed, so any process makes the same records.
import { resolveAmbiguity, type AmbiguityOptions } from './ambiguity';
import { removeDuplicates, type DuplicateOptions } from './removeDuplicates';
import type { Interval } from './intervals';
import { removeRepeats, type RemoveRepeatsOptions, type RepeatReport } from './removeRepeats';
import { splitContigs, type NamedSequence, type SplitOptions } from './shards';
import { createRandom } from './simulate/random';
import { slidingWindows, type WindowOptions } from './slidingWindows';

/** One genome. */
export interface CorpusSource {
  /** For example the species; differs from the other sources'. */
  readonly name: string;
  /** Names and lengths of the contigs, for the split. */
  readonly contigs: readonly { readonly name: string; readonly length: number }[];
  /** The sequences, from the beginning at every call; several, such as haplotypes, may belong to one contig. */
  sequences(): AsyncIterable<NamedSequence & { readonly contig: string }>;
  /** How often a window comes into the corpus: 0.25 keeps a quarter of them, 2.5 takes all twice and half of them a third time, each time with another crop and strand. Default 1. */
  readonly weight?: number;
  /** Repeats by contig; default: lower case. */
  readonly repeats?: ReadonlyMap<string, readonly Interval[]>;
  /** Annotation by contig, whose kept share is to be reported by type. */
  readonly features?: ReadonlyMap<string, readonly (Interval & { readonly type: string })[]>;
}

export interface CorpusOptions {
  readonly seed: number;
  readonly windows: Omit<WindowOptions, 'seed' | 'name'>;
  /** Default: `split`; `keep` leaves repeats in. */
  readonly repeats?: { readonly mode: 'keep' } | Omit<RemoveRepeatsOptions, 'repeats' | 'features'>;
  /** Default `N`. */
  readonly ambiguity?: AmbiguityOptions['policy'];
  /** Default: copies stay. What weights and strands make of one window (another crop, the other strand) is no copy of it. */
  readonly duplicates?: Omit<DuplicateOptions, 'onDuplicate' | 'originOf'>;
  /** Whole contigs into train, dev and test; default 8, 1, 1. */
  readonly shares?: SplitOptions['shares'];
}

export interface CorpusRecord extends NamedSequence {
  readonly split: 'train' | 'dev' | 'test';
}

/** What became of the bases of a source. */
export interface CorpusReport {
  readonly source: string;
  readonly contigs: Readonly<Record<CorpusRecord['split'], readonly string[]>>;
  /** Sums over the sequences. */
  readonly repeats: RepeatReport;
  readonly windows: number;
  readonly duplicates: number;
}

/**
 * The records of a corpus in their order: by source, sequence and place.
 * @returns (when done) a report for each source.
 * @throws RangeError for what `splitContigs`, `removeRepeats`, `resolveAmbiguity` and `slidingWindows` refuse, and for weights below 0.
 */
export async function* buildCorpus(sources: readonly CorpusSource[], options: CorpusOptions): AsyncGenerator<CorpusRecord, CorpusReport[], undefined> {
  const { seed, shares } = options;
  const split = splitContigs(sources.flatMap((source) => source.contigs.map(({ name, length }) => ({ name: `${source.name}:${name}`, length }))), { seed, ...(shares ? { shares } : {}) });
  const splitOf = new Map((['train', 'dev', 'test'] as const).flatMap((part) => split[part].map((name) => [name, part] as const)));
  const reports = sources.map((source) => ({ source: source.name, contigs: { train: [] as string[], dev: [] as string[], test: [] as string[] }, repeats: noBases(), windows: 0, duplicates: 0 }));
  for (const [i, source] of sources.entries()) for (const { name } of source.contigs) reports[i].contigs[splitOf.get(`${source.name}:${name}`)!].push(name);
  const all = async function* () {
    for (const [i, source] of sources.entries()) {
      for await (const { contig, name, sequence } of source.sequences()) {
        const part = splitOf.get(`${source.name}:${contig}`);
        if (part === undefined) throw new RangeError(`buildCorpus: expected sequences of the contigs of ${source.name}, got ${contig}; list it in contigs`);
        for (const record of windowsOf(source, contig, `${source.name}:${name}`, sequence, options, reports[i])) yield { ...record, split: part, place: i };
      }
    }
  };
  const records = options.duplicates ? removeDuplicates(all(), { ...options.duplicates, originOf: (record) => (record as Draft).origin, onDuplicate: (record) => { reports[(record as { place?: number }).place!].duplicates++; } }) : all();
  for await (const { name, sequence, split: part, place } of records) {
    reports[place].windows++;
    yield { name, sequence, split: part };
  }
  return reports;
}

const noBases = () => ({ length: 0, repeats: 0, unknown: 0, short: 0, kept: 0, byType: {} as Record<string, { length: number; kept: number }> });

/** A record, and the window of the sequence that it was made from. */
interface Draft extends NamedSequence { readonly origin: object }

/** The windows of one sequence, as often as the weights say. */
function* windowsOf(source: CorpusSource, contig: string, name: string, sequence: Uint8Array, { seed, windows, repeats = { mode: 'split' }, ambiguity = 'N' }: CorpusOptions, report: { repeats: ReturnType<typeof noBases> }): Generator<Draft> {
  const { weight: ofSource = 1 } = source;
  if (!(ofSource >= 0 && ofSource < 1000)) throw new RangeError(`buildCorpus: expected a weight of 0 to 1000, got ${ofSource} for ${source.name}; 1 is the default`);
  const resolved = resolveAmbiguity(sequence, { policy: ambiguity, seed, name });
  const own = source.repeats?.get(contig);
  const removed = removeRepeats(resolved, { ...(repeats.mode === 'keep' ? { mode: 'split', repeats: [] } : { ...repeats, ...(source.repeats ? { repeats: own ?? [] } : {}) }), features: source.features?.get(contig) ?? [] });
  addReport(report.repeats, removed.report);
  for (const stretch of removed.stretches) {
    const weight = ofSource * stretch.weight;
    const origins: object[] = [];
    for (let copy = 0; copy < Math.ceil(weight); copy++) {
      const suffix = copy === 0 ? '' : `.${copy}`;
      let number = 0;
      let made = 0;
      for (const window of slidingWindows(stretch.sequence, { ...windows, seed, name: `${name}:${stretch.start}${suffix}` })) {
        const start = stretch.start + window.start;
        const origin = (origins[windows.strands === 'both' ? made >> 1 : made] ??= {});
        made++;
        if (copy + 1 > weight && createRandom(seed, `weight ${name}:${stretch.start}${suffix}`, number++).uniform() >= weight - copy) continue;
        yield { name: `${name}:${start + 1}-${stretch.start + window.end}${window.strand}${suffix}`, sequence: window.sequence, origin };
      }
    }
  }
}

function addReport(sum: ReturnType<typeof noBases>, { byType, ...counts }: RepeatReport): void {
  for (const key of ['length', 'repeats', 'unknown', 'short', 'kept'] as const) sum[key] += counts[key];
  for (const [type, { length, kept }] of Object.entries(byType)) {
    const before = sum.byType[type] ?? { length: 0, kept: 0 };
    sum.byType[type] = { length: before.length + length, kept: before.kept + kept };
  }
}

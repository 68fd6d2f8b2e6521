import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildCorpus, buildShard, type CorpusOptions, type CorpusReport, type NamedSequence, type Shard } from '@genomelm/genome-io';
import { choice, integer, list, UsageError, type Command, type Context } from '../command';
import { digestsOf, openCorpusSources } from '../corpusSources';
import { aliasesOption, namingAliases, threadsOption } from '../genomeFiles';
import { writeFileAtomic } from '../output';
import { version } from '../version';

const splits = ['train', 'dev', 'test'] as const;

export const corpusBuild: Command = {
  name: 'corpus build',
  summary: 'A training corpus from genomes: no repeats, windows, weights, splits by contig, no copies; shards of packed bases that any process can build again byte for byte.',
  usage: '--out DIR --seed S [--of N [--shard I]] [NAME=]FILES…',
  options: {
    out: { type: 'string', short: 'o', value: 'DIR', help: 'where shards, their manifests and corpus.json go; shards that are there are not built again' },
    of: { type: 'string', value: 'N', help: 'number of shards of each split (default 1)' },
    shard: { type: 'string', value: 'I', help: 'build only this one, 0 to N-1: one process each (default: all)' },
    seed: { type: 'string', value: 'S', help: 'of splits, crops, strands and weights (default 0)' },
    length: { type: 'string', value: 'N', help: 'bases a window before the crop (default 12200)' },
    crop: { type: 'string', value: 'N', help: 'bases left after a random crop (default 12000, or the length if that is less)' },
    step: { type: 'string', value: 'N', help: 'bases from one window to the next (default: the length)' },
    rest: { type: 'string', value: 'HOW', help: 'what fills no window: drop (default), keep or shift' },
    strands: { type: 'string', value: 'HOW', help: 'forward (default), random or both' },
    repeats: { type: 'string', value: 'HOW', help: 'split (default), mask (N), weight, keep, or drop, which joins flanks that never met' },
    'repeat-weight': { type: 'string', value: 'W', help: 'weight of repeats with --repeats weight, 0 to 1 (default 0.1)' },
    'repeats-bed': { type: 'string', value: 'FILE', help: 'where the repeats are (default: lower case)' },
    'min-length': { type: 'string', value: 'N', help: 'shortest stretch between repeats (default: the crop)' },
    'max-unknown': { type: 'string', value: 'N', help: 'runs of N from this length on are cut out (default 20)' },
    ambiguity: { type: 'string', value: 'HOW', help: 'other letters than A, C, G, T, N: N (default), error, or random' },
    duplicates: { type: 'string', value: 'HOW', help: 'keep (default), exact, or near (Jaccard index of 16-mers of 0.8 and more)' },
    shares: { type: 'string', value: 'A,B,C', help: 'shares of train, dev and test in bases, by whole contigs (default 8,1,1)' },
    weights: { type: 'string', value: 'A,B,…', help: 'how often the windows of each file come in (default 1 each)' },
    gff: { type: 'string', value: 'FILE', help: 'annotation: reports the share kept of each type' },
    vcf: { type: 'string', value: 'FILE', help: 'phased variants: haplotypes take the place of the reference' },
    sample: { type: 'string', value: 'S', help: 'samples of --vcf, with commas (default: all)' },
    aliases: aliasesOption,
    threads: { ...threadsOption, help: `${threadsOption.help}; for --vcf` },
  },
  async run(context) {
    const { values, json, print, progress, signal } = context;
    const out = values['out'];
    if (typeof out !== 'string') throw new UsageError('corpus build: expected --out with a folder, got none');
    const of = integer(context, 'of', 1, { max: 100_000 });
    const only = values['shard'] === undefined ? undefined : integer(context, 'shard', 0, { min: 0, max: of - 1 });
    const options = corpusOptions(context);
    const sources = await namingAliases(() => openCorpusSources(context));
    const fingerprint = createHash('sha256').update(JSON.stringify({ version: version(), of, options, inputs: sources.map(({ name, weight, contigs }) => ({ name, weight, contigs })), files: context.positionals, bed: values['repeats-bed'], vcf: values['vcf'], sample: values['sample'], gff: values['gff'], aliases: values['aliases'], digests: await digestsOf(context) })).digest('hex');
    mkdirSync(out, { recursive: true });
    let built = 0;
    for (const shard of only === undefined ? Array.from({ length: of }, (_, i) => i) : [only]) {
      const missing = splits.filter((split) => !isWhole(join(out, shardName(split, shard, of)), fingerprint));
      if (missing.length === 0) continue;
      const { shards, report } = await namingAliases(() => build(sources, options, missing, { shard, of, signal, onRecord: (records) => progress.update({ stage: `shard ${shard + 1}/${of}`, done: records, unit: 'windows' }) }));
      for (const [i, split] of missing.entries()) {
        const { bytes, records, bases, sha256 } = shards[i];
        const name = shardName(split, shard, of);
        writeFileAtomic(join(out, `${name}.2bit`), bytes);
        writeFileAtomic(join(out, `${name}.json`), `${JSON.stringify({ file: `${name}.2bit`, split, shard, of, records, bases, sha256, fingerprint, report }, null, 2)}\n`);
        built++;
      }
    }
    progress.finish();
    const summary = summarize(out, of, fingerprint);
    if (json) print(`${JSON.stringify({ out, built, ...summary })}\n`);
    else print(`${out}: ${built} shards built, ${summary.shards.length} of ${3 * of} there${summary.complete ? `; ${splits.map((split) => `${split} ${summary.bases[split]}`).join(', ')} bases` : ''}\n`);
  },
};

const shardName = (split: string, shard: number, of: number): string => `${split}-${String(shard).padStart(5, '0')}-of-${String(of).padStart(5, '0')}`;

function corpusOptions(context: Context): CorpusOptions {
  const { values } = context;
  const length = integer(context, 'length', 12_200);
  const crop = integer(context, 'crop', Math.min(12_000, length), { max: length });
  const mode = choice(context, 'repeats', ['split', 'mask', 'weight', 'drop', 'keep'], 'split');
  const duplicates = choice(context, 'duplicates', ['keep', 'exact', 'near'], 'keep');
  const shares = (list(context, 'shares') ?? ['8', '1', '1']).map(Number);
  const weight = Number(values['repeat-weight'] ?? 0.1);
  if (shares.length !== 3 || shares.some(Number.isNaN)) throw new UsageError(`--shares: expected three numbers, got ${String(values['shares'])}`);
  return {
    seed: integer(context, 'seed', 0, { min: 0 }),
    windows: { length, crop, step: integer(context, 'step', length), rest: choice(context, 'rest', ['drop', 'keep', 'shift'], 'drop'), strands: choice(context, 'strands', ['forward', 'random', 'both'], 'forward') },
    repeats: mode === 'keep' ? { mode } : { mode, weight, minLength: integer(context, 'min-length', crop), maxUnknown: integer(context, 'max-unknown', 20) },
    ambiguity: choice(context, 'ambiguity', ['N', 'error', 'random'], 'N'),
    ...(duplicates === 'keep' ? {} : { duplicates: { method: duplicates } }),
    shares: { train: shares[0], dev: shares[1], test: shares[2] },
  };
}

type Split = (typeof splits)[number];

/** One shard of each of `wanted` in one pass over the sources, and the report on them. */
async function build(sources: Parameters<typeof buildCorpus>[0], options: CorpusOptions, wanted: readonly Split[], { shard, of, signal, onRecord }: { shard: number; of: number; signal: AbortSignal; onRecord(records: number): void }) {
  const pipes = wanted.map(() => new TransformStream<NamedSequence, NamedSequence>());
  const distribute = async (): Promise<CorpusReport[]> => {
    const writers = pipes.map(({ writable }) => writable.getWriter());
    try {
      const corpus = buildCorpus(sources, options);
      for (let seen = 1; ; seen++) {
        const step = await corpus.next();
        signal.throwIfAborted();
        if (step.done) {
          await Promise.all(writers.map((writer) => writer.close()));
          return step.value;
        }
        onRecord(seen);
        const split = wanted.indexOf(step.value.split);
        if (split >= 0) await writers[split].write(step.value);
      }
    } catch (error) {
      await Promise.allSettled(writers.map((writer) => writer.abort(error)));
      throw error;
    }
  };
  const ends = await Promise.allSettled([...pipes.map(({ readable }) => buildShard(readable, { shard, of, iupac: 'N' })), distribute()]); // a shard that fails stops the pass, and says why first
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  const values = ends.map((end) => (end as PromiseFulfilledResult<Shard | CorpusReport[]>).value);
  return { shards: values.slice(0, -1) as Shard[], report: values.at(-1) as CorpusReport[] };
}

interface Manifest { readonly file: string; readonly split: Split; readonly records: number; readonly bases: number; readonly sha256: string; readonly fingerprint: string; readonly report: readonly CorpusReport[] }

/** Whether a shard of the same corpus lies there undamaged; one of another corpus is refused rather than overwritten. */
function isWhole(stem: string, fingerprint: string): boolean {
  if (!existsSync(`${stem}.json`)) return false;
  const manifest = readManifest(`${stem}.json`);
  if (manifest.fingerprint !== fingerprint) throw new UsageError(`corpus build: expected ${stem}.json of the same files, their contents, options and version, got another corpus; choose another --out, or delete it`);
  return existsSync(`${stem}.2bit`) && createHash('sha256').update(readFileSync(`${stem}.2bit`)).digest('hex') === manifest.sha256;
}

const readManifest = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Manifest;

/** The shards that are there; corpus.json is written once they are all. */
function summarize(out: string, of: number, fingerprint: string) {
  const manifests = splits.flatMap((split) => Array.from({ length: of }, (_, shard) => join(out, `${shardName(split, shard, of)}.json`))).filter((path) => existsSync(path)).map(readManifest).filter((manifest) => manifest.fingerprint === fingerprint);
  const complete = manifests.length === 3 * of;
  const shards = manifests.map(({ file, split, records, bases, sha256 }) => ({ file, split, records, bases, sha256 }));
  const sum = (split: string) => shards.filter((shard) => shard.split === split).reduce((total, { bases }) => total + bases, 0);
  const bases = { train: sum('train'), dev: sum('dev'), test: sum('test') };
  const report = manifests.at(0)?.report ?? [];
  if (complete) writeFileAtomic(join(out, 'corpus.json'), `${JSON.stringify({ fingerprint, bases, report, shards }, null, 2)}\n`);
  return { complete, bases, report, shards };
}

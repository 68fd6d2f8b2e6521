import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { applyVariants, groupByContig, readBed, readBytes, readGff, readVcf, type ContigAliases, type CorpusSource, type SequenceFile } from '@genomelm/genome-io';
import { list, UsageError, type Context } from './command';
import { loadAliases, named, openSequences, reading } from './genomeFiles';

/** One source a FASTA or 2bit file; `NAME=FILE` names it, else the file's name does. Annotation and variants belong to a single file. */
export async function openCorpusSources(context: Context): Promise<CorpusSource[]> {
  const { positionals, values } = context;
  if (positionals.length === 0) throw new UsageError('corpus build: expected FASTA or 2bit files, got none');
  const only = ['repeats-bed', 'gff', 'vcf'].find((name) => values[name] !== undefined);
  if (only !== undefined && positionals.length > 1) throw new UsageError(`corpus build: expected one file with --${only}, got ${positionals.length}; build a corpus for each`);
  const weights = list(context, 'weights')?.map(Number);
  if (weights && (weights.length !== positionals.length || !weights.every((weight) => weight >= 0))) throw new UsageError(`corpus build: expected ${positionals.length} weights of 0 or more, one a file, got ${String(values['weights'])}`);
  const sources = await Promise.all(positionals.map((operand, i) => openSource(context, operand, weights?.[i] ?? 1)));
  const repeated = sources.find(({ name }, i) => sources.findIndex((other) => other.name === name) !== i);
  if (repeated) throw new UsageError(`corpus build: expected names that differ, got ${repeated.name} twice; write NAME=FILE`);
  return sources;
}

/** The sha256 of each file that the corpus is made of, unpacked: names and lengths of contigs stay when bases are edited. */
export async function digestsOf(context: Context): Promise<string[]> {
  const { positionals, values } = context;
  const others = ['repeats-bed', 'gff', 'vcf', 'aliases'].flatMap((name) => (typeof values[name] === 'string' ? [values[name]] : []));
  const digests: string[] = [];
  for (const path of [...positionals.map((operand) => nameAndPath(operand).path), ...others]) {
    const hash = createHash('sha256');
    for await (const chunk of readBytes(path, { ...reading(context), reuse: true })) hash.update(chunk);
    digests.push(hash.digest('hex'));
  }
  return digests;
}

/** `NAME=FILE`, or a file that names itself. */
function nameAndPath(operand: string): { name: string; path: string } {
  const [, named, path] = /^(?:([A-Za-z0-9_.-]+)=)?(.+)$/s.exec(operand)!;
  return { name: named ?? basename(path).replace(/(?:\.(?:fa|fasta|fna|2bit))?(?:\.b?gz)?$/i, ''), path };
}

async function openSource(context: Context, operand: string, weight: number): Promise<CorpusSource> {
  const { name, path } = nameAndPath(operand);
  const file = await openSequences(path);
  const contigs = await file.contigs();
  const known = contigs.map((contig) => contig.name);
  const aliases = loadAliases(context).aliases;
  const text = (option: string) => context.values[option] as string | undefined;
  const [bed, gff] = [text('repeats-bed'), text('gff')];
  return {
    name, contigs, weight,
    sequences: text('vcf') === undefined ? () => whole(file, known) : () => haplotypes(context, file, aliases),
    ...(bed === undefined ? {} : { repeats: await groupByContig(named(bed, readBed(bed)), known, aliases) }),
    ...(gff === undefined ? {} : { features: await groupByContig(named(gff, readGff(gff)), known, aliases) }),
  };
}

async function* whole(file: SequenceFile, contigs: readonly string[]) {
  for (const name of contigs) yield { name, contig: name, sequence: await file.fetch(name) };
}

/** Every haplotype of every sample that is wanted, in the place of the reference. */
async function* haplotypes(context: Context, reference: SequenceFile, aliases: ContigAliases | undefined) {
  const variants = readVcf(context.values['vcf'] as string, reading(context));
  const sample = list(context, 'sample') ?? [...(await variants.header()).samples];
  for await (const { name, sample: of, haplotype, sequence } of applyVariants({ reference, variants, sample, haplotype: [1, 2], signal: context.signal, ...(aliases ? { aliases } : {}) })) yield { name: `${of}#${haplotype}#${name}`, contig: name, sequence };
}

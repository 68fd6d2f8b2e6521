import { readVcf, type VcfRecord } from '@genomelm/genome-io';
import { free } from '@genomelm/kernels';
import { mutagenesis, mutagenesisSvg, scoreVariants, type SequenceVariant, type VariantEffectOptions } from '@genomelm/model';
import { choice, deviceOptions, integer, UsageError, type Command, type Context } from '../command';
import { openDevice } from '../devices';
import { openSequences, required, sourceOf } from '../genomeFiles';
import { withOutput, writeFileAtomic, type Output } from '../output';
import { modelOptions, openPretrained, type OpenedModel } from '../pretrained';
import { naming } from '../userFile';

/** Variants that are read before they are scored. */
const chunk = 256;

export const variantEffect: Command = {
  name: 'variant-effect',
  summary: 'What variants do to what a model says: of a VCF file, or every substitution of a region with a picture.',
  usage: 'MODEL --reference FASTA (--vcf FILE | --region CONTIG:START-END [--svg FILE])',
  options: {
    ...modelOptions,
    reference: { type: 'string', short: 'r', value: 'FILE', help: 'FASTA or 2bit that the positions are of' },
    vcf: { type: 'string', value: 'FILE', help: 'variants with sequences for alleles; each ALT is a line of the result' },
    region: { type: 'string', value: 'R', help: 'contig:start-end, 1-based, both ends in: every substitution there' },
    svg: { type: 'string', value: 'FILE', help: 'with --region: a picture of the effects' },
    window: { type: 'string', value: 'N', help: 'bases that the model sees around a variant or region (default 512, or as many as it has positions for)' },
    method: { type: 'string', value: 'HOW', help: 'likelihood (default for decoders), classifier (default where there is one), embedding' },
    output: { type: 'string', value: 'N', help: 'which output of a classifier, from 0 (default: the last)' },
    out: { type: 'string', short: 'o', value: 'FILE', help: 'tab-separated; write here instead of stdout' },
    ...deviceOptions,
  },
  async run(context) {
    const { values, positionals, progress } = context;
    if (positionals.length !== 1) throw new UsageError(`variant-effect: expected one model, got ${positionals.length}; see genomelm variant-effect --help`);
    const reference = required(context, 'variant-effect', 'reference', 'a FASTA or 2bit file');
    if ((values['vcf'] === undefined) === (values['region'] === undefined)) throw new UsageError('variant-effect: expected --vcf or --region, got both or neither');
    const genome = await openSequences(reference);
    const device = await openDevice(context);
    try {
      const opened = await openPretrained(context, positionals[0], device);
      await withOutput(values['out'] as string | undefined, (output) => (values['vcf'] === undefined ? saturate : scoreVcf)(context, opened, genome, output));
      free(opened.model.params);
    } finally {
      progress.finish();
      await genome.close();
      await device.destroy();
    }
  },
};

type Genome = Awaited<ReturnType<typeof openSequences>>;

function effectOptions(context: Context): VariantEffectOptions {
  const { values } = context;
  return {
    signal: context.signal,
    ...(values['method'] === undefined ? {} : { method: choice(context, 'method', ['likelihood', 'classifier', 'embedding'] as const, 'embedding') }),
    ...(values['output'] === undefined ? {} : { output: integer(context, 'output', 0, { min: 0 }) }),
  };
}

/** A sequence has no more tokens than bases, and two special ones. */
const windowOf = (context: Context, { config }: OpenedModel['model']): number =>
  integer(context, 'window', 'position' in config && config.position === 'learned' ? Math.min(512, config.maxPositions - 2) : 512, { min: 2 });

/** The bases around a stretch, as far as the contig goes, in upper case. */
async function around(genome: Genome, contig: string, start: number, end: number, window: number): Promise<{ sequence: string; from: number }> {
  const contigs = await genome.contigs();
  const length = contigs.find(({ name }) => name === contig)?.length;
  if (length === undefined) throw new UsageError(`variant-effect: expected a contig of the reference (${contigs.slice(0, 3).map(({ name }) => name).join(', ')}${contigs.length > 3 ? ' …' : ''}), got ${contig}; name contigs as the reference does`);
  if (end > length) throw new UsageError(`variant-effect: expected positions up to ${length} on ${contig}, got ${end}; is it another reference?`);
  const flank = Math.max(0, Math.floor((window - (end - start)) / 2));
  const from = Math.max(0, start - flank);
  const bases = await genome.fetch(contig, from, Math.min(length, end + flank));
  return { sequence: Buffer.from(bases).toString('latin1').toUpperCase(), from };
}

async function scoreVcf(context: Context, { model, tokenizer }: OpenedModel, genome: Genome, output: Output): Promise<void> {
  const { values, json, progress, signal } = context;
  const window = windowOf(context, model);
  const vcf = values['vcf'] as string;
  let [done, skipped, waiting]: [number, number, (SequenceVariant & { readonly contig: string; readonly pos: number; readonly written: string })[]] = [0, 0, []];
  const flush = async () => {
    const effects = await scoreVariants(model, tokenizer, waiting, effectOptions(context));
    for (const [i, { contig, pos, ref, written: alt }] of waiting.entries()) await output.write(json ? `${JSON.stringify({ contig, pos, ref, alt, effect: effects[i] })}\n` : `${contig}\t${pos}\t${ref}\t${alt}\t${Number(effects[i].toPrecision(6))}\n`);
    progress.update({ stage: 'score', done: (done += waiting.length), unit: 'variants' });
    waiting = [];
  };
  if (!json) await output.write('#contig\tpos\tref\talt\teffect\n');
  for await (const { contig, start, ref, alt } of variantsOf(vcf, signal)) {
    const alleles = alt.filter((allele) => /^[ACGTN]+$/i.test(allele));
    skipped += alt.length - alleles.length;
    if (!alleles.length) continue;
    const { sequence, from } = await around(genome, contig, start, start + ref.length, window);
    const found = sequence.slice(start - from, start - from + ref.length);
    if (found !== ref.toUpperCase()) throw new UsageError(`${vcf}: ${contig}:${start + 1}: expected REF as the reference has it, ${found}, got ${ref}; is it another reference?`);
    waiting.push(...alleles.map((allele) => ({ sequence, position: start - from, ref, alt: allele.toUpperCase(), written: allele, contig, pos: start + 1 })));
    if (waiting.length >= chunk) await flush();
  }
  await flush();
  if (skipped) process.stderr.write(`genomelm: ${skipped} symbolic or missing alleles were left out: they have no sequence\n`);
}

async function* variantsOf(path: string, signal: AbortSignal): AsyncGenerator<VcfRecord> {
  try {
    yield* readVcf(sourceOf(path), { signal });
  } catch (error) {
    throw naming(path, error);
  }
}

async function saturate(context: Context, { model, tokenizer }: OpenedModel, genome: Genome, output: Output): Promise<void> {
  const { values, json, progress } = context;
  const region = String(values['region']);
  const [, contig, first, last] = /^(.+):(\d+)-(\d+)$/.exec(region.replaceAll(',', '')) ?? [];
  if (contig === undefined || Number(first) < 1 || Number(last) < Number(first)) throw new UsageError(`--region: expected contig:start-end, 1-based, got ${region}`);
  const [start, end] = [Number(first) - 1, Number(last)];
  const { sequence, from } = await around(genome, contig, start, end, windowOf(context, model));
  const map = await mutagenesis(model, tokenizer, sequence, { ...effectOptions(context), start: start - from, end: end - from, onProgress: ({ variants, totalVariants }) => progress.update({ stage: 'mutate', done: variants, total: totalVariants, unit: 'variants' }) });
  const rows = Array.from({ length: end - start }, (_, i) => ({ pos: start + i + 1, ref: sequence[map.start + i], effects: [...map.effects.subarray(4 * i, 4 * i + 4)] }));
  if (json) await output.write(`${JSON.stringify({ contig, rows })}\n`);
  else await output.write(['#contig\tpos\tref\tA\tC\tG\tT\n', ...rows.map(({ pos, ref, effects }) => `${[contig, pos, ref, ...effects.map((effect) => Number(effect.toPrecision(6)))].join('\t')}\n`)].join(''));
  if (typeof values['svg'] === 'string') writeFileAtomic(values['svg'], mutagenesisSvg(map, { title: region, contigStart: from }));
}

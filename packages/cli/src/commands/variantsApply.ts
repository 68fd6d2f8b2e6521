import { applyTrio, applyVariants, readPedigree, readVcf, triosOf, type Haplotype } from '@genomelm/genome-io';
import { choice, integer, list, UsageError, type Command } from '../command';
import { aliasesOption, fastaRecord, loadAliases, namingAliases, openSequences, reading, required, sourceOf, threadsOption, widthOption } from '../genomeFiles';
import { withOutput } from '../output';

export const variantsApply: Command = {
  name: 'variants apply',
  summary: 'Haplotypes of a phased VCF as FASTA, by the rules of bcftools consensus -H; SNVs, indels, <DEL>, <DUP>, <INV>, <CNn>.',
  usage: '--reference R --vcf V --sample S --haplotype 1 [-o FILE]',
  options: {
    reference: { type: 'string', value: 'FILE', help: 'FASTA (plain or bgzipped) or 2bit' },
    vcf: { type: 'string', value: 'FILE', help: 'VCF, plain or compressed, sorted; - for stdin' },
    sample: { type: 'string', value: 'S', help: 'a sample, several with commas, or * for all in one pass' },
    haplotype: { type: 'string', value: 'N', help: 'which allele of GT, from 1 (default: 1,2)' },
    ped: { type: 'string', value: 'FILE', help: 'a pedigree: the haplotypes of the children among --sample by parent, 1 the father\'s and 2 the mother\'s' },
    unphased: { type: 'string', value: 'HOW', help: 'error (default; skip with --ped), skip, or as-written' },
    aliases: aliasesOption, width: widthOption, threads: threadsOption,
    out: { type: 'string', short: 'o', value: 'FILE', help: 'write the FASTA here instead of stdout' },
  },
  async run(context) {
    const { values, json, print, progress, signal } = context;
    const reference = await openSequences(required(context, 'variants apply', 'reference', 'a FASTA or 2bit file'));
    const variants = readVcf(sourceOf(required(context, 'variants apply', 'vcf', 'a VCF file')), reading(context));
    const wanted = required(context, 'variants apply', 'sample', 'a sample of the VCF, or *');
    const width = integer(context, 'width', 60, { min: 0 });
    const unphased = { 'error': 'error', 'skip': 'skip', 'as-written': 'asWritten' } as const;
    const out = values['out'] as string | undefined;
    const reports: object[] = [];
    try {
      const samples = wanted === '*' ? [...(await variants.header()).samples] : list(context, 'sample')!;
      const haplotypes = (list(context, 'haplotype') ?? ['1', '2']).map(Number);
      const options = { reference, variants, signal, ...loadAliases(context), ...(values['unphased'] === undefined ? {} : { unphased: unphased[choice(context, 'unphased', ['error', 'skip', 'as-written'], 'error')] }) };
      const trio = typeof values['ped'] === 'string' ? await trioOf(values['ped'], samples, wanted) : undefined;
      const isAlone = samples.length === 1 && haplotypes.length === 1;
      const built: AsyncIterable<Haplotype> = trio ? applyTrio({ ...options, trio }) : applyVariants({ ...options, sample: samples, haplotype: haplotypes });
      await namingAliases(() => withOutput(out, async (output) => {
        for await (const { name, sample, haplotype, sequence, report } of built) {
          if (!haplotypes.includes(haplotype)) continue;
          const title = isAlone ? name : `${sample}#${haplotype}#${name}`; // the names of PanSN
          if (!json || out !== undefined) await output.write(fastaRecord(title, sequence, width));
          reports.push({ name: title, contig: name, sample, haplotype, length: sequence.length, ...report, ...(json && out === undefined ? { sequence: Buffer.from(sequence).toString('latin1') } : {}) });
          progress.update({ stage: 'apply', done: reports.length, unit: 'haplotypes' });
        }
      }));
    } finally {
      await reference.close();
    }
    progress.finish();
    if (json) print(`${JSON.stringify({ ...(out === undefined ? {} : { file: out }), haplotypes: reports })}\n`);
    else process.stderr.write(`genomelm: ${summary(reports as Record<string, number>[])}\n`);
  },
};

async function trioOf(path: string, samples: readonly string[], wanted: string) {
  const trios = triosOf(await readPedigree(sourceOf(path))).filter(({ child }) => samples.includes(child));
  if (trios.length !== 1) throw new UsageError(`variants apply: expected one child of ${path} as --sample, got ${wanted}, which names ${trios.length}; run it once a child`);
  return trios[0];
}

/** What was applied and what was not, in words. */
function summary(reports: readonly Record<string, number>[]): string {
  const sum = (key: string) => reports.reduce((total, report) => total + report[key], 0);
  const skipped = ['missing', 'ploidy', 'unphased', 'mendelian', 'overlapping', 'outside', 'symbolic'].filter((key) => sum(key) > 0).map((key) => `${sum(key)} ${key}`);
  return `${sum('applied')} variants applied${skipped.length === 0 ? '' : `, skipped: ${skipped.join(', ')}`}`;
}

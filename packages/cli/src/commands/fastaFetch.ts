import { fetchIntervals, readBed, type NamedInterval } from '@genomelm/genome-io';
import { choice, integer, UsageError, type Command } from '../command';
import { aliasesOption, fastaRecord, loadAliases, named, namingAliases, openSequences, parseRegion, reading, sourceOf, threadsOption, widthOption } from '../genomeFiles';
import { withOutput } from '../output';

export const fastaFetch: Command = {
  name: 'fasta fetch',
  summary: 'Sequences by region from FASTA (plain, bgzipped, by HTTP) or 2bit, as FASTA: regions on the command line or a BED file.',
  usage: 'FILE [CONTIG[:START-END]…] [--bed FILE]',
  options: {
    bed: { type: 'string', value: 'FILE', help: 'a BED file of regions (- for stdin); its strands are followed' },
    strand: { type: 'string', value: 'S', help: '+ (default) or - for regions on the command line' },
    clamp: { type: 'boolean', help: 'cut regions to their contig instead of refusing them' },
    aliases: aliasesOption, width: widthOption,
    threads: { ...threadsOption, help: `${threadsOption.help}; for one without a .fai beside it` },
    out: { type: 'string', short: 'o', value: 'FILE', help: 'write here instead of stdout' },
  },
  async run(context) {
    const { values, positionals: [path, ...regions], json, progress, print } = context;
    if (path === undefined || (regions.length === 0 && values['bed'] === undefined)) throw new UsageError('fasta fetch: expected a file and regions or --bed, got too little; for example genome.fa chr1:1001-2000');
    const width = integer(context, 'width', 60, { min: 0 });
    const strand = choice(context, 'strand', ['+', '-'], '+');
    const file = await openSequences(path, reading(context));
    const known = new Set((await file.contigs()).map(({ name }) => name));
    const intervals = async function* (): AsyncGenerator<NamedInterval & { readonly name?: string | undefined }> {
      for (const region of regions) yield { ...parseRegion('fasta fetch', region, known), strand, name: region };
      if (typeof values['bed'] === 'string') yield* named(values['bed'], readBed(sourceOf(values['bed'])));
    };
    const list: object[] = [];
    let done = 0;
    try {
      await namingAliases(() => withOutput(values['out'] as string | undefined, async (output) => {
        for await (const { interval, sequence } of fetchIntervals(file, intervals(), { ...loadAliases(context), clamp: values['clamp'] === true })) {
          const { contig, start, name } = interval;
          const title = name ?? `${contig}:${start + 1}-${start + sequence.length}`;
          if (json) list.push({ name: title, contig, start, strand: interval.strand ?? '+', sequence: Buffer.from(sequence).toString('latin1') });
          else await output.write(fastaRecord(title, sequence, width));
          progress.update({ stage: 'fetch', done: ++done, unit: 'regions' });
        }
        if (json) await output.write(`${JSON.stringify({ sequences: list })}\n`);
      }));
      if (json && values['out'] !== undefined) print(`${JSON.stringify({ file: values['out'], sequences: done })}\n`);
    } finally {
      await file.close();
    }
  },
};

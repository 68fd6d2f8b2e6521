import { findOrfs, readFasta, reverseComplement, translate } from '@genomelm/genome-io';
import { choice, integer, UsageError, type Command } from '../command';
import { named, reading, sourceOf, threadsOption } from '../genomeFiles';
import { openLines } from '../output';

export const fastaOrfs: Command = {
  name: 'fasta orfs',
  summary: 'Open reading frames in six frames as BED (or JSON lines with proteins), by getorf\'s definitions.',
  usage: '[--min-length 30] [--definition start-to-stop] FILES…',
  options: {
    definition: { type: 'string', value: 'NAME', help: 'start-to-stop (default, getorf -find 1) or stop-to-stop (getorf -find 0)' },
    table: { type: 'string', value: 'N', help: 'NCBI\'s genetic code (default 1)' },
    starts: { type: 'string', value: 'WHICH', help: 'ATG (default) or table: all start codons of the code' },
    'min-length': { type: 'string', value: 'N', help: 'shortest in bases, without the stop (default 30)' },
    'closed-ends': { type: 'boolean', help: 'leave out those that the ends of a sequence cut' },
    threads: threadsOption,
    out: { type: 'string', short: 'o', value: 'FILE', help: 'write here instead of stdout' },
  },
  async run(context) {
    const { values, positionals, json, progress } = context;
    if (positionals.length === 0) throw new UsageError('fasta orfs: expected one file or more, got none');
    const table = integer(context, 'table', 1, { max: 33 });
    const options = { definition: choice(context, 'definition', ['start-to-stop', 'stop-to-stop'], 'start-to-stop'), table, startCodons: choice(context, 'starts', ['ATG', 'table'], 'ATG'), minLength: integer(context, 'min-length', 30, { min: 0 }), openEnds: values['closed-ends'] !== true };
    const lines = openLines(values['out'] as string | undefined);
    let found = 0;
    try {
      for (const path of positionals) {
        for await (const { name, sequence } of named(path, readFasta(sourceOf(path), reading(context)))) {
          for (const orf of findOrfs(sequence, options)) {
            found++;
            if (json) {
              const bases = sequence.subarray(orf.start, orf.end);
              await lines.write(JSON.stringify({ contig: name, ...orf, table, protein: Buffer.from(translate(orf.strand === '-' ? reverseComplement(bases) : bases, { table })).toString('latin1') }));
            } else await lines.write([name, orf.start, orf.end, `${name}_${found}`, orf.hasStop ? 1000 : 0, orf.strand].join('\t'));
          }
          progress.update({ stage: 'orfs', done: found, unit: 'frames' });
        }
      }
    } catch (error) {
      lines.abandon();
      throw error;
    }
    lines.commit();
    progress.finish();
  },
};

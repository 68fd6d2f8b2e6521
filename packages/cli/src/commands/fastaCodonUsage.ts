import { codonAdaptationIndex, codonUsage, readFasta } from '@genomelm/genome-io';
import { integer, UsageError, type Command } from '../command';
import { named, reading, sourceOf, threadsOption } from '../genomeFiles';
import { textTable } from '../output';

export const fastaCodonUsage: Command = {
  name: 'fasta codon-usage',
  summary: 'Codon usage and RSCU of coding sequences in frame; with --genes their codon adaptation index against that usage.',
  usage: '[--table 1] [--genes FILE] FILES…',
  options: {
    table: { type: 'string', value: 'N', help: 'NCBI\'s genetic code (default 1)' },
    threads: threadsOption,
    genes: { type: 'string', value: 'FILE', help: 'coding sequences whose CAI is wanted; FILES… are then the reference set' },
  },
  async run(context) {
    const { values, positionals, json, print, progress } = context;
    if (positionals.length === 0) throw new UsageError('fasta codon-usage: expected one file or more, got none');
    const sequences: Uint8Array[] = [];
    for (const path of positionals) {
      for await (const { sequence } of named(path, readFasta(sourceOf(path), reading(context)))) {
        sequences.push(sequence);
        progress.update({ stage: 'codon usage', done: sequences.length, unit: 'sequences' });
      }
    }
    progress.finish();
    const usage = codonUsage(sequences, { table: integer(context, 'table', 1, { max: 33 }) });
    const genes: { name: string; cai: number | null }[] = [];
    if (typeof values['genes'] === 'string') {
      for await (const { name, sequence } of named(values['genes'], readFasta(sourceOf(values['genes']), reading(context)))) {
        const cai = codonAdaptationIndex(sequence, usage);
        genes.push({ name, cai: Number.isNaN(cai) ? null : cai });
      }
    }
    if (json) print(`${JSON.stringify({ ...usage, ...(values['genes'] === undefined ? {} : { genes }) })}\n`);
    else if (genes.length > 0) print(textTable([['gene', 'CAI'], ...genes.map(({ name, cai }) => [name, cai?.toFixed(4) ?? '–'])]));
    else {
      print(textTable([['codon', 'amino acid', 'count', 'fraction', 'per 1000', 'RSCU'], ...usage.rows.map(({ codon, aminoAcid, count, fraction, perThousand, rscu }) => [codon, aminoAcid, `${count}`, fraction.toFixed(3), perThousand.toFixed(3), rscu.toFixed(3)])]));
      print(`${usage.total} codons (${usage.skipped} ambiguous), GC ${usage.gc.toFixed(4)}, by position ${usage.gcByPosition.map((share) => share.toFixed(4)).join(' ')}\n`);
    }
  },
};

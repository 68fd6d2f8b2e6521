import { kmerAt, kmerSpectrum, readFasta } from '@genomelm/genome-io';
import { integer, UsageError, type Command } from '../command';
import { named, reading, sourceOf, threadsOption } from '../genomeFiles';

export const fastaKmers: Command = {
  name: 'fasta kmers',
  summary: 'Counts of all k-mers (k up to 12) over all sequences: tetranucleotides by default.',
  usage: '[-k 4] [--canonical] FILES…',
  options: {
    k: { type: 'string', short: 'k', value: 'N', help: 'length of the words, 1 to 12 (default 4)' },
    threads: threadsOption,
    canonical: { type: 'boolean', help: 'count a word and its reverse complement together' },
  },
  async run(context) {
    const { values, positionals, json, print, progress } = context;
    if (positionals.length === 0) throw new UsageError('fasta kmers: expected one file or more, got none');
    const k = integer(context, 'k', 4, { max: 12 });
    const canonical = values['canonical'] === true;
    const counts = new Float64Array(4 ** k);
    let [total, skipped] = [0, 0];
    for (const path of positionals) {
      for await (const { sequence } of named(path, readFasta(sourceOf(path), reading(context)))) {
        const spectrum = kmerSpectrum(sequence, k, { canonical });
        for (let i = 0; i < counts.length; i++) counts[i] += spectrum.counts[i];
        total += spectrum.total;
        skipped += spectrum.skipped;
        progress.update({ stage: 'kmers', done: total, unit: 'words' });
      }
    }
    progress.finish();
    const rows = Array.from(counts, (count, i) => [kmerAt(i, k), count] as const).filter(([, count]) => count > 0);
    if (json) print(`${JSON.stringify({ k, canonical, total, skipped, counts: Object.fromEntries(rows) })}\n`);
    else print(rows.map(([word, count]) => `${word}\t${count}\n`).join(''));
  },
};

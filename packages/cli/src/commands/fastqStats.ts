import { qualityScores, readFastq, type QualityEncoding } from '@genomelm/genome-io';
import { UsageError, type Command } from '../command';
import { reading, sourceOf, threadsOption } from '../genomeFiles';
import { textTable } from '../output';
import { naming } from '../userFile';

export const fastqStats: Command = {
  name: 'fastq stats',
  summary: 'Each file\'s reads and bases, lengths, GC, N, mean quality and the shares of Q20 and Q30; every record is checked.',
  usage: 'FILES…',
  options: { encoding: { type: 'string', value: 'E', help: 'of the qualities: sanger (default), illumina-1.3 or solexa' }, threads: threadsOption },
  async run(context) {
    const { positionals, values, json, print, progress } = context;
    if (positionals.length === 0) throw new UsageError('fastq stats: expected one file or more, got none');
    const encoding = (values['encoding'] ?? 'sanger') as QualityEncoding;
    const files: ReturnType<typeof summary>[] = [];
    for (const path of positionals) {
      const counts = newCounts();
      try {
        for await (const { sequence, quality } of readFastq(sourceOf(path), { ...reading(context), encoding })) {
          count(counts, sequence, quality);
          if (counts.reads % 10_000 === 0) progress.update({ stage: 'stats', done: counts.reads, unit: 'reads' });
        }
      } catch (error) {
        throw naming(path, error);
      }
      files.push(summary(path, counts, encoding));
    }
    progress.finish();
    if (json) {
      print(`${JSON.stringify({ files })}\n`);
      return;
    }
    const share = (value: number | null) => (value === null ? '–' : value.toFixed(4));
    print(textTable([
      ['file', 'reads', 'bases', 'shortest', 'mean', 'longest', 'GC', 'N', 'quality', 'Q20', 'Q30'],
      ...files.map((each) => [each.file, `${each.reads}`, `${each.bases}`, `${each.shortest ?? '–'}`, each.meanLength?.toFixed(1) ?? '–', `${each.longest ?? '–'}`, share(each.gc), `${each.n}`, each.meanQuality?.toFixed(2) ?? '–', share(each.q20), share(each.q30)]),
    ]));
  },
};

const newCounts = () => ({ reads: 0, bases: 0, shortest: Infinity, longest: 0, letters: new Float64Array(256), qualities: new Float64Array(256) });

function count(counts: ReturnType<typeof newCounts>, sequence: Uint8Array, quality: Uint8Array): void {
  const { letters, qualities } = counts;
  counts.reads++;
  counts.bases += sequence.length;
  counts.shortest = Math.min(counts.shortest, sequence.length);
  counts.longest = Math.max(counts.longest, sequence.length);
  for (let i = 0; i < sequence.length; i++) {
    letters[sequence[i]]++;
    qualities[quality[i]]++;
  }
}

function summary(file: string, { reads, bases, shortest, longest, letters, qualities }: ReturnType<typeof newCounts>, encoding: QualityEncoding) {
  const of = (text: string) => [...text].reduce((sum, letter) => sum + letters[letter.charCodeAt(0)], 0);
  const seen = Uint8Array.from(qualities.keys()).filter((byte) => qualities[byte] > 0);
  const scores = qualityScores(seen, encoding);
  const shareFrom = (least: number) => (bases === 0 ? null : seen.reduce((sum, byte, i) => sum + (scores[i] >= least ? qualities[byte] : 0), 0) / bases);
  const known = of('ACGTUacgtu');
  return {
    file, reads, bases, shortest: reads === 0 ? null : shortest, meanLength: reads === 0 ? null : bases / reads, longest: reads === 0 ? null : longest, gc: known === 0 ? null : of('GCgc') / known, n: of('Nn'),
    meanQuality: bases === 0 ? null : seen.reduce((sum, byte, i) => sum + scores[i] * qualities[byte], 0) / bases, q20: shareFrom(20), q30: shareFrom(30),
  };
}

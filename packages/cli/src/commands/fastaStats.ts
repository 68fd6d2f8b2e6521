import { gcContent, gcSkew, linguisticComplexity, readFasta } from '@genomelm/genome-io';
import { UsageError, type Command } from '../command';
import { named, reading, sourceOf, threadsOption } from '../genomeFiles';
import { textTable } from '../output';

export const fastaStats: Command = {
  name: 'fasta stats',
  summary: 'Each sequence\'s length, GC, GC skew, N, soft-masked and ambiguous bases, linguistic complexity; the whole with N50.',
  usage: 'FILES…',
  options: { threads: threadsOption },
  async run(context) {
    const { positionals, json, print, progress } = context;
    if (positionals.length === 0) throw new UsageError('fasta stats: expected one file or more, got none');
    const sequences: ReturnType<typeof describe>[] = [];
    for (const path of positionals) {
      for await (const { name, sequence } of named(path, readFasta(sourceOf(path), reading(context)))) {
        sequences.push(describe(name, sequence));
        progress.update({ stage: 'stats', done: sequences.length, unit: 'sequences' });
      }
    }
    progress.finish();
    const sum = (key: 'length' | 'n' | 'masked' | 'ambiguous') => sequences.reduce((total, each) => total + each[key], 0);
    const lengths = sequences.map(({ length }) => length).sort((a, b) => b - a);
    const known = (each: { length: number; n: number; ambiguous: number }) => each.length - each.n - each.ambiguous;
    const bases = sequences.reduce((total, each) => total + known(each), 0);
    const gc = bases === 0 ? null : sequences.reduce((total, each) => total + (each.gc ?? 0) * known(each), 0) / bases;
    const total = { sequences: sequences.length, length: sum('length'), gc, n: sum('n'), masked: sum('masked'), ambiguous: sum('ambiguous'), n50: n50(lengths) };
    if (json) {
      print(`${JSON.stringify({ sequences, total })}\n`);
      return;
    }
    const share = (value: number | null) => (value === null ? '–' : value.toFixed(4));
    print(textTable([
      ['sequence', 'length', 'GC', 'GC skew', 'N', 'masked', 'ambiguous', 'complexity'],
      ...sequences.map((each) => [each.name, `${each.length}`, share(each.gc), each.gcSkew.toFixed(4), `${each.n}`, `${each.masked}`, `${each.ambiguous}`, share(each.complexity)]),
    ]));
    print(`${total.sequences} sequences, ${total.length} bases, GC ${share(gc)}, N50 ${total.n50}\n`);
  },
};

const finite = (value: number): number | null => (Number.isNaN(value) ? null : value);

function describe(name: string, sequence: Uint8Array) {
  const counts = new Float64Array(256);
  for (let i = 0; i < sequence.length; i++) counts[sequence[i]]++;
  const of = (letters: string) => [...letters].reduce((sum, letter) => sum + counts[letter.charCodeAt(0)], 0);
  const n = of('Nn');
  return { name, length: sequence.length, gc: finite(gcContent(sequence)), gcSkew: gcSkew(sequence)[0] ?? 0, n, masked: counts.subarray(97, 123).reduce((sum, count) => sum + count, 0), ambiguous: sequence.length - n - of('ACGTUacgtu'), complexity: finite(linguisticComplexity(sequence)) };
}

/** The length at which the longest sequences hold half of all bases. */
function n50(lengths: readonly number[]): number {
  const half = lengths.reduce((sum, length) => sum + length, 0) / 2;
  let sum = 0;
  return lengths.find((length) => (sum += length) >= half) ?? 0;
}

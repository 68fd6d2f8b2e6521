import { readFasta, writeTwoBit } from '@genomelm/genome-io';
import { UsageError, type Command } from '../command';
import { named, onlyFile, reading, sourceOf, threadsOption } from '../genomeFiles';
import { writeFileAtomic } from '../output';

export const fastaTwoBit: Command = {
  name: 'fasta to-2bit',
  summary: 'A FASTA file as 2bit, for random access in a quarter of the space; runs of N and soft-masking are kept, as faToTwoBit keeps them.',
  usage: '[-o FILE.2bit] FILE',
  options: {
    out: { type: 'string', short: 'o', value: 'FILE', help: 'the 2bit file to write (default: beside the file, its ending replaced)' },
    iupac: { type: 'string', value: 'HOW', help: 'other ambiguity codes: error (default) or N' },
    long: { type: 'boolean', help: '64-bit offsets, for files of 4 GiB and more' },
    threads: threadsOption,
  },
  async run(context) {
    const { values, json, print, progress } = context;
    const path = onlyFile(context, 'fasta to-2bit', 'FASTA file');
    const iupac = values['iupac'] ?? 'error';
    if (iupac !== 'error' && iupac !== 'N') throw new UsageError(`fasta to-2bit: expected --iupac error or N, got ${String(iupac)}`);
    const target = (values['out'] as string | undefined) ?? outputOf(path);
    let sequences = 0;
    let bases = 0;
    const records = async function* () {
      for await (const record of named(path, readFasta(sourceOf(path), reading(context)))) {
        progress.update({ stage: 'to-2bit', done: ++sequences, unit: 'sequences' });
        bases += record.sequence.length;
        yield record;
      }
    };
    const bytes = await writeTwoBit(records(), { version: values['long'] ? 1 : 0, iupac }).catch((error: unknown) => {
      throw error instanceof RangeError ? new UsageError(`${path}: ${error.message}`.replace("{iupac: 'N'}", '--iupac N').replace('{version: 1}', '--long'), { cause: error }) : error;
    });
    writeFileAtomic(target, bytes);
    progress.finish();
    print(json ? `${JSON.stringify({ file: target, sequences, bases })}\n` : `${target}: ${sequences} sequences, ${bases} bases\n`);
  },
};

function outputOf(path: string): string {
  if (path === '-') throw new UsageError('fasta to-2bit: expected -o with the file to write, got none for stdin');
  return `${path.replace(/(?:\.(?:fa|fasta|fna))?(?:\.(?:gz|bgz))?$/i, '')}.2bit`;
}

import { readFasta, reverseComplement, translate } from '@genomelm/genome-io';
import { choice, integer, UsageError, type Command } from '../command';
import { fastaRecord, named, reading, sourceOf, threadsOption, widthOption } from '../genomeFiles';
import { withOutput } from '../output';

export const fastaTranslate: Command = {
  name: 'fasta translate',
  summary: 'Proteins of nucleotide sequences as FASTA, in one frame or all six, with NCBI\'s genetic codes.',
  usage: '[--frame 1] [--table 1] FILES…',
  options: {
    table: { type: 'string', value: 'N', help: 'NCBI\'s genetic code (default 1)' },
    frame: { type: 'string', value: 'F', help: '1, 2 or 3 (default 1), -1, -2 or -3 (--frame=-1) of the other strand, or all; of several, each name ends with its frame' },
    'to-stop': { type: 'boolean', help: 'end before the first stop codon instead of writing * for each' },
    'start-as-m': { type: 'boolean', help: 'M for the first codon where the table lists it as a start, as in a complete coding sequence' },
    width: { ...widthOption, help: widthOption.help.replace('bases', 'letters') },
    threads: threadsOption,
    out: { type: 'string', short: 'o', value: 'FILE', help: 'write here instead of stdout' },
  },
  async run(context) {
    const { values, positionals, json, progress } = context;
    if (positionals.length === 0) throw new UsageError('fasta translate: expected one file or more, got none');
    const table = integer(context, 'table', 1, { max: 33 });
    const width = integer(context, 'width', 60, { min: 0 });
    const which = choice(context, 'frame', ['1', '2', '3', '-1', '-2', '-3', 'all'], '1');
    const frames = which === 'all' ? [1, 2, 3, -1, -2, -3] : [Number(which)];
    const options = { table, toStop: values['to-stop'] === true, startIsMethionine: values['start-as-m'] === true };
    const list: object[] = [];
    let done = 0;
    await withOutput(values['out'] as string | undefined, async (output) => {
      for (const path of positionals) {
        for await (const { name, sequence } of named(path, readFasta(sourceOf(path), reading(context)))) {
          for (const frame of frames) {
            const strand = frame < 0 ? reverseComplement(sequence) : sequence;
            const protein = proteinOf(name, () => translate(strand, { ...options, frame: (Math.abs(frame) - 1) as 0 | 1 | 2 }));
            if (json) list.push({ name, frame, table, protein: Buffer.from(protein).toString('latin1') });
            else await output.write(fastaRecord(frames.length > 1 ? `${name}_${frame}` : name, protein, width));
          }
          progress.update({ stage: 'translate', done: ++done, unit: 'sequences' });
        }
      }
      if (json) await output.write(`${JSON.stringify({ proteins: list })}\n`);
    });
    progress.finish();
  },
};

/** A letter that is no nucleotide is told with the name of its sequence. */
function proteinOf(name: string, make: () => Uint8Array): Uint8Array {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UsageError(`${name}: ${error.message}`, { cause: error });
  }
}

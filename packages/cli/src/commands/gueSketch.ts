import { createSketch } from '@genomelm/gue';
import { integer, UsageError, type Command } from '../command';
import { prepareFile, writeFileAtomic } from '../output';
import { readSequences } from '../sequenceFiles';

export const gueSketch: Command = {
  name: 'gue sketch',
  summary: 'Sketch the words of a pre-training corpus. Stored as sketch.json with the model, gue audit --sketch tells how much of each test set stands in the corpus.',
  usage: '-o MODEL/sketch.json FILES…',
  options: {
    out: { type: 'string', short: 'o', value: 'FILE', help: 'where the sketch goes' },
    scaled: { type: 'string', value: 'N', help: 'one word of so many is kept (default 1000)' },
  },
  async run(context) {
    const { values, positionals, json, print, progress, signal } = context;
    const out = values['out'] as string | undefined;
    if (positionals.length === 0 || out === undefined) throw new UsageError(`gue sketch: expected -o FILE and sequence files, got ${out === undefined ? 'no -o' : 'no files'}`);
    prepareFile(out);
    const sketch = await createSketch(sequencesOf(positionals, (done) => {
      signal.throwIfAborted();
      progress.update({ stage: 'sketch', done, unit: 'bases' });
    }), { scaled: integer(context, 'scaled', 1000) });
    progress.finish();
    if (sketch.bases === 0) throw new UsageError(`gue sketch: expected sequences, got none in ${positionals.join(', ')}; name files that hold some`);
    writeFileAtomic(out, `${JSON.stringify(sketch)}\n`);
    print(json ? `${JSON.stringify({ file: out, bases: sketch.bases, words: sketch.hashes.length, scaled: sketch.scaled })}\n` : `${out}: ${sketch.hashes.length} words of ${sketch.k} from ${sketch.bases} bases, one of ${sketch.scaled}\n`);
  },
};

async function* sequencesOf(files: readonly string[], tell: (bases: number) => void): AsyncGenerator<string> {
  let bases = 0;
  for (const file of files) {
    for await (const { sequence } of readSequences(file)) {
      const text = typeof sequence === 'string' ? sequence : new TextDecoder().decode(sequence);
      tell(bases += text.length);
      yield text;
    }
  }
}

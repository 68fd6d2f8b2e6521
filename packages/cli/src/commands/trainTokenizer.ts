import { existsSync, readFileSync } from 'node:fs';
import { serializeTokenizerJson, trainBpe, trainMemoryEfficientBpe, type TrainBpeOptions } from '@genomelm/tokenizer';
import { bytes, choice, integer, UsageError, type Command, type Context } from '../command';
import { compareTrainings } from '../compareTrainings';
import { writeFileAtomic } from '../output';
import { readSequences } from '../sequenceFiles';

export const trainTokenizer: Command = {
  name: 'train-tokenizer',
  summary: 'Train a BPE tokenizer on FASTA, CSV or plain lines: exact, in memory or out of core; writes a Hugging Face tokenizer.json.',
  usage: '[--vocab-size 4096] -o tokenizer.json FILES…   or   --compare FILES…',
  options: {
    'vocab-size': { type: 'string', value: 'N', help: 'tokens in all, special ones included (default 4096)' },
    'min-frequency': { type: 'string', value: 'N', help: 'smallest count of a pair that is merged (default 2)' },
    'max-token-length': { type: 'string', value: 'N', help: 'longest token in bases (default: no limit)' },
    out: { type: 'string', short: 'o', value: 'FILE', help: 'the tokenizer.json to write' },
    'max-memory': { type: 'string', value: 'BYTES', help: 'train out of core within so much memory, such as 200MB or 1GiB: any corpus, same merges; the disk holds 2 bytes a base' },
    scratch: { type: 'string', value: 'DIR', help: 'where that scratch space is (default: the directory for temporary files)' },
    checkpoint: { type: 'string', value: 'FILE', help: 'write the merges here every few seconds, and continue from them when the file exists' },
    algorithm: { type: 'string', value: 'NAME', help: 'exact (default) or me-bpe, dnaGrinder\'s training over splits, which is not exact' },
    splits: { type: 'string', value: 'N', help: 'me-bpe: number of splits (default 4); --compare: several, with commas (default 2,4,8,16)' },
    reading: { type: 'string', value: 'NAME', help: 'me-bpe: continue (default) or merge, two readings of its description' },
    compare: { type: 'boolean', help: 'train every way on nine tenths of the files and compare memory, time, vocabularies and held-out bases per token' },
    order: { type: 'string', value: 'NAME', help: '--compare: order of the corpus, given (default), reversed or shuffled' },
    'other-letters': { type: 'boolean', help: 'learn tokens with letters other than A, C, G, T too (default: they end the text)' },
    upper: { type: 'boolean', help: 'read lower case (soft-masked) bases as upper case' },
  },
  async run(context) {
    const { values, positionals, progress, print, json } = context;
    if (positionals.length === 0) throw new UsageError('train-tokenizer: expected one file or more, got none');
    if (values['compare']) return compareTrainings(context, integer(context, 'vocab-size', 4096, { min: 9 }));
    if (typeof values['out'] !== 'string') throw new UsageError('train-tokenizer: expected -o with a file to write, got none');
    const began = performance.now(), options = trainingOptions(context), counted = { bases: 0 };
    const tokenizer = choice(context, 'algorithm', ['exact', 'me-bpe'], 'exact') === 'exact'
      ? await trainBpe(read(context, counted), { ...options, ...outOfCore(context), ...resumed(values['checkpoint'] as string | undefined) })
      : await trainSplits(context, options, counted);
    progress.finish();
    writeFileAtomic(values['out'], serializeTokenizerJson(tokenizer));
    const result = { file: values['out'], vocabSize: tokenizer.vocabSize, bases: counted.bases, seconds: Number(((performance.now() - began) / 1000).toFixed(2)), peakMemoryBytes: process.resourceUsage().maxRSS * 1024 };
    if (json) print(`${JSON.stringify(result)}\n`);
    else print(`${result.file}: ${result.vocabSize} tokens from ${result.bases} bases in ${result.seconds} s, ${Math.round(result.peakMemoryBytes / 2 ** 20)} MiB at most\n`);
    if (tokenizer.vocabSize < options.vocabSize) process.stderr.write(`genomelm: the corpus gave ${tokenizer.vocabSize} of ${options.vocabSize} tokens: no pair is frequent enough for more\n`);
  },
};

function trainingOptions(context: Context): TrainBpeOptions {
  const { values, progress, signal } = context, checkpoint = values['checkpoint'] as string | undefined;
  let written = performance.now();
  return {
    vocabSize: integer(context, 'vocab-size', 4096, { min: 9 }), minFrequency: integer(context, 'min-frequency', 2),
    maxTokenLength: values['max-token-length'] === undefined ? undefined : integer(context, 'max-token-length', 0, { min: 2 }),
    initialAlphabet: 'ACGT', case: values['upper'] ? 'upper' : 'preserve', otherLetters: values['other-letters'] ? 'learn' : 'cut', signal,
    onProgress: ({ vocabSize: done, goal, pairCount, merges }) => {
      progress.update({ stage: 'merge', done, total: goal, unit: 'tokens', pairCount });
      if (checkpoint === undefined || performance.now() - written < 5000) return;
      writeFileAtomic(checkpoint, JSON.stringify(merges));
      written = performance.now();
    },
  };
}

const ENGINE = 80 * 2 ** 20; // what Node itself takes

function outOfCore(context: Context): Pick<TrainBpeOptions, 'maxMemory' | 'scratchDirectory'> {
  const memory = bytes(context, 'max-memory');
  return memory === undefined ? {} : { maxMemory: memory - ENGINE, scratchDirectory: context.values['scratch'] as string | undefined };
}

function resumed(checkpoint: string | undefined): Pick<TrainBpeOptions, 'initialMerges'> {
  if (checkpoint === undefined || !existsSync(checkpoint)) return {};
  try {
    return { initialMerges: JSON.parse(readFileSync(checkpoint, 'utf8')) as [string, string][] };
  } catch (cause) {
    throw new UsageError(`${checkpoint}: expected the merges of an interrupted training, got something else; remove the file to start anew`, { cause });
  }
}

async function* read({ positionals, progress }: Context, counted: { bases: number }): AsyncGenerator<string | Uint8Array> {
  for (const path of positionals) {
    for await (const { sequence } of readSequences(path)) {
      counted.bases += sequence.length;
      yield sequence;
      progress.update({ stage: 'read', done: counted.bases, unit: 'bases' });
    }
  }
}

/** Splits of equal numbers of bases, in the order of the files; a sequence may go on in the next split. */
async function trainSplits(context: Context, options: TrainBpeOptions, counted: { bases: number }) {
  const splitCount = integer(context, 'splits', 4, { max: 1000 }), reading = choice(context, 'reading', ['continue', 'merge'], 'continue');
  const all = { bases: 0 };
  for await (const sequence of read(context, all)) void sequence;
  const size = Math.ceil(all.bases / splitCount), sequences = read(context, counted);
  let rest: string | Uint8Array = '';
  async function* split() {
    for (let room = size; room > 0;) {
      if (rest.length === 0) {
        const { value, done } = await sequences.next();
        if (done) return;
        rest = value;
      }
      const piece = rest.slice(0, room);
      rest = rest.slice(room);
      room -= piece.length;
      yield piece;
    }
  }
  function* splits() { for (let i = 0; i < splitCount; i++) yield split(); }
  return trainMemoryEfficientBpe(splits(), { ...options, splitCount, reading });
}

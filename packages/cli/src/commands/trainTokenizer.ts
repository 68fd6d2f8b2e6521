import { existsSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { MemoryLimitError, serializeTokenizerJson, trainBpe, trainMemoryEfficientBpe, type BpeTokenizer, type TrainBpeOptions } from '@genomelm/tokenizer';
import { bytes, choice, integer, UsageError, type Command, type Context } from '../command';
import { compareTrainings } from '../compareTrainings';
import { prepareFile, writeFileAtomic } from '../output';
import { readSequences } from '../sequenceFiles';
import { naming } from '../userFile';
import { serveShard, trainInProcesses } from './trainTokenizerProcesses';
import { renderTrainingReport } from './trainTokenizerReport';

export const trainTokenizer: Command = {
  name: 'train-tokenizer',
  summary: 'Train a BPE tokenizer on FASTA, CSV or plain lines: exact, in memory or out of core; writes a Hugging Face tokenizer.json and a report beside it.',
  usage: '[--vocab-size 4096] -o tokenizer.json FILES…   or   --compare FILES…',
  options: {
    'vocab-size': { type: 'string', value: 'N', help: 'tokens in all, special ones included (default 4096)' },
    'min-frequency': { type: 'string', value: 'N', help: 'smallest count of a pair that is merged (default 2)' },
    'max-token-length': { type: 'string', value: 'N', help: 'longest token in bases (default: no limit)' },
    out: { type: 'string', short: 'o', value: 'FILE', help: 'the tokenizer.json to write' },
    'max-memory': { type: 'string', value: 'BYTES', help: 'train out of core within so much memory, such as 200MB or 1GiB: any corpus, same merges; the disk holds 2 bytes a base' },
    scratch: { type: 'string', value: 'DIR', help: 'where that scratch space is (default: the directory for temporary files)' },
    processes: { type: 'string', value: 'N', help: 'train out of core over so many processes, the files shared among them: same merges' },
    'serve-shard': { type: 'boolean', help: 'be one of those processes (they are started with it)' },
    checkpoint: { type: 'string', value: 'FILE', help: 'write the merges here every second, and continue from them when the file exists' },
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
    if (values['serve-shard']) return serveShard(read(context, newCount()), { ...trainingOptions(context), scratchDirectory: values['scratch'] as string | undefined });
    if (typeof values['out'] !== 'string') throw new UsageError('train-tokenizer: expected -o with a file to write, got none');
    prepareFile(values['out']);
    const began = performance.now(), options = trainingOptions(context), counted = newCount();
    const { tokenizer, algorithm, processes } = await train(context, options, counted).catch((error: Error) => noLetters(positionals, error));
    progress.finish();
    const bases = processes === 1 ? counted.bases : await countBases(context, counted);
    writeFileAtomic(values['out'], serializeTokenizerJson(tokenizer));
    const seconds = Number(((performance.now() - began) / 1000).toFixed(2)), peakMemoryBytes = process.resourceUsage().maxRSS * 1024;
    const report = `${values['out'].replace(/\.json$/, '')}.report.md`, sample = tokenizer.encodeBatch(counted.sample, { addSpecialTokens: false, case: options.case });
    writeFileAtomic(report, renderTrainingReport(tokenizer, { files: positionals, bases, algorithm, seconds, peakMemoryBytes, processes, sample: { bases: counted.sampled, tokens: sample.inputIds.length } }));
    const result = { file: values['out'], report, vocabSize: tokenizer.vocabSize, bases, seconds, peakMemoryBytes };
    if (json) print(`${JSON.stringify(result)}\n`);
    else print(`${result.file}: ${result.vocabSize} tokens from ${bases} bases in ${seconds} s, ${Math.round(peakMemoryBytes / 2 ** 20)} MiB at most; see ${report}\n`);
    if (tokenizer.vocabSize < options.vocabSize) process.stderr.write(`genomelm: the corpus gave ${tokenizer.vocabSize} of ${options.vocabSize} tokens: no pair is frequent enough for more\n`);
  },
};

/** Bases read, and the first of them for the report. */
interface Counted { bases: number; sampled: number; readonly sample: (string | Uint8Array)[] }
const newCount = (): Counted => ({ bases: 0, sampled: 0, sample: [] });
const SAMPLE = 2_000_000;

async function train(context: Context, options: TrainBpeOptions, counted: Counted): Promise<{ readonly tokenizer: BpeTokenizer; readonly algorithm: string; readonly processes: number }> {
  const { values, positionals } = context, processes = integer(context, 'processes', 1, { max: 256 });
  if (choice(context, 'algorithm', ['exact', 'me-bpe'], 'exact') === 'me-bpe') return { tokenizer: await trainSplits(context, options, counted), algorithm: 'ME-BPE over splits', processes: 1 };
  const resume = resumed(values['checkpoint'] as string | undefined), onDisk = outOfCore(context);
  if (processes > 1 || onDisk.maxMemory !== undefined) declareScratch(positionals, onDisk.scratchDirectory ?? tmpdir());
  if (processes === 1) return { tokenizer: await trainBpe(read(context, counted), { ...options, ...onDisk, ...resume }).catch((error: Error) => tooLittle(onDisk.maxMemory! + ENGINE, error)), algorithm: onDisk.maxMemory === undefined ? 'exact, in memory' : 'exact, out of core', processes };
  const shared = [...(values['upper'] ? ['--upper'] : []), ...(values['other-letters'] ? ['--other-letters'] : []), ...(values['scratch'] === undefined ? [] : ['--scratch', String(values['scratch'])])];
  return { tokenizer: await trainInProcesses(positionals, processes, shared, { ...options, ...resume }), algorithm: 'exact, out of core', processes };
}

/** Says how much disk the training takes before it takes it, 2 bytes a base. */
function declareScratch(files: readonly string[], directory: string): void {
  const most = files.reduce((sum, file) => sum + (/\.b?gz$/.test(file) ? 8 : 2) * sizeOf(file), 0); // compressed DNA: at most 4 bases a byte
  const { bavail, bsize } = statfsSync(directory), free = bavail * bsize, gigabytes = (bytesOf: number) => `${(bytesOf / 1e9).toPrecision(3)} GB`;
  process.stderr.write(`genomelm: scratch space: at most ${gigabytes(most)} in ${directory}, where ${gigabytes(free)} are free\n`);
  if (most > free) throw new UsageError(`train-tokenizer: expected ${gigabytes(most)} of scratch space in ${directory}, got ${gigabytes(free)}; free some, or name another directory with --scratch`);
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch (cause) {
    throw naming(file, cause);
  }
}

async function countBases(context: Context, counted: Counted): Promise<number> {
  for await (const sequence of read(context, counted)) void sequence;
  return counted.bases;
}

function trainingOptions(context: Context): TrainBpeOptions {
  const { values, progress, signal } = context, checkpoint = values['checkpoint'] as string | undefined;
  let written = performance.now();
  return {
    vocabSize: integer(context, 'vocab-size', 4096, { min: 9 }), minFrequency: integer(context, 'min-frequency', 2),
    maxTokenLength: values['max-token-length'] === undefined ? undefined : integer(context, 'max-token-length', 0, { min: 2 }),
    initialAlphabet: 'ACGT', case: values['upper'] ? 'upper' : 'preserve', otherLetters: values['other-letters'] ? 'learn' : 'cut', signal,
    onProgress: ({ vocabSize: done, goal, pairCount, merges }) => {
      progress.update({ stage: 'merge', done, total: goal, unit: 'tokens', pairCount });
      if (checkpoint === undefined || performance.now() - written < 1000) return;
      writeFileAtomic(checkpoint, JSON.stringify(merges));
      written = performance.now();
    },
  };
}

const ENGINE = 80 * 2 ** 20; // what Node itself takes

/** The trainer knows neither files nor options. */
function noLetters(files: readonly string[], error: Error): never {
  if (!error.message.startsWith('trainBpe: expected a corpus with letters')) throw error;
  throw new UsageError(`train-tokenizer: expected a corpus with letters of the alphabet, got none in ${files.join(', ')}; lower case is read with --upper`, { cause: error });
}

/** What the trainer asks for is beside what Node takes; the user gives both. */
function tooLittle(given: number, error: Error): never {
  if (!(error instanceof MemoryLimitError)) throw error;
  const needed = Math.ceil((error.needed + ENGINE) / 1e6);
  throw new UsageError(`--max-memory: expected at least ${needed}MB, ${Math.ceil(ENGINE / 1e6)} of them for the program itself, got ${Math.floor(given / 1e6)}MB; raise it or lower --vocab-size`, { cause: error });
}

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

async function* read({ positionals, progress }: Context, counted: Counted): AsyncGenerator<string | Uint8Array> {
  for (const path of positionals) {
    for await (const { id, sequence } of readSequences(path)) {
      if (typeof sequence === 'string' && sequence.includes('\ufffd')) throw new UsageError(`${path}: expected text in UTF-8, got other bytes in record ${id}; is it a compressed or binary file?`);
      counted.bases += sequence.length;
      if (counted.sampled < SAMPLE) counted.sampled += counted.sample[counted.sample.push(sequence.slice(0, SAMPLE - counted.sampled)) - 1].length;
      yield sequence;
      progress.update({ stage: 'read', done: counted.bases, unit: 'bases' });
    }
  }
}

/** Splits of equal numbers of bases, in the order of the files; a sequence may go on in the next split. */
async function trainSplits(context: Context, options: TrainBpeOptions, counted: Counted) {
  const splitCount = integer(context, 'splits', 4, { max: 1000 }), reading = choice(context, 'reading', ['continue', 'merge'], 'continue');
  const all = newCount();
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

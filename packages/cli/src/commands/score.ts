import { free } from '@genomelm/kernels';
import { isDecoder, poolLikelihoods, scanSequence, score as scoreSequences, storeWeights, type CausalModel, type Likelihood, type Score, type ScoreOptions } from '@genomelm/model';
import { choice, decodingDeviceOptions, integer, UsageError, type Command, type Context } from '../command';
import { openDevice } from '../devices';
import { withOutput, writeFileAtomic, type Output } from '../output';
import { modelAndFiles, modelOptions, openPretrained, type OpenedModel } from '../pretrained';
import { binned, bedGraph, scanPicture, wiggle, type Track } from '../scanTracks';
import { readSequences } from '../sequenceFiles';

/** Records scored at once. */
const chunk = 64;

export const score: Command = {
  name: 'score',
  summary: 'How likely a decoder (GenomeOcean) finds sequences: log-likelihood, perplexity, bits per base; or a scan along whole contigs.',
  usage: 'MODEL FILES… (FASTA, CSV with a column sequence, or plain lines)',
  options: {
    ...modelOptions,
    strand: { type: 'string', value: 'S', help: 'forward (default), reverse or both' },
    window: { type: 'string', value: 'N', help: "tokens that the model sees at once (default: the model's)" },
    overlap: { type: 'string', value: 'N', help: 'tokens that a window shares with the one before, as context (default: half)' },
    'per-base': { type: 'boolean', help: 'with jsonl: the log-probability of every base' },
    'per-token': { type: 'boolean', help: 'with jsonl: the log-probability of every token' },
    scan: { type: 'string', value: 'FORM', help: 'bedgraph or wiggle: bits per base along each contig; --strand both takes the better strand' },
    bin: { type: 'string', value: 'N', help: 'with --scan: bases that one value stands for (default 100)' },
    svg: { type: 'string', value: 'FILE', help: 'with --scan: a picture of it' },
    format: { type: 'string', value: 'FORM', help: 'csv (default) or jsonl (with --json)' },
    out: { type: 'string', short: 'o', value: 'FILE', help: 'write here instead of stdout' },
    weights: { type: 'string', value: 'TYPE', help: 'float32 (default), float16, bfloat16 or int8' },
    ...decodingDeviceOptions,
  },
  async run(context) {
    const { values, progress, signal } = context;
    const { name, files } = modelAndFiles(context, 'score');
    const form = choice(context, 'scan', ['', 'bedgraph', 'wiggle'], '');
    if (values['svg'] !== undefined && !form) throw new UsageError('--svg: expected --scan beside it, got none');
    const weights = choice(context, 'weights', ['float32', 'float16', 'bfloat16', 'int8'], 'float32');
    const options: ScoreOptions = {
      strand: choice<'forward' | 'reverse' | 'both'>(context, 'strand', ['forward', 'reverse', 'both'], 'forward'), signal,
      ...(values['window'] === undefined ? {} : { window: integer(context, 'window', 0, { min: 2 }) }),
      ...(values['overlap'] === undefined ? {} : { overlap: integer(context, 'overlap', 0) }),
    };
    const device = await openDevice(context);
    try {
      const opened = await openPretrained(context, name, device);
      if (!isDecoder(opened.model)) throw new UsageError(`score: expected a decoder, got an encoder in ${name}; genomelm variant-effect scores with encoders`);
      const model: CausalModel = weights === 'float32' ? opened.model : storeWeights(opened.model, weights);
      const own = { context, model, tokenizer: opened.tokenizer, files, options };
      await withOutput(values['out'] as string | undefined, (output) => (form ? scan(own, output, form) : list(own, output)));
      free(model.params);
    } finally {
      progress.finish();
      await device.destroy();
    }
  },
};

interface Job {
  readonly context: Context;
  readonly model: CausalModel;
  readonly tokenizer: OpenedModel['tokenizer'];
  readonly files: readonly string[];
  readonly options: ScoreOptions;
}

async function* recordsOf({ files }: Job): AsyncGenerator<{ id: string; file: string; sequence: string }> {
  for (const file of files) {
    for await (const { id, sequence } of readSequences(file)) {
      yield { id, file, sequence: typeof sequence === 'string' ? sequence : Buffer.from(sequence.buffer, sequence.byteOffset, sequence.byteLength).toString('latin1') };
    }
  }
}

const columns = ['id', 'strand', 'tokens', 'bases', 'logLikelihood', 'perplexity', 'perplexityPerBase', 'bitsPerBase', 'window', 'stride'] as const;
const short = (value: number): number => (Number.isInteger(value) ? value : Number(value.toPrecision(9)));

/** One line a record and strand, and at the end, on stderr, all of them together. */
async function list(job: Job, output: Output): Promise<void> {
  const { context: { values, json, progress }, model, tokenizer, options } = job;
  const format = choice(job.context, 'format', ['csv', 'jsonl'], json ? 'jsonl' : 'csv');
  const totals: Likelihood[] = [];
  let [waiting, done, unknown, tokens]: [{ id: string; sequence: string }[], number, number, number] = [[], 0, 0, 0];
  const flush = async () => {
    const scores = await scoreSequences(model, tokenizer, waiting.map(({ sequence }) => sequence), { ...options, perBase: values['per-base'] === true });
    for (const [i, one] of scores.entries()) {
      totals.push(one);
      unknown += one.unknownTokens;
      tokens += one.tokens;
      if (format === 'csv') for (const line of csvLines(waiting[i].id, one, options.strand!)) await output.write(line);
      else await output.write(`${JSON.stringify(jsonRecord(waiting[i].id, one, values))}\n`);
    }
    progress.update({ stage: 'score', done: (done += waiting.length), unit: 'sequences' });
    waiting = [];
  };
  if (format === 'csv') await output.write(`${columns.join(',')}\n`);
  for await (const record of recordsOf(job)) {
    if (!record.sequence.length) throw new UsageError(`${record.file}: ${record.id}: expected bases, got none; leave the record out`);
    waiting.push(record);
    if (waiting.length === chunk) await flush();
  }
  if (waiting.length) await flush();
  progress.finish();
  if (!totals.length) throw new UsageError(`score: expected a sequence in ${job.files.join(', ')}, got none`);
  const { perplexity, bitsPerBase } = poolLikelihoods(totals);
  process.stderr.write(`genomelm: ${done} sequences, perplexity ${perplexity.toFixed(4)} a token, ${bitsPerBase.toFixed(4)} bits a base\n`);
  warnUnknown(unknown, tokens);
}

/** @param strand - what was asked for: the strand of the score itself */
function csvLines(id: string, one: Score, strand: 'forward' | 'reverse' | 'both'): string[] {
  const line = (which: string, of: Score | NonNullable<Score['reverse']>) => `${columns.map((column) => (column === 'id' ? (/[",\n]/.test(id) ? `"${id.replaceAll('"', '""')}"` : id) : column === 'strand' ? which : short(of[column]))).join(',')}\n`;
  return [line(strand === 'reverse' ? 'reverse' : 'forward', one), ...(one.reverse ? [line('reverse', one.reverse)] : [])];
}

function jsonRecord(id: string, { reverse, ...one }: Score, values: Context['values']): Record<string, unknown> {
  const plain = ({ tokenLogProbs, baseLogProbs, ...figures }: NonNullable<Score['reverse']>) => ({
    ...figures, ...(values['per-token'] ? { tokenLogProbs: Array.from(tokenLogProbs, short) } : {}), ...(baseLogProbs ? { baseLogProbs: Array.from(baseLogProbs, short) } : {}),
  });
  return { id, ...plain(one), ...(reverse ? { reverse: plain(reverse) } : {}) };
}

function warnUnknown(unknown: number, tokens: number): void {
  if (unknown > 0.01 * tokens) process.stderr.write(`genomelm: ${unknown} of ${tokens} tokens are unknown to the tokenizer (N, other letters)\n`);
}

async function scan(job: Job, output: Output, form: 'bedgraph' | 'wiggle'): Promise<void> {
  const { context, model, tokenizer, options } = job;
  const bin = integer(context, 'bin', 100);
  const tracks: Track[] = [];
  for await (const { id, sequence } of recordsOf(job)) {
    if (!sequence.length) continue;
    const losses = await scanSequence(model, tokenizer, sequence, { ...options, onProgress: ({ bases, totalBases }) => context.progress.update({ stage: `scan ${id}`, done: bases, total: totalBases, unit: 'bases' }) });
    const track = { contig: id, length: sequence.length, bin, bits: binned(losses, bin) };
    tracks.push(track);
    await output.write((form === 'wiggle' ? wiggle : bedGraph)(track, tracks.length === 1));
  }
  if (!tracks.length) throw new UsageError(`score: expected a sequence in ${job.files.join(', ')}, got none`);
  if (typeof context.values['svg'] === 'string') writeFileAtomic(context.values['svg'], scanPicture(tracks));
}

/**
 * `train-tokenizer --compare`: exact training, ME-BPE over splits in both readings, a random subsample of the same memory and the first split alone, each as a process of its
 * own, on nine tenths of the corpus in pieces of 10 kb; every tenth piece is held out.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseTokenizerJson, type BpeTokenizer } from '@genomelm/tokenizer';
import { choice, list, UsageError, type Context } from './command';
import { readSequences } from './sequenceFiles';

const PIECE = 10_000;

interface Arm { readonly name: string; readonly file: string; readonly options: readonly string[] }
interface Trained { readonly tokenizer: BpeTokenizer; readonly seconds: number; readonly megabytes: number }

export async function compareTrainings(context: Context, vocabSize: number): Promise<void> {
  const { positionals, values, progress, print, json } = context, upper = values['upper'] ? ['--upper'] : [];
  const splitCounts = (list(context, 'splits') ?? ['2', '4', '8', '16']).map(Number);
  if (!splitCounts.every((count) => Number.isInteger(count) && count > 1 && count <= 1000)) throw new UsageError(`--splits: expected whole numbers from 2 to 1000, got ${String(values['splits'])}`);
  const order = choice(context, 'order', ['given', 'reversed', 'shuffled'], 'given');
  const folder = mkdtempSync(join(tmpdir(), 'genomelm-compare-'));
  try {
    const { training, heldOut } = await readPieces(positionals, order);
    const arms = prepareArms(folder, training, splitCounts);
    const results: Trained[] = [];
    for (const [i, arm] of arms.entries()) {
      progress.update({ stage: arm.name, done: i, total: arms.length, unit: 'trainings' });
      results.push(await train(folder, arm, ['--vocab-size', String(vocabSize), ...upper], context.signal));
    }
    progress.finish();
    const exact = results[0], text = heldOut.join(' ');
    const rows = results.map((result, i) => ({ training: arms[i].name, seconds: result.seconds, peakMemoryMB: result.megabytes, ...likeness(exact.tokenizer, result.tokenizer), heldOutBasesPerToken: round(heldOut.length * PIECE / result.tokenizer.encode(text, { addSpecialTokens: false, ...(values['upper'] ? { case: 'upper' as const } : {}) }).length) }));
    print(json ? `${JSON.stringify({ order, trainingBases: training.length * PIECE, heldOutBases: heldOut.length * PIECE, vocabSize, rows })}\n` : table(rows));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function readPieces(paths: readonly string[], order: 'given' | 'reversed' | 'shuffled') {
  const pieces: string[] = [];
  for (const path of paths) {
    for await (const { sequence } of readSequences(path)) {
      const text = typeof sequence === 'string' ? sequence : new TextDecoder().decode(sequence);
      for (let at = 0; at + PIECE <= text.length; at += PIECE) pieces.push(text.slice(at, at + PIECE));
    }
  }
  if (pieces.length < 100) throw new UsageError(`train-tokenizer --compare: expected at least 100 pieces of ${PIECE} bases, got ${pieces.length}; give longer sequences`);
  const training = pieces.filter((_, i) => i % 10 !== 9);
  return { training: order === 'reversed' ? training.reverse() : order === 'shuffled' ? shuffled(training) : training, heldOut: pieces.filter((_, i) => i % 10 === 9) };
}

/** Fisher and Yates, from a fixed seed. */
function shuffled<T>(items: readonly T[]): T[] {
  const result = [...items];
  for (let i = result.length - 1, state = 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = Math.floor((state / 2 ** 32) * (i + 1));
    [result[i], result[j]] = [result[j], result[i]];
  }
  return result;
}

function prepareArms(folder: string, training: readonly string[], splitCounts: readonly number[]): Arm[] {
  const write = (name: string, pieces: readonly string[]) => {
    const file = join(folder, `${name}.txt`);
    writeFileSync(file, pieces.join('\n'));
    return file;
  };
  const all = write('all', training), random = shuffled(training);
  const part = (count: number) => Math.ceil(training.length / count);
  return [
    { name: 'exact, out of core', file: all, options: ['--max-memory', '200MB'] },
    { name: 'exact, in memory', file: all, options: [] },
    ...splitCounts.flatMap((count): Arm[] => [
      { name: `ME-BPE continue, ${count} splits`, file: all, options: ['--algorithm', 'me-bpe', '--splits', String(count)] },
      { name: `ME-BPE merge, ${count} splits`, file: all, options: ['--algorithm', 'me-bpe', '--splits', String(count), '--reading', 'merge'] },
      { name: `random 1/${count}`, file: write(`random${count}`, random.slice(0, part(count))), options: [] },
      { name: `first 1/${count}`, file: write(`first${count}`, training.slice(0, part(count))), options: [] },
    ]),
  ];
}

async function train(folder: string, { file, options }: Arm, common: readonly string[], signal: AbortSignal): Promise<Trained> {
  const out = join(folder, 'tokenizer.json');
  const child = spawn(process.execPath, [process.argv[1], 'train-tokenizer', '--json', '-o', out, ...common, ...options, file], { stdio: ['ignore', 'pipe', 'pipe'], signal });
  let output = '', complaints = '';
  child.stdout.on('data', (chunk) => { output += String(chunk); });
  child.stderr.on('data', (chunk) => { complaints += String(chunk); });
  const status = await new Promise((resolve, reject) => { child.once('error', reject).once('close', resolve); });
  if (status !== 0) throw new Error(`train-tokenizer --compare: expected a training to succeed, got ${complaints.trim().split('\n').at(-1) ?? `exit status ${String(status)}`}`);
  const { seconds, peakMemoryBytes } = JSON.parse(output) as { seconds: number; peakMemoryBytes: number };
  return { tokenizer: parseTokenizerJson(readFileSync(out, 'utf8')), seconds, megabytes: Math.round(peakMemoryBytes / 1e6) };
}

/** Jaccard index of the vocabularies, Spearman's correlation of the ranks of merges in both, and how many merges agree from the start. */
function likeness({ definition: a }: BpeTokenizer, { definition: b }: BpeTokenizer) {
  const key = (merge: readonly string[]) => merge.join(' '), rankInA = new Map(a.merges.map((merge, rank) => [key(merge), rank]));
  const common = [...a.vocab.keys()].filter((token) => b.vocab.has(token)).length;
  const ranks = b.merges.flatMap((merge) => rankInA.get(key(merge)) ?? []); // ranks in a, in b's order
  const order = ranks.map((_, i) => i).sort((i, j) => ranks[i] - ranks[j]), n = ranks.length;
  const squares = order.reduce((sum, inB, inA) => sum + (inB - inA) ** 2, 0);
  const prefix = b.merges.findIndex((merge, i) => i >= a.merges.length || key(merge) !== key(a.merges[i]));
  return { jaccard: round(common / (a.vocab.size + b.vocab.size - common)), rankCorrelation: n < 2 ? 1 : round(1 - (6 * squares) / (n * (n * n - 1))), commonPrefix: prefix < 0 ? b.merges.length : prefix };
}

const round = (value: number): number => Number(value.toFixed(4));

function table(rows: readonly Readonly<Record<string, string | number>>[]): string {
  const columns = Object.keys(rows[0]), widths = columns.map((column) => Math.max(column.length, ...rows.map((row) => String(row[column]).length)));
  return [columns, ...rows.map((row) => columns.map((column) => String(row[column])))].map((cells) => cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')).join('\n') + '\n';
}

// What holds of every command: its help, what it takes, and how it answers bad input.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { help, isBadInput, parse, type Command, type Context } from '../src/command';
import { commands } from '../src/commands';
import { bundleGenomelm, freshFolder, program } from './genomelm';

const folder = freshFolder('commands');
const [nowhere, out, fasta, vcf] = ['nowhere', 'out', 'in.fa', 'broken.vcf'].map((name) => join(folder, name));
writeFileSync(fasta, '>a\nACGT\n');
writeFileSync(vcf, 'no header\n');

/** Something wrong for each; an empty list is for those that take nothing which could be wrong. */
const wrong: Readonly<Record<string, readonly string[]>> = {
  'gue run': ['--data', nowhere], 'gue tasks': [], 'gue report': [nowhere], 'gue compare': ['one', '--runs', nowhere], 'gue audit': ['--data', nowhere], 'gue baseline': ['--data', nowhere], 'gue reproduce': [nowhere],
  'gue split homology': ['--data', nowhere, '-o', out], 'gue sketch': ['-o', out, nowhere], 'gue download': ['--data', out, '--from', `${nowhere}.zip`],
  tokenize: ['-t', 'kmer:3', nowhere], 'train-tokenizer': ['-o', out, nowhere], 'inspect-tokenizer': [nowhere],
  pretrain: ['-t', nowhere, '-o', out, fasta], finetune: ['--model', nowhere, '--train', nowhere, '-o', out], predict: [nowhere, fasta], embed: [nowhere, fasta, '-o', `${out}.npy`], 'variant-effect': [nowhere, '-r', fasta, '--vcf', vcf], inspect: [nowhere],
  generate: [nowhere], score: [nowhere, fasta], serve: [nowhere, '--port', '0'],
  'fasta index': [nowhere], 'fasta fetch': [nowhere, 'a'], 'fasta stats': [nowhere], 'fasta orfs': [nowhere], 'fasta codon-usage': [nowhere], 'fasta kmers': [nowhere, '-k', '40'], 'fasta to-2bit': [nowhere], 'fastq stats': [nowhere], bgzip: [nowhere],
  'variants apply': ['--reference', fasta, '--vcf', vcf, '--sample', 's', '--haplotype', '1'], 'variants validate': [nowhere], 'corpus build': ['-o', out, '--seed', '1', nowhere], doctor: [],
};

const run = async (command: Command, args: readonly string[]): Promise<number | void> => {
  const context: Context = { ...parse(command, args), json: false, progress: { update: () => undefined, finish: () => undefined }, signal: new AbortController().signal, print: () => undefined };
  return command.run(context);
};

test('each has a name of its own, and stands in the table of bad input', () => {
  const names = commands.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(Object.keys(wrong).sort()).toEqual([...names].sort());
});

describe.each(commands.map((command) => [command.name, command] as const))('%s', (name, command) => {
  test('the help has a sentence, and all options', () => {
    const text = help(command);
    expect(text.startsWith(`genomelm ${name}`)).toBe(true);
    expect(command.summary).toMatch(/^[A-Z].*\.$/);
    for (const [option, { type, value, help: line }] of Object.entries(command.options)) {
      expect(text).toContain(`--${option}${value ? ` ${value}` : ''} `);
      expect([option, line.length > 0, value !== undefined]).toEqual([option, true, type === 'string']);
    }
    for (const option of ['device', 'threads', 'seed', 'json', 'help']) expect(text.match(new RegExp(`--${option}\\b`, 'g'))).not.toBeNull();
  });

  test('takes what all take, and refuses what cannot be, in one line', async () => {
    expect(parse(command, ['--json', '--device', 'reference', '--threads', '1', '--seed', '7']).values).toMatchObject({ json: true, device: 'reference', threads: '1', seed: '7' });
    for (const args of [['--no-such-option'], ['--device', 'toaster'], ['--threads', '0'], ['--seed', 'x'], ['--json=yes']]) expect(() => parse(command, args)).toThrow(expect.objectContaining({ name: 'UsageError' }) as Error);
    if (!wrong[name].length) return;
    const error: unknown = await run(command, [...wrong[name], '--threads', '1']).then(() => 'no error', (caught: unknown) => caught);
    expect([String(error), isBadInput(error)]).toEqual([expect.not.stringContaining('\n'), true]);
  });
});

test('a program whose reader has enough ends without an error; bad input is exit code 2 and one line', async () => {
  bundleGenomelm();
  const lines = join(folder, 'lines.txt');
  writeFileSync(lines, 'ACGT\n'.repeat(20_000)); // far more than a pipe holds
  const end = (...args: string[]) => new Promise<[number | null, string[]]>((resolve) => {
    const child = spawn(process.execPath, [program(), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    child.stderr.setEncoding('utf8').on('data', (piece: string) => { text += piece; });
    child.stdout.once('data', () => child.stdout.destroy());
    child.once('close', (code) => resolve([code, text.trim().split('\n').filter((line) => line && !line.startsWith('{'))]));
  });
  const ended = await Promise.all([end('tokenize', '-t', 'character', lines), end('score', nowhere, fasta, '--threads', '1')]);
  expect(ended[0]).toEqual([0, []]);
  expect(ended[1]).toEqual([2, [expect.stringMatching(/^genomelm: .*: expected .*, got .*/)]]);
});

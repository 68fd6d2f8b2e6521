// What holds of every command: its help, what it takes, and how it answers bad input.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { didYouMean, help, isBadInput, parse, sentenceOf, type Command, type Context } from '../src/command';
import { commands } from '../src/commands';
import { bundleGenomelm, freshFolder, program } from './genomelm';

const genomelm = bundleGenomelm();
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
  'fasta index': [nowhere], 'fasta fetch': [nowhere, 'a'], 'fasta stats': [nowhere], 'fasta orfs': [nowhere], 'fasta translate': [nowhere], 'fasta codon-usage': [nowhere], 'fasta kmers': [nowhere, '-k', '40'], 'fasta to-2bit': [nowhere], 'fastq stats': [nowhere], bgzip: [nowhere],
  'variants apply': ['--reference', fasta, '--vcf', vcf, '--sample', 's', '--haplotype', '1'], 'variants validate': [nowhere], 'variants query': [nowhere, 'a:1-2'], 'corpus build': ['-o', out, '--seed', '1', nowhere], doctor: [],
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

test('a mistyped option or command is answered with the one that was meant; a group of commands has its own list', () => {
  const embed = commands.find(({ name }) => name === 'embed')!;
  expect(() => parse(embed, ['--poling', 'mean'])).toThrow("embed: Unknown option '--poling'; did you mean --pooling? see genomelm embed --help");
  expect(() => parse(embed, ['--nonsense'])).toThrow("embed: Unknown option '--nonsense'; see genomelm embed --help");
  expect(didYouMean('finetun', commands.map(({ name }) => name))).toBe('did you mean finetune? ');
  expect(genomelm('gue', 'rnu')).toMatchObject({ status: 2, stderr: 'genomelm: expected a command of gue, got gue rnu; did you mean gue run? see genomelm gue --help\n' });
  expect(genomelm('fasta').stdout.match(/^ {2}\S+ \S+/gm)).toEqual(commands.filter(({ name }) => name.startsWith('fasta ')).map(({ name }) => `  ${name}`));
});

test.each(commands.filter(({ options }) => 'out' in options).map((command) => [command.name, command] as const))('%s writes over no file that it reads', (_name, command) => {
  expect(() => parse(command, [fasta, '--out', `${folder}/./in.fa`])).toThrow(`${command.name}: expected --out other than what is read, got ${folder}/./in.fa for both; name another file`);
  if ('tokenizer' in command.options) expect(() => parse(command, ['--tokenizer', fasta, '--out', fasta])).toThrow('expected --out other than what is read');
});

test.each([
  [{ code: 'ENOSPC', path: '/d/out.npy.12.partial' }, '/d/out.npy: expected room on the disk, got none; free some, or name another path (ENOSPC)'],
  [{ code: 'ENOENT', path: 'd/out.npy.12.partial' }, 'd/out.npy: expected the folder d, got nothing there; make it first (ENOENT)'],
  [{ code: 'EROFS', path: 'd', dest: 'e' }, 'e: expected a place that can be written, got a read-only one; name another path (EROFS)'],
  [{ code: 'EISDIR' }, 'model: expected a file, got a folder; name a file in it (EISDIR)'],
])('what the system refuses is told as what was expected, where, and what to do: %j', (fields, sentence) => {
  const error = Object.assign(new Error(`${fields.code}: as the system says it`), fields);
  expect(isBadInput(error)).toBe(true);
  expect(sentenceOf(error, 'model')).toBe(sentence);
});

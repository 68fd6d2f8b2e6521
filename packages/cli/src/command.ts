import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs, types } from 'node:util';
import { nearestNames } from '@genomelm/gue';
import type { Progress } from './progress';

/** A mistake in what the user typed or gave: one line, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What a user can mend is told in one line: our own messages (`<op>: expected …`), format errors, and what the file system says about a path. */
export function isBadInput(error: unknown): error is Error {
  if (!types.isNativeError(error)) return false;
  return ['UsageError', 'FormatError'].includes(error.name) || /: expected .*, got /s.test(error.message) || systemCode(error) !== undefined;
}

/** What the file system refuses, as what was expected, what is there, and what to do. */
const systemErrors = {
  ENOENT: 'a file or folder, got nothing there; check the path',
  EISDIR: 'a file, got a folder; name a file in it',
  ENOTDIR: 'a folder on the way, got a file; name another path',
  EEXIST: 'a folder or a free name, got a file; name another path',
  EACCES: 'leave to read or write here, got none; change the rights, or name another path',
  EPERM: 'leave to read or write here, got none; change the rights, or name another path',
  EROFS: 'a place that can be written, got a read-only one; name another path',
  ENOSPC: 'room on the disk, got none; free some, or name another path',
  EDQUOT: 'room within your quota, got none; free some, or name another path',
  ENAMETOOLONG: 'a name that the system takes, got one that is too long; shorten it',
} as const;

function systemCode(error: NodeJS.ErrnoException): keyof typeof systemErrors | undefined {
  return error.code !== undefined && Object.hasOwn(systemErrors, error.code) ? error.code as keyof typeof systemErrors : undefined;
}

/** Where ENOENT means more than that a file is missing. */
function whatElse(code: string, syscall: string | undefined, path: string | undefined, file: string | undefined): string | undefined {
  if (code !== 'ENOENT' || file === undefined) return undefined;
  if (syscall === 'mkdir') return 'a place where a folder can be made, got one that cannot be written; name another path';
  return file === path && syscall !== 'access' ? undefined : `the folder ${file === path ? file : dirname(file)}, got nothing there; make it first`;
}

/** The line that a user reads of bad input. @param place - what it is about, where the error does not say */
export function sentenceOf(error: Error, place?: string): string {
  const { path, dest, syscall, message } = error as NodeJS.ErrnoException & { dest?: string };
  const code = systemCode(error);
  if (!code || !message.startsWith(code)) return `${place === undefined || message.startsWith(place) ? '' : `${place}: `}${message.replace(/\s*\n\s*/g, ' ')}`;
  const file = (dest ?? path)?.replace(/(\.\d+)?\.partial(\.ids)?$/, '');
  return `${file ?? place ?? syscall ?? 'system'}: expected ${whatElse(code, syscall, path, file) ?? systemErrors[code]} (${code})`;
}

export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** How the help names the value: `--threads N`. */
  readonly value?: string;
  readonly help: string;
}

export interface Context {
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly positionals: readonly string[];
  readonly progress: Progress;
  /** Machine-readable results on stdout, events on stderr. */
  readonly json: boolean;
  readonly signal: AbortSignal;
  print(text: string): void;
}

/** One command is one file. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** What follows the name, for example `[--output ids] FILES…`. */
  readonly usage: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** Gives the exit code where it is not 0. */
  run(context: Context): Promise<number | void>;
}

/** The options of every command that computes. */
export const deviceOptions: Readonly<Record<string, OptionSpec>> = {
  device: { type: 'string', value: 'KIND', help: 'wasm (default), webgpu or reference' },
  threads: { type: 'string', value: 'N', help: 'threads of the wasm device (default: cores, at most 8)' },
  'wide-tiles': { type: 'boolean', help: 'products on the wasm device up to twice as fast, the same bits, by an experiment of V8 (--experimental-wasm-revectorize); Node 24 or newer' },
};

/** Those of commands that read what a model says once, and store nothing that would go on with other bits. */
export const decodingDeviceOptions: Readonly<Record<string, OptionSpec>> = {
  ...deviceOptions,
  'relaxed-simd': { type: 'boolean', help: 'fused multiply-adds on the wasm device: faster, but the last bits are those of the machine; Node 22 or newer' },
};

/** What `--device` may be. */
export const deviceKinds = ['wasm', 'webgpu', 'reference'] as const;

const noEffect = 'taken, as by every command; changes nothing here';

/** What every command takes, so that scripts can give all of them the same; its own description of an option wins. */
const common: Readonly<Record<string, OptionSpec>> = {
  device: { type: 'string', value: 'KIND', help: noEffect },
  threads: { type: 'string', value: 'N', help: noEffect },
  seed: { type: 'string', value: 'N', help: noEffect },
  json: { type: 'boolean', help: 'machine-readable result on stdout, progress as JSON lines on stderr' },
  help: { type: 'boolean', short: 'h', help: 'this text' },
};

const optionsOf = ({ options }: Command): Readonly<Record<string, OptionSpec>> => ({ ...options, ...Object.fromEntries(Object.entries(common).filter(([name]) => !(name in options))) });

export function parse(command: Command, args: readonly string[]): Pick<Context, 'values' | 'positionals'> {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: optionsOf(command), allowPositionals: true, strict: true });
    choice({ values }, 'device', deviceKinds, 'wasm');
    for (const [name, min, max] of [['threads', 1, 64], ['seed', 0, 2 ** 32 - 1]] as const) integer({ values }, name, min, { min, max });
    keepInputs(command, values, positionals);
    return { values, positionals };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const [said] = (error as Error).message.split('. ');
    const unknown = /^Unknown option '--(.*)'$/.exec(said)?.[1];
    throw new UsageError(`${command.name}: ${said}; ${unknown === undefined ? '' : didYouMean(unknown, Object.keys(optionsOf(command)), '--')}see genomelm ${command.name} --help`, { cause: error });
  }
}

/** What is written takes the place of nothing that is read. */
function keepInputs({ name }: Command, { out, ...others }: Context['values'], positionals: readonly string[]): void {
  if (typeof out !== 'string') return;
  const isOut = (path: unknown) => typeof path === 'string' && resolve(path) === resolve(out) && statSync(path, { throwIfNoEntry: false })?.isFile();
  if ([...positionals, ...Object.values(others)].some(isOut)) throw new UsageError(`${name}: expected --out other than what is read, got ${out} for both; name another file`);
}

/** `did you mean …? `, where a name is as near as a slip of the fingers. */
export function didYouMean(name: string, names: readonly string[], prefix = ''): string {
  const near = nearestNames(name, names, { within: Math.ceil(name.length / 4), most: 1 });
  return near.map((each) => `did you mean ${prefix}${each}? `).join('');
}

export function help(command: Command): string {
  const lines = Object.entries(optionsOf(command)).map(([name, { short, value, help: text }]): [string, string] => [`  ${short ? `-${short}, ` : '    '}--${name}${value ? ` ${value}` : ''}`, text]);
  const width = Math.max(...lines.map(([left]) => left.length)) + 2;
  return [`genomelm ${command.name} ${command.usage}`, '', command.summary, '', ...lines.map(([left, text]) => left.padEnd(width) + text), ''].join('\n');
}

/** A whole number option within bounds. */
export function integer({ values }: Pick<Context, 'values'>, name: string, fallback: number, { min = 1, max = 2 ** 31 - 1 } = {}): number {
  const text = values[name];
  if (text === undefined) return fallback;
  const value = Number(text);
  if (text === '' || !Number.isInteger(value) || value < min || value > max) throw new UsageError(`--${name}: expected a whole number from ${min} to ${max}, got ${String(text)}`);
  return value;
}

/** An amount of memory: `500MB`, `1GiB`, or plain bytes. */
export function bytes({ values }: Pick<Context, 'values'>, name: string): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?$/i.exec(String(text));
  if (!match) throw new UsageError(`--${name}: expected an amount of memory such as 500MB or 1GiB, got ${String(text)}`);
  return Math.floor(Number(match[1]) * (match[3] ? 1024 : 1000) ** ' kmgt'.indexOf(match[2].toLowerCase() || ' '));
}

/** One of a few words. */
export function choice<T extends string>({ values }: Pick<Context, 'values'>, name: string, allowed: readonly T[], fallback: T): T {
  const text = (values[name] ?? fallback) as T;
  if (!allowed.includes(text)) throw new UsageError(`--${name}: expected one of ${allowed.join(', ')}, got ${text}`);
  return text;
}

/** A share above 0 and at most 1. */
export function share({ values }: Pick<Context, 'values'>, name: string, fallback: number): number {
  const value = values[name] === undefined ? fallback : Number(values[name]);
  if (!(value > 0 && value <= 1)) throw new UsageError(`--${name}: expected a share above 0 and at most 1, got ${String(values[name])}`);
  return value;
}

/** `a,b,c` as a list. */
export const list = ({ values }: Pick<Context, 'values'>, name: string): string[] | undefined =>
  typeof values[name] === 'string' ? values[name].split(',').map((item) => item.trim()).filter(Boolean) : undefined;

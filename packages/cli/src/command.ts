import { parseArgs } from 'node:util';
import type { Progress } from './progress';

/** A mistake in what the user typed or gave: one line, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
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

const common: Readonly<Record<string, OptionSpec>> = {
  json: { type: 'boolean', help: 'machine-readable result on stdout, progress as JSON lines on stderr' },
  help: { type: 'boolean', short: 'h', help: 'this text' },
};

/** The options of every command that computes. */
export const deviceOptions: Readonly<Record<string, OptionSpec>> = {
  device: { type: 'string', value: 'KIND', help: 'wasm (default), webgpu or reference' },
  threads: { type: 'string', value: 'N', help: 'threads of the wasm device (default: cores, at most 8)' },
};

export function parse(command: Command, args: readonly string[]): Pick<Context, 'values' | 'positionals'> {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: { ...command.options, ...common }, allowPositionals: true, strict: true });
    return { values, positionals };
  } catch (error) {
    throw new UsageError(`${command.name}: ${(error as Error).message.split('. ')[0]}; see genomelm ${command.name} --help`, { cause: error });
  }
}

export function help(command: Command): string {
  const lines = Object.entries({ ...command.options, ...common }).map(([name, { short, value, help: text }]): [string, string] => [`  ${short ? `-${short}, ` : '    '}--${name}${value ? ` ${value}` : ''}`, text]);
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

import { accessSync, closeSync, constants, mkdirSync, openSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { UsageError } from './command';

/** Before long work: the folder for its results, made if need be. @throws where it cannot be written */
export function prepareFolder(path: string): void {
  mkdirSync(path, { recursive: true });
  accessSync(path, constants.W_OK);
}

/** Before long work: whether the file for its result can be written. @throws where it cannot */
export function prepareFile(path: string): void {
  accessSync(dirname(path), constants.W_OK);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw new UsageError(`${path}: expected the name of a file to write, got a folder; name a file in it`);
}

/** Writes beside the target and renames, so that nobody ever sees half a file. */
export function writeFileAtomic(path: string, contents: string | Uint8Array): void {
  const beside = `${path}.${process.pid}.partial`;
  try {
    writeFileSync(beside, contents);
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

export interface Output {
  write(data: string | Uint8Array): Promise<void>;
  /** Only now does a file appear under its name. */
  commit(): void;
  abandon(): void;
}

/** Text or bytes to a file (beside it, renamed at the end) or, without a path, to stdout with back-pressure. */
function openOutput(path: string | undefined): Output {
  if (path === undefined) {
    return {
      write: (data) => (process.stdout.write(data) ? Promise.resolve() : new Promise((resolve) => process.stdout.once('drain', () => resolve()))),
      commit() {},
      abandon() {},
    };
  }
  const beside = `${path}.${process.pid}.partial`;
  const file = openSync(beside, 'w');
  return {
    async write(data) {
      writeFileSync(file, data);
    },
    commit() {
      closeSync(file);
      renameSync(beside, path);
    },
    abandon() {
      closeSync(file);
      rmSync(beside, { force: true });
    },
  };
}

/** Runs `body` with an output that appears when it succeeds and is gone when it fails. */
export async function withOutput(path: string | undefined, body: (output: Output) => Promise<void>): Promise<void> {
  const output = openOutput(path);
  try {
    await body(output);
  } catch (error) {
    output.abandon();
    throw error;
  }
  output.commit();
}

export interface LineWriter extends Omit<Output, 'write'> {
  write(line: string): Promise<void>;
}

/** The same, line by line. */
export function openLines(path: string | undefined): LineWriter {
  const output = openOutput(path);
  return { ...output, write: (line) => output.write(`${line}\n`) };
}

/** Rows in columns as wide as their widest cell, one line each. */
export function textTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => `${row.map((cell, column) => cell.padEnd(widths[column])).join('  ').trimEnd()}\n`).join('');
}

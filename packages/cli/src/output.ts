import { renameSync, rmSync, writeFileSync, openSync, writeSync, closeSync } from 'node:fs';

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

export interface LineWriter {
  write(line: string): Promise<void>;
  /** Only now does a file appear under its name. */
  commit(): void;
  abandon(): void;
}

/** Lines to a file (beside it, renamed at the end) or, without a path, to stdout with back-pressure. */
export function openLines(path: string | undefined): LineWriter {
  if (path === undefined) {
    return {
      write: (line) => (process.stdout.write(`${line}\n`) ? Promise.resolve() : new Promise((resolve) => process.stdout.once('drain', () => resolve()))),
      commit() {},
      abandon() {},
    };
  }
  const beside = `${path}.${process.pid}.partial`;
  const file = openSync(beside, 'w');
  return {
    async write(line) {
      writeSync(file, `${line}\n`);
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

/** Rows in columns as wide as their widest cell, one line each. */
export function textTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => `${row.map((cell, column) => cell.padEnd(widths[column])).join('  ').trimEnd()}\n`).join('');
}

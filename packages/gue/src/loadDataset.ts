import { FormatError } from '@genomelm/genome-io';
import { isWeb, openDataSource } from './dataSource';
import { parseDataset, type Dataset, type DatasetOptions, type DatasetTask } from './dataset';
import { downloadTask } from './download';
import { nodeModules } from './node';
import { sha256 } from './sha256';
import { splits, type Split, type Task } from './task';

export interface LoadOptions extends Pick<DatasetOptions, 'simulated'> {
  readonly signal?: AbortSignal;
  /** Where what comes from an address is kept; `genomelm/gue` below $XDG_CACHE_HOME or ~/.cache unless given. */
  readonly cache?: string;
}

/**
 * Reads a task's `train`, `dev` and `test.csv` (or `.csv.gz`; the plain file wins where both exist) and checks them. Node only.
 * @param location - a folder that holds `EMP/`, `prom/`, `tf/` …, a zip file of one, an address (of either), or `hf:OWNER/NAME`; what comes from the net is fetched once and kept
 * @throws FormatError where a file is missing, or with file and line for data that do not fit the task
 */
export async function loadDataset(task: DatasetTask & Pick<Task, 'folder'>, location: string, options: LoadOptions = {}): Promise<Dataset> {
  if (isWeb(location)) {
    const directory = await cacheFor(location, options.cache);
    await downloadTask(task, location, directory, options.signal ? { signal: options.signal } : {});
    return loadDataset(task, directory, options);
  }
  const source = await openDataSource(location);
  const files = {} as Record<Split, string>;
  const contents: Partial<Record<Split, Uint8Array>> = {};
  try {
    for (const split of splits) {
      const found = await source.open(task, split, options.signal);
      if (!found && split === 'dev' && task.devEvery) continue;
      if (!found) throw new FormatError(`loadDataset: expected ${source.pathOf(task, split)} or its .gz, got neither; ${task.name} needs train, dev and test`, { format: 'gue' });
      files[split] = found.file;
      contents[split] = await readWhole(found, options.signal);
    }
  } finally {
    await source.close();
  }
  return parseDataset(task, contents as Record<'train' | 'test', Uint8Array>, { ...options, files });
}

async function cacheFor(location: string, cache: string | undefined): Promise<string> {
  const { path, os } = nodeModules('loadDataset');
  const base = cache ?? path.join(process.env['XDG_CACHE_HOME'] || path.join(os.homedir(), '.cache'), 'genomelm', 'gue');
  return path.join(base, (await sha256(location)).slice(0, 16));
}

async function readWhole({ file, bytes }: { readonly file: string; readonly bytes: AsyncIterable<Uint8Array> }, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of bytes) {
      signal?.throwIfAborted();
      chunks.push(chunk);
    }
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new FormatError(`${cause.message} (${file})`, { format: cause.format, line: cause.line, cause });
  }
  const whole = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

import { FormatError, readBytes } from '@genomelm/genome-io';
import { parseDataset, type Dataset, type DatasetOptions, type DatasetTask } from './dataset';
import { nodeModules } from './node';
import { splits, type Split, type Task } from './task';

/**
 * Reads a task's `train`, `dev` and `test.csv` (or `.csv.gz`; the plain file wins where both exist).
 * @param directory - path of the folder that holds `EMP/`, `prom/`, `tf/` …
 * @throws FormatError where a file is missing, or with file and line for data that do not fit the task
 */
export async function loadDataset(task: DatasetTask & Pick<Task, 'folder'>, directory: string, options: Pick<DatasetOptions, 'simulated'> & { readonly signal?: AbortSignal } = {}): Promise<Dataset> {
  const { fs, path } = nodeModules('loadDataset');
  const folder = path.join(directory, ...task.folder.split('/'));
  if (!fs.existsSync(folder)) {
    const inner = ['GUE', 'GUE+'].map((name) => path.join(directory, name)).find((each) => fs.existsSync(path.join(each, ...task.folder.split('/'))));
    throw new FormatError(`loadDataset: expected the folder ${folder}, got nothing there; pass ${inner ?? `the directory that holds ${task.folder}/`} as the data directory`, { format: 'gue' });
  }
  const files = {} as Record<Split, string>;
  const contents = {} as Record<Split, Uint8Array>;
  for (const split of splits) {
    const candidates = [`${split}.csv`, `${split}.csv.gz`].map((name) => path.join(folder, name));
    const file = candidates.find((candidate) => fs.existsSync(candidate));
    if (!file) throw new FormatError(`loadDataset: expected ${candidates[0]} or its .gz, got neither; ${task.name} needs train, dev and test`, { format: 'gue' });
    files[split] = file;
    contents[split] = await readWhole(file, options.signal);
  }
  return parseDataset(task, contents, { ...options, files });
}

/** The bytes of a file, decompressed. */
async function readWhole(file: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of readBytes(file, { signal })) {
      chunks.push(chunk);
      length += chunk.length;
    }
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new FormatError(`${cause.message} (${file})`, { format: cause.format, line: cause.line, cause });
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

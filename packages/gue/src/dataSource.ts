import { FormatError, readBytes } from '@genomelm/genome-io';
import { nodeModules } from './node';
import { splits, type Split, type Task } from './task';
import { tasks } from './tasks';
import { openZip } from './zip';

type Place = Pick<Task, 'name' | 'folder'>;

/** Where the files of tasks lie. */
export interface DataSource {
  /** The file of a split and its bytes, decompressed, or undefined where there is none. */
  open(task: Place, split: Split, signal?: AbortSignal): Promise<{ readonly file: string; readonly bytes: AsyncIterable<Uint8Array> } | undefined>;
  /** Whether there is such a file; undefined where only asking for it would tell (an address). */
  has(task: Place, split: Split): boolean | undefined;
  /** Where a split's file is looked for, without `.gz`; for errors. */
  pathOf(task: Place, split: Split): string;
  close(): Promise<void>;
}

/**
 * Opens a folder that holds `EMP/`, `prom/`, `tf/` …, a zip file of such a folder (path or address), an address below which it lies, or `hf:OWNER/NAME`, a data set of the Hugging Face hub
 * with the layout of `hf:leannmlindsey/GUE` (`$HF_ENDPOINT` in place of huggingface.co). Those copies hold CSV files, so that no reader for another format is needed. Of `split.csv` and `split.csv.gz` the first is taken.
 */
export async function openDataSource(location: string): Promise<DataSource> {
  if (/\.zip(\?.*)?$/i.test(location)) return zipSource(location);
  if (location.startsWith('hf:')) return webSource(`${hubAddress()}/datasets/${location.slice(3).replace(/\/$/, '')}/resolve/main`, mirrorFolder);
  if (isWeb(location)) return webSource(location.replace(/\/$/, ''), ({ folder }) => folder);
  return folderSource(location);
}

/** The benchmark's tasks that lie there in full; undefined for an address, which cannot be listed. */
export async function availableTasks(location: string): Promise<readonly Task[] | undefined> {
  const source = await openDataSource(location);
  try {
    if (source.has(tasks[0], 'test') === undefined) return undefined;
    return tasks.filter((task) => splits.every((split) => source.has(task, split) || (split === 'dev' && task.devEvery !== undefined)));
  } finally {
    await source.close();
  }
}

export const isWeb = (location: string): boolean => /^https?:\/\//i.test(location) || location.startsWith('hf:');

/** The hub, or a copy of it where the environment names one, as for Hugging Face's own tools. */
const hubAddress = (): string => ((typeof process === 'undefined' ? undefined : process.env['HF_ENDPOINT']) || 'https://huggingface.co').replace(/\/$/, '');

const endings = ['.csv', '.csv.gz'] as const;

/** Names of the mirror's folders. */
function mirrorFolder({ name }: Place): string {
  return name.replace(/^tf_/, 'human_tf_').replace(/^epi_/, 'EPI_');
}

function folderSource(directory: string): DataSource {
  const { fs, path } = nodeModules('loadDataset');
  const fileOf = ({ folder }: Place, split: Split) => endings.map((ending) => path.join(directory, ...folder.split('/'), split + ending)).find((file) => fs.existsSync(file));
  return {
    pathOf: ({ folder }, split) => path.join(directory, ...folder.split('/'), `${split}.csv`),
    has: (task, split) => fileOf(task, split) !== undefined,
    close: () => Promise.resolve(),
    async open(task, split, signal) {
      const folder = path.join(directory, ...task.folder.split('/'));
      if (!fs.existsSync(folder)) {
        const inner = ['GUE', 'GUE+'].map((name) => path.join(directory, name)).find((each) => fs.existsSync(path.join(each, ...task.folder.split('/'))));
        throw new FormatError(`loadDataset: expected the folder ${folder}, got nothing there; pass ${inner ?? `the directory that holds ${task.folder}/`} as the data directory`, { format: 'gue' });
      }
      const file = fileOf(task, split);
      return file === undefined ? undefined : { file, bytes: readBytes(file, { signal }) };
    },
  };
}

async function zipSource(location: string): Promise<DataSource> {
  const zip = await openZip(location);
  const nameOf = ({ folder }: Place, split: Split) => endings.flatMap((ending) => zip.names.filter((each) => `/${each}`.endsWith(`/${folder}/${split}${ending}`)))[0] as string | undefined;
  return {
    pathOf: ({ folder }, split) => `${location}/${folder}/${split}.csv`,
    has: (task, split) => nameOf(task, split) !== undefined,
    close: () => zip.close(),
    async open(task, split, signal) {
      const name = nameOf(task, split);
      return name === undefined ? undefined : { file: `${location}/${name}`, bytes: readBytes(streamOf(zip.read(name, signal)), { signal }) };
    },
  };
}

const streamOf = (chunks: AsyncGenerator<Uint8Array, void>): ReadableStream<Uint8Array> => new ReadableStream<Uint8Array>({
  async pull(controller) {
    const { done, value } = await chunks.next();
    if (done) controller.close();
    else controller.enqueue(value);
  },
  cancel: async () => void (await chunks.return()),
});

function webSource(base: string, folderOf: (task: Place) => string): DataSource {
  return {
    pathOf: (task, split) => `${base}/${folderOf(task)}/${split}.csv`,
    has: () => undefined,
    close: () => Promise.resolve(),
    async open(task, split, signal) {
      for (const ending of endings) {
        const file = `${base}/${folderOf(task)}/${split}${ending}`;
        const response = await fetch(file, { signal: signal ?? null }).catch((cause: unknown) => lost(file, 'no answer', cause, signal));
        if (response.ok && response.body) return { file, bytes: received(readBytes(response.body, { signal }), file, signal) };
        await response.body?.cancel();
        if (response.status !== 404) throw new FormatError(`loadDataset: expected ${file}, got status ${response.status}; check the address`, { format: 'gue' });
      }
      return undefined;
    },
  };
}

async function* received(bytes: AsyncIterable<Uint8Array>, file: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* bytes;
  } catch (cause) {
    lost(file, 'a part', cause, signal);
  }
}

/** Aborts and faults of the data go on as they are; a fault of the net says which file. */
function lost(file: string, got: string, cause: unknown, signal: AbortSignal | undefined): never {
  if (signal?.aborted || cause instanceof FormatError) throw cause;
  const { message, cause: reason } = cause as { readonly message: string; readonly cause?: { readonly message?: string } };
  throw new FormatError(`loadDataset: expected ${file}, got ${got} (${reason?.message || message}); check the network and try again`, { format: 'gue', cause });
}

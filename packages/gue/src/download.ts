import { FormatError } from '@genomelm/genome-io';
import { openDataSource } from './dataSource';
import { nodeModules } from './node';
import { splits, type Split, type Task } from './task';

/** One file that was fetched, or that was there. */
export interface DownloadedFile {
  readonly split: Split;
  readonly path: string;
  /** Uncompressed. */
  readonly bytes: number;
  readonly sha256: string;
  /** Whether it is the file that the task's row knows; undefined where the row knows none. */
  readonly asKnown: boolean | undefined;
  /** It was there already. */
  readonly kept: boolean;
}

export interface DownloadOptions {
  /** Fetches what is there already, too. */
  readonly refresh?: boolean;
  readonly signal?: AbortSignal;
  /** Bytes written of a split so far. */
  onProgress?(split: Split, bytes: number): void;
}

/**
 * Copies a task's files from where {@link loadDataset} can read them (a zip file, an address, `hf:OWNER/NAME`) into a folder of the same layout, uncompressed (Node only).
 * Each is written beside its place and moved there when it is whole. A file with another hash than the known one is kept and reported: data sets get new versions.
 * @throws FormatError where train or test is not there
 */
export async function downloadTask(task: Pick<Task, 'name' | 'folder' | 'sha256' | 'devEvery'>, from: string, directory: string, { refresh = false, signal, onProgress }: DownloadOptions = {}): Promise<DownloadedFile[]> {
  const { fs, path, crypto } = nodeModules('downloadTask');
  const folder = path.join(directory, ...task.folder.split('/'));
  const source = await openDataSource(from);
  const results: DownloadedFile[] = [];
  try {
    for (const split of splits) {
      const file = path.join(folder, `${split}.csv`);
      const kept = !refresh && fs.existsSync(file);
      const found = kept ? { file, bytes: fs.createReadStream(file, { signal }) as AsyncIterable<Uint8Array> } : await source.open(task, split, signal);
      if (!found && split === 'dev' && task.devEvery) continue;
      if (!found) throw new FormatError(`downloadTask: expected ${source.pathOf(task, split)} or its .gz, got neither; check the layout`, { format: 'gue' });
      await fs.promises.mkdir(folder, { recursive: true });
      const beside = kept ? undefined : `${file}.${process.pid}.partial`;
      const hash = crypto.createHash('sha256');
      let bytes = 0;
      try {
        const out = beside === undefined ? undefined : await fs.promises.open(beside, 'w');
        try {
          for await (const chunk of found.bytes) {
            hash.update(chunk);
            bytes += chunk.length;
            await out?.write(chunk);
            onProgress?.(split, bytes);
          }
          await out?.sync();
        } finally {
          await out?.close();
        }
        if (beside !== undefined) await fs.promises.rename(beside, file);
      } finally {
        if (beside !== undefined) await fs.promises.rm(beside, { force: true });
      }
      const sha256 = hash.digest('hex');
      const known = task.sha256?.[split];
      results.push({ split, path: file, bytes, sha256, asKnown: known === undefined ? undefined : known === sha256, kept });
    }
  } finally {
    await source.close();
  }
  return results;
}

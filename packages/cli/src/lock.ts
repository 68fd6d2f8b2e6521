import { mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { UsageError } from './command';

/**
 * Makes this process the only one of this command line that writes `path`, until it ends or calls what is returned: two that go on from the same rows or steps would mix them.
 * What a killed process has left counts no longer.
 *
 * The lock is a folder with one file, whose name is its holder's and never comes again. A folder is moved to the lock's name only where there is none, or an empty one;
 * a dead holder's file is moved to the new holder's name: of several that try at once, the file system lets one succeed, and the others find another name there.
 * @throws UsageError while another process is at it
 */
export function lock(path: string): () => void {
  const folder = `${path}.lock`;
  const own = `${process.pid}@${hostname()}@${globalThis.crypto.randomUUID()}`;
  while (!(create(folder, own) || takeOver(path, folder, own)));
  const release = (): void => {
    rmSync(join(folder, own), { force: true });
    removeEmpty(folder);
  };
  process.once('exit', release);
  return () => {
    process.off('exit', release);
    release();
  };
}

/** Takes a lock that nobody has. */
function create(folder: string, own: string): boolean {
  const beside = `${folder}.${own}`;
  mkdirSync(beside);
  try {
    writeFileSync(join(beside, own), '');
    renameSync(beside, folder);
    return true;
  } catch (error) {
    rmSync(beside, { recursive: true, force: true });
    if (!['ENOTEMPTY', 'EEXIST', ...(process.platform === 'win32' ? ['EPERM'] : [])].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return false;
  }
}

/** Takes the lock of a process that has ended; false where somebody else was quicker, or where it was let go in between. @throws UsageError where its holder is at work */
function takeOver(path: string, folder: string, own: string): boolean {
  try {
    const [holder] = readdirSync(folder);
    if (holder === undefined) {
      removeEmpty(folder); // Windows moves no folder to the name of an empty one
      return false;
    }
    const [pid, host] = holder.split('@');
    if (host !== hostname() || isAlive(Number(pid))) throw new UsageError(`${path}: expected no other process at work on it, got ${pid} on ${host}; wait for its end, or remove the folder ${folder} where it has ended`);
    renameSync(join(folder, holder), join(folder, own));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return false;
  }
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error; // gone, or somebody else's by now
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // of another user
  }
}

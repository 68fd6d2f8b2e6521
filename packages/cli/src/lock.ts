import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { UsageError } from './command';

/**
 * Makes this process the only one of this command line that writes `path`, until it ends or calls what is returned: two that go on from the same rows or steps would mix them.
 * What a killed process has left counts no longer.
 * @throws UsageError while another process is at it
 */
export function lock(path: string): () => void {
  const file = `${path}.lock`;
  for (let holder = take(file); holder !== undefined; holder = take(file)) {
    const [pid, host] = holder.split(' ');
    if (host !== hostname() || isAlive(Number(pid))) throw new UsageError(`${path}: expected no other process at work on it, got ${pid} on ${host}; wait for its end, or remove ${file} where it has ended`);
    rmSync(file, { force: true });
  }
  const release = (): void => rmSync(file, { force: true });
  process.once('exit', release);
  return () => {
    process.off('exit', release);
    release();
  };
}

/** Takes the lock, or says who has it. */
function take(file: string): string | undefined {
  for (;;) {
    try {
      writeFileSync(file, `${process.pid} ${hostname()}`, { flag: 'wx' });
      return undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    try {
      return readFileSync(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error; // let go in between
    }
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

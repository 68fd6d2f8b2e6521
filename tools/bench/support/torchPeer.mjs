// numpy and torch of a Python that has them, in a process of their own: see torchPeer.py.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { root } from '../../run.mjs';

/** Debian's python3-torch belongs to this one, whatever else is first in PATH. */
const interpreters = ['/usr/bin/python3', 'python3'];

async function start(python) {
  const child = spawn(python, [join(root, 'tools/bench/support/torchPeer.py')], { stdio: ['pipe', 'pipe', 'ignore'] });
  child.stdin.on('error', () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const failed = new Promise((_, reject) => child.on('error', reject));
  const next = async () => {
    const { value, done } = await Promise.race([lines.next(), failed]);
    if (done) throw new Error(`${python} ended`);
    return JSON.parse(value);
  };
  const { ready } = await next();
  return { ready, ask: (message) => (child.stdin.write(`${JSON.stringify(message)}\n`), next()), end: () => child.stdin.end() };
}

/** Undefined, with a note, where no Python has torch. `prepare({ case, … })` gives a function that runs the case and returns its first numbers. */
export async function createTorch(note) {
  for (const python of interpreters) {
    try {
      const { ready, ask, end } = await start(python);
      note(ready);
      return {
        async prepare(problem) {
          const { id } = await ask(problem);
          const run = async () => {
            const { values, cpuSeconds } = await ask({ run: id });
            return Object.assign(run, { cpuSeconds }) && values;
          };
          return Object.assign(run, { end: () => ask({ run: id, last: true }) });
        },
        end,
      };
    } catch { /* the next one */ }
  }
  note('no Python with torch is here');
  return undefined;
}

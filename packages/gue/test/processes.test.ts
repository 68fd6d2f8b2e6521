import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildSync } from 'esbuild';

const home = mkdtempSync(join(tmpdir(), 'gue-processes-'));
const program = join(home, 'runs.mjs');
beforeAll(() => void buildSync({ entryPoints: [join(__dirname, 'runSome.ts')], bundle: true, platform: 'node', format: 'esm', conditions: ['@genomelm/source'], outfile: program, logLevel: 'error' }));
afterAll(() => rmSync(home, { recursive: true }));

const start = (store: string, ...more: string[]): ChildProcess => spawn(process.execPath, [program, store, ...more], { stdio: ['ignore', 'ignore', 'inherit'] });
const ended = async (child: ChildProcess): Promise<number | null> => ((await once(child, 'exit')) as [number | null])[0];
const names = (store: string): string[] => (existsSync(store) ? readdirSync(store).sort() : []);
/** Everything but the cost. */
const records = (store: string): Record<string, string> => Object.fromEntries(names(store).filter((name) => !name.endsWith('.cost.json')).map((name) => [name, readFileSync(join(store, name), 'utf8')]));

test('killed at any point and started again, and two processes at once: the store ends with the same bytes', async () => {
  const whole = join(home, 'whole');
  expect(await ended(start(whole))).toBe(0);
  expect(Object.keys(records(whole))).toHaveLength(6);

  const killed = join(home, 'killed');
  for (const enough of [1, 3]) {
    const child = start(killed, 'linger');
    const exit = ended(child);
    while (names(killed).filter((name) => /^[0-9a-f]{64}\.json$/.test(name)).length < enough) await sleep(2); // names alone: what is being written may have another one when it is read
    child.kill('SIGKILL');
    expect(await exit).toBeNull();
  }
  expect(await ended(start(killed))).toBe(0);
  const { length } = names(killed).filter((name) => !name.endsWith('.tmp'));
  expect(length).toBe(12);
  expect(Object.fromEntries(Object.entries(records(killed)).filter(([name]) => name.endsWith('.json')))).toEqual(records(whole));

  const shared = join(home, 'shared');
  expect(await Promise.all([ended(start(shared)), ended(start(shared))])).toEqual([0, 0]);
  expect(records(shared)).toEqual(records(whole));
  expect(names(shared)).toHaveLength(12);
});

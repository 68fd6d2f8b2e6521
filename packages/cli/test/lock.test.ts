import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { lock } from '../src/lock';
import { freshFolder } from './genomelm';

const path = join(freshFolder('lock'), 'out');

test('one process at a time; what a dead one left does not count', () => {
  const release = lock(path);
  expect(() => lock(path)).toThrow(`${path}: expected no other process at work on it, got ${process.pid} on ${hostname()}; wait for its end, or remove ${path}.lock`);
  release();
  expect(existsSync(`${path}.lock`)).toBe(false);
  const { pid } = spawnSync(process.execPath, ['--version']);
  writeFileSync(`${path}.lock`, `${pid} ${hostname()}`);
  lock(path)();
  writeFileSync(`${path}.lock`, `${pid} another-machine`);
  expect(() => lock(path)).toThrow(`got ${pid} on another-machine`);
});

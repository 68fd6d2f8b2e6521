import { spawnSync } from 'node:child_process';
import fs, { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { lock } from '../src/lock';
import { freshFolder } from './genomelm';

const path = join(freshFolder('lock'), 'out');
const { pid: dead } = spawnSync(process.execPath, ['--version']);

function leave(holder: string): void {
  mkdirSync(`${path}.lock`);
  writeFileSync(join(`${path}.lock`, holder), '');
}

afterEach(() => {
  jest.restoreAllMocks();
  fs.rmSync(`${path}.lock`, { recursive: true, force: true });
});

test('one process at a time, and nothing is left', () => {
  const release = lock(path);
  expect(() => lock(path)).toThrow(`${path}: expected no other process at work on it, got ${process.pid} on ${hostname()}; wait for its end, or remove the folder ${path}.lock`);
  release();
  expect(readdirSync(dirname(path))).toEqual([]);
});

test('what a dead process left does not count; of one on another machine nobody knows', () => {
  leave(`${dead}@${hostname()}@1`);
  lock(path)();
  expect(existsSync(`${path}.lock`)).toBe(false);
  leave(`${dead}@another-machine@1`);
  expect(() => lock(path)).toThrow(`got ${dead} on another-machine`);
});

test('an empty folder is a lock that was let go', () => {
  mkdirSync(`${path}.lock`);
  lock(path)();
  expect(existsSync(`${path}.lock`)).toBe(false);
});

test.each(['before the dead one is found', 'after it was found dead'])('of two that take over at once one wins: the other one acts %s', (moment) => {
  leave(`${dead}@${hostname()}@1`);
  const name = moment.startsWith('before') ? 'readdirSync' : 'renameSync';
  const original = fs[name] as (...args: unknown[]) => unknown;
  let winner: (() => void) | undefined;
  const spy = jest.spyOn(fs, name).mockImplementation(((...args: unknown[]) => {
    if (args[0] === `${path}.lock` || String(args[0]).startsWith(join(`${path}.lock`, `${dead}`))) {
      spy.mockRestore();
      winner = lock(path); // all of it, in between
    }
    return original(...args);
  }) as never);
  expect(() => lock(path)).toThrow(`got ${process.pid} on ${hostname()}`);
  winner!();
  expect(readdirSync(dirname(path))).toEqual([]);
});

test('what its holder lets go, and another takes at that moment, stays the other one\'s', () => {
  const release = lock(path);
  const original = fs.rmdirSync;
  let next: (() => void) | undefined;
  const spy = jest.spyOn(fs, 'rmdirSync').mockImplementation((...args) => {
    spy.mockRestore();
    next = lock(path);
    return original(...args);
  });
  release();
  expect(() => lock(path)).toThrow('expected no other process at work');
  next!();
});

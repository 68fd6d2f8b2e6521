/** A training that is killed, or whose disk is full: with real processes and a real file system. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { bundleGenomelm, freshFolder, program } from './genomelm';

const genomelm = bundleGenomelm(), folder = freshFolder('failures');
const at = (name: string) => join(folder, name);
let state = 1;
const bases = Array.from({ length: 4_000_000 }, () => 'AACGGTTT'[(state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 29]).join('');
writeFileSync(at('corpus.fa'), `>one\n${bases.slice(0, 1_500_000)}\n>two\n${bases.slice(1_500_000)}\n`);
const args = (out: string, ...options: string[]) => ['train-tokenizer', '--vocab-size', '6000', '--max-memory', '320MB', '--scratch', folder, '-o', at(out), ...options, at('corpus.fa')];

test('killed with SIGKILL and started again: the same tokenizer, and no scratch left', async () => {
  expect(genomelm(...args('whole.json')).status).toBe(0);
  for (let kills = 0; kills < 2; kills++) {
    const child = spawn(process.execPath, [program(), ...args('resumed.json', '--checkpoint', at('checkpoint'))], { stdio: 'ignore' });
    const before = existsSync(at('checkpoint')) ? readFileSync(at('checkpoint'), 'utf8').length : 0;
    while (child.exitCode === null && !(existsSync(at('checkpoint')) && readFileSync(at('checkpoint'), 'utf8').length > before)) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', (_, signal) => resolve(expect(signal).toBe('SIGKILL'))));
    expect(existsSync(at('resumed.json'))).toBe(false);
  }
  expect(JSON.parse(readFileSync(at('checkpoint'), 'utf8')) as unknown[]).not.toHaveLength(0);
  expect(genomelm(...args('resumed.json', '--checkpoint', at('checkpoint'))).status).toBe(0);
  expect(readFileSync(at('resumed.json'), 'utf8')).toBe(readFileSync(at('whole.json'), 'utf8'));
});

const mounts = spawnSync('unshare', ['-rm', 'sh', '-c', `mount -t tmpfs -o size=1m tmpfs ${folder}`]).status === 0;
(mounts ? test : test.skip)('a full disk: one line, and it says how much was wanted where [skipped where no file system can be mounted]', () => {
  mkdirSync(at('small'));
  const script = `mount -t tmpfs -o size=1m tmpfs ${at('small')} && exec "$@"`;
  const run = (file: string) => spawnSync('unshare', ['-rm', 'sh', '-c', script, 'sh', process.execPath, program(), 'train-tokenizer', '--vocab-size', '60', '--max-memory', '100MB', '--scratch', at('small'), '-o', at('never.json'), file], { encoding: 'utf8' });
  const declared = run(at('corpus.fa'));
  expect(declared.status).toBe(2);
  expect(declared.stderr).toMatch(/expected 0\.00800 GB of scratch space in .*small, got 0\.00105 GB; free some, or name another directory with --scratch/);
  writeFileSync(at('repeats.fa.gz'), gzipSync(`>x\n${'A'.repeat(4_000_000)}\n`)); // more than its size lets expect: the disk fills up while it is read
  const filled = run(at('repeats.fa.gz'));
  expect(filled.status).toBe(2);
  expect(filled.stderr).toMatch(/trainBpe: expected scratch space of 2 bytes a letter in .*small, got ENOSPC: no space left on device, write; free some or pass another scratchDirectory/);
  expect(existsSync(at('never.json'))).toBe(false);
});

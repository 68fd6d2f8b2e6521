import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bundleGenomelm, freshFolder, program } from './genomelm';

const genomelm = bundleGenomelm();
const folder = freshFolder('resume');
let state = 7;
const genome = join(folder, 'g.fa');
writeFileSync(genome, Array.from({ length: 8 }, (_, i) => `>chr${i + 1}\n${Array.from({ length: 500_000 }, () => 'ACGT'[(state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 30]).join('')}\n`).join(''));
const options = ['corpus', 'build', '--seed', '3', '--of', '3', '--length', '1200', '--crop', '1000', '--strands', 'random'];
const sums = (out: string) => readdirSync(out).filter((name) => /\.(?:2bit|json)$/.test(name)).map((name) => `${name} ${createHash('sha256').update(readFileSync(join(out, name))).digest('hex')}`);

test.each(['train-00000-of-00003.json', 'train-00001-of-00003.2bit', 'dev-00000-of-00003.json'])('killed as soon as %s is there, and built on: the same bytes', async (landmark) => {
  const [whole, killed] = [join(folder, 'whole'), join(folder, `killed-${landmark}`)];
  if (!existsSync(whole)) expect(genomelm(...options, '-o', whole, genome).status).toBe(0);
  const child = spawn(process.execPath, [program(), ...options, '-o', killed, genome], { stdio: 'ignore' });
  const ended = new Promise((resolve) => { child.once('exit', (_, signal) => resolve(signal)); });
  while (!existsSync(join(killed, landmark)) && child.exitCode === null) await sleep(2);
  child.kill('SIGKILL');
  expect(await ended).toBe('SIGKILL');
  expect(existsSync(join(killed, 'corpus.json'))).toBe(false);
  expect(genomelm(...options, '-o', killed, genome).status).toBe(0);
  expect(sums(killed)).toEqual(sums(whole));
});

// embed, killed at random and started again, ends with the bytes of an undisturbed run.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createWasmDevice, createRandom } from '@genomelm/kernels';
import { createModel, dnabert2Config, savePretrained } from '@genomelm/model';
import { createKmerTokenizer } from '@genomelm/tokenizer';
import { bundleGenomelm, freshFolder, program } from './genomelm';

test('embed survives kill -9', async () => {
  const genomelm = bundleGenomelm();
  const folder = freshFolder('kill');
  const random = createRandom(7);
  const device = await createWasmDevice({ threads: 1 });
  await savePretrained(createModel({ ...dnabert2Config, vocabSize: createKmerTokenizer({ k: 4 }).vocabSize, hiddenSize: 64, numLayers: 4, numHeads: 4, intermediateSize: 128 }, { device, seed: 1 }), join(folder, 'model'));
  await device.destroy();
  writeFileSync(join(folder, 'a.fa'), Array.from({ length: 1500 }, (_, i) => `>s${i}\n${Array.from({ length: 60 + random.integer(200) }, () => 'ACGT'[random.integer(4)]).join('')}\n`).join(''));
  const args = (out: string) => ['embed', join(folder, 'model'), join(folder, 'a.fa'), '-t', 'kmer:4', '--json', '--threads', '1', '-o', join(folder, out)];
  expect(genomelm(...args('whole.npy')).status).toBe(0);
  const rowsStored = () => (existsSync(join(folder, 'killed.npy.partial')) ? statSync(join(folder, 'killed.npy.partial')).size / 256 : 0);
  let [kills, before] = [0, -1];
  for (; kills < 3 && !existsSync(join(folder, 'killed.npy')); kills++) {
    const child = spawn(process.execPath, [program(), ...args('killed.npy')], { stdio: 'ignore' });
    const ended = new Promise((resolve) => child.once('close', resolve));
    while (rowsStored() <= before + 256 && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 5));
    before = rowsStored();
    child.kill('SIGKILL');
    await ended;
  }
  expect(kills).toBeGreaterThan(1);
  const last = genomelm(...args('killed.npy'));
  const { resumedAt } = JSON.parse(last.stdout) as { resumedAt: number };
  expect(resumedAt).toBeGreaterThan(0);
  expect(resumedAt % 256).toBe(0);
  expect(readFileSync(join(folder, 'killed.npy')).equals(readFileSync(join(folder, 'whole.npy')))).toBe(true);
});

// embed, killed at random and started again, ends with the bytes of an undisturbed run; what embed and predict make of odd input.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createWasmDevice, createRandom } from '@genomelm/kernels';
import { createModel, dnabert2Config, savePretrained } from '@genomelm/model';
import { createKmerTokenizer } from '@genomelm/tokenizer';
import { bundleGenomelm, freshFolder, program } from './genomelm';

const genomelm = bundleGenomelm();

test('embed survives kill -9', async () => {
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

describe('a classifier of 3-mers', () => {
  const folder = freshFolder('odd');
  const file = (name: string) => join(folder, name);
  const lengths = Array.from({ length: 300 }, (_, i) => 20 + (i % 30));
  const predict = (...args: string[]) => genomelm('predict', file('model'), '-t', 'kmer:3', ...args);
  beforeAll(async () => {
    const [random, device] = [createRandom(8), await createWasmDevice({ threads: 1 })];
    await savePretrained(createModel({ ...dnabert2Config, vocabSize: createKmerTokenizer({ k: 3 }).vocabSize, hiddenSize: 16, numLayers: 1, numHeads: 2, intermediateSize: 16 }, { device, seed: 1, classes: 2 }), file('model'));
    await device.destroy();
    writeFileSync(file('a.fa'), lengths.map((length, i) => `>s${i}\n${Array.from({ length }, () => 'ACGT'[random.integer(4)]).join('')}\n`).join(''));
    writeFileSync(file('none.fa'), '');
  });

  test('reads stdin', () => {
    const whole = predict(file('a.fa'));
    expect(whole.stdout.split('\n')).toHaveLength(302);
    const piped = spawnSync(process.execPath, [program(), 'predict', file('model'), '-t', 'kmer:3', '-'], { input: readFileSync(file('a.fa')), encoding: 'utf8' });
    expect([piped.stdout, piped.status]).toEqual([whole.stdout, 0]);
  });

  test('reads gzipped pairs in lower case', () => {
    writeFileSync(file('upper.csv'), 'sequence1,sequence2\nACGTACGT,GGGTTT\n');
    writeFileSync(file('lower.csv.gz'), gzipSync('sequence1,sequence2\nacgtacgt,gggttt\n'));
    expect(predict('--pairs', file('lower.csv.gz'))).toMatchObject({ status: 0, stdout: predict('--pairs', file('upper.csv')).stdout });
  });

  test('says which sequences were cut', () => {
    const cut = predict(file('a.fa'), '--max-length', '30', '--json'); // 3-mers, [CLS] and [SEP]: as many tokens as bases
    const longer = lengths.filter((length) => length > 30).length;
    expect(cut.stdout.match(/"truncated":true/g)).toHaveLength(longer);
    expect(cut.stderr).toContain(`${longer} of 300 sequences are longer than --max-length and were cut`);
  });

  test('refuses files without sequences, and leaves nothing behind', () => {
    expect(predict(file('none.fa'), '-o', file('none.csv'))).toMatchObject({ status: 2, stderr: expect.stringContaining('predict: expected sequences, got none in') as unknown });
    expect(genomelm('embed', file('model'), file('none.fa'), '-t', 'kmer:3', '-o', file('none.npy'))).toMatchObject({ status: 2, stderr: expect.stringContaining('embed: expected sequences, got none in') as unknown });
    expect(readdirSync(folder).sort()).toEqual(expect.not.arrayContaining([expect.stringMatching(/^none\.(npy|csv)/)]) as string[]);
  });
});

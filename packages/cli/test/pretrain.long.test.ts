// A training run that is killed again and again ends with the bits of one that was left alone; and what it writes can be used.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom } from '@genomelm/kernels';
import { bundleGenomelm, freshFolder, programOf } from './genomelm';

const genomelm = bundleGenomelm();
const folder = freshFolder('pretrain');
const at = (name: string) => join(folder, name);
const random = createRandom(1);
/** Half of what is drawn repeats the last four bases, so that there is something to learn. */
function bases(length: number): string {
  const letters: string[] = [];
  for (let i = 0; i < length; i++) letters.push(i > 4 && random.uniform() < 0.5 ? letters[i - 4] : 'ACGT'[random.integer(4)]);
  return letters.join('');
}
mkdirSync(folder, { recursive: true });
writeFileSync(at('genome.fa'), `>one\n${bases(12_000)}NNNN${bases(3000).toLowerCase()}\n>two\n${bases(8000)}\n>three\n${bases(6000)}\n`);
const options = (out: string, objective: string) => ['pretrain', '-t', 'character', '-o', at(out), '--objective', objective, '--hidden', '16', '--layers', '1', '--heads', '2', '--tokens', '120000', '--tokens-per-step', '1000', '--window', '60-120', '--strands', 'both', '--order', 'length-warmup',
  '--hold-out', 'two', '--validation', 'three', '--repeat-weight', '0.1', '--save-every', '4', '--threads', '1', '--seed', '3', '--json', at('genome.fa')];

const checkpoints = (out: string) => at(`${out}/checkpoints`);
const newest = (out: string) => (existsSync(checkpoints(out)) ? readdirSync(checkpoints(out)).filter((name) => /^step-\d{8}$/.test(name)).sort().at(-1) : undefined);

/** Runs until it ends, or until it is killed: some time after it has left a checkpoint that was not there before, as it would never end else. */
const attempt = (out: string, objective: string, killAfter?: number): Promise<boolean> => new Promise((resolve, reject) => {
  const before = newest(out);
  const child = spawn(process.execPath, [programOf(), ...options(out, objective)], { stdio: 'ignore' });
  const timer = killAfter === undefined ? undefined : setInterval(() => {
    if (newest(out) === before) return;
    clearInterval(timer);
    setTimeout(() => child.kill('SIGKILL'), killAfter);
  }, 1);
  child.once('error', reject).once('close', (status) => {
    clearInterval(timer);
    resolve(status === 0);
  });
});

test.each(['causal', 'mlm'])('%s: killed at random moments, it ends with the same parameters bit for bit', async (objective) => {
  expect(await attempt(`${objective}-whole`, objective)).toBe(true);
  let kills = 0;
  while (!await attempt(`${objective}-killed`, objective, kills < 5 ? 100 * random.uniform() : undefined)) kills++;
  expect(kills).toBeGreaterThan(0);
  const [whole, killed] = ['whole', 'killed'].map((name) => ({ weights: readFileSync(at(`${objective}-${name}/model.safetensors`)), report: JSON.parse(readFileSync(at(`${objective}-${name}/pretrain.json`), 'utf8')) as { curve: { trainLoss?: number }[]; heldOut: object; resumedFrom: number } }));
  expect(killed.weights.equals(whole.weights)).toBe(true);
  expect(killed.report.curve).toEqual(whole.report.curve);
  expect(killed.report.heldOut).toEqual(whole.report.heldOut);
  expect(killed.report.resumedFrom).toBeGreaterThan(0);
  expect(readdirSync(at(`${objective}-killed/checkpoints`)).every((name) => /^step-\d{8}$/.test(name))).toBe(true);
  expect(whole.report.curve.at(-1)!.trainLoss ?? 0).toBeLessThan(whole.report.curve[0].trainLoss!);
}, 300_000);

test('scores by contig and case, and goes on from what it wrote', () => {
  const report = JSON.parse(readFileSync(at('causal-whole/pretrain.json'), 'utf8')) as { validation: { contigs: object; classes: object; bitsPerBase: number }; heldOut: { bases: number; contigs: Record<string, { bases: number }> } };
  expect(Object.keys(report.validation.contigs)).toEqual(['three']);
  expect(report.heldOut.bases).toBe(8000);
  expect(report.validation.bitsPerBase).toBeLessThan(Math.log2(9)); // of nine tokens, all alike
  const further = genomelm('pretrain', '-t', at('causal-whole/tokenizer.json'), '-o', at('further'), '--objective', 'causal', '--model', at('causal-whole'), '--tokens', '4000', '--tokens-per-step', '1000', '--window', '100', '--threads', '1', at('genome.fa'));
  expect(further.stderr).not.toMatch(/expected/);
  expect(further.stdout).toMatch(/4 steps, 4000 tokens/);
});

test('reads weights in 16 bits, writes them in 16 bits, and inspect counts the copies', () => {
  const { stderr, status } = genomelm('pretrain', '-t', 'character', '-o', at('halves'), '--objective', 'causal', '--hidden', '16', '--layers', '1', '--heads', '2', '--tokens', '4000', '--tokens-per-step', '1000', '--window', '100', '--threads', '1', '--weights', 'bfloat16', '--save-dtype', 'bfloat16', at('genome.fa'));
  expect([status, stderr]).toEqual([0, expect.not.stringContaining('expected')]);
  const inspect = (weights: string) => JSON.parse(genomelm('inspect', at('halves'), '--json', '--weights', weights).stdout) as { stored: { dtypes: string[] }; trainingActivations: number; checkpointedActivations: number };
  expect(inspect('bfloat16').stored.dtypes).toEqual(['BF16']);
  expect(inspect('bfloat16').trainingActivations - inspect('float32').trainingActivations).toBe(2 * (4 * 16 * 16 + 3 * 16 * 48));
  expect(genomelm('inspect', at('halves'), '--weights', 'int8')).toMatchObject({ status: 2, stderr: expect.stringContaining('--weights: expected one of float32, bfloat16, float16, got int8') as unknown });
});

test('scores by the names of BED intervals, and by the types of GFF3', () => {
  writeFileSync(at('parts.bed'), 'two\t0\t3000\tleft\ntwo\t2000\t5000\tmiddle\n');
  writeFileSync(at('genes.gff3'), '##gff-version 3\ntwo\t.\tgene\t1001\t5000\t.\t+\t.\tID=a\ntwo\t.\tCDS\t2001\t3000\t.\t+\t0\tID=b\n');
  const basesBy = (file: string) => {
    const { stdout, stderr } = genomelm('pretrain', '-t', 'character', '-o', at(`by-${file}`), '--objective', 'causal', '--hidden', '16', '--layers', '1', '--heads', '2', '--tokens', '1000', '--tokens-per-step', '1000', '--window', '100', '--hold-out', 'two', '--classes', at(file), '--threads', '1', '--json', at('genome.fa'));
    if (!stdout) throw new Error(stderr);
    const { classes } = (JSON.parse(stdout) as { heldOut: { classes: Record<string, { bases: number }> } }).heldOut;
    return Object.fromEntries(Object.entries(classes).map(([name, { bases: count }]) => [name, count]));
  };
  expect(basesBy('parts.bed')).toEqual({ left: 3000, middle: 2000, other: 3000 });
  expect(basesBy('genes.gff3')).toEqual({ CDS: 1000, gene: 3000, other: 4000 });
});

test('trains on the shards of corpus build, and judges on those set aside', () => {
  const built = genomelm('corpus', 'build', '-o', at('corpus'), '--seed', '1', '--length', '600', '--repeats', 'keep', '--shares', '1,1,0', at('genome.fa'));
  expect(built.stderr).not.toMatch(/expected/);
  const { stdout, stderr } = genomelm('pretrain', '-t', 'kmer:3', '-o', at('sharded'), '--hidden', '16', '--layers', '1', '--heads', '2', '--tokens', '1000', '--tokens-per-step', '500', '--window', '100', '--span', '3', '--validation', at('corpus/dev-00000-of-00001.2bit'), '--threads', '1', '--json', at('corpus/train-00000-of-00001.2bit'));
  if (!stdout) throw new Error(stderr);
  const { validation, bases } = JSON.parse(stdout) as { validation: { contigs: object; tokens: number }; bases: number };
  expect(bases).toBeGreaterThan(5000);
  expect(Object.keys(validation.contigs).length).toBeGreaterThan(5);
});

test.each([
  ['a contig that is not there', ['--hold-out', 'chr9'], /--hold-out: expected contigs of the files, such as one, two, three, or other files, got chr9/],
  ['a window too short', ['--window', '5'], /--window: expected a number of bases from 16 on/],
  ['no order', ['--order', 'backwards'], /--order: expected one of random, length-grouped/],
  ['other settings in the same folder', ['--learning-rate', '0.5'], /expected a checkpoint of this run/],
])('%s: one line and exit code 2', (_name, more, message) => {
  const { status, stderr } = genomelm(...options('causal-whole', 'causal').slice(0, -1), ...more, at('genome.fa'));
  expect(stderr).toMatch(message);
  expect(status).toBe(2);
});

test('a genome that was edited since is another corpus, though all lengths are as they were', () => {
  const genome = readFileSync(at('genome.fa'), 'utf8'), another = (base: string) => (base === 'A' ? 'C' : 'A');
  for (const [contig, edited] of [['one', genome.replace(/(?<=>one\n)./, another)], ['three', genome.replace(/(?<=>three\n)./, another)]]) { // trained on, and judged on while training
    writeFileSync(at('genome.fa'), edited);
    const { status, stderr } = genomelm(...options('causal-whole', 'causal'));
    expect([contig, status, stderr]).toEqual([contig, 2, expect.stringMatching(/expected a checkpoint of this run in .*, got one of other data or settings/)]);
  }
  writeFileSync(at('genome.fa'), genome);
  expect(genomelm(...options('causal-whole', 'causal')).status).toBe(0);
});

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { simulateGueTask } from '@genomelm/genome-io';
import { createReferenceDevice } from '@genomelm/kernels';
import { createModel, dnabert2Config, savePretrained } from '@genomelm/model';
import { serializeTokenizerJson, trainBpe } from '@genomelm/tokenizer';
import { bundleGenomelm, freshFolder } from './genomelm';

const splits = simulateGueTask('sim_planted', { seed: 3, sizes: { train: 300, dev: 16, test: 32 }, length: 40 });

test('a dry run of a pre-trained model: each protocol with its own number of runs, and a guess for zero-shot although it has no step', async () => {
  const genomelm = bundleGenomelm();
  const [data, model, out] = ['gue', 'model', 'dry'].map(freshFolder);
  mkdirSync(join(data, 'tf/0'), { recursive: true });
  for (const [name, rows] of Object.entries({ ...splits })) writeFileSync(join(data, `tf/0/${name}.csv`), `sequence,label\n${rows.map(({ sequence, label }) => `${sequence},${label}\n`).join('')}`);
  const tokenizer = await trainBpe(splits.train.map(({ sequence }) => sequence), { vocabSize: 40 });
  const config = { ...dnabert2Config, vocabSize: tokenizer.vocabSize, hiddenSize: 16, numLayers: 1, numHeads: 2, intermediateSize: 16 };
  await savePretrained(createModel(config, { device: createReferenceDevice(), seed: 1, maskedLm: true }), model);
  writeFileSync(join(model, 'tokenizer.json'), serializeTokenizerJson(tokenizer));

  const dryRun = (...options: string[]) => genomelm('gue', 'run', '--data', data, '--tasks', 'tf_0', '--models', model, '--baselines', 'majority', '--seeds', '3', '--dry-run', '--threads', '1', '--out', out, ...options);
  const { status, stdout, stderr } = dryRun('--protocol', 'full,lora,probe,zero-shot', '--json');
  expect({ status, stderr: status ? stderr : '' }).toEqual({ status: 0, stderr: '' });
  const { plan, runs } = JSON.parse(stdout) as { plan: { model: string; seeds: number; tokensPerEpoch: number; truncatedFraction: number; guessedSeconds: number | null }[]; runs: number };
  expect(runs).toBe(3 + 3 + 3 + 1 + 1);
  expect(plan.map(({ model: name, seeds }) => [name, seeds])).toEqual([['', 3], ['+lora', 3], ['+probe', 3], ['+zero-shot', 1]].map(([suffix, seeds]) => [`${model}${suffix}`, seeds]));
  for (const { tokensPerEpoch, truncatedFraction, guessedSeconds } of plan) {
    expect(tokensPerEpoch).toBe(plan[0].tokensPerEpoch);
    expect(truncatedFraction).toBe(0);
    expect(guessedSeconds).toBeGreaterThanOrEqual(0); // null where a guess is no number
  }
  expect(plan[0].tokensPerEpoch).toBeGreaterThan(300 * 40 / 20);
  expect(readdirSync(out)).toEqual([]);

  const text = dryRun('--protocol', 'zero-shot').stdout;
  expect(text).toMatch(/tf_0 .*\+zero-shot +300 +16 +32 +2 +\d+ +0\.0 % +1 +\d/);
  expect(text).toContain('2 runs, in all about');
});

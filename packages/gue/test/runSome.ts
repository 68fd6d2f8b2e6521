// A program for processes.test.ts: six runs, slow enough to be killed between them.
import { auditLeakage, baselines, evaluate, openRunStore, parseDataset, runIdentity } from '../src/index';
import { plantedMotif, toCsv } from './synthetic';

const task = { name: 'motif', version: '1', benchmark: 'GUE', classes: 2, pair: false, metric: 'mcc' } as const;
const { train, dev, test } = plantedMotif({ train: 120, dev: 40, test: 60, seed: 1 });
const dataset = await parseDataset(task, { train: toCsv(train), dev: toCsv(dev), test: toCsv(test) });
const audit = await auditLeakage({ train: dataset.train.examples, test: dataset.test.examples });
const store = openRunStore(process.argv[2]);
for (const name of ['majority', 'composition', 'markov', 'pwm', 'onehot', 'nearest']) {
  const request = { task, dataset, classifier: baselines[name](), audit, resamples: 200 };
  await store.readOrRun(runIdentity(request), () => evaluate(request));
  await new Promise((resume) => setTimeout(resume, 30));
}

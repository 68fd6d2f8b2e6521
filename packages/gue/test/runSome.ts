// A program for processes.test.ts: six runs. With `linger` it does not end by itself, so that whoever kills it always finds it alive.
import { auditLeakage, baselines, evaluate, openRunStore, parseDataset, runIdentity } from '../src/index';
import { plantedMotif, toCsv } from './synthetic';

const task = { name: 'motif', version: '1', benchmark: 'GUE', classes: 2, pair: false, metric: 'mcc' } as const;
const { train, dev, test } = plantedMotif({ train: 120, dev: 40, test: 60, seed: 1 });
const dataset = await parseDataset(task, { train: toCsv(train), dev: toCsv(dev), test: toCsv(test) });
const audit = await auditLeakage({ train: dataset.train.examples, test: dataset.test.examples });
const [, , folder, linger] = process.argv;
const store = openRunStore(folder);
for (const name of ['majority', 'composition', 'markov', 'pwm', 'onehot', 'nearest'] as const) {
  const request = { task, dataset, classifier: baselines[name](), audit, resamples: 200 };
  await store.readOrRun(runIdentity(request), () => evaluate(request));
  await new Promise((resume) => setTimeout(resume, 30));
}
if (linger) setInterval(() => undefined, 1000);

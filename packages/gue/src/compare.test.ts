import { baselines, type BaselineName } from './baselines/baselines';
import { compareModels } from './compare';
import { parseDataset } from './dataset';
import { evaluate } from './evaluate';
import { plantedMotif, toCsv } from '../test/synthetic';
import { mcnemar } from './statistics/mcnemar';
import { pairedBootstrap } from './statistics/bootstrap';
import type { RunRecord } from './runRecord';

const options = { resamples: 500 };
let records: RunRecord[];
beforeAll(async () => {
  const { train, dev, test } = plantedMotif({ train: 300, dev: 80, test: 120, seed: 8 });
  const run = async (name: string, id: BaselineName, model: string): Promise<RunRecord> => {
    const task = { name, version: '1', benchmark: 'GUE', classes: 2, pair: false, metric: 'mcc' } as const;
    const dataset = await parseDataset(task, { train: toCsv(train), dev: toCsv(dev), test: toCsv(test) });
    return evaluate({ task, dataset, classifier: { ...baselines[id](), id: model }, resamples: 100 });
  };
  const [words, places] = [await run('one', 'markov', 'words'), await run('one', 'pwm', 'places')];
  records = [words, places, { ...words, seed: 1, predictions: places.predictions, scores: places.scores }, { ...words, task: 'two' }, { ...places, task: 'two' }, { ...words, task: 'three' }];
});

test('a task that one model lacks is named and blocks the mean', () => {
  const { tasks, missing, meanDifference } = compareModels(records, 'words', 'places', options);
  expect(tasks.map(({ task }) => task)).toEqual(['one', 'two']);
  expect(missing).toEqual(['three']);
  expect(meanDifference).toBeUndefined();
  expect(compareModels(records.filter(({ task }) => task !== 'three'), 'words', 'places', options).meanDifference).toBeCloseTo((tasks[0].difference + tasks[1].difference) / 2, 12);
});

test('the numbers are those of the single tests, corrected by Holm over the tasks', () => {
  const { tasks: [, two] } = compareModels(records, 'words', 'places', options);
  const [a, b] = records.filter(({ task }) => task === 'two').map(({ predictions }) => predictions.predicted);
  const { labels } = records[0].predictions;
  const paired = pairedBootstrap({ labels, a, b, metric: 'mcc', ...options });
  expect([two.a, two.b, two.difference, two.pValues.bootstrap]).toEqual([paired.a, paired.b, paired.difference, paired.pValue]);
  expect(two.pValues.mcnemar).toBe(mcnemar({ labels, a, b }).pValue);
  for (const test of ['bootstrap', 'permutation', 'mcnemar'] as const) expect(two.adjusted[test]).toBeGreaterThanOrEqual(two.pValues[test]);
});

test('of several seeds the mean is compared', () => {
  const { tasks: [one, two] } = compareModels(records, 'words', 'places', options);
  expect(one.seeds).toEqual([2, 1]);
  expect(one.difference).toBeCloseTo(two.difference / 2, 12); // one seed as in task two, one that equals the other model
});

test('tasks of one folder are one family; a declared margin adds a test of equivalence', () => {
  const renamed = records.filter(({ task }) => task !== 'three').map((record) => ({ ...record, task: record.task === 'one' ? 'emp_H3' : 'emp_H4' }));
  const { families, tasks } = compareModels(renamed, 'words', 'places', { ...options, margin: 0.01 });
  expect(families).toMatchObject({ families: [{ family: 'EMP', tasks: 2 }], signFlipPValue: 1 });
  expect(tasks[1].equivalence).toMatchObject({ margin: 0.01, equivalent: false, difference: tasks[1].difference });
});

test('swapping the models turns the sign; a model against itself differs by nothing', () => {
  const [there, back] = [compareModels(records, 'words', 'places', options), compareModels(records, 'places', 'words', options)];
  expect(back.tasks[1].difference).toBeCloseTo(-there.tasks[1].difference, 12);
  expect([back.won, back.lost]).toEqual([there.lost, there.won]);
  expect(compareModels(records, 'words', 'words', options)).toMatchObject({ won: 0, lost: 0, meanDifference: 0 });
});

test('bad input is one clear line', () => {
  expect(() => compareModels(records, 'words', 'nobody')).toThrow('expected a model among words, places, got nobody; run it first');
  const other = { ...records[1], data: { ...records[1].data, sha256: { train: '', dev: '', test: 'other' } } };
  expect(() => compareModels([records[0], other], 'words', 'places')).toThrow('expected one test set for one');
});

import { parseTask } from './task';
import { findTask, tasks } from './tasks';

const meanOf = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

test('28 GUE, 8 GUE+ and 2 enhancer tasks, named once', () => {
  expect(tasks.filter((task) => task.benchmark === 'GUE')).toHaveLength(28);
  expect(tasks.filter((task) => task.benchmark === 'GUE+')).toHaveLength(8);
  expect(new Set(tasks.map((task) => task.name)).size).toBe(38);
  expect(tasks.map((task) => task.name)).toEqual(expect.arrayContaining([
    'emp_H3', 'prom_core_tata', 'prom_300_all', 'tf_0', 'mouse_2', 'splice_reconstructed', 'virus_covid', 'epi_GM12878', 'fungi_species_20', 'virus_species_40',
  ]));
});

test('macro-F1 for covid, MCC for all others', () =>
  expect(tasks.filter((task) => task.metric !== 'mcc').map((task) => task.name)).toEqual(['virus_covid']));

// What the rows average to. Printed are 66.80 for DNABERT-2 (cut, not rounded: 66.807) and 58.23 for NT-500M-1000g, which is not the mean of its own row.
test.each([
  ['DNABERT 3-mer', 61.62], ['DNABERT 4-mer', 61.14], ['DNABERT 5-mer', 60.05], ['DNABERT 6-mer', 60.51], ['NT-500M-human', 55.43], ['NT-500M-1000g', 57.79],
  ['NT-2500M-1000g', 61.41], ['NT-2500M-multi', 66.93], ['DNABERT-2', 66.81], ['DNABERT-2 further pre-trained', 67.78],
])('the published scores of %s average %f over GUE', (model, mean) => {
  const scores = tasks.filter((task) => task.benchmark === 'GUE').map((task) => task.published.find((row) => row.model === model)!.score);
  expect(scores).toHaveLength(28);
  expect(Math.abs(meanOf(scores) - mean)).toBeLessThan(0.005 + 1e-9);
});

test('spot checks against the paper and the script', () => {
  expect(findTask('prom_core_tata')).toMatchObject({
    folder: 'prom/prom_core_tata', bp: 70, declaredSizes: { train: 4904, dev: 613, test: 613 }, upstream: { maxTokens: 20, epochs: 10, learningRate: 3e-5, batchSize: 32 },
  });
  expect(findTask('mouse_2').published.find((row) => row.model === 'DNABERT-2')?.score).toBe(79.32);
  expect(findTask('virus_covid')).toMatchObject({ classes: 9, declaredSizes: { train: 73335 }, paperSizes: { train: 77669 }, upstream: { batchSize: 128 } });
  expect(findTask('nt_enhancers_types')).toMatchObject({ benchmark: 'NT', classes: 3, bp: 200, declaredSizes: { train: 14968, test: 400 }, devEvery: 10 });
  expect(findTask('mouse_2').sha256?.test).toMatch(/^09f08a1428c9/);
  expect(findTask('virus_species_40')).toMatchObject({ classes: 25, bp: 5000 });
});

test('rows cannot be changed', () => {
  expect(Object.isFrozen(tasks)).toBe(true);
  for (const task of tasks) expect([task, task.upstream, task.published].every(Object.isFrozen)).toBe(true);
});

test.each([['prom_core_tat', 'prom_core_tata'], ['H3K4me3', 'emp_H3K4me3'], ['tf/3', 'tf_3'], ['prom', 'prom_core_all'], ['EPI_GM12878', 'epi_GM12878']])('%s is answered with %s', (wrong, near) => {
  expect(() => findTask(wrong)).toThrow(`got ${JSON.stringify(wrong)}; did you mean`);
  expect(() => findTask(wrong)).toThrow(near);
});

describe('a task of one\'s own', () => {
  test('needs a name, a folder, a number of classes and a length', () =>
    expect(parseTask('{"name":"mine","folder":"my/data","classes":3,"bp":70}')).toMatchObject({ name: 'mine', folder: 'my/data', classes: 3, bp: 70, metric: 'mcc', pair: false, version: '1', published: [] }));
  test.each([
    ['{"name":"mine"', 'expected JSON'],
    ['[]', 'expected an object, got []'],
    ['{"name":"mine","classes":2,"bp":70}', 'as folder, got undefined in task.json'],
    ['{"name":"mine","folder":"../data","classes":2,"bp":70}', 'as folder, got ../data'],
    ['{"name":"mine","folder":"data","classes":1,"bp":70}', 'expected a whole number from 2 to 4096 as classes, got 1'],
    ['{"name":"my task","folder":"data","classes":2,"bp":70}', 'as name, got my task'],
    ['{"name":"mine","folder":"data","classes":2,"bp":70,"metric":"auroc"}', 'expected mcc or f1Macro as metric, got auroc'],
    ['{"name":"mine","folder":"data","classes":2,"lenght":3}', 'got lenght'],
    ['{"name":"mine","folder":"data","classes":2,"bp":70,"declaredSizes":{"train":1}}', 'as declaredSizes'],
  ])('%s is one clear line', (json, message) => expect(() => parseTask(json)).toThrow(message));
});

import { sampleReport } from '../../test/reportSample';
import type { Interval, RunRecord } from '../runRecord';
import { tasks } from '../tasks';
import type { ReportInput, ReportTask } from './input';
import { modelStyles } from './scorePlot';
import { isComparable, summarise } from './summary';

const interval = (low: number, high: number): Interval => ({ low, high, level: 0.95, method: 'bca', resamples: 1000 });
const task: ReportTask = { name: 'tf_3', metric: 'mcc', classes: 2, bp: 101 };
const template = sampleReport(false).records[0];
const record = (model: string, kind: RunRecord['kind'], seed: number, value: number, [low, high]: readonly [number, number], more: Partial<RunRecord> = {}): RunRecord =>
  ({ ...template, task: 'tf_3', model, kind, seed, curve: [], report: {}, scores: [{ metric: 'accuracy', value: 0.5, items: 10 }, { metric: 'mcc', value, items: 10, interval: interval(low, high) }], ...more });
const input = (records: readonly RunRecord[], more: Partial<ReportInput> = {}): ReportInput => ({ title: 'T', tasks: [task], records, provenance: {}, ...more });
const baselines = [record('kmer', 'baseline', 0, 0.5, [0.45, 0.55], { report: { devScore: 0.4 } }), record('onehot', 'baseline', 0, 0.3, [0.25, 0.35], { report: { devScore: 0.6 } })];

test("the benchmark's task rows fit", () => {
  const rows: readonly ReportTask[] = tasks;
  expect(summarise({ title: 'T', tasks: rows, records: [], provenance: {} }).tasks).toHaveLength(38);
});

test('a row is the mean of the task\'s own metric over seeds, and its interval says what it is of', () => {
  const seeds = [record('small', 'model', 1, 0.5, [0.45, 0.55]), record('small', 'model', 0, 0.75, [0.7, 0.8])];
  const [row] = summarise(input(seeds)).tasks[0].models;
  expect([row.mean, row.intervalOf, row.interval?.low, row.interval?.high, row.records.map((r) => r.seed)]).toEqual([0.625, 'envelope', 0.45, 0.8, [0, 1]]);
  expect(summarise(input(seeds, { aggregates: [{ task: 'tf_3', model: 'small', seeds: 2, mean: 0.625, interval: interval(0.6, 0.7) }] })).tasks[0].models[0]).toMatchObject({ intervalOf: 'mean', interval: { low: 0.6, high: 0.7 } });
  expect(summarise(input(seeds.slice(0, 1))).tasks[0].models[0].intervalOf).toBe('run');
  expect(summarise(input([record('small', 'model', 0, 0.6, [0, 1], { scores: [{ metric: 'mcc', value: 0.6, items: 10 }] })])).tasks[0].models[0].intervalOf).toBe('nothing');
});

test('the best baseline is chosen on dev, and on test only where a dev score is unknown', () => {
  expect(summarise(input(baselines)).tasks[0].best).toMatchObject({ row: { model: 'onehot' }, chosenOn: 'dev' });
  expect(summarise(input([...baselines, record('majority', 'baseline', 0, 0, [0, 0])])).tasks[0].best).toMatchObject({ row: { model: 'kmer' }, chosenOn: 'test' });
  const [equal, stronger] = [0.1, 0.3].map((value, i) => record(`equal${i}`, 'baseline', 0, value, [0, 1], { report: { devScore: 0.95 } }));
  expect(summarise(input([...baselines, equal, stronger])).tasks[0].best?.row.model).toBe('equal1'); // of equals on dev, the harder to beat
  const curve = [{ step: 1, epoch: 1, devScore: 0.9 }, { step: 2, epoch: 1, devScore: 0.2 }];
  expect(summarise(input([...baselines, record('cnn', 'baseline', 0, 0.1, [0, 0.2], { curve })])).tasks[0].best?.row.model).toBe('cnn');
});

test.each([['above', [0.4, 0.5]], ['unclear', [0.3, 0.5]], ['below', [0.1, 0.2]]] as const)('without a paired difference, %s means that the intervals are apart', (verdict, bounds) => {
  expect(summarise(input([...baselines, record('small', 'model', 0, 0.4, bounds)])).tasks[0].models[0].comparison).toMatchObject({ baseline: 'onehot', verdict });
});

test.each([['above', [0.01, 0.2]], ['unclear', [-0.01, 0.2]], ['below', [-0.2, -0.01]]] as const)('with a paired difference, %s follows from its interval alone', (verdict, [low, high]) => {
  const differences = [{ task: 'tf_3', model: 'small', baseline: 'onehot', difference: 0.1, interval: interval(low, high) }];
  expect(summarise(input([...baselines, record('small', 'model', 0, 0.4, [0, 1])], { differences })).tasks[0].models[0].comparison).toMatchObject({ verdict, difference: 0.1 });
});

test('simulated and real runs of one task never share a row', () => {
  const both = summarise(input([record('small', 'model', 0, 0.4, [0.3, 0.5]), record('small', 'model', 1, 0.9, [0.8, 1], { simulated: true })]));
  expect(both.tasks.map(({ simulated, models }) => [simulated, models[0].mean])).toEqual([[false, 0.4], [true, 0.9]]);
});

test('published rows are comparable only with real data and a size within a factor of ten', () => {
  const of = (parameters: number | undefined, simulated = false) => isComparable({ model: 'x', score: 50, ...(parameters !== undefined && { parameters }) }, summarise(input([record('small', 'model', 0, 0.4, [0.3, 0.5], { simulated, report: { parameters: 1e6 } })])).tasks[0]);
  expect([of(5e6), of(5e6, true), of(117e6), of(undefined)]).toEqual([true, false, false, false]);
});

const other = { ...template.data, sha256: { ...template.data.sha256, test: 'd4' } };
test.each<[string, ReportInput]>([
  ['a task row for every record, got a record of tf_3', input([record('small', 'model', 0, 0.4, [0, 1])], { tasks: [] })],
  ['each task once', input([], { tasks: [task, task] })],
  ['one record for tf_3, small, seed 0', input([record('small', 'model', 0, 0.4, [0, 1]), record('small', 'model', 0, 0.5, [0, 1])])],
  ['a model or a baseline, got both', input([record('small', 'model', 0, 0.4, [0, 1]), record('small', 'baseline', 1, 0.5, [0, 1])])],
  ['a score of metric mcc', input([record('small', 'model', 0, 0.4, [0, 1], { scores: [{ metric: 'accuracy', value: 1, items: 1 }] })])],
  ['one test set for tf_3', input([record('small', 'model', 0, 0.4, [0, 1]), record('kmer', 'baseline', 0, 0.4, [0, 1], { data: other })])],
  ['to be 0.4 over 1 seeds, got 0.5 over 1', input([record('small', 'model', 0, 0.4, [0, 1])], { aggregates: [{ task: 'tf_3', model: 'small', seeds: 1, mean: 0.5, interval: interval(0, 1) }] })],
])('contradictions end with a sentence: expected %s', (message, contradiction) => {
  expect(() => summarise(contradiction)).toThrow(new RegExp(`^report: expected .*${message}.*;`));
});

test('a model has one sign, whatever stands beside it and in whatever order records come', () => {
  const records = ['small', 'dnabert2-shape', 'hyena'].map((model) => record(model, 'model', 0, 0.5, [0.4, 0.6]));
  const { styles } = summarise(input(records));
  expect(new Set(styles.values()).size).toBe(3);
  expect(summarise(input([...records].reverse())).styles).toEqual(styles);
  for (const own of records) expect(summarise(input([own])).styles.get(own.model)).toBe(styles.get(own.model));
  const many = modelStyles(Array.from({ length: 10 }, (_, i) => `model ${i}`));
  expect([...many.values()].sort()).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
});

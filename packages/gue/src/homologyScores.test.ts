import { baselines } from './baselines/baselines';
import { parseDataset } from './dataset';
import { auditLeakage } from './audit/leakage';
import { evaluate } from './evaluate';
import { homologyScores } from './homologyScores';
import { mcc } from './metrics/classification';
import { renderReport } from './report/page';
import { renderTable } from './report/table';
import { createResampleRandom } from './statistics/random';
import type { RunRecord } from './runRecord';

const homolog = { row: 0, identity: 1, coverage: 1, reversed: false };
const audit = (marks: readonly number[]) => ({ identity: 0.8, coverage: 0.5, homologs: marks.map((mark) => (mark ? homolog : undefined)) });

test('each part is scored by itself', () => {
  const labels = [0, 1, 0, 1, 0, 1, 1, 0];
  const predicted = [0, 1, 0, 1, 1, 0, 1, 0];
  const result = homologyScores({ labels, predicted }, audit([1, 1, 1, 1, 0, 0, 0, 0]), ['mcc', 'accuracy'], { resamples: 200 });
  expect(result).toMatchObject({ cleanItems: 4, homologousItems: 4, cleanClassCounts: [2, 2], matched: 0, gap: { value: 1 } });
  expect(result.clean.map(({ value, items }) => [value, items])).toEqual([[0, 4], [0.5, 4]]);
  expect(result.homologous.map(({ value }) => value)).toEqual([1, 1]);
});

test('where all homologous items are of one class there is no gap, and the matched score has the classes\' shares of the whole set', () => {
  const labels = [1, 1, 1, 1, 0, 0, 0, 1];
  const predicted = [1, 1, 1, 1, 0, 0, 1, 1];
  const result = homologyScores({ labels, predicted }, audit([1, 1, 1, 1, 0, 0, 0, 0]), ['mcc'], { resamples: 200 });
  expect(result.gap).toBeUndefined();
  // Three zeros as they are, the only clean one counts five times.
  expect(result.matched).toBeCloseTo(mcc([0, 0, 0, 1, 1, 1, 1, 1], [0, 0, 1, 1, 1, 1, 1, 1]), 12);
});

test('without homologs all is clean; with nothing else, nothing is', () => {
  const both = { labels: [0, 1], predicted: [0, 1] };
  expect(homologyScores(both, audit([0, 0]), ['mcc'], { resamples: 10 })).toMatchObject({ cleanItems: 2, homologous: [], clean: [{ value: 1 }], matched: 1 });
  expect(homologyScores(both, audit([1, 1]), ['mcc'], { resamples: 10 })).toMatchObject({ cleanItems: 0, clean: [] });
  expect(() => homologyScores(both, audit([1]), ['mcc'])).toThrow('expected an audit of 2 test items, got one of 1');
});

describe('a model that remembers the training set by alignment', () => {
  let record: RunRecord;
  const task = { name: 'mine', version: '1', benchmark: 'GUE', classes: 2, pair: false, metric: 'mcc' } as const;
  beforeAll(async () => {
    const random = createResampleRandom(3, 0);
    const bases = (length: number) => Array.from({ length }, () => 'ACGT'[Math.floor(random() * 4)]).join('');
    // Labels are drawn by chance: there is nothing to learn, only to remember. Half of test are shifted copies of training rows.
    const train = Array.from({ length: 200 }, () => ({ sequence: bases(80), label: random() < 0.5 ? 1 : 0 }));
    const test = Array.from({ length: 200 }, (_, i) => (i < 100 ? { sequence: train[i].sequence.slice(15) + bases(15), label: train[i].label } : { sequence: bases(80), label: random() < 0.5 ? 1 : 0 }));
    const csv = (rows: typeof train) => `sequence,label\n${rows.map(({ sequence, label }) => `${sequence},${label}\n`).join('')}`;
    const dataset = await parseDataset(task, { train: csv(train), dev: csv(test.slice(80, 120)), test: csv(test) });
    record = await evaluate({ task, dataset, classifier: { ...baselines.nearest(), id: 'remembers' }, resamples: 500, audit: await auditLeakage({ train, test }) });
  });
  test('it is exposed by its record', () => {
    const { clean, homologous, gap, homologousItems } = record.homology!;
    expect(homologousItems).toBe(100);
    expect(record.scores[0].value).toBeGreaterThan(0.4);
    expect(homologous[0].value).toBe(1);
    expect(Math.abs(clean[0].value)).toBeLessThan(0.2);
    expect(gap!.interval.low).toBeGreaterThan(0.5);
  });
  test('and by the report\'s column and sentence', () => {
    const input = { title: 'memory', records: [record], tasks: [{ ...task, bp: 80 }], provenance: {} };
    expect(renderReport(input)).toContain('Homology-clean');
    expect(renderReport(input)).toContain('there a score may be memory');
    expect(renderTable(input)).toContain('homology-clean');
  });
});

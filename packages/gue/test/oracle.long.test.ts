// Against Debian's scikit-learn 1.2.1, scipy 1.10.1 and statsmodels 0.13.5, asked while the test runs, so that any input can be compared.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { kmerOneHotFeatures } from '../src/baselines/baselines';
import { compositionFeatures } from '../src/baselines/compositionFeatures';
import { kmerFeatures } from '../src/baselines/kmerFeatures';
import { fitLogisticRegression } from '../src/baselines/logisticRegression';
import { oneHotFeatures } from '../src/baselines/oneHotFeatures';
import { availableTasks, baselines, benjaminiHochberg, brierScore, compareFamilies, evaluate, findTask, holm, loadDataset, logLoss, auprc, auroc, pairedTost, type MetricName } from '../src/index';
import { metricsOnCounts } from '../src/metrics/classification';
import { confusionMatrix } from '../src/metrics/confusion';
import { mcnemarOfCounts } from '../src/statistics/mcnemar';
import { createResampleRandom } from '../src/statistics/random';
import { realGue } from './realData';
import { existsSync } from 'node:fs';

const python = '/usr/bin/python3';
const hasOracle = spawnSync(python, ['-c', 'import sklearn, statsmodels; assert sklearn.__version__ == "1.2.1"']).status === 0;
const describeWithOracle = (name: string, wanted: boolean, tests: () => void): void => {
  if (hasOracle && wanted) describe(name, tests);
  else describe.skip(`${name} (skipped: needs ${python} with scikit-learn 1.2.1 and statsmodels, and for baselines ../shared/data/gue)`, () => test('skipped', () => undefined));
};

function ask<T>(script: string, request: unknown): T {
  const { status, stdout, stderr } = spawnSync(python, [join(__dirname, 'oracle', script)], { input: JSON.stringify(request), encoding: 'utf8', maxBuffer: 2 ** 28, env: { ...process.env, OMP_NUM_THREADS: '2' } });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as T;
}

describeWithOracle('metrics and statistics', true, () => {
  const random = createResampleRandom(77, 0);
  const below = (limit: number) => Math.floor(random() * limit);
  const list = <T>(length: number, make: (i: number) => T): T[] => Array.from({ length }, (_, i) => make(i));
  const cases = {
    classification: list(60, (i) => {
      const [classes, items] = [[2, 3, 9, 25][i % 4], [5, 40, 613, 9168][(i >> 2) % 4]];
      const labels = list(items, () => below(i % 7 === 0 ? 1 : classes));
      return { labels, predicted: labels.map((label) => (random() < 0.6 ? label : below(i % 5 === 0 ? 1 : classes))) };
    }),
    ranked: list(20, (i) => ({ labels: list(50 + 40 * i, (item) => item % 2), scores: list(50 + 40 * i, () => (i % 2 ? below(10) / 10 : random())) })),
    paired: list(12, (i) => ({ a: list(60, () => below(2)), b: list(60, () => below(2)), margin: 0.05 + 0.03 * i, onlyA: below(50), onlyB: 1 + below(50) })),
    families: list(12, (i) => list(4 + i, () => random() - 0.4)),
    corrected: list(10, (i) => list(1 + 3 * i, () => random() ** 3)),
  };
  interface Answers {
    readonly classification: readonly Readonly<Record<MetricName, number>>[];
    readonly ranked: readonly Readonly<Record<'auroc' | 'auprc' | 'brier' | 'logLoss', number>>[];
    readonly paired: readonly Readonly<Record<'tost' | 'mcnemar', number>>[];
    readonly families: readonly number[];
    readonly corrected: readonly Readonly<Record<'holm' | 'bh' | 'by', readonly number[]>>[];
  }
  let answers: Answers;
  beforeAll(() => { answers = ask<Answers>('metrics.py', cases); });
  const near = (got: number, wanted: number, relative: number) => expect(Math.abs(got - wanted)).toBeLessThanOrEqual(relative * Math.max(1e-3, Math.abs(wanted)));

  test('metrics of counts equal to the last bit', () => cases.classification.forEach(({ labels, predicted }, i) => {
    for (const [name, metric] of Object.entries(metricsOnCounts)) expect([name, metric(confusionMatrix(labels, predicted))]).toEqual([name, answers.classification[i][name as MetricName]]);
  }));
  test('areas, Brier score and log-loss', () => cases.ranked.forEach(({ labels, scores }, i) => {
    near(auroc(labels, scores), answers.ranked[i].auroc, 1e-15);
    expect(auprc(labels, scores)).toBe(answers.ranked[i].auprc);
    expect(brierScore(labels, scores)).toBe(answers.ranked[i].brier);
    near(logLoss(labels, scores.map((score) => [1 - score, score])), answers.ranked[i].logLoss, 1e-14);
  }));
  test('two one-sided t-tests, McNemar, Wilcoxon, corrections', () => {
    cases.paired.forEach(({ a, b, margin, onlyA, onlyB }, i) => {
      near(pairedTost({ a, b, margin }).pValue, answers.paired[i].tost, 1e-11);
      near(mcnemarOfCounts(onlyA, onlyB).pValue, answers.paired[i].mcnemar, 1e-11);
    });
    cases.families.forEach((values, i) => near(compareFamilies(values.map((difference, family) => ({ family: String(family), difference }))).wilcoxonPValue, answers.families[i], 1e-12));
    cases.corrected.forEach((p, i) => [holm(p), benjaminiHochberg(p), benjaminiHochberg(p, { dependent: true })].forEach((got, k) => got.forEach((value, j) => near(value, answers.corrected[i][(['holm', 'bh', 'by'] as const)[k]][j], 1e-12))));
  });
});

const features = { kmer: () => kmerFeatures(3, 6), onehot: oneHotFeatures, composition: compositionFeatures, 'kmer-onehot': kmerOneHotFeatures };
describeWithOracle('baselines on every complete set of ../shared/data/gue', existsSync(realGue), () => {
  test.each(['mouse_2', 'prom_core_tata', 'prom_300_tata', 'mouse_4', 'tf_3', 'tf_0'].flatMap((name) => (Object.keys(features) as (keyof typeof features)[]).map((kind) => [name, kind] as const)))('%s, %s: every prediction, and coefficients within 1e-6', async (name, kind) => {
    const task = findTask(name);
    const dataset = await loadDataset(task, realGue);
    const { report, predictions } = await evaluate({ task, dataset, classifier: baselines[kind](), resamples: 1 });
    const oracle = ask<{ predicted: number[]; coefficients: number[]; intercepts: number[] }>('baselines.py', { folder: join(realGue, task.folder), kind, C: report['C'] });
    expect(predictions.predicted.filter((prediction, item) => prediction !== oracle.predicted[item])).toEqual([]);
    const { trainMatrix } = features[kind as keyof typeof features]().learn(dataset.train.examples);
    const fitting = fitLogisticRegression({ matrix: trainMatrix, labels: dataset.train.examples.map(({ label }) => label), classes: 2, C: report['C'], tolerance: 1e-10, maxIterations: 20_000 });
    let step = fitting.next();
    while (!step.done) step = fitting.next();
    const wanted = [...oracle.coefficients, ...oracle.intercepts];
    expect(Math.max(...wanted.map((value, i) => Math.abs(value - (step.value as { coefficients: Float64Array }).coefficients[i])))).toBeLessThan(1e-6);
  });
  test('these are all', async () => expect((await availableTasks(realGue))!.map(({ name }) => name).sort()).toEqual(['mouse_2', 'mouse_4', 'prom_300_tata', 'prom_core_tata', 'tf_0', 'tf_3']));
});

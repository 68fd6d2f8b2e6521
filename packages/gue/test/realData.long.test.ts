import { baselines, evaluate, findTask, loadDataset, mcc, pairedBootstrap, type BaselineName } from '../src/index';
import { describeWithRealData, realGue } from './realData';

// Measured with scikit-learn 1.2.1, C chosen on dev, test touched once; MCC in percent.
const measured = {
  mouse_2: { composition: -7.43, kmer: 75.17, onehot: 25.7, 'kmer-onehot': 75.75 },
  prom_core_tata: { composition: 36.37, kmer: 46.51, onehot: 73.14, 'kmer-onehot': 59.1 },
  prom_300_tata: { composition: 21.44, kmer: 42.79, onehot: 74.33, 'kmer-onehot': 59.24 },
  tf_3: { composition: 7.22, kmer: 49.55, onehot: 2.2 },
} as const;

describeWithRealData('baselines on GUE', () => {
  test.each(Object.entries(measured).flatMap(([task, scores]) => Object.entries(scores).map(([id, score]) => [task, id as BaselineName, score] as const)))(
    '%s, %s: MCC within 1.5 points of %f', async (name, id, score) => {
      const task = findTask(name);
      const dataset = await loadDataset(task, realGue);
      expect(dataset.notes).toEqual([]);
      const record = await evaluate({ task, dataset, classifier: baselines[id](), kind: 'baseline' });
      expect(Math.abs(100 * record.scores[0].value - score)).toBeLessThan(1.5);
      const { low, high } = record.scores[0].interval!;
      expect(low).toBeLessThan(record.scores[0].value);
      expect(high).toBeGreaterThan(record.scores[0].value);
    });

  test('positions beat words on promoters, words beat positions on a transcription factor: paired differences exclude zero', async () => {
    for (const [name, better, worse] of [['prom_core_tata', 'onehot', 'kmer'], ['mouse_2', 'kmer', 'onehot']] as const) {
      const task = findTask(name);
      const dataset = await loadDataset(task, realGue);
      const predictions = async (id: BaselineName) => (await evaluate({ task, dataset, classifier: baselines[id](), resamples: 1 })).predictions;
      const [a, b] = [await predictions(better), await predictions(worse)];
      const { difference, interval } = pairedBootstrap({ labels: a.labels, a: a.predicted, b: b.predicted, metric: 'mcc' });
      expect(difference).toBe(mcc(a.labels, a.predicted) - mcc(b.labels, b.predicted));
      expect(interval.low).toBeGreaterThan(0.1);
    }
  });
});

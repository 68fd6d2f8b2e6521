// What there is to learn in the simulated tasks, and what is not: thousands of sequences a task.
import { kmers, naiveBayesMcc, placedKmers } from '../../test/naiveBayes';
import { createRandom } from './random';
import { simulateGueTask } from './simulateGueTask';
import { plantedMotifTask, simulatedTasks } from './tasks';

const all = [...simulatedTasks, plantedMotifTask].map((task) => [task.name, task] as const);

describe('what a small classifier learns (naive Bayes; five standard deviations of chance are 0.2)', () => {
  const set = (name: string) => simulateGueTask(name, { seed: 11, sizes: { train: name === 'sim_tf' ? 2000 : 1200, dev: 0, test: 600 } });

  test('a planted motif is found by counting k-mers: MCC above 0.9', () => {
    const { train, test } = set('sim_planted');
    expect(naiveBayesMcc(kmers(5), train, test)).toBeGreaterThan(0.9);
  });

  test.each([
    ['sim_prom_core', 'needs order and place', kmers(5), placedKmers(2), 0.35, 0.5],
    ['sim_tf', 'needs order, not place', placedKmers(1), kmers(6), -0.2, 0.6],
    ['sim_splice', 'needs place', kmers(5), placedKmers(1), -0.2, 0.6],
    ['sim_species', 'needs long words', kmers(1), kmers(5), -0.2, 0.6],
  ] as const)('%s can be learnt and %s', (name, _, lesser, better, least, most) => {
    const { train, test } = set(name);
    const low = naiveBayesMcc(lesser, train, test);
    expect(low).toBeGreaterThan(least);
    expect(low).toBeLessThan(most);
    expect(naiveBayesMcc(better, train, test)).toBeGreaterThan(most);
  });

  test.each(all)('%s with shuffled training labels: chance', (name) => {
    const { train, test } = simulateGueTask(name, { seed: 12, sizes: { train: 400, dev: 0, test: 600 } });
    const labels = train.map(({ label }) => label);
    createRandom(1, 'labels').shuffle(labels);
    const shuffledTrain = train.map(({ sequence }, i) => ({ sequence, label: labels[i] }));
    expect(Math.abs(naiveBayesMcc(name === 'sim_splice' ? placedKmers(1) : kmers(5), shuffledTrain, test))).toBeLessThan(0.2);
  });
});

import { createHash } from 'node:crypto';
import { kmers, naiveBayesMcc } from '../../test/naiveBayes';
import { acceptorSite, ctcf, donorSite, initiator, tataBox } from './motifs';
import { sampleChain, yeastChain } from './markov';
import { createRandom } from './random';
import { simulateGueTask } from './simulateGueTask';
import { plantedMotifTask, simulatedTasks } from './tasks';
import { yeastTetramers } from './yeastTetramers';

const all = [...simulatedTasks, plantedMotifTask].map((task) => [task.name, task] as const);
const counted = (sequences: readonly string[]) => [...sequences.join('')].sort().join('');

describe.each(all)('%s', (name, { classes, length, sizes }) => {
  const set = simulateGueTask(name, { seed: 3 });

  test('has the sizes, lengths and classes of its row, in equal shares and random order', () => {
    for (const part of ['train', 'dev', 'test'] as const) {
      const rows = set[part];
      expect(rows).toHaveLength(sizes[part]);
      for (const { sequence } of rows) expect(sequence).toMatch(new RegExp(`^[ACGT]{${length}}$`));
      for (const label of classes.keys()) expect(Math.abs(rows.filter((row) => row.label === label).length - sizes[part] / classes.length)).toBeLessThan(1);
      const same = rows.filter((row, i) => i > 0 && row.label === rows[i - 1].label).length; // neighbours with the same label
      expect(Math.abs(same / rows.length - 1 / classes.length)).toBeLessThan(5 * Math.sqrt(0.25 / rows.length));
    }
  });

  test('is a function of the seed, and no sequence occurs twice', () => {
    expect(simulateGueTask(name, { seed: 3 })).toEqual(set);
    expect(simulateGueTask(name, { seed: 4, sizes: { train: 10 } }).train).not.toEqual(simulateGueTask(name, { seed: 3, sizes: { train: 10 } }).train);
    const sequences = [...set.train, ...set.dev, ...set.test].map(({ sequence }) => sequence);
    expect(new Set(sequences).size).toBe(sequences.length);
  });
});

test('the rows of a seed stay what they are from version to version', () => {
  const hash = createHash('sha256');
  for (const [name] of all) for (const rows of Object.values(simulateGueTask(name, { seed: 1, sizes: { train: 50, dev: 10, test: 10 } }))) hash.update(JSON.stringify(rows));
  expect(hash.digest('hex')).toBe('d75c4699bd043783eb616ff091e759530c89f2b5aa488257a5fec4d2a69b4f22');
});

test.each(['sim_prom_core', 'sim_tf', 'sim_planted'])('%s: composition tells nothing, both classes have the same letters in all', (name) => {
  const { test: rows, train } = simulateGueTask(name, { seed: 5 });
  const of = (label: number) => counted(rows.filter((row) => row.label === label).map((row) => row.sequence));
  expect(of(0)).toBe(of(1));
  expect(naiveBayesMcc(kmers(1), train, rows)).toBe(0);
});

test.each([['donor', 1, donorSite, -3], ['acceptor', 2, acceptorSite, -15]] as const)('sim_splice: %s sites follow the published frequencies', (_, label, motif, offset) => {
  const sites = simulateGueTask('sim_splice', { seed: 2, sizes: { train: 3000, dev: 0, test: 0 } }).train.filter((row) => row.label === label);
  motif.forEach((weights, i) => {
    const total = weights.reduce((a, b) => a + b);
    weights.forEach((weight, letter) => {
      const expected = weight / total;
      const found = sites.filter(({ sequence }) => sequence[200 + offset + i] === 'ACGT'[letter]).length / sites.length;
      expect(Math.abs(found - expected)).toBeLessThanOrEqual(5 * Math.sqrt((expected * (1 - expected)) / sites.length));
    });
  });
});

test('published counts: 389 TATA boxes and 303 cap signals in every column, CTCF with its core CC..GAGGGCGC', () => {
  const totals = (motif: typeof ctcf) => new Set(motif.map((weights) => weights.reduce((a, b) => a + b)));
  expect([...totals(tataBox), ...totals(initiator)]).toEqual([389, 303]);
  expect(ctcf.map((weights) => 'ACGT'[weights.indexOf(Math.max(...weights))]).join('')).toBe('TGGCCACCAGGGGGCGCTA');
});

test('background has the tetramer frequencies of the genome it was counted in', () => {
  const letters = sampleChain(yeastChain, 1_000_000, createRandom(1, 'background'));
  const found = new Float64Array(256);
  for (let i = 3; i < letters.length; i++) found[64 * letters[i - 3] + 16 * letters[i - 2] + 4 * letters[i - 1] + letters[i]]++;
  const total = yeastTetramers.reduce((a, b) => a + b);
  yeastTetramers.forEach((count, i) => {
    const expected = (count / total) * letters.length;
    expect(Math.abs(found[i] - expected)).toBeLessThan(8 * Math.sqrt(expected)); // neighbouring tetramers are not independent
  });
});

test('arguments out of range are refused with the range', () => {
  expect(() => simulateGueTask('sim_x', { seed: 1 })).toThrow('expected one of sim_prom_core, sim_tf, sim_splice, sim_species, sim_planted, got "sim_x"');
  for (const seed of [-1, 1.5, 2 ** 32, NaN]) expect(() => simulateGueTask('sim_tf', { seed })).toThrow(RangeError);
  expect(() => simulateGueTask('sim_prom_core', { seed: 1, length: 69 })).toThrow('expected length to be a whole number from 70');
  expect(() => simulateGueTask('sim_tf', { seed: 1, sizes: { dev: -1 } })).toThrow('expected sizes.dev');
  expect(simulateGueTask('sim_splice', { seed: 1, length: 60, sizes: { train: 4, dev: 0, test: 1 } }).train.map(({ sequence }) => sequence.length)).toEqual([60, 60, 60, 60]);
});

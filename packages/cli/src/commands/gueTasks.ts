import { tasks } from '@genomelm/gue';
import { simulatedTasks } from '@genomelm/genome-io';
import { simulatedTask } from '../data';
import { textTable } from '../output';
import type { Command } from '../command';

export const gueTasks: Command = {
  name: 'gue tasks',
  summary: 'The 28 GUE and 8 GUE+ tasks, two of the Nucleotide Transformer, and the simulated ones.',
  usage: '[--json]',
  options: {},
  async run({ json, print }) {
    if (json) {
      print(`${JSON.stringify({ tasks, simulatedTasks: simulatedTasks.map(simulatedTask) }, null, 2)}\n`);
      return;
    }
    const rows = [
      ['task', 'benchmark', 'classes', 'bp', 'metric', 'train / dev / test', 'DNABERT-2'],
      ...tasks.map(({ name, benchmark, classes, bp, metric, declaredSizes, published }) => [
        name, benchmark, `${classes}`, `${bp}`, metric, declaredSizes ? `${declaredSizes.train} / ${declaredSizes.dev ?? '–'} / ${declaredSizes.test}` : 'not published',
        published.find(({ model }) => model === 'DNABERT-2')?.score.toFixed(2) ?? '–',
      ]),
      ...simulatedTasks.map(simulatedTask).map(({ name, classes, bp, metric, declaredSizes: { train, dev, test } }) => [name, 'simulated', `${classes}`, `${bp}`, metric, `${train} / ${dev} / ${test}`, '–']),
    ];
    print(textTable(rows));
  },
};

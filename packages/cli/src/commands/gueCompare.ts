import { compareModels, type ModelComparison } from '@genomelm/gue';
import { integer, UsageError, type Command } from '../command';
import { textTable } from '../output';
import { storedRecords } from '../results';

export const gueCompare: Command = {
  name: 'gue compare',
  summary: 'Compare two models (or baselines) from stored run records: paired differences, three tests, corrected for the number of tasks.',
  usage: 'A B [--runs DIR] [--margin 2]',
  options: {
    runs: { type: 'string', value: 'DIR', help: 'where gue run put its records (default: runs)' },
    resamples: { type: 'string', value: 'N', help: 'of bootstrap and permutation test (default 10000)' },
    seed: { type: 'string', value: 'N', help: 'of both (default 0)' },
    margin: { type: 'string', value: 'POINTS', help: 'a difference that would not matter, in points (score times 100), declared beforehand: adds two one-sided tests of equivalence' },
  },
  async run(context) {
    const { values, positionals, json, print } = context;
    if (positionals.length !== 2) throw new UsageError(`gue compare: expected the names of two models, got ${positionals.length ? positionals.join(' ') : 'none'}`);
    const folder = (values['runs'] as string | undefined) ?? 'runs';
    const records = (await storedRecords('gue compare', folder)).map(({ record }) => record);
    const unknown = positionals.find((name) => !records.some(({ model }) => model === name));
    if (unknown !== undefined) throw new UsageError(`gue compare: expected models among ${[...new Set(records.map(({ model }) => model))].join(', ')}, got ${unknown}`);
    const margin = values['margin'] === undefined ? undefined : Number(values['margin']) / 100;
    if (margin !== undefined && !(margin > 0 && margin < 1)) throw new UsageError(`--margin: expected points above 0 and below 100, got ${String(values['margin'])}`);
    const comparison = compareModels(records, positionals[0], positionals[1], {
      ...(margin === undefined ? {} : { margin }), resamples: integer(context, 'resamples', 10_000), seed: integer(context, 'seed', 0, { min: 0 }) });
    print(json ? `${JSON.stringify(comparison)}\n` : text(comparison));
  },
};

function text({ a, b, tasks, missing, meanDifference, families, won, lost }: ModelComparison): string {
  const points = (value: number) => `${value < 0 ? '−' : '+'}${Math.abs(100 * value).toFixed(1)}`;
  const p = (value: number) => (value < 0.001 ? '< 0.001' : value.toFixed(3));
  const rows = tasks.map(({ task, simulated, metric, items, difference, interval, adjusted, detectable, equivalence, ...scores }) => [
    task + (simulated ? ' [simulated]' : ''), metric, `${items}`, (100 * scores.a).toFixed(1), (100 * scores.b).toFixed(1), points(difference), `${points(interval.low)} to ${points(interval.high)}`,
    p(adjusted.bootstrap), p(adjusted.permutation), p(adjusted.mcnemar), detectable > 0 ? (100 * detectable).toFixed(1) : 'none', ...(equivalence ? [`${equivalence.equivalent ? 'yes' : 'no'}, p ${p(equivalence.pValue)}`] : []),
  ]);
  const margin = tasks[0]?.equivalence?.margin;
  const mean = meanDifference === undefined ? 'No mean of the differences' : `Mean difference ${points(meanDifference)}`;
  return [
    textTable([['task', 'metric', 'items', a, b, 'difference', '95 % interval', 'p bootstrap', 'p permutation', 'p McNemar', 'detectable', ...(margin === undefined ? [] : [`equal within ${(100 * margin).toFixed(1)}`])], ...rows]),
    `${a} is above ${b} on ${won} of ${tasks.length} tasks, below on ${lost}, undecided on ${tasks.length - won - lost} (bootstrap, Holm, 0.05). ${mean}.`,
    ...(families && families.families.length > 1 ? [`Over ${families.families.length} families of tasks (${families.families.map(({ family, difference }) => `${family} ${points(difference)}`).join(', ')}) the mean difference is ${points(families.meanDifference)}; p ${p(families.signFlipPValue)} by exchange of signs, ${p(families.wilcoxonPValue)} by Wilcoxon's test.`] : []),
    ...(missing.length ? [`Only one of the two has run ${missing.join(', ')}.`] : []),
    'p-values are corrected by Holm over the tasks. Scores and differences are times 100. Detectable: the smallest difference that these test items show with a power of 0.8; none: no resample shows any.',
    ...(tasks.some(({ seeds }) => Math.max(...seeds) > 1) ? [`Score, difference, interval and bootstrap are of the means over seeds; permutation, McNemar${margin === undefined ? '' : ', equality'} and what is detectable are of one run each, that with the middle score.`] : []),
    '',
  ].join('\n');
}

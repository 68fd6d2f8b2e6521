import { auditContainment, auditLeakage, type LeakageAudit } from '@genomelm/gue';
import { list, UsageError, type Command, type Context } from '../command';
import { dataDirectory, dataOption, openSources } from '../data';
import { textTable } from '../output';
import type { Dataset } from '@genomelm/gue';

export const gueAudit: Command = {
  name: 'gue audit',
  summary: 'Look for leaks: copies and near duplicates of test rows in train, conflicting labels, test rows inside the training rows of other tasks.',
  usage: '[--data DIR] [--tasks a,b] [--identity 0.8] [--coverage 0.5]',
  options: {
    data: dataOption,
    tasks: { type: 'string', value: 'A,B', help: 'task names (default: all that the data have in full)' },
    identity: { type: 'string', value: 'X', help: 'least share of equal columns of a near duplicate (default 0.8)' },
    coverage: { type: 'string', value: 'X', help: 'least share of the test sequence inside the alignment (default 0.5)' },
  },
  async run(context) {
    const { values, positionals, json, print, progress, signal } = context;
    if (positionals.length) throw new UsageError(`gue audit: expected options only, got ${positionals[0]}`);
    const thresholds = { identity: share(context, 'identity', 0.8), coverage: share(context, 'coverage', 0.5) };
    const datasets: Dataset[] = [];
    for (const source of await openSources(dataDirectory(values['data'] as string | undefined), list(context, 'tasks'))) datasets.push(await source.load(signal));
    const results: Row[] = [];
    for (const { task, simulated, train, test } of datasets) {
      const audit = await auditLeakage({ train: train.examples, test: test.examples }, { ...thresholds, signal, onProgress: (done, total) => progress.update({ stage: `audit ${task}`, done, total, unit: 'sequences' }) });
      results.push({ ...audit, task, simulated, nearDuplicateRows: audit.homologs.flatMap((homolog, row) => (homolog ? [{ ...homolog, row, trainRow: homolog.row }] : [])), homologs: undefined });
    }
    const containment = containments(datasets, signal);
    progress.finish();
    print(json ? `${JSON.stringify({ results, containment })}\n` : auditText(results, containment, thresholds));
  },
};

type Row = Omit<LeakageAudit, 'homologs'> & { readonly task: string; readonly simulated: boolean; readonly homologs: undefined; readonly nearDuplicateRows: readonly object[] };

function share({ values }: Context, name: string, fallback: number): number {
  const value = values[name] === undefined ? fallback : Number(values[name]);
  if (!(value > 0 && value <= 1)) throw new UsageError(`--${name}: expected a share above 0 and at most 1, got ${String(values[name])}`);
  return value;
}

/** Test rows of each task in the training rows of each other one, where there are any. */
function containments(datasets: readonly Dataset[], signal: AbortSignal) {
  return datasets.flatMap((into) => {
    signal.throwIfAborted();
    const others = datasets.filter((from) => from !== into && from.test.shortest <= into.train.longest);
    if (others.length === 0) return [];
    return auditContainment(others.map(({ test }) => test.examples), into.train.examples)
      .map((found, i) => ({ task: others[i].task, trainOf: into.task, ...found }))
      .filter(({ containedOnEitherStrand }) => containedOnEitherStrand > 0);
  });
}

function auditText(results: readonly Row[], containment: ReturnType<typeof containments>, { identity, coverage }: { identity: number; coverage: number }): string {
  const head = ['task', 'test rows', 'copies in train', 'reverse copies', 'label conflicts', 'copies inside train', 'near duplicates', 'with another label', 'nearest row has the label'];
  const rows = results.map((row) => [
    row.task + (row.simulated ? ' [simulated]' : ''), `${row.items}`, `${row.exactDuplicates}`, `${row.reverseComplementDuplicates}`, `${row.labelConflicts}`, `${row.duplicatesInTrain}`,
    `${row.nearDuplicates} (${percent(row.nearDuplicates / row.items)})`, `${row.oppositeLabelTwins}`, row.labelAgreement === undefined ? '–' : percent(row.labelAgreement),
  ]);
  const inside = containment.map(({ task, trainOf, contained, containedOnEitherStrand, items }) =>
    `${contained} of ${items} test rows of ${task} stand inside training rows of ${trainOf}${containedOnEitherStrand > contained ? ` (${containedOnEitherStrand} on either strand)` : ''}.\n`);
  return `${textTable([head, ...rows])}\nNear duplicates: identity >= ${identity} over >= ${coverage} of the test sequence, either strand.\n${inside.join('')}`;
}

const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;

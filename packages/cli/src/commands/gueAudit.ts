import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { auditContainment, auditDrift, auditLeakage, corpusOverlap, openRunStore, parseSketch, withHomology, type CorpusOverlap, type Drift, type LeakageAudit, type Sketch } from '@genomelm/gue';
import { list, share, UsageError, type Command } from '../command';
import { dataDirectory, dataOption, openSources } from '../data';
import { textTable } from '../output';
import type { Dataset } from '@genomelm/gue';

export const gueAudit: Command = {
  name: 'gue audit',
  summary: 'Look for leaks: copies and near duplicates of test rows in train, conflicting labels, twins, drift between splits, test rows inside the training rows of other tasks or in a corpus.',
  usage: '[--data DIR] [--tasks a,b] [--identity 0.8] [--coverage 0.5] [--sketch MODEL] [--runs DIR]',
  options: {
    data: dataOption,
    tasks: { type: 'string', value: 'A,B', help: 'task names (default: all that the data have in full)' },
    identity: { type: 'string', value: 'X', help: 'least share of equal columns of a near duplicate (default 0.8)' },
    coverage: { type: 'string', value: 'X', help: 'least share of the test sequence inside the alignment (default 0.5)' },
    sketch: { type: 'string', value: 'PATH', help: 'of the corpus that a model was trained on: the file, or the folder of a model with sketch.json; see gue sketch' },
    runs: { type: 'string', value: 'DIR', help: 'give the records there that were stored without an audit their homology-clean scores; nothing is fitted again' },
  },
  async run(context) {
    const { values, positionals, json, print, progress, signal } = context;
    if (positionals.length) throw new UsageError(`gue audit: expected options only, got ${positionals[0]}`);
    const thresholds = { identity: share(context, 'identity', 0.8), coverage: share(context, 'coverage', 0.5) };
    const sketch = values['sketch'] === undefined ? undefined : readSketch(values['sketch'] as string);
    const datasets: Dataset[] = [];
    for (const source of await openSources(dataDirectory(values['data'] as string | undefined), list(context, 'tasks'))) datasets.push(await source.load(signal));
    const results: Row[] = [];
    for (const { task, simulated, classes, train, dev, test } of datasets) {
      const audit = await auditLeakage({ train: train.examples, test: test.examples }, { ...thresholds, signal, onProgress: (done, total) => progress.update({ stage: `audit ${task}`, done, total, unit: 'sequences' }) });
      const { homologs, clusters, ...counts } = audit;
      results.push({
        ...counts, task, simulated, testClusters: new Set(clusters).size, drift: auditDrift({ train: train.examples, dev: dev.examples, test: test.examples }, classes),
        ...(sketch ? { corpus: await corpusOverlap(test.examples.flatMap(({ sequence, pair }) => [sequence, ...(pair === undefined ? [] : [pair])]), sketch) } : {}),
        ...(values['runs'] === undefined ? {} : { recordsScored: await scoreRecords(values['runs'] as string, test.sha256, audit) }),
        nearDuplicateRows: homologs.flatMap((homolog, row) => (homolog ? [{ ...homolog, row, trainRow: homolog.row }] : [])),
      });
    }
    const containment = containments(datasets, signal);
    progress.finish();
    print(json ? `${JSON.stringify({ schema: 'genomelm-audit/1', results, containment })}\n` : auditText(results, containment, thresholds));
  },
};

interface Row extends Omit<LeakageAudit, 'homologs' | 'clusters'> {
  readonly task: string;
  readonly simulated: boolean;
  /** Groups of test rows that depend on each other. */
  readonly testClusters: number;
  readonly drift: readonly Drift[];
  readonly corpus?: CorpusOverlap;
  readonly recordsScored?: number;
  readonly nearDuplicateRows: readonly object[];
}

function readSketch(path: string): Sketch {
  const file = existsSync(path) && statSync(path).isDirectory() ? join(path, 'sketch.json') : path;
  if (!existsSync(file)) throw new UsageError(`--sketch: expected a sketch or the folder of a model with sketch.json, got ${path}; make one with genomelm gue sketch`);
  return parseSketch(readFileSync(file, 'utf8'), file);
}

/** Adds homology-clean scores to the records of a test set that lack them. */
async function scoreRecords(folder: string, testSha256: string, audit: LeakageAudit): Promise<number> {
  const store = openRunStore(join(folder, 'records'));
  const wanting = (await store.list()).filter(({ data, homology }) => data.sha256.test === testSha256 && !homology);
  for (const record of wanting) await store.write(withHomology(record, audit));
  return wanting.length;
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
  const head = ['task', 'test rows', 'copies in train', 'reverse copies', 'label conflicts', 'copies inside train', 'near duplicates', 'with another label', 'twins by position', 'nearest row has the label'];
  const rows = results.map((row) => [
    row.task + (row.simulated ? ' [simulated]' : ''), `${row.items}`, `${row.exactDuplicates}`, `${row.reverseComplementDuplicates}`, `${row.labelConflicts}`, `${row.duplicatesInTrain}`,
    `${row.nearDuplicates} (${percent(row.nearDuplicates / row.items)})`, `${row.oppositeLabelTwins}`, `${row.positionalTwins.items} (${percent(row.positionalTwins.items / row.items)})`, row.labelAgreement === undefined ? '–' : percent(row.labelAgreement),
  ]);
  const drifting = results.flatMap(({ task, drift }) => drift.filter(({ pValue }) => pValue < 0.01).map(({ between: [a, b], kmerDivergence, byChance, pValue }) =>
    `${a} and ${b} of ${task} are not drawn alike: their 4-mers differ ${(kmerDivergence / byChance).toFixed(1)} times as much as by chance (p ${pValue <= 0.005 ? '≤ 0.005' : pValue.toFixed(3)}).\n`));
  const inside = containment.map(({ task, trainOf, contained, containedOnEitherStrand, items }) =>
    `${contained} of ${items} test rows of ${task} stand inside training rows of ${trainOf}${containedOnEitherStrand > contained ? ` (${containedOnEitherStrand} on either strand)` : ''}.\n`);
  const inCorpus = results.flatMap(({ task, corpus }) => (corpus ? [`${corpus.words ? percent(corpus.containment) : 'No word'} of the test words of ${task} stand${corpus.words ? '' : 's'} in the corpus (${corpus.shared} of ${corpus.words} sampled).\n`] : []));
  const scored = results.flatMap(({ task, recordsScored }) => (recordsScored ? [`${recordsScored} records of ${task} now hold homology-clean scores.\n`] : []));
  return [
    textTable([head, ...rows]), `\nNear duplicates: identity >= ${identity} over >= ${coverage} of the test sequence, either strand. Twins by position: a training row of another label with the same base at half of the positions, eleven of them in a row.\n`,
    ...drifting, ...inside, ...inCorpus, ...scored,
  ].join('');
}

const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { auditLeakage, splitByHomology, type Example } from '@genomelm/gue';
import { integer, list, share, UsageError, type Command } from '../command';
import { dataDirectory, dataOption, openSources } from '../data';
import { textTable, writeFileAtomic } from '../output';

export const gueSplit: Command = {
  name: 'gue split homology',
  summary: 'Split the rows of tasks anew, so that no row of one split resembles a row of another; writes CSV files in the layout of GUE, and what went where.',
  usage: '--data DIR -o DIR [--tasks a,b]',
  options: {
    data: dataOption,
    tasks: { type: 'string', value: 'A,B', help: 'task names (default: all that the data have in full)' },
    out: { type: 'string', short: 'o', value: 'DIR', help: 'the folder that then holds EMP/, prom/, tf/ …' },
    identity: { type: 'string', value: 'X', help: 'least share of equal columns of what counts as alike (default 0.8)' },
    coverage: { type: 'string', value: 'X', help: 'least share of either sequence inside the alignment (default 0.5)' },
    seed: { type: 'string', value: 'N', help: 'breaks ties (default 0)' },
  },
  async run(context) {
    const { values, positionals, json, print, progress, signal } = context;
    const out = values['out'] as string | undefined;
    if (positionals.length || out === undefined) throw new UsageError(`gue split homology: expected -o DIR, got ${positionals[0] ?? 'none'}`);
    const thresholds = { identity: share(context, 'identity', 0.8), coverage: share(context, 'coverage', 0.5) };
    const seed = integer(context, 'seed', 0, { min: 0 });
    const results: Row[] = [];
    for (const source of await openSources(dataDirectory(values['data'] as string | undefined), list(context, 'tasks'))) {
      const { train, dev, test } = await source.load(signal);
      const rows = [...train.examples, ...dev.examples, ...test.examples];
      const { splits, clusters, assigned } = await splitByHomology(rows, { ...thresholds, seed, signal, onProgress: (done, total) => progress.update({ stage: `split ${source.name}`, done, total, unit: 'sequences' }) });
      const folder = join(out, ...('folder' in source.task ? String(source.task.folder) : source.name).split('/'));
      mkdirSync(folder, { recursive: true });
      for (const [split, examples] of Object.entries(splits)) writeFileAtomic(join(folder, `${split}.csv`), csv(examples));
      writeFileAtomic(join(folder, 'homology.json'), `${JSON.stringify({ schema: 'genomelm-split/1', task: source.name, ...thresholds, seed, from: { train: train.sha256, dev: dev.sha256, test: test.sha256 }, rows: 'train, then dev, then test', clusters, assigned })}\n`);
      const left = await Promise.all([splits.dev, splits.test].map((part) => auditLeakage({ train: splits.train, test: part }, { ...thresholds, signal })));
      results.push({ task: source.name, rows: rows.length, clusters: new Set(clusters).size, train: splits.train.length, dev: splits.dev.length, test: splits.test.length, nearDuplicates: left.reduce((sum, audit) => sum + audit.nearDuplicates, 0), folder });
    }
    progress.finish();
    print(json ? `${JSON.stringify({ results })}\n` : text(results));
  },
};

interface Row { readonly task: string; readonly rows: number; readonly clusters: number; readonly train: number; readonly dev: number; readonly test: number; readonly nearDuplicates: number; readonly folder: string }

const csv = (examples: readonly Example[]): string => {
  const pairs = examples.some(({ pair }) => pair !== undefined);
  return `sequence,${pairs ? 'sequence2,' : ''}label\n${examples.map(({ sequence, pair, label }) => `${sequence},${pairs ? `${pair},` : ''}${label}\n`).join('')}`;
};

const text = (results: readonly Row[]): string => textTable([
  ['task', 'rows', 'groups', 'train', 'dev', 'test', 'near duplicates left', 'folder'],
  ...results.map(({ task, rows, clusters, train, dev, test, nearDuplicates, folder }) => [task, `${rows}`, `${clusters}`, `${train}`, `${dev}`, `${test}`, `${nearDuplicates}`, folder]),
]);

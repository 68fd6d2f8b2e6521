import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { auditLeakage, baselines, evaluate, f1Macro, loadDataset, mcc, tasks, withHomology, type Example } from '../src/index';
import { createResampleRandom } from '../src/statistics/random';

const home = mkdtempSync(join(tmpdir(), 'gue-every-'));
afterAll(() => rmSync(home, { recursive: true }));

/** Rows of a task's shape, in which a word of its own tells each class; every fourth test row is a training row. */
function write(task: (typeof tasks)[number], split: string, perClass: number, first: string[] = []): string[] {
  const random = createResampleRandom(split.length, 3);
  const bases = (length: number) => Array.from({ length }, () => 'ACGT'[Math.floor(random() * 4)]).join('');
  const word = (label: number) => Array.from({ length: 6 }, (_, i) => 'ACGT'[(label * 7 + (label >> 2) * (i + 1) + i) % 4]).join('');
  const length = Math.min(task.bp, 60);
  const rows = Array.from({ length: perClass * task.classes }, (_, i) => {
    const label = (i + Math.floor(i / 10)) % task.classes; // so that every tenth row is not always of one class
    const sequence = bases(length - 12) + word(label) + word(label);
    return `${sequence}${task.pair ? `,${bases(40)}` : ''},${label}`;
  });
  first.forEach((row, i) => (rows[4 * i] = row));
  const folder = join(home, task.folder);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${split}.csv.gz`), gzipSync(`sequence,${task.pair ? 'pair,' : ''}label\n${rows.join('\n')}\n`));
  return rows;
}

test.each(tasks.map((task) => [task.name, task] as const))('%s: loaded with its classes, sizes that differ reported, scored with its metric, audited', async (_name, task) => {
  const train = write(task, 'train', 12);
  if (task.devEvery === undefined) write(task, 'dev', 4);
  const copies = train.slice(0, task.classes);
  const rows = { train: train.length, test: write(task, 'test', 4, copies).length };
  const dataset = await loadDataset(task, home);
  expect(dataset.classes).toBe(task.classes);
  expect(dataset.test.classCounts).toHaveLength(task.classes);
  for (const split of ['train', 'test'] as const)
    if (task.declaredSizes?.[split] !== undefined) expect(dataset.notes.join(' ')).toContain(`The ${split} split has ${rows[split]} rows; the distributed file has ${task.declaredSizes[split]}.`);
  expect(dataset.train.examples.every((example: Example) => (example.pair !== undefined) === task.pair)).toBe(true);

  const record = await evaluate({ task, dataset, classifier: baselines['kmer'](), kind: 'baseline', resamples: 200 });
  const { labels, predicted, probabilities } = record.predictions;
  expect(record.scores[0]).toMatchObject({ metric: task.metric, value: (task.metric === 'mcc' ? mcc : f1Macro)(labels, predicted), items: labels.length });
  expect(record.scores[0].value).toBeGreaterThan(0.3); // a word tells each class
  expect(probabilities).toHaveLength(labels.length);
  const audit = await auditLeakage({ train: dataset.train.examples, test: dataset.test.examples });
  const kept = new Set(dataset.train.examples.map(({ sequence }) => sequence));
  expect(audit.exactDuplicates).toBe(copies.filter((row) => kept.has(row.split(',')[0])).length);
  expect(audit.exactDuplicates).toBeGreaterThan(0);
  expect(withHomology(record, audit).homology).toMatchObject({ homologousItems: audit.nearDuplicates, cleanItems: labels.length - audit.nearDuplicates });
});

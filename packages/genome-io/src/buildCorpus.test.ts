import { buildCorpus, type CorpusOptions, type CorpusReport, type CorpusSource } from './buildCorpus';
import { createRandom } from './simulate/random';

const random = createRandom(3, 'corpus');
const bases = (length: number) => Array.from({ length }, () => 'ACGT'[random.below(4)]).join('');
const genome = [['a', `${bases(500)}${bases(100).toLowerCase()}${bases(400)}NNNNNNNNNN${bases(190)}R`], ['b', bases(800)], ['c', bases(300)]] as const;
const source = (more: Partial<CorpusSource> = {}): CorpusSource => ({
  name: 'x', contigs: genome.map(([name, text]) => ({ name, length: text.length })),
  async *sequences() { for (const [name, text] of genome) yield { name, contig: name, sequence: new TextEncoder().encode(text) }; }, ...more,
});
const build = async (sources: readonly CorpusSource[], options: Partial<CorpusOptions> = {}) => {
  const records: { name: string; split: string; text: string }[] = [];
  const corpus = buildCorpus(sources, { seed: 1, windows: { length: 50 }, ...options });
  let step = await corpus.next();
  for (; !step.done; step = await corpus.next()) records.push({ name: step.value.name, split: step.value.split, text: new TextDecoder().decode(step.value.sequence) });
  return { records, reports: step.value as CorpusReport[] };
};
const textOf = (name: string) => { const [, contig, start, end] = /^x:(\w):(\d+)-(\d+)/.exec(name)!; return genome.find(([each]) => each === contig)![1].slice(Number(start) - 1, Number(end)); };

test('windows say where they are from, hold no repeats, and stay in the split of their contig', async () => {
  const { records, reports } = await build([source()], { repeats: { mode: 'split', minLength: 50, maxUnknown: 5 } });
  expect(records).toHaveLength(10 + 8 + 3 + 16 + 6);
  for (const { name, text, split } of records) {
    expect(text.replace('N', 'R')).toBe(textOf(name));
    expect(text).toMatch(/^[ACGTN]{50}$/);
    expect(reports[0].contigs[split as 'train']).toContain(name[2]);
  }
  expect(new Set(records.map(({ name }) => name)).size).toBe(records.length);
  expect(reports[0].repeats).toMatchObject({ length: 2301, repeats: 100, unknown: 10, kept: 2191 });
  expect(reports[0].windows).toBe(records.length);
  expect((await build([source()], { repeats: { mode: 'split', minLength: 50, maxUnknown: 5 } })).records).toEqual(records);
});

test('what is kept of each class of features', async () => {
  const { reports } = await build([source({ features: new Map([['a', [{ type: 'gene', start: 490, end: 520 }]], ['b', [{ type: 'gene', start: 0, end: 10 }]]]) })], {});
  expect(reports[0].repeats.byType).toEqual({ gene: { length: 40, kept: 20 } });
});

test('weights: a quarter, all and two and a half times, each time with another crop', async () => {
  const counts: number[] = [];
  const options = { windows: { length: 20, crop: 12, strands: 'random' as const }, repeats: { mode: 'keep' as const } };
  for (const weight of [0, 0.25, 1, 2.5]) counts.push((await build([source({ weight })], options)).records.length);
  const [none, quarter, all, more] = counts;
  expect([none, all]).toEqual([0, 60 + 40 + 15]);
  expect(Math.abs(quarter / all - 0.25)).toBeLessThan(0.15);
  expect(Math.abs(more / all - 2.5)).toBeLessThan(0.15);
  const { records } = await build([source({ weight: 2 })], options);
  expect(new Set(records.map(({ text }) => text)).size).toBeGreaterThan(all * 1.5);
  await expect(build([source({ weight: -1 })])).rejects.toThrow(/weight of 0 to 1000, got -1/);
});

test('the other strand and other crops of a window are no copies of it, but go with it', async () => {
  for (const method of ['exact', 'near'] as const) {
    const options = { duplicates: { method }, windows: { length: 100, crop: 95, strands: 'both' as const } };
    const alone = await build([source({ weight: 2 })], options);
    const all = (await build([source({ weight: 2 })], { windows: options.windows })).records;
    expect([alone.records, alone.reports[0].duplicates]).toEqual([all, 0]);
    if (method === 'near') expect((await build([source(), source({ name: 'y', weight: 2 })], options)).reports[1]).toMatchObject({ windows: 0, duplicates: all.length });
  }
});

test('copies between two genomes come in once', async () => {
  const twin = source({ name: 'y' });
  const { records, reports } = await build([source(), twin], { duplicates: { method: 'near' }, windows: { length: 100 } });
  expect(records.every(({ name }) => name.startsWith('x:'))).toBe(true);
  expect([reports[1].windows, reports[1].duplicates]).toEqual([0, reports[0].windows]);
});

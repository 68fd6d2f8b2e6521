import { auditContainment, auditLeakage, findTask, loadDataset } from '../src/index';
import { parseCsv } from '../src/csv';
import { describeWithRealData, realGue } from './realData';
import { gunzipSync } from 'node:zlib';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

// Counted apart from this package: exact copies, label conflicts, copies inside train, and the shares that blastn 2.12 finds
// (-task blastn -word_size 11 -evalue 1e-3 -dust no) at 95/90, 90/50 and 80/50 % identity and coverage of the query, in percent of the test rows.
const counted = {
  mouse_2: [0, 0, 0, 0.9, 26.5, 42.4],
  mouse_4: [0, 0, 0, 0.1, 0.5, 1.0],
  prom_core_tata: [16, 1, 57, 4.7, 7.8, 10.9],
  prom_300_tata: [6, 0, 56, 2.9, 5.1, 9.0],
  tf_3: [1, 0, 20, 2.4, 14.1, 27.5],
  tf_0: [0, 0, 8, 2.6, 11.2, 14.5],
} as const;

describeWithRealData('leaks of GUE', () => {
  test.each(Object.entries(counted))('%s', async (name, [exactDuplicates, labelConflicts, duplicatesInTrain, , , at80]) => {
    const { train, test } = await loadDataset(findTask(name), realGue);
    const audit = await auditLeakage({ train: train.examples, test: test.examples });
    expect(audit).toMatchObject({ exactDuplicates, labelConflicts, duplicatesInTrain });
    expect((100 * audit.nearDuplicates) / audit.items).toBeGreaterThan(0.97 * at80 - 0.05);
    expect((100 * audit.nearDuplicates) / audit.items).toBeLessThan(1.1 * at80 + 0.5); // Those that blastn leaves out for their E-value, or beyond its lists of 500.
  });

  test('stricter thresholds on TATA promoters find what blastn finds', async () => {
    for (const name of ['prom_core_tata', 'prom_300_tata'] as const) {
      const { train, test } = await loadDataset(findTask(name), realGue);
      for (const [column, thresholds] of [[3, { identity: 0.95, coverage: 0.9 }], [4, { identity: 0.9, coverage: 0.5 }]] as const) {
        const { nearDuplicates, items } = await auditLeakage({ train: train.examples, test: test.examples }, thresholds);
        const found = (100 * nearDuplicates) / items - counted[name][column];
        expect(found).toBeGreaterThan(-0.06); // the table is rounded to a tenth
        expect(found).toBeLessThan(0.5);
      }
    }
  });

  test('492 of 613 core promoters of the test set stand in the training rows of the longer promoters', async () => {
    const [core, long] = [await loadDataset(findTask('prom_core_tata'), realGue), await loadDataset(findTask('prom_300_tata'), realGue)];
    expect(auditContainment([core.test.examples], long.train.examples)[0]).toMatchObject({ items: 613, contained: 492 });
  });

  test.each([['EMP/H3', 6.9], ['EMP/H4', 5.5]])('%s, dev in place of the training set', async (folder, at80) => {
    const read = (split: string) => {
      const [, ...rows] = parseCsv(gunzipSync(readFileSync(join(realGue, folder, `${split}.csv.gz`))).toString(), split);
      return rows.map(({ fields: [sequence, label] }) => ({ sequence, label: Number(label) }));
    };
    const audit = await auditLeakage({ train: read('dev'), test: read('test') });
    expect(audit).toMatchObject({ exactDuplicates: 0, duplicatesInTrain: 0 });
    expect(Math.abs((100 * audit.nearDuplicates) / audit.items - at80)).toBeLessThan(0.5);
  });
});

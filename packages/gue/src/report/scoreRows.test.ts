import { sampleReport } from '../../test/reportSample';
import { parseCsv } from '../csv';
import { renderCsv, renderLatex } from './scoreRows';

describe('comma-separated scores', () => {
  const input = sampleReport(false);
  const [head, ...rows] = [...parseCsv(renderCsv(input), 'report.csv')].map(({ fields }) => fields);
  const records = rows.map((row) => Object.fromEntries(head.map((name, i) => [name, row[i]])));
  test('hold every model, baseline and published row of every task, with all digits', () => {
    expect(records).toHaveLength(8 * (2 + 4 + 3));
    expect(new Set(rows.map((row) => row.length))).toEqual(new Set([head.length]));
    for (const { task, model, mean, interval } of input.aggregates!) {
      const record = records.find((each) => each.task === task && each.model === model)!;
      expect([Number(record.score), Number(record.low), Number(record.high), record.seeds]).toEqual([mean, interval.low, interval.high, '3']);
    }
    expect(records.find(({ task, model }) => task === 'mouse_2' && model === 'DNABERT-2')).toMatchObject({ kind: 'published', score: '0.7931999999999999', low: '', verdict: '' });
  });
  test('a name cannot break a row or become a formula', () => {
    const hostile = { ...input, records: input.records.filter(({ task, kind }) => task === 'mouse_2' && kind === 'baseline').map((record, i) => ({ ...record, model: i ? record.model : '=1+1,"x"\n' })), aggregates: [], differences: [] };
    const [, ...parsed] = [...parseCsv(renderCsv(hostile), 'report.csv')].map(({ fields }) => fields);
    expect(parsed.map((row) => row[4])).toContain('\'=1+1,"x"\n');
    expect(new Set(parsed.map((row) => row.length))).toEqual(new Set([head.length]));
  });
});

describe('a LaTeX table', () => {
  const table = renderLatex(sampleReport(false));
  test('has as many cells in every row as columns', () => {
    const columns = /\\begin\{tabular\}\{(\w+)\}/.exec(table)![1].length;
    const rows = table.split('\n').filter((line) => line.endsWith('\\\\'));
    expect(rows).toHaveLength(1 + 8 + 1);
    for (const row of rows) expect(row.split(' & ')).toHaveLength(columns);
  });
  test('escapes names and writes minus as a sign', () => {
    expect(table).toContain('prom\\_core\\_tata');
    expect(table).not.toMatch(/[^\\]_/);
    expect(table).not.toContain('\u2212');
  });
  test('a missing task blocks the mean, simulated data are named', () => {
    const input = sampleReport(true);
    const without = { ...input, records: input.records.filter(({ task, model }) => task !== 'tf_0' || model !== 'small'), aggregates: input.aggregates!.filter(({ task, model }) => task !== 'tf_0' || model !== 'small') };
    expect(renderLatex(without)).toMatch(/^Mean & {2}& -- & -- & \d/m);
    expect(renderLatex(without)).toContain('SIMULATED');
  });
});

import { sampleReport } from '../../test/reportSample';
import { renderReport } from './page';
import { renderTable } from './table';

const [real, simulated] = [false, true].map(sampleReport);
const lines = (text: string) => text.split('\n');

test('each task shows its models with intervals, its baselines, its published rows and what they cost', () => {
  const text = renderTable(real).replace(/\u00a0/g, ' ');
  for (const { name } of real.tasks) expect(text).toContain(`\n${name}: `);
  expect(text).toMatch(/\n {2}small +77\.6 {2}\[70\.7, 83\.9\] +3 {2}not separated from onehot, \+4\.5 +73\.6 \(546\) +0\.0 % +95 s\n {6}memory 388 MiB, parameters 0\.43 M, tokens per base 0\.97\n/);
  expect(text).toMatch(/\n {2}onehot +73\.1 .* best baseline on dev /);
  expect(text).toMatch(/\n {2}published, not comparable: DNABERT-3mer 78\.2 \(86 M\), /);
  expect(text).not.toContain('simulated');
});

test('what was noted of the data stands below the task, and on the page', () => {
  const [first, ...others] = real.records;
  const noted = { ...real, records: [{ ...first, data: { ...first.data, notes: ['Every dev item has the label 0.'] } }, ...others] };
  expect(renderTable(noted)).toContain(`\n  data: Every dev item has the label 0.\n`);
  expect(renderReport(noted)).toContain(`<li>${first.task}: Every dev item has the label 0.</li>`);
});

test('simulated stands in the title and on every task', () => {
  const text = renderTable(simulated);
  expect(lines(text)[0]).toContain('(simulated data)');
  expect(lines(text).filter((line) => line.endsWith('[simulated]'))).toHaveLength(simulated.tasks.length);
});

test.each([40, 60, 80, 120, 200])('no line is longer than %i columns, and no number is lost', (width) => {
  const text = renderTable(simulated, { width });
  expect(Math.max(...lines(text).map((line) => [...line].length))).toBeLessThanOrEqual(width);
  expect(text.match(/388\u00a0MiB/g)).toHaveLength(2 * simulated.tasks.length);
});

test('colours are off unless asked for, and carry nothing alone', () => {
  // eslint-disable-next-line no-control-regex -- the escape character is what this is about
  expect(renderTable(real, { colour: true }).replace(/\u001b\[\d+m/g, '')).toBe(renderTable(real));
});

test('a name cannot write escape sequences or new lines', () => {
  const text = renderTable({ ...real, title: 'a\u001b]0;b\nc', records: real.records.slice(0, 1).map((record) => ({ ...record, model: '\u001b[2J\nsmall' })), aggregates: [] });
  expect(text).not.toContain('\u001b');
  expect(text).toContain('\ufffd[2J small');
});

test('a width that cannot hold a row is refused', () => {
  expect(() => renderTable(real, { width: 10 })).toThrow('renderTable: expected a width of at least 40 columns, got 10; leave it out for 120');
});

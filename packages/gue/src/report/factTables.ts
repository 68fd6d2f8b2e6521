import type { RunRecord } from '../runRecord';
import { dataTable, type RowGroup } from './dataTable';
import { bytes, count, duration, listed, magnitude, share } from './format';
import { html, joinHtml, type Html } from './html';
import { splits } from './input';
import { dataNotes, otherSizes } from './meaning';
import { average, groupBy, reported, rowsOf, type Summary } from './summary';

/** Sizes of the splits beside the declared ones, class balance, hashes, and what was noted when the files were read. */
export function dataSection(summary: Summary): Html {
  const rows = summary.tasks.flatMap((task) => {
    const data = rowsOf(task)[0]?.records[0].data;
    if (!data) return [];
    const sizes = splits.map((split) => html`${count(data.sizes[split])}${otherSizes(task, split).map((text) => html`<br/><span class="tag">${text}</span>`)}`);
    return [[task.task.name, ...sizes, task.task.bp === undefined ? '' : count(task.task.bp), balance(data.testClassCounts), html`<span class="mono">${data.sha256.test.slice(0, 12)}</span>`]];
  });
  const notes = summary.tasks.flatMap((task) => dataNotes(task).map((note) => html`<li>${task.task.name}: ${note}</li>`));
  return html`${dataTable({ caption: 'Rows of each split as they stand in the files, and the classes of the test set', simulated: summary.simulated, groups: [{ rows }], columns: [
    { head: 'Task' }, { head: 'Train', kind: 'number' }, { head: 'Dev', kind: 'number' }, { head: 'Test', kind: 'number' }, { head: 'Length, bp', kind: 'number' }, { head: 'Test items by class' }, { head: 'Test sha256' },
  ] })}
${notes.length > 0 && html`<ul class="quiet">${notes}</ul>`}`;
}

function balance(counts: readonly number[]): Html {
  const total = counts.reduce((sum, items) => sum + items, 0);
  const words = counts.map((items, label) => `class ${label} ${count(items)} (${share(items / total)})`);
  return html`<span class="balance" aria-hidden="true">${counts.map((items) => html`<span style="flex: ${Number(items)}"></span>`)}</span><span class="quiet">${words.join(', ')}</span>`;
}

/** What each run took, and how its input was cut into tokens. */
export function costSection(summary: Summary): Html {
  const number = (value: number | undefined, format: (value: number) => string) => (value === undefined ? '' : format(value));
  const mean = (records: readonly RunRecord[], value: (record: RunRecord) => number) => average(records.map(value));
  const groups = summary.tasks.map((task) => ({ head: task.task.name, rows: rowsOf(task).map(({ model, records }) => [
    model, duration(mean(records, ({ cost }) => cost.fitSeconds)), duration(mean(records, ({ cost }) => cost.predictSeconds)), bytes(Math.max(...records.map(({ cost }) => cost.peakMemoryBytes))),
    number(reported(records, 'parameters'), magnitude), number(reported(records, 'tokensPerBase'), (value) => value.toFixed(2)), number(reported(records, 'truncatedFraction'), share),
    [...new Set(records.map(({ cost }) => `${cost.device}, ${cost.threads} thread${cost.threads === 1 ? '' : 's'}`))].join('; '),
  ]) }));
  return dataTable({ caption: 'Seconds are means over seeds, memory is the highest peak of a process', simulated: summary.simulated, groups, columns: [
    { head: 'Who' }, { head: 'Fit', kind: 'number' }, { head: 'Predict', kind: 'number' }, { head: 'Peak memory', kind: 'number' }, { head: 'Parameters', kind: 'number' },
    { head: 'Tokens per base', kind: 'number' }, { head: 'Truncated', kind: 'number' }, { head: 'Device' },
  ] });
}

/** Everything that is needed to run it again. */
export function provenanceSection(summary: Summary): Html {
  const { records, provenance, recordPaths = [] } = summary.input;
  const rows = groupBy(records, (record) => `${record.kind} ${record.model}`).map((group) => [
    group[0].model, [...new Set(group.map((record) => record.seed))].sort((a, b) => a - b).join(', '), hyperparameters(group),
    html`<span class="mono">${listSome([...new Set(group.map((record) => record.fingerprint.slice(0, 12)))])}</span>`,
  ]);
  const hashes = summary.tasks.flatMap((task) => {
    const sha256 = rowsOf(task)[0]?.records[0].data.sha256;
    return sha256 ? [[task.task.name, ...splits.map((split) => html`<span class="mono hash">${sha256[split]}</span>`)]] : [];
  });
  const table = (caption: string, heads: readonly string[], cells: RowGroup['rows']) => dataTable({ caption, simulated: summary.simulated, groups: [{ rows: cells }], columns: heads.map((head) => ({ head })) });
  return html`<dl class="facts">${Object.entries(provenance).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
${table('Seeds, hyper-parameters and fingerprints of weights, configuration and tokenizer', ['Who', 'Seeds', 'Hyper-parameters', 'Fingerprints'], rows)}
${table('sha256 of the data', ['Task', 'Train', 'Dev', 'Test'], hashes)}
${recordPaths.length > 0 && html`<h3>Run records</h3><p class="quiet">Each holds the prediction for every test item.</p><ul class="mono">${recordPaths.map((path) => html`<li>${path}</li>`)}</ul>`}`;
}

const listSome = (names: readonly string[], most = 4): string => names.slice(0, most).join(', ') + (names.length > most ? ` and ${names.length - most} more` : '');

/** "learningRate 0.001; epochs 8 (mouse_2), 2 (tf_3)": a value that is the same in all runs is written once. */
function hyperparameters(records: readonly RunRecord[]): Html {
  const names = [...new Set(records.flatMap((record) => Object.keys(record.hyperparameters)))];
  return joinHtml(names.map((name) => {
    const byValue = groupBy(records.filter((record) => Object.hasOwn(record.hyperparameters, name)), (record) => String(record.hyperparameters[name]));
    const values = byValue.map((group) => `${String(group[0].hyperparameters[name])}${group.length === records.length ? '' : ` (${listed([...new Set(group.map((record) => record.task))])})`}`);
    return html`<span class="quiet">${name}</span> ${values.join(', ')}`;
  }), '; ');
}

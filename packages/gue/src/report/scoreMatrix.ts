import { dataTable, simulatedTag, type Column } from './dataTable';
import { intervalText, magnitude, metricName, percent, points } from './format';
import { html, plainText, type Html } from './html';
import { axisLabels, kindSign, modelSign, scorePlot, type Axis, type Mark } from './scorePlot';
import { average, isComparable, type Comparison, type Row, type Summary, type TaskSummary } from './summary';

/** One row a task: every model, the best baseline and the best published row, drawn on a common axis and in numbers. */
export function scoreMatrix(summary: Summary, axis: Axis): Html {
  const published = summary.tasks.some((task) => task.task.published?.length);
  const audited = summary.tasks.some((task) => task.models.some((row) => row.clean));
  const mixed = summary.simulated && summary.tasks.some((task) => !task.simulated);
  const columns: readonly Column[] = [
    { head: 'Task' }, { head: axisLabels(axis), kind: 'plot' }, ...summary.models.map((model) => ({ head: html`${modelSign(summary.styles.get(model)!)}${model}` })),
    { head: html`${kindSign('bestBaseline')}best baseline` }, ...(published ? [{ head: html`${kindSign('published')}best published` }] : []),
  ];
  const rows = summary.tasks.map((task) => [
    html`<a href="#${anchor(task)}">${task.task.name}</a>${simulatedTag(mixed && task.simulated)}<br/><span class="quiet">${metricName(task.task.metric)}</span>`,
    scorePlot(matrixLanes(task, summary), axis, `Scores on ${task.task.name}`),
    ...summary.models.map((model) => modelCell(task.models.find((row) => row.model === model))),
    task.best ? html`${scoreText(task.best.row)}<br/><span class="quiet">${task.best.row.model}</span>${task.best.row.clean && html`<br/><span class="quiet clean">clean ${percent(task.best.row.clean.mean)}</span>`}` : 'none',
    ...(published ? [publishedCell(task)] : []),
  ]);
  return dataTable({
    caption: `Scores on the test sets, times 100, with the ${summary.intervalHead}${audited ? '; clean: without the test items that have a near duplicate in train' : ''}`, simulated: summary.simulated, wide: true, columns,
    groups: [{ rows }, { rows: [meanRow(summary, columns.length)] }],
  });
}

/** Where a task's section is on the page. */
export const anchor = (task: TaskSummary): string => `task-${encodeURIComponent(plainText(task.task.name))}${task.simulated ? '-simulated' : ''}`;

/** "above kmer" as a sign and the difference, in a colour that repeats it. */
export const comparisonMark = ({ verdict, difference }: Comparison): Html => html`<span class="verdict ${verdict}">${verdictSigns[verdict]} ${points(difference)}</span>`;
const verdictSigns = { above: '▲ above', unclear: '≈ not separated', below: '▼ below' } as const;

const scoreText = (row: Row): Html => html`<span class="score">${percent(row.mean)}</span> <span class="interval">${row.interval && intervalText(row.interval)}</span>`;

const modelCell = (row: Row | undefined): Html | string => (row ? html`${scoreText(row)}${row.comparison && html`<br/>${comparisonMark(row.comparison)}`}${row.clean && html`<br/><span class="quiet clean">clean ${percent(row.clean.mean)}</span>`}` : 'not run');

function publishedCell(task: TaskSummary): Html | string {
  const rows = task.task.published ?? [];
  if (!rows.length) return 'none';
  const best = rows.reduce((most, row) => (row.score > most.score ? row : most));
  const size = best.parameters === undefined ? '' : `, ${magnitude(best.parameters)}`;
  const word = !isComparable(best, task) && html` <span class="interval">not comparable</span>`;
  return html`<span class="score">${percent(best.score / 100)}</span>${word}<br/><span class="quiet">${best.model}${size}</span>`;
}

function matrixLanes(task: TaskSummary, summary: Summary): readonly (readonly Mark[])[] {
  return [
    ...task.models.map((row) => [{ kind: 'model' as const, style: summary.styles.get(row.model)!, name: row.model, value: row.mean, interval: row.interval }]),
    baselineMarks(task),
    (task.task.published ?? []).map(({ model, score }) => ({ kind: 'published' as const, name: `published ${model}`, value: score / 100 })),
  ].filter((lane) => lane.length > 0);
}

const baselineMarks = (task: TaskSummary): readonly Mark[] => task.baselines.map((row) => {
  const best = row === task.best?.row;
  return { kind: best ? 'bestBaseline' : 'baseline', name: row.model, value: row.mean, ...(best && { interval: row.interval }) };
});

/** Means over the tasks, without an interval; a missing task blocks a mean instead of vanishing from it. */
function meanRow(summary: Summary, width: number): readonly (string | Html)[] {
  const cell = (values: readonly (number | undefined)[], clean: readonly (number | undefined)[]) => {
    const missing = values.filter((value) => value === undefined).length;
    return missing ? html`<span class="quiet">no mean, ${missing} not run</span>` : html`<span class="score">${percent(average(values as readonly number[]))}</span>${clean.every((value) => value !== undefined) && html`<br/><span class="quiet clean">clean ${percent(average(clean as readonly number[]))}</span>`}`;
  };
  const cellOf = (rows: readonly (Row | undefined)[]) => cell(rows.map((row) => row?.mean), rows.map((row) => row?.clean?.mean));
  const means = summary.models.map((model) => cellOf(summary.tasks.map((task) => task.models.find((row) => row.model === model))));
  return ['Mean of the tasks', '', ...means, cellOf(summary.tasks.map((task) => task.best?.row)), ...new Array<string>(width - means.length - 3).fill('')];
}

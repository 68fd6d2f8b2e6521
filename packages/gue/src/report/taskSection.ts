import { dataTable, simulatedTag, type RowGroup } from './dataTable';
import { count, duration, intervalText, magnitude, metricName, percent, points, share } from './format';
import { html, type Html } from './html';
import type { PublishedRow } from './input';
import { comparisonText, taskFacts } from './meaning';
import { anchor, comparisonMark } from './scoreMatrix';
import { axisLabels, kindSign, modelSign, niceAxis, scorePlot, type Axis, type Mark } from './scorePlot';
import { average, devScoreOf, isComparable, reported, rowsOf, scoreOf, type Row, type Summary, type TaskSummary } from './summary';
import { costPlot } from './costPlot';
import { calibrationPlots, confusionMatrices, learningCurves } from './taskFigures';

type Cells = RowGroup['rows'][number];

/** All about one task: scores, seeds, learning curves, confusion matrices. */
export function taskSection(task: TaskSummary, summary: Summary, axis: Axis): Html {
  return html`<section class="task" id="${anchor(task)}"><h3>${task.task.name}${simulatedTag(task.simulated)}</h3>
<p class="quiet">${task.task.description && `${task.task.description}. `}${metricName(task.task.metric)}, ${taskFacts(task)}.</p>
${scoreTable(task, summary, axis)}
${cleanTable(task, summary)}
${seedTable(task, summary)}
${learningCurves(task, summary)}
${calibrationPlots(task, summary)}
${confusionMatrices(task, summary)}
${costFigure(task, summary)}</section>
`;
}

function costFigure(task: TaskSummary, summary: Summary): Html | false {
  const plot = costPlot(task, summary);
  return plot && html`<h4>Score against cost${simulatedTag(task.simulated)}</h4>
<div class="figures">${plot}</div>`;
}

function scoreTable(task: TaskSummary, summary: Summary, axis: Axis): Html {
  const audited = rowsOf(task).some((row) => row.clean);
  const scored = (row: Row): Cells => [...scoreRow(row, task, summary, axis), ...(audited ? [cleanCell(row)] : [])];
  const groups: readonly RowGroup[] = [
    { head: 'Models', rows: task.models.map(scored) },
    { head: 'Baselines', rows: task.baselines.map(scored) },
    { head: 'Published', rows: (task.task.published ?? []).map((row) => [...publishedRow(row, task, axis), ...(audited ? [''] : [])]) },
  ];
  return dataTable({
    caption: `${task.task.name}: ${metricName(task.task.metric)} on the test set, times 100. ${intervalLegend(task)}`, simulated: task.simulated, groups,
    columns: [
      { head: 'Who' }, { head: 'Score', kind: 'number' }, { head: summary.intervalHead }, { head: axisLabels(axis), kind: 'plot' }, { head: 'Against the best baseline' },
      { head: 'Seeds', kind: 'number' }, { head: 'Truncated', kind: 'number' }, { head: 'Fit, each', kind: 'number' }, ...(audited ? [{ head: 'Clean', kind: 'number' as const }] : []),
    ],
  });
}

function scoreRow(row: Row, task: TaskSummary, summary: Summary, axis: Axis): Cells {
  const best = row === task.best?.row;
  const truncated = reported(row.records, 'truncatedFraction');
  const mark: Mark = { ...markOf(row, summary, best), value: row.mean, interval: row.interval };
  return [
    html`${signOf(mark)}${row.model}${oneClass(row)}`, scoreCell(row.mean), intervalCell(row.interval), scorePlot([[mark]], axis, `${row.model} on ${task.task.name}`),
    row.comparison ? html`<span title="${comparisonText(row.comparison)}">${comparisonMark(row.comparison)} ${row.comparison.interval && intervalCell(row.comparison.interval)}</span>` : best ? `best, chosen on ${task.best!.chosenOn}` : '',
    row.records.length, truncated === undefined ? '' : share(truncated), duration(average(row.records.map((record) => record.cost.fitSeconds))),
  ];
}

const cleanCell = ({ clean }: Row): Html | string => (clean ? scoreCell(clean.mean) : '');

/** The scores without the test items that have a near duplicate in train, and how far they lie from those of the others. */
function cleanTable(task: TaskSummary, summary: Summary): Html | false {
  const rows = rowsOf(task).flatMap((row) => (row.clean ? [{ row, clean: row.clean }] : []));
  if (!rows.length) return false;
  const [{ clean: { items, homologousItems, clustered: groups } }] = rows;
  return dataTable({
    caption: `${task.task.name}: Homology-clean scores, on the ${count(items)} test items without a near duplicate in train; the other ${count(homologousItems)} have one${groups ? `. All items form ${count(groups.clusters)} groups of homologs` : ''}`, simulated: task.simulated,
    groups: [{ rows: rows.map(({ row, clean: { mean, interval, gap, matched, clustered } }) => [
      html`${signOf({ ...markOf(row, summary, row === task.best?.row), value: mean })}${row.model}`, scoreCell(mean), intervalCell(interval), gap ? html`${points(gap.value)} <span class="interval">${intervalText(gap.interval)}</span>` : '',
      matched === undefined ? '' : percent(matched), intervalCell(clustered?.interval),
    ]) }],
    columns: [
      { head: 'Who' }, { head: 'Clean', kind: 'number' }, { head: summary.intervalHead }, { head: 'Homologous minus clean' }, { head: 'At all classes\u2019 shares', kind: 'number' }, { head: 'All items, groups together' },
    ],
  });
}

function publishedRow(row: PublishedRow, task: TaskSummary, axis: Axis): Cells {
  const value = row.score / 100;
  return [
    html`${kindSign('published')}${row.model}${row.parameters !== undefined && html` <span class="quiet">${magnitude(row.parameters)}</span>`}`, scoreCell(value), intervalCell(undefined),
    scorePlot([[{ kind: 'published', name: row.model, value }]], axis, `${row.model} on ${task.task.name}, published`), isComparable(row, task) ? 'of comparable size' : 'not comparable', '', '', '',
  ];
}

/** Each seed on an axis of its own scale, where the spread can be seen. */
function seedTable(task: TaskSummary, summary: Summary): Html | false {
  const rows = rowsOf(task).filter((row) => row.records.length > 1);
  if (!rows.length) return false;
  const scores = rows.flatMap((row) => row.records.map((record) => scoreOf(record, task.task.metric)));
  const axis = niceAxis(scores.flatMap(({ value, interval }) => [value, interval?.low ?? value, interval?.high ?? value]));
  const groups = rows.map((row) => ({ rows: row.records.map((record) => {
    const { value, interval } = scoreOf(record, task.task.metric);
    const mark: Mark = { ...markOf(row, summary), value, interval };
    const dev = devScoreOf(record);
    return [
      html`${signOf(mark)}${row.model}, seed ${record.seed}${oneClass({ ...row, records: [record] })}`, scoreCell(value), intervalCell(interval),
      scorePlot([[mark]], axis, `${row.model}, seed ${record.seed}, on ${task.task.name}`), dev === undefined ? '' : percent(dev), reported([record], 'bestEpoch') ?? '',
    ];
  }) }));
  return dataTable({
    caption: `${task.task.name}: each seed, on an axis of its own`, simulated: task.simulated, groups,
    columns: [
      { head: 'Run' }, { head: 'Score', kind: 'number' }, { head: `${summary.intervalHead} over items` }, { head: axisLabels(axis), kind: 'plot' },
      { head: 'Best dev', kind: 'number' }, { head: 'Best epoch', kind: 'number' },
    ],
  });
}

const scoreCell = (value: number): Html => html`<span class="score">${percent(value)}</span>`;
const intervalCell = (interval: Row['interval']): Html => html`<span class="interval">${intervalText(interval)}</span>`;
const signOf = (mark: Mark): Html => (mark.kind === 'model' ? modelSign(mark.style ?? 0) : kindSign(mark.kind));

/** Predicting one class is a failure of a model, and what the majority baseline does. */
const oneClass = (row: Row): Html | false => row.kind === 'model' && row.records.some((record) => record.collapsed) && html` <span class="tag">one class only</span>`;

const markOf = (row: Row, summary: Summary, best = false): Pick<Mark, 'kind' | 'style' | 'name'> =>
  row.kind === 'model' ? { kind: 'model', style: summary.styles.get(row.model)!, name: row.model } : { kind: best ? 'bestBaseline' : 'baseline', name: row.model };

const intervalMeanings = [
  ['mean', 'of the mean over seeds, test items nested in seeds'], ['run', 'of one run, over test items'],
  ['envelope', 'from the lowest to the highest bound of the single seeds'], ['nothing', 'not computed'],
] as const;

/** What the intervals of a task's rows are of. */
function intervalLegend(task: TaskSummary): string {
  const names = (of: Row['intervalOf']) => rowsOf(task).filter((row) => row.intervalOf === of).map((row) => row.model).join(', ');
  return intervalMeanings.flatMap(([of, text]) => (names(of) ? [`Interval ${text}: ${names(of)}.`] : [])).join(' ');
}

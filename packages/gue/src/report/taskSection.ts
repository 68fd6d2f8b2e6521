import { confusionCounts, confusionPlot } from './confusionPlot';
import { curvePlot, type Curve } from './curvePlot';
import { dataTable, type RowGroup } from './dataTable';
import { comparisonText, taskFacts } from './meaning';
import { duration, intervalText, magnitude, metricName, percent, plural, share } from './format';
import { html, type Html } from './html';
import { anchor, comparisonMark } from './scoreMatrix';
import { axisLabels, kindSign, modelSign, niceAxis, scorePlot, type Axis, type Mark } from './scorePlot';
import { average, isComparable, reported, rowsOf, scoreOf, type Row, type Summary, type TaskSummary } from './summary';

/** All about one task: scores, seeds, learning curves, confusion matrices. */
export function taskSection(task: TaskSummary, summary: Summary, axis: Axis): Html {
  return html`<section class="task" id="${anchor(task)}"><h3>${task.task.name}${task.simulated && html` <span class="tag">simulated</span>`}</h3>
<p class="quiet">${task.task.description && `${task.task.description}. `}${metricName(task.task.metric)}, ${taskFacts(task)}.</p>
${scoreTable(task, summary, axis)}
${seedTable(task, summary)}
${learningCurves(task, summary)}
${confusionMatrices(task, summary)}</section>
`;
}

function scoreTable(task: TaskSummary, summary: Summary, axis: Axis): Html {
  const line = (row: Row, sign: Html, mark: Mark, standing: Html | string) => [
    html`${sign}${row.model}${oneClass(row.kind === 'model' && row.records.some((record) => record.collapsed))}`,
    html`<span class="score">${percent(row.mean)}</span>`, html`<span class="interval">${intervalText(row.interval)}</span>`,
    scorePlot([[mark]], axis, `${row.model} on ${task.task.name}`), standing, row.records.length,
    shareText(reported(row.records, 'truncatedFraction')), duration(average(row.records.map((record) => record.cost.fitSeconds))),
  ];
  const groups: readonly RowGroup[] = [
    { head: 'Models', rows: task.models.map((row) => line(row, modelSign(styleOf(row, summary)), modelMark(row, summary), row.comparison ? html`<span title="${comparisonText(row.comparison)}">${comparisonMark(row.comparison)}</span>` : '')) },
    { head: 'Baselines', rows: task.baselines.map((row) => {
      const kind = row === task.best?.row ? 'bestBaseline' : 'baseline';
      return line(row, kindSign(kind), { kind, name: row.model, value: row.mean, interval: row.interval }, kind === 'bestBaseline' ? `best, chosen on ${task.best!.chosenOn}` : '');
    }) },
    { head: 'Published', rows: (task.task.published ?? []).map((row) => [
      html`${kindSign('published')}${row.model}${row.parameters !== undefined && html` <span class="quiet">${magnitude(row.parameters)}</span>`}`, html`<span class="score">${percent(row.score / 100)}</span>`, html`<span class="interval">none</span>`,
      scorePlot([[{ kind: 'published', name: row.model, value: row.score / 100 }]], axis, `${row.model} on ${task.task.name}, published`), isComparable(row, task) ? 'of comparable size' : 'not comparable', '', '', '',
    ]) },
  ];
  return dataTable({ caption: `${task.task.name}: ${metricName(task.task.metric)} on the test set, times 100. ${intervalLegend(task)}`, simulated: task.simulated, groups, columns: [
    { head: 'Who' }, { head: 'Score', kind: 'number' }, { head: summary.intervalHead }, { head: axisLabels(axis), kind: 'plot' }, { head: 'Against the best baseline' }, { head: 'Seeds', kind: 'number' }, { head: 'Truncated', kind: 'number' }, { head: 'Fit, each', kind: 'number' },
  ] });
}

const oneClass = (collapsed: boolean): Html | false => collapsed && html` <span class="tag">one class only</span>`;
const styleOf = (row: Row, summary: Summary): number => summary.models.indexOf(row.model);
const modelMark = (row: Row, summary: Summary): Mark => ({ kind: 'model', style: styleOf(row, summary), name: row.model, value: row.mean, interval: row.interval });
const shareText = (value: number | undefined): string => (value === undefined ? '' : share(value));

/** What the intervals of a task's rows are of. */
function intervalLegend(task: TaskSummary): string {
  const rows = rowsOf(task);
  const names = (of: Row['intervalOf']) => rows.filter((row) => row.intervalOf === of).map((row) => row.model).join(', ');
  return ([['mean', 'of the mean over seeds, test items nested in seeds'], ['run', 'of one run, over test items'], ['envelope', 'from the lowest to the highest bound of the single seeds'], ['nothing', 'not computed']] as const)
    .flatMap(([of, text]) => (names(of) ? [`Interval ${text}: ${names(of)}.`] : [])).join(' ');
}

/** Each seed on an axis of its own scale, where the spread can be seen. */
function seedTable(task: TaskSummary, summary: Summary): Html | false {
  const rows = rowsOf(task).filter((row) => row.records.length > 1);
  if (!rows.length) return false;
  const scores = rows.map((row) => row.records.map((record) => scoreOf(record, task.task.metric)));
  const axis = niceAxis(scores.flat().flatMap((score) => [score.value, score.interval?.low ?? score.value, score.interval?.high ?? score.value]));
  const groups = rows.map((row, i) => ({ rows: row.records.map((record, j) => {
    const { value, interval } = scores[i][j];
    const mark: Mark = row.kind === 'model' ? { ...modelMark(row, summary), value, interval } : { kind: 'baseline', name: row.model, value, interval };
    const dev = record.curve.flatMap((point) => (Number.isFinite(point.devScore) ? [point.devScore!] : []));
    return [
      html`${row.kind === 'model' ? modelSign(styleOf(row, summary)) : kindSign('baseline')}${row.model}, seed ${record.seed}${oneClass(row.kind === 'model' && record.collapsed)}`, html`<span class="score">${percent(value)}</span>`, html`<span class="interval">${intervalText(interval)}</span>`,
      scorePlot([[mark]], axis, `${row.model}, seed ${record.seed}, on ${task.task.name}`), dev.length ? percent(Math.max(...dev)) : '', reported([record], 'bestEpoch') ?? '',
    ];
  }) }));
  return dataTable({ caption: `${task.task.name}: each seed, on an axis of its own`, simulated: task.simulated, groups, columns: [
    { head: 'Run' }, { head: 'Score', kind: 'number' }, { head: `${summary.intervalHead} over items` }, { head: axisLabels(axis), kind: 'plot' }, { head: 'Best dev', kind: 'number' }, { head: 'Best epoch', kind: 'number' },
  ] });
}

function learningCurves(task: TaskSummary, summary: Summary): Html | false {
  const curves = (valueOf: (point: Row['records'][number]['curve'][number]) => number | undefined): readonly Curve[] => task.models.flatMap((row) => row.records.map((record) => ({
    style: styleOf(row, summary), name: `${row.model}, seed ${record.seed}`,
    points: record.curve.flatMap((point) => { const value = valueOf(point); return value === undefined ? [] : [[point.step, value] as const]; }),
  }))).filter((curve) => curve.points.length > 0);
  const [losses, devs] = [curves((point) => point.trainLoss), curves((point) => point.devScore)];
  if (!losses.length && !devs.length) return false;
  const name = task.task.name;
  return html`<h4>Learning curves${task.simulated && html` <span class="tag">simulated</span>`}</h4>
<ul class="legend">${task.models.map((row) => html`<li><svg class="stroke style${styleOf(row, summary) % 5}" width="30" height="3" aria-hidden="true"><path class="curve" d="M0 1.5H30"/></svg>${row.model}, ${plural(row.records.length, 'seed')}</li>`)}</ul>
<div class="figures">${losses.length > 0 && html`<figure><figcaption>Training loss</figcaption>${curvePlot(losses, `Training loss on ${name}`, (value) => (Number.isFinite(value) ? String(Number(value.toPrecision(3))) : 'no number'))}</figure>`}${
  devs.length > 0 && html`<figure><figcaption>Dev ${metricName(task.task.metric)}, times 100</figcaption>${curvePlot(devs, `Dev score on ${name}`, (value) => percent(value).replace(/\.0$/, ''))}</figure>`}</div>`;
}

/** Of every model and of the best baseline. */
function confusionMatrices(task: TaskSummary, summary: Summary): Html | false {
  const rows = [...task.models, ...(task.best ? [task.best.row] : [])].filter((row) => row.records.some((record) => record.predictions.labels.length));
  if (!rows.length) return false;
  return html`<h4>Confusion matrices${task.simulated && html` <span class="tag">simulated</span>`}</h4>
<div class="matrices">${rows.map((row) => html`<figure><figcaption>${row.kind === 'model' ? modelSign(styleOf(row, summary)) : kindSign('bestBaseline')}${row.model}, ${plural(row.records.length, 'seed')} together</figcaption>${
  confusionPlot(confusionCounts(row.records, Math.max(task.task.classes, row.records[0].data.testClassCounts.length)), `Confusion matrix of ${row.model} on ${task.task.name}`)}</figure>`)}</div>`;
}

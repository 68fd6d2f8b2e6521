import { dataTable, simulatedTag } from './dataTable';
import { intervalText, pText } from './format';
import { html, type Html } from './html';
import { anchor, comparisonMark } from './scoreMatrix';
import { axisLabels, modelSign, niceAxis, scorePlot } from './scorePlot';
import type { Row, Summary, TaskSummary } from './summary';

/** Every model minus the best baseline of each task, on one axis with zero in it, with p-values corrected for the number of tasks. */
export function forestPlot(summary: Summary): Html | false {
  const pairs = summary.tasks.flatMap((task) => task.models.flatMap((row) => (row.comparison ? [{ task, row, comparison: row.comparison }] : [])));
  if (!pairs.length) return false;
  const axis = niceAxis([0, ...pairs.flatMap(({ comparison: { difference, interval } }) => [difference, interval?.low ?? difference, interval?.high ?? difference])], 5, 'value');
  const groups = summary.models.map((model) => ({
    head: model,
    rows: pairs.filter(({ row }) => row.model === model).map(({ task, row, comparison }) => cells(task, row, comparison, summary.styles.get(model)!)),
  }));
  function cells(task: TaskSummary, row: Row, comparison: NonNullable<Row['comparison']>, style: number) {
    const { baseline, difference, interval, pValue } = comparison;
    return [
      html`${modelSign(style)}<a href="#${anchor(task)}">${task.task.name}</a>${simulatedTag(summary.simulated && task.simulated && summary.tasks.some((each) => !each.simulated))}<br/><span class="quiet">minus ${baseline}</span>`,
      scorePlot([[{ kind: 'model', style, name: `${row.model} minus ${baseline}`, value: difference, interval }]], axis, `${row.model} minus ${baseline} on ${task.task.name}`),
      comparisonMark(comparison), intervalText(interval), pValue === undefined ? '' : pText(pValue),
    ];
  }
  return dataTable({
    caption: 'Paired differences from the best baseline of each task, in points; p-values by paired bootstrap, corrected by Holm over the tasks of a model', simulated: summary.simulated, wide: true, groups,
    columns: [{ head: 'Task' }, { head: axisLabels(axis), kind: 'plot' }, { head: 'Verdict and difference' }, { head: summary.intervalHead }, { head: 'p, corrected', kind: 'number' }],
  });
}

import type { CurvePoint } from '../runRecord';
import { calibrationPlot, pooledBins } from './calibrationPlot';
import { confusionCounts, confusionPlot } from './confusionPlot';
import { curvePlot, type Curve } from './curvePlot';
import { simulatedTag } from './dataTable';
import { metricName, percent, plural } from './format';
import { html, type Html } from './html';
import { kindSign, modelSign } from './scorePlot';
import { average, type Summary, type TaskSummary } from './summary';

/** Training loss and dev score over steps, a line for each model and seed. */
export function learningCurves(task: TaskSummary, summary: Summary): Html | false {
  const [losses, devs] = [curvesOf(task, summary, (point) => point.trainLoss), curvesOf(task, summary, (point) => point.devScore)];
  if (!losses.length && !devs.length) return false;
  const legend = task.models.map(({ model, records }) => html`
<li><svg class="stroke style${summary.styles.get(model)}" width="30" height="3" aria-hidden="true"><path class="curve" d="M0 1.5H30"/></svg>${model}, ${plural(records.length, 'seed')}</li>`);
  const figure = (caption: string, curves: readonly Curve[], format: (value: number) => string) =>
    curves.length > 0 && html`<figure><figcaption>${caption}</figcaption>${curvePlot(curves, `${caption} on ${task.task.name}`, format)}</figure>`;
  return html`<h4>Learning curves${simulatedTag(task.simulated)}</h4>
<ul class="legend">${legend}</ul>
<div class="figures">${figure('Training loss', losses, (value) => (Number.isFinite(value) ? String(Number(value.toPrecision(3))) : 'no number'))}${
  figure(`Dev ${metricName(task.task.metric)} times 100`, devs, (value) => percent(value).replace(/\.0$/, ''))}</div>`;
}

function curvesOf(task: TaskSummary, summary: Summary, valueOf: (point: CurvePoint) => number | undefined): readonly Curve[] {
  return task.models.flatMap((row) => row.records.map((record) => ({
    style: summary.styles.get(row.model)!, name: `${row.model}, seed ${record.seed}`,
    points: record.curve.flatMap((point) => {
      const value = valueOf(point);
      return value === undefined ? [] : [[point.step, value] as const];
    }),
  }))).filter((curve) => curve.points.length > 0);
}

/** Of every model and of the best baseline. */
export function confusionMatrices(task: TaskSummary, summary: Summary): Html | false {
  const rows = [...task.models, ...(task.best ? [task.best.row] : [])].filter((row) => row.records.some((record) => record.predictions.labels.length));
  if (!rows.length) return false;
  const figures = rows.map(({ kind, model, records }) => {
    const sign = kind === 'model' ? modelSign(summary.styles.get(model)!) : kindSign('bestBaseline');
    const counts = confusionCounts(records, Math.max(task.task.classes, records[0].data.testClassCounts.length));
    const seeds = records.length > 1 ? `${records.length} seeds together` : `seed ${records[0].seed}`;
    return html`<figure><figcaption>${sign}${model}, ${seeds}</figcaption>${confusionPlot(counts, `Confusion matrix of ${model} on ${task.task.name}`)}</figure>`;
  });
  return html`<h4>Confusion matrices${simulatedTag(task.simulated)}</h4>
<div class="matrices">${figures}</div>`;
}

/** Reliability diagrams of the models and the best baseline, all seeds together. */
export function calibrationPlots(task: TaskSummary, summary: Summary): Html | false {
  const rows = [...task.models, ...(task.best ? [task.best.row] : [])].filter((row) => row.records.every(({ calibration }) => calibration));
  if (!rows.length) return false;
  const figures = rows.map(({ kind, model, records }) => {
    const style = kind === 'model' ? summary.styles.get(model)! : 0;
    const mean = (value: (calibration: NonNullable<(typeof records)[number]['calibration']>) => number | undefined) => {
      const values = records.flatMap(({ calibration }) => value(calibration!) ?? []);
      return values.length === records.length ? average(values) : undefined;
    };
    const auroc = mean((calibration) => calibration.auroc);
    return html`<figure class="${kind === 'model' ? 'model' : 'bestBaseline'}"><figcaption>${kind === 'model' ? modelSign(style) : kindSign('bestBaseline')}${model}<br/>error ${percent(mean((calibration) => calibration.expectedCalibrationError)!)} points, log-loss ${mean((calibration) => calibration.logLoss)!.toFixed(3)}${auroc !== undefined && `, AUROC ${percent(auroc)}`}</figcaption>${calibrationPlot(pooledBins(records), style, `Calibration of ${model} on ${task.task.name}`)}</figure>`;
  });
  return html`<h4>Calibration${simulatedTag(task.simulated)}</h4>
<p class="quiet">How often predictions of a given confidence are right. Dots below the diagonal: too sure.</p>
<div class="matrices">${figures}</div>`;
}

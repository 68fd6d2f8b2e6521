import { duration, metricName, percent } from './format';
import { html, type Html } from './html';
import { niceAxis, shapeOf, type Mark } from './scorePlot';
import { average, rowsOf, type Row, type Summary, type TaskSummary } from './summary';

const size = { width: 420, height: 240, left: 44, right: 16, top: 14, bottom: 38 };

/** Score over the seconds of one fit (logarithmic): what does a point cost? */
export function costPlot(task: TaskSummary, summary: Summary): Html | false {
  const rows = rowsOf(task).map((row) => ({ row, seconds: Math.max(1e-3, average(row.records.map(({ cost }) => cost.fitSeconds))) })).filter(({ row, seconds }) => Number.isFinite(seconds) && Number.isFinite(row.mean));
  if (rows.length < 2) return false;
  const { width, height, left, right, top, bottom } = size;
  const decades = rows.map(({ seconds }) => Math.log10(seconds));
  const [first, last] = [Math.floor(Math.min(...decades)), Math.max(Math.floor(Math.min(...decades)) + 1, Math.ceil(Math.max(...decades)))];
  const y = niceAxis(rows.map(({ row }) => row.mean), 4);
  const across = (seconds: number) => (left + ((Math.log10(seconds) - first) / (last - first)) * (width - left - right)).toFixed(1);
  const down = (value: number) => (height - bottom - ((value - y.low) / (y.high - y.low)) * (height - top - bottom)).toFixed(1);
  const yTicks = y.ticks.map((tick) => html`
<line class="grid" x1="${left}" x2="${width - right}" y1="${down(tick)}" y2="${down(tick)}"/><text x="${left - 7}" y="${down(tick)}" dy="4" text-anchor="end">${percent(tick).replace(/\.0$/, '')}</text>`);
  const xTicks = Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i)).map((seconds) => html`<text x="${across(seconds)}" y="${height - bottom + 16}" text-anchor="middle">${duration(seconds)}</text>`);
  const title = `${metricName(task.task.metric)} over the time of a fit on ${task.task.name}`;
  return html`<figure><figcaption>Score over the time of one fit</figcaption><svg class="curves cost" role="img" viewBox="0 0 ${width} ${height}"><title>${title}</title><desc>${rows.map(({ row, seconds }) => `${row.model} ${percent(row.mean)} in ${duration(seconds)}`).join('; ')}</desc>
${yTicks}${xTicks}<text x="${width - right}" y="${height - 3}" text-anchor="end">time of a fit</text>${rows.map(({ row, seconds }) => drawn(row, seconds))}</svg></figure>`;

  function drawn(row: Row, seconds: number): Html {
    const kind: Mark['kind'] = row.kind === 'model' ? 'model' : row === task.best?.row ? 'bestBaseline' : 'baseline';
    const style = kind === 'model' ? summary.models.indexOf(row.model) : undefined;
    const [x, at] = [Number(across(seconds)), Number(down(row.mean))];
    const end = x > width - 110;
    return html`<g class="${kind}${style !== undefined && ` style${style % 5}`}"><title>${row.model}: ${percent(row.mean)} in ${duration(seconds)}</title><svg x="${x}" y="${at}" overflow="visible">${shapeOf(kind, style)}</svg><text class="small" x="${end ? x - 9 : x + 9}" y="${at}" dy="4" text-anchor="${end ? 'end' : 'start'}">${row.model}</text></g>`;
  }
}

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
  const xTicks = Array.from({ length: last - first + 1 }, (_, i) => first + i).map((decade) => html`<text x="${across(10 ** decade)}" y="${height - bottom + 16}" text-anchor="${decade === last ? 'end' : 'middle'}">${duration(10 ** decade)}</text>`);
  const labels = placeLabels(rows.map(({ row, seconds }) => ({ x: Number(across(seconds)), y: Number(down(row.mean)), letters: row.model.length })));
  const title = `${metricName(task.task.metric)} over the time of a fit on ${task.task.name}`;
  return html`<figure><figcaption>Score over the time of one fit</figcaption><svg class="curves cost" role="img" viewBox="0 0 ${width} ${height}"><title>${title}</title><desc>${rows.map(({ row, seconds }) => `${row.model} ${percent(row.mean)} in ${duration(seconds)}`).join('; ')}</desc>
${yTicks}${xTicks}<text x="${width - right}" y="${height - 3}" text-anchor="end">time of a fit</text>${rows.map(({ row, seconds }, i) => drawn(row, seconds, labels[i]))}</svg></figure>`;

  function drawn(row: Row, seconds: number, label: Label): Html {
    const kind: Mark['kind'] = row.kind === 'model' ? 'model' : row === task.best?.row ? 'bestBaseline' : 'baseline';
    const style = kind === 'model' ? summary.models.indexOf(row.model) : undefined;
    const [x, at] = [Number(across(seconds)), Number(down(row.mean))];
    return html`<g class="${kind}${style !== undefined && ` style${style % 5}`}"><title>${row.model}: ${percent(row.mean)} in ${duration(seconds)}</title><svg x="${x}" y="${at}" overflow="visible">${shapeOf(kind, style)}</svg><text class="small" x="${label.end ? x - 9 : x + 9}" y="${label.y}" dy="4" text-anchor="${label.end ? 'end' : 'start'}">${row.model}</text></g>`;
  }
}

interface Label { readonly y: number; readonly end: boolean }

/** Names beside their marks, left of those near the right edge; one that would cover a mark or another goes up or down by lines until it does not. Letters are taken for 6 wide, lines for 11 high. */
function placeLabels(marks: readonly { readonly x: number; readonly y: number; readonly letters: number }[]): Label[] {
  const taken = marks.map(({ x, y }) => ({ from: x - 6, to: x + 6, y }));
  return marks.map(({ x, y, letters }) => {
    const end = x > size.width - 110;
    const [from, to] = end ? [x - 9 - 6 * letters, x - 9] : [x + 9, x + 9 + 6 * letters];
    const free = (at: number) => taken.every((other) => other.to < from || other.from > to || Math.abs(other.y - at) >= 11);
    const at = [0, 11, -11, 22, -22, 33, -33].map((shift) => y + shift).find(free) ?? y;
    taken.push({ from, to, y: at });
    return { y: at, end };
  });
}

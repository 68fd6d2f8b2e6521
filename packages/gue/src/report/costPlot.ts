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
  const labels = placeLabels(rows.map(({ row, seconds }) => ({ x: Number(across(seconds)), y: Number(down(row.mean)), letters: short(row.model).length })));
  const leaders = labels.flatMap(({ x, from, y: to, end }) => (to === from ? [] : [html`<line class="leader" x1="${x}" y1="${from}" x2="${end ? x - 8 : x + 8}" y2="${to}"/>`]));
  const title = `${metricName(task.task.metric)} over the time of a fit on ${task.task.name}`;
  return html`<figure><figcaption>Score over the time of one fit</figcaption><svg class="curves cost" role="img" viewBox="0 0 ${width} ${height}"><title>${title}</title><desc>${rows.map(({ row, seconds }) => `${row.model} ${percent(row.mean)} in ${duration(seconds)}`).join('; ')}</desc>
${yTicks}${xTicks}<text x="${width - right}" y="${height - 3}" text-anchor="end">time of a fit</text>${leaders}${rows.map(({ row, seconds }, i) => drawn(row, seconds, labels[i]))}</svg></figure>`;

  function drawn(row: Row, seconds: number, label: Label): Html {
    const kind: Mark['kind'] = row.kind === 'model' ? 'model' : row === task.best?.row ? 'bestBaseline' : 'baseline';
    const style = kind === 'model' ? summary.styles.get(row.model) : undefined;
    const [x, at] = [Number(across(seconds)), Number(down(row.mean))];
    return html`<g class="${kind}${style !== undefined && ` style${style}`}"><title>${row.model}: ${percent(row.mean)} in ${duration(seconds)}</title><svg x="${x}" y="${at}" overflow="visible">${shapeOf(kind, style)}</svg><text class="small" x="${label.end ? x - 9 : x + 9}" y="${label.y}" dy="4" text-anchor="${label.end ? 'end' : 'start'}">${short(row.model)}</text></g>`;
  }
}

/** As much of a name as has room; the mark's title has all of it. */
const short = (name: string): string => (name.length > 24 ? `${name.slice(0, 23)}…` : name);

interface Label {
  /** Of the mark. */
  readonly x: number;
  readonly from: number;
  /** Of the name. */
  readonly y: number;
  readonly end: boolean;
}

/**
 * Names beside their marks, left of those that would leave the picture; one that would cover a mark or another goes up or down by lines, within the plot, until it does not.
 * From right to left, so that the line from a mark to its name passes left of the names beyond it. Letters are taken for 7 wide, lines for 11 high.
 */
function placeLabels(marks: readonly { readonly x: number; readonly y: number; readonly letters: number }[]): Label[] {
  const taken = marks.map(({ x, y }) => ({ from: x - 6, to: x + 6, y }));
  const labels = new Array<Label>(marks.length);
  for (const i of [...marks.keys()].sort((a, b) => marks[b].x - marks[a].x)) {
    const { x, y, letters } = marks[i];
    const end = x + 9 + 7 * letters > size.width;
    const [from, to] = end ? [x - 9 - 7 * letters, x - 9] : [x + 9, x + 9 + 7 * letters];
    const free = (at: number) => at >= size.top && at <= size.height - size.bottom && taken.every((other) => other.to < from || other.from > to || Math.abs(other.y - at) >= 11);
    const at = Array.from({ length: 16 }, (_, line) => [y + 11 * line, y - 11 * line]).flat().find(free) ?? y;
    taken.push({ from, to, y: at });
    labels[i] = { x, from: y, y: at, end };
  }
  return labels;
}

import { html, type Html } from './html';
import { niceAxis } from './scorePlot';

/** One line: a model's style and its points `[step, value]`. */
export interface Curve {
  readonly style: number;
  readonly name: string;
  readonly points: readonly (readonly [number, number])[];
}

const size = { width: 420, height: 220, left: 44, right: 16, top: 10, bottom: 34 };
const maxPoints = 160;

/** Lines over training steps, thinned to the means of at most 160 bins. Points that are not numbers break the line. */
export function curvePlot(curves: readonly Curve[], title: string, format: (value: number) => string): Html {
  const thinned = curves.map((curve) => ({ ...curve, points: thin(curve.points) }));
  const points = thinned.flatMap((curve) => curve.points).filter(([, value]) => Number.isFinite(value));
  const [x, y] = [niceAxis([0, ...points.map(([step]) => step)], 4, 'value'), niceAxis(points.map(([, value]) => value), 4)];
  const { width, height, left, right, top, bottom } = size;
  const across = (step: number) => (left + ((step - x.low) / (x.high - x.low)) * (width - left - right)).toFixed(1);
  const down = (value: number) => (height - bottom - ((value - y.low) / (y.high - y.low)) * (height - top - bottom)).toFixed(1);
  const yTicks = y.ticks.map((tick) => html`
<line class="grid" x1="${left}" x2="${width - right}" y1="${down(tick)}" y2="${down(tick)}"/><text x="${left - 7}" y="${down(tick)}" dy="4" text-anchor="end">${format(tick)}</text>`);
  const xTicks = x.ticks.map((tick) => html`<text x="${across(tick)}" y="${height - bottom + 16}" text-anchor="middle">${Number(tick.toPrecision(6))}</text>`);
  const lines = thinned.map((curve) => {
    const drawn = curve.points.map(([step, value]) => [across(step), down(value)] as const);
    const dots = drawn.length <= 40 && drawn.filter(([, at]) => at !== 'NaN').map(([cx, cy]) => html`<circle class="point" cx="${cx}" cy="${cy}" r="2"/>`);
    return html`<g class="style${curve.style}"><title>${curve.name}</title><path class="curve" d="${path(drawn)}"/>${dots}</g>`;
  });
  return html`<svg class="curves" role="img" viewBox="0 0 ${width} ${height}"><title>${title}</title><desc>${thinned.map((curve) => describe(curve, format)).join('; ')}</desc>
${yTicks}${xTicks}<text x="${width - right}" y="${height - 3}" text-anchor="end">step</text>${lines}</svg>`;
}

const path = (points: readonly (readonly [string, string])[]): string =>
  points.map(([x, y], i) => (y === 'NaN' ? '' : `${i === 0 || points[i - 1][1] === 'NaN' ? 'M' : 'L'}${x} ${y}`)).join('');

function thin(points: Curve['points']): Curve['points'] {
  const finite = points.map(([step, value]) => [step, Number.isFinite(value) ? value : NaN] as const);
  const width = Math.ceil(finite.length / maxPoints);
  if (width <= 1) return finite;
  return Array.from({ length: Math.ceil(finite.length / width) }, (_, i) => {
    const bin = finite.slice(i * width, (i + 1) * width);
    return [bin[bin.length - 1][0], bin.reduce((sum, [, value]) => sum + value, 0) / bin.length] as const;
  });
}

function describe(curve: Curve, format: (value: number) => string): string {
  const [first, last] = [curve.points[0], curve.points[curve.points.length - 1]];
  return `${curve.name}: ${format(first[1])} at step ${first[0]}, ${format(last[1])} at step ${last[0]}`;
}
